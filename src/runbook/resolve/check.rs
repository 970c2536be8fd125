//! Checks: one question each, whose kind is the one key that is not `id`.

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::place::Place;
use crate::runbook::{Check, CheckKind, JsonSource, PhaseId};

/// The kinds of checks as a runbook spells them.
const KINDS: &[&str] = &[
    "pause",
    "can_pause",
    "settlers",
    "governed",
    "code",
    "call",
    "slot",
    "reverts",
    "proxy",
    "role",
    "timelock",
    "operation",
    "transaction",
    "safe",
    "safe_bundle",
    "safe_tx",
    "unchanged_since",
    "json",
    "rehearsed",
];

impl<'a> Resolve<'a> {
    /// The check whose kind is a key of this table; the caller took its id and finishes the table.
    pub(super) fn check(&self, reader: &mut Reader<'a>, id: String, place: Place) -> Option<Check> {
        let kind = reader.one_of(KINDS, "check")?;
        let node = reader.optional(kind)?;
        let mut inner = Reader::of(self.report, node, format!("`{kind}`"))?;
        let kind = self.check_kind(kind, &mut inner);
        inner.finish();
        Some(Check { id, kind: kind?, waiver: None, place })
    }

    /// The same where the runbook may accept something else for a while.
    pub(super) fn waivable_check(&self, reader: &mut Reader<'a>, id: String, place: Place) -> Option<Check> {
        let waiver = reader.optional("waiver");
        let check = self.check(reader, id, place);
        let waiver = waiver.and_then(|node| self.waiver(node, check.as_ref().map(|check| &check.kind)));
        check.map(|check| Check { waiver, ..check })
    }

    /// A value that is a check alone, with a name made for it.
    pub(super) fn lone_check(&self, node: &'a Node<'a>, what: &str, id: String) -> Option<Check> {
        let mut reader = Reader::of(self.report, node, what)?;
        let check = self.check(&mut reader, id, node.place);
        reader.finish();
        check.inspect(|check| self.no_relations(check.kind.predicates()))
    }

    fn check_kind(&self, kind: &str, inner: &mut Reader<'a>) -> Option<CheckKind> {
        match kind {
            "unchanged_since" => Some(self.unchanged_since(inner)),
            "json" => self.json_check(inner),
            "rehearsed" => Some(CheckKind::Rehearsed(self.rehearsed(inner))),
            chain => self.chain_check(chain, inner),
        }
    }

    fn unchanged_since(&self, inner: &mut Reader<'a>) -> CheckKind {
        let (gate, check) = (inner.required("gate"), inner.required("check"));
        if let (Some(gate), Some(check)) = (gate, check) {
            self.earlier(gate, check);
        }
        let text = |node: Option<&Node>| node.and_then(Node::as_text).unwrap_or_default().to_owned();
        CheckKind::UnchangedSince { gate: PhaseId(text(gate)), check: text(check) }
    }

    fn json_check(&self, inner: &mut Reader<'a>) -> Option<CheckKind> {
        let source = inner.one_of(&["of", "file"], "source");
        let rules = self.rules(inner, "rules");
        let of = match source? {
            "of" => JsonSource::Artefact(self.artefact(inner, "of")),
            _ => JsonSource::File(self.path_template(inner, "file")),
        };
        if rules.is_empty() {
            let diagnostic = Diagnostic::new(inner.place, "this `json` check demands nothing");
            self.report.add(diagnostic.help("add `rules = [{ at = \"$.…\", eq = … }]`").absence());
        }
        Some(CheckKind::Json { of, rules })
    }
}
