//! `[[phase]]`, its gate, and who must sign.

use super::{Resolve, Stage, Unique, take_id};
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::{Check, Gate, Phase, PhaseId, SignOff, suggest};

impl<'a> Resolve<'a> {
    pub(super) fn phases(&mut self, root: &mut Reader<'a>) -> Vec<Phase> {
        let mut phases = Vec::new();
        for (index, (node, reader)) in self.tables(root, "phase", "`[[phase]]`").enumerate() {
            self.stage = Stage::Phase(index);
            phases.push(self.phase(node, reader));
        }
        if root.lacks("phase") {
            let diagnostic = Diagnostic::new(root.place, "the runbook has no phase");
            self.report.add(diagnostic.help("add `[[phase]]` with `id`, `title` and `[phase.gate]`").absence());
        }
        phases
    }

    fn phase(&mut self, node: &'a Node<'a>, mut reader: Reader<'a>) -> Phase {
        let id = take_id(&mut reader, &mut self.parts);
        let title = reader.text("title");
        let on = reader.optional("on").and_then(|node| {
            let name = self.report.text(node, "on")?;
            self.network_name(name, node.place);
            Some(name.to_owned())
        });
        let steps = self.steps(&mut reader, &id, "phase");
        let gate = self.gate(&mut reader, &id);
        reader.finish();
        Phase { id: PhaseId(id), title, on, steps, gate, place: node.place }
    }

    fn gate(&mut self, phase: &mut Reader<'a>, id: &str) -> Gate {
        let empty = Gate { title: String::new(), checks: vec![], sign_off: None, place: phase.place };
        let node = phase.optional("gate");
        if node.is_none() {
            let diagnostic = Diagnostic::new(phase.place, format!("the phase `{id}` has no gate"));
            self.report.add(diagnostic.help("close it with `[phase.gate]`").absence());
        }
        let Some((node, mut reader)) =
            node.and_then(|node| Some((node, Reader::of(self.report, node, "`[phase.gate]`")?)))
        else {
            return empty;
        };
        let title = reader.text("title");
        let mut ids = self.invariant_ids.clone();
        ids.noun = "check";
        let checks = self.checks(&mut reader, "check", "`[[phase.gate.check]]`", &mut ids);
        self.relations(&checks, true);
        let sign_off = reader.optional("sign_off").and_then(|node| self.sign_off(node));
        let asks = !reader.lacks("check") || reader.has("sign_off") || !self.names.invariants.is_empty();
        if !asks && !reader.has_unknown() {
            let diagnostic = Diagnostic::new(node.place, format!("the gate `{id}` has nothing to check"));
            let diagnostic = diagnostic.label("would never open");
            self.report.add(
                diagnostic.help("add `[[phase.gate.check]]`, `[phase.gate.sign_off]` or an `[[invariant]]`").absence(),
            );
        }
        reader.finish();
        Gate { title, checks, sign_off, place: node.place }
    }

    /// A list of checks with ids.
    pub(super) fn checks(
        &self,
        reader: &mut Reader<'a>,
        key: &'static str,
        what: &str,
        ids: &mut Unique<'a>,
    ) -> Vec<Check> {
        let mut checks = Vec::new();
        for (node, mut reader) in self.tables(reader, key, what) {
            let id = take_id(&mut reader, ids);
            let waivable = key != "done_when";
            checks.extend(if waivable {
                self.waivable_check(&mut reader, id, node.place)
            } else {
                self.check(&mut reader, id, node.place)
            });
            reader.finish();
        }
        checks
    }

    fn sign_off(&self, node: &'a Node<'a>) -> Option<SignOff> {
        let mut reader = Reader::of(self.report, node, "`[phase.gate.sign_off]`")?;
        let statement = self.template(&mut reader, "statement");
        let covers = reader.required("covers").and_then(|node| self.report.list(node, "covers")).unwrap_or_default();
        let covers = covers.iter().filter_map(|node| self.artefact_at(node, "covers")).collect();
        let signers = self.group(&mut reader);
        let threshold = self.threshold(&mut reader, &signers);
        let max_age = self.required_duration(&mut reader, "max_age");
        let not_operator = reader.flag("not_operator").unwrap_or(false);
        reader.finish();
        Some(SignOff { statement, covers, signers, threshold, max_age, not_operator, place: node.place })
    }

    fn group(&self, reader: &mut Reader<'a>) -> String {
        let Some(node) = reader.required("signers") else {
            return String::new();
        };
        let name = self.report.text(node, "signers").unwrap_or_default();
        if !name.is_empty() && !self.names.signers.contains_key(name) {
            let known = self.names.signers.keys().map(String::as_str);
            self.unknown("group of signers", name, node.place, suggest::help(name, known, "declared groups"));
        }
        name.to_owned()
    }

    fn threshold(&self, reader: &mut Reader<'a>, group: &str) -> u32 {
        let Some(node) = reader.required("threshold") else {
            return 1;
        };
        let threshold = self.report.number(node, "threshold", 1).map_or(1, |n| u32::try_from(n).unwrap_or(u32::MAX));
        let people = self.names.signers.get(group).map_or(0, std::collections::BTreeSet::len);
        if people > 0
            && !self.names.safe_groups.contains(group)
            && usize::try_from(threshold).is_ok_and(|threshold| threshold > people)
        {
            let message = format!("{threshold} people must sign, and `{group}` has {people}");
            let diagnostic = Diagnostic::new(node.place, message).label("can never be reached");
            self.report.add(diagnostic.help("people are counted, not keys; lower the threshold or add people"));
        }
        threshold
    }
}
