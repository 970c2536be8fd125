//! `[[phase.step]]` and `[[contingency.step]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::secret::OF_NETWORKS;
use super::{Resolve, Unique, take_id};
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Node, Value};
use crate::runbook::{
    Action, Check, Effects, Evidence, EvidenceKind, ExpectedExit, Isolation, Need, Retry, Step, StepId, Template, forms,
};

const EFFECTS: &[(&str, Effects)] = &[("none", Effects::None), ("files", Effects::Files), ("chain", Effects::Chain)];

impl<'a> Resolve<'a> {
    /// The steps of a phase or a contingency with the id `of`.
    pub(super) fn steps(&mut self, part: &mut Reader<'a>, of: &str, what: &str) -> Vec<Step> {
        let count = part.len_of("step");
        let mut ids = Unique::of("step", count);
        let what = format!("{what}.step");
        let tables = self.tables(part, "step", &format!("`[[{what}]]`"));
        // A step is large: no room for more of them than there are.
        let mut steps = Vec::with_capacity(count);
        steps.extend(tables.map(|(node, reader)| self.step(node, reader, of, &what, &mut ids)));
        steps
    }

    fn step(&mut self, node: &'a Node<'a>, mut reader: Reader<'a>, of: &str, what: &str, ids: &mut Unique<'a>) -> Step {
        let id = StepId::new(of, &take_id(&mut reader, ids));
        let title = reader.text("title");
        let action = self.action(&mut reader);
        let env = self.environment(&mut reader);
        let needs = self.needs(&mut reader);
        let effects = reader.choice("effects", EFFECTS).unwrap_or(Effects::None);
        let exit = self.exit(&mut reader);
        let timeout = self.duration(&mut reader, "timeout").unwrap_or(self.timeout);
        let silence = self.duration(&mut reader, "silence").unwrap_or(self.silence);
        let isolation = reader.choice("isolation", &[("pid", Isolation::Pid)]);
        let before = self.before(&mut reader, &id);
        let probe = reader.optional("probe").and_then(|node| self.lone_check(node, "`probe`", format!("{id} probe")));
        let probe = probe.map(Box::new);
        let idempotent = reader.flag("idempotent").unwrap_or(false);
        let retry = self.retry(&mut reader);
        let own_chain = reader.choice("chain", &[("own", true)]).unwrap_or(false);
        let differs = reader.optional_text("differs");
        let evidence = self.evidences(&mut reader, &id, what);
        // Evidence that could not be read was reported already, and may be the kind that is missing.
        if reader.len_of("evidence") == evidence.len() {
            self.evidence_decides(&reader, &id, &evidence, effects == Effects::Chain && !own_chain, exit);
        }
        if let (Some(Action::Secrets { .. }), Some(first)) = (&action, evidence.first()) {
            let diagnostic = Diagnostic::new(
                first.place,
                format!("the step `{id}` has evidence, and `secrets` is judged by its variables"),
            );
            self.report.add(diagnostic.help("take it out, or put it on a step of its own"));
        }
        reader.finish();
        Step {
            id,
            title,
            action: action.unwrap_or(Action::Manual { instructions: Template::default() }),
            env,
            needs,
            effects,
            exit,
            timeout,
            silence,
            isolation,
            evidence,
            before,
            probe,
            idempotent,
            retry,
            own_chain,
            differs,
            place: node.place,
        }
    }

    fn retry(&mut self, step: &mut Reader<'a>) -> Option<Retry> {
        let node = step.optional("retry")?;
        let mut reader = Reader::of(self.report, node, "`retry`")?;
        let max = reader.number("max", 1).and_then(|max| u32::try_from(max).ok());
        let backoff = self.duration(&mut reader, "backoff").unwrap_or(Duration::from_secs(5));
        reader.finish();
        Some(Retry { max: max.unwrap_or(1), backoff })
    }

    /// Exit codes lie: what a step did to a chain, and whether `exit = "any"` was well, only evidence tells.
    fn evidence_decides(&self, reader: &Reader<'a>, id: &StepId, found: &[Evidence], chain: bool, exit: ExpectedExit) {
        let reads_chain = |evidence: &Evidence| match evidence.kind {
            EvidenceKind::Chain(_) | EvidenceKind::Transactions(_) => true,
            EvidenceKind::File(_) | EvidenceKind::Output(_) => false,
        };
        if chain && !found.iter().any(reads_chain) {
            let message = format!("the step `{id}` changes the chain, and no evidence reads the chain");
            let diagnostic = Diagnostic::new(reader.key_place("effects"), message).label("evidence decides");
            self.report.add(diagnostic.help("add evidence of the kind `transactions` or `chain`").absence());
        } else if exit == ExpectedExit::Any && found.is_empty() {
            let message = format!("the step `{id}` accepts any exit code, and no evidence decides");
            let diagnostic = Diagnostic::new(reader.key_place("exit"), message).label("nothing could fail");
            self.report.add(diagnostic.help("add `[[phase.step.evidence]]`, or name the exit code").absence());
        }
    }

    fn environment(&self, reader: &mut Reader<'a>) -> BTreeMap<String, Template> {
        let Some(table) = reader.optional("env").and_then(|node| Reader::of(self.report, node, "`env`")) else {
            return BTreeMap::new();
        };
        let mut environment = BTreeMap::new();
        for entry in table.entries() {
            if let Err(wrong) = forms::given_variable(&entry.key) {
                let diagnostic = Diagnostic::new(entry.place, wrong.message());
                self.report.add(diagnostic.help("letters, digits and `_`, as in `HARDHAT_NETWORK`"));
            }
            environment.extend(self.template_at(&entry.node, &entry.key).map(|value| (entry.key.to_string(), value)));
        }
        environment
    }

    fn needs(&self, reader: &mut Reader<'a>) -> Vec<Need> {
        let list = reader.list("needs");
        if list.is_empty() {
            return Vec::new();
        }
        let known = OF_NETWORKS.into_iter().chain(self.names.secrets.iter().map(String::as_str));
        let known: Vec<(&str, &str)> = known.map(|class| (class, class)).collect();
        let classes = list.iter().filter_map(|node| self.report.choice(node, "needs", &known));
        let mut needs: Vec<Need> = classes.map(Need::of).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    fn exit(&self, reader: &mut Reader<'a>) -> ExpectedExit {
        let Some(node) = reader.optional("exit") else {
            return ExpectedExit::Code(0);
        };
        match &node.value {
            Value::Integer(Some(code @ 0..=255)) => ExpectedExit::Code(i32::try_from(*code).unwrap_or_default()),
            Value::Text(text) if text == "any" => ExpectedExit::Any,
            _ => {
                let diagnostic = Diagnostic::new(node.place, "`exit` must be a code from 0 to 255, or \"any\"");
                self.report.add(diagnostic.help("\"any\" where evidence alone decides"));
                ExpectedExit::Code(0)
            }
        }
    }

    fn before(&self, step: &mut Reader<'a>, id: &StepId) -> Vec<Check> {
        let mut ids = Unique::new("check");
        let mut checks = Vec::new();
        for (index, (node, mut reader)) in self.tables(step, "before", "a check of `before`").enumerate() {
            let made = format!("{id} before {}", index + 1);
            let own = reader.optional("id").is_some().then(|| take_id(&mut reader, &mut ids));
            let check = self.waivable_check(&mut reader, own.unwrap_or(made), node.place);
            checks.extend(check.inspect(|check| self.no_relations(check.kind.predicates())));
            reader.finish();
        }
        checks
    }
}
