//! `[[phase.step.evidence]]`: what must be seen for a step to count as done.

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::{
    Evidence, EvidenceKind, FileEvidence, Mentions, OutputEvidence, StepId, TransactionsEvidence, forms,
};

const KINDS: &[&str] = &["file", "output", "chain", "transactions"];

/// Keys that stand beside `file` but inside `output`.
const BESIDE_FILE: &[&str] =
    &["json", "contains", "never", "has", "keep", "written", "unchanged", "mentions", "manifest", "allowed_signers"];

impl<'a> Resolve<'a> {
    pub(super) fn evidences(&mut self, step: &mut Reader<'a>, id: &StepId, what: &str) -> Vec<Evidence> {
        let mut found = Vec::new();
        // Most steps of a long runbook have none.
        let what = if step.has("evidence") { format!("`[[{what}.evidence]]`") } else { String::new() };
        for (index, (node, mut reader)) in self.tables(step, "evidence", &what).enumerate() {
            let kind = self.evidence(&mut reader, id, index + 1);
            reader.finish();
            found.extend(kind.map(|kind| Evidence { kind, place: node.place }));
        }
        found
    }

    fn evidence(&mut self, reader: &mut Reader<'a>, id: &StepId, number: usize) -> Option<EvidenceKind> {
        let Some(kind) = reader.one_of(KINDS, "evidence") else {
            // They are right beside the kind that is missing.
            reader.take(BESIDE_FILE);
            return None;
        };
        if kind == "file" {
            return Some(EvidenceKind::File(self.file(reader, id)));
        }
        for key in BESIDE_FILE {
            if reader.optional(key).is_some() {
                let diagnostic = Diagnostic::new(reader.key_place(key), format!("`{key}` does not go beside `{kind}`"));
                let help = format!("write it inside, `{kind} = {{ {key} = … }}`, or use `file` for a file");
                self.report.add(diagnostic.maybe_help((kind == "output").then_some(help)));
            }
        }
        let node = reader.optional(kind)?;
        match kind {
            "output" => self.output(node, id).map(EvidenceKind::Output),
            "chain" => self.lone_check(node, "`chain`", format!("{id} evidence {number}")).map(EvidenceKind::Chain),
            _ => self.transactions(node).map(EvidenceKind::Transactions),
        }
    }

    fn file(&mut self, reader: &mut Reader<'a>, id: &StepId) -> FileEvidence {
        FileEvidence {
            path: self.path_template(reader, "file"),
            json: self.rules(reader, "json"),
            contains: self.templates(reader, "contains"),
            never: self.templates(reader, "never"),
            allowed_signers: reader.flag("allowed_signers").unwrap_or(false),
            written: reader.flag("written").unwrap_or(true),
            unchanged: reader.flag("unchanged").unwrap_or(false),
            mentions: reader.optional("mentions").and_then(|node| self.mentions(node)),
            manifest: reader.has("manifest").then(|| self.json_path(reader, "manifest")),
            keep: reader.optional("keep").and_then(|node| self.keep(node, id)),
        }
    }

    fn mentions(&mut self, node: &'a Node<'a>) -> Option<Mentions> {
        let mut reader = Reader::of(self.report, node, "`mentions`")?;
        let mentions = Mentions { of: self.artefact(&mut reader, "of"), at: self.json_path(&mut reader, "at") };
        reader.finish();
        Some(mentions)
    }

    fn output(&mut self, node: &'a Node<'a>, id: &StepId) -> Option<OutputEvidence> {
        let mut reader = Reader::of(self.report, node, "`output`")?;
        let output = OutputEvidence {
            has: self.templates(&mut reader, "has"),
            never: self.templates(&mut reader, "never"),
            json: self.rules(&mut reader, "json"),
            keep: reader.optional("keep").and_then(|node| self.keep(node, id)),
        };
        if ["has", "never", "json", "keep"].iter().all(|key| reader.lacks(key)) && !reader.has_unknown() {
            let diagnostic = Diagnostic::new(reader.place, "`output` demands nothing");
            self.report.add(diagnostic.help("add `has`, `never`, `json` or `keep`").absence());
        }
        reader.finish();
        Some(output)
    }

    fn transactions(&mut self, node: &'a Node<'a>) -> Option<TransactionsEvidence> {
        let mut reader = Reader::of(self.report, node, "`transactions`")?;
        let handed_in = reader.flag("handed_in").unwrap_or(false);
        let evidence = TransactionsEvidence {
            handed_in,
            of: if handed_in { String::new() } else { self.artefact(&mut reader, "of") },
            at: if handed_in { String::new() } else { self.json_path(&mut reader, "at") },
            min: reader.number("min", 0).unwrap_or(1),
            to: reader.list("to").iter().filter_map(|node| self.contract_at(node, "to", &[])).collect(),
        };
        reader.finish();
        Some(evidence)
    }

    /// Gives an artefact its name, which nothing else has.
    fn keep(&mut self, node: &Node, id: &StepId) -> Option<String> {
        self.report.form(node, "keep", forms::artefact)?;
        let name = node.as_text()?.to_owned();
        if let Some(keeper) = self.kept.get(&name) {
            let diagnostic = Diagnostic::new(node.place, format!("the artefact `{name}` is kept twice"));
            self.report
                .add(diagnostic.help(format!("the step `{keeper}` keeps it already; give this one another name")));
        }
        self.kept.insert(name.clone(), id.to_string());
        Some(name)
    }
}
