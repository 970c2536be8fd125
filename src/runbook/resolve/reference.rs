//! References to what is declared elsewhere: networks, contracts, artefacts, earlier gates.

use super::{Resolve, Stage};
use crate::runbook::ContractKind;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::place::Place;
use crate::runbook::resolve::contract::KINDS;
use crate::runbook::{forms, suggest};

impl<'a> Resolve<'a> {
    pub(super) fn network_name(&self, name: &str, place: Place) {
        if !self.names.networks.contains_key(name) {
            let known = self.names.networks.keys().map(String::as_str);
            self.unknown("network", name, place, suggest::help(name, known, "declared networks"));
        }
    }

    pub(super) fn unknown(&self, noun: &str, name: &str, place: Place, help: Option<String>) {
        let diagnostic = Diagnostic::new(place, format!("no {noun} `{name}` is declared"));
        self.report.add(diagnostic.maybe_help(help).absence());
    }

    /// Takes the name of a contract that must be there, of one of these kinds; no kinds: any.
    pub(super) fn contract_of(&self, reader: &mut Reader<'a>, key: &'static str, kinds: &[ContractKind]) -> String {
        let node = reader.required(key);
        node.and_then(|node| self.contract_at(node, key, kinds)).unwrap_or_default()
    }

    pub(super) fn contract_at(&self, node: &Node, key: &str, kinds: &[ContractKind]) -> Option<String> {
        let name = self.report.text(node, key)?;
        match self.names.contracts.get(name) {
            None => {
                let known = self.names.contracts.keys().map(String::as_str);
                self.unknown("contract", name, node.place, suggest::help(name, known, "declared contracts"));
            }
            Some(Some(kind)) if !kinds.is_empty() && !kinds.contains(kind) => self.wrong_kind(node, name, *kind, kinds),
            Some(_) => {}
        }
        Some(name.to_owned())
    }

    fn wrong_kind(&self, node: &Node, name: &str, kind: ContractKind, kinds: &[ContractKind]) {
        let word = |kind: &ContractKind| KINDS.iter().find(|(_, known)| known == kind).map_or("", |(word, _)| *word);
        let wanted = suggest::names(kinds.iter().map(word));
        let not = if kinds.len() == 1 { "not" } else { "none of" };
        let message = format!("the contract `{name}` is of kind `{}`, {not} {wanted}", word(&kind));
        let of_kind = |(_, known): &(&String, &Option<ContractKind>)| known.is_some_and(|known| kinds.contains(&known));
        let fit: Vec<&str> = self.names.contracts.iter().filter(of_kind).map(|(name, _)| name.as_str()).collect();
        let help = match fit[..] {
            [] => "no contract of such a kind is declared".to_owned(),
            _ => format!("of such a kind: {}", suggest::names(fit)),
        };
        self.report.add(Diagnostic::new(node.place, message).help(help));
    }

    /// A declared contract, or an address.
    pub(super) fn account(&self, node: &Node, key: &str) -> Option<String> {
        let text = self.report.text(node, key)?;
        if text.starts_with("0x") {
            self.report.form(node, key, forms::address)?;
            return Some(text.to_owned());
        }
        self.contract_at(node, key, &[])
    }

    /// Takes the name of an artefact that must be there.
    pub(super) fn artefact(&self, reader: &mut Reader<'a>, key: &'static str) -> String {
        let node = reader.required(key);
        node.and_then(|node| self.artefact_at(node, key)).unwrap_or_default()
    }

    /// The name of an artefact that an earlier step keeps.
    pub(super) fn artefact_at(&self, node: &Node, key: &str) -> Option<String> {
        let name = self.report.text(node, key)?;
        if self.stage == Stage::Invariant {
            let diagnostic = Diagnostic::new(node.place, format!("an invariant cannot ask for the artefact `{name}`"));
            self.report.add(diagnostic.help("it is checked before any step ran; move it to a gate"));
        } else if !self.kept.contains_key(name) {
            self.not_kept(node, name);
        }
        Some(name.to_owned())
    }

    fn not_kept(&self, node: &Node, name: &str) {
        let (message, help) = if let Some(step) = self.names.kept.get(name) {
            let message = format!("nothing before this keeps an artefact `{name}`");
            (message, Some(format!("the step `{step}` keeps it, which does not come before")))
        } else {
            let known = self.names.kept.keys().map(String::as_str);
            let help = suggest::help(name, known, "kept artefacts");
            let first = "keep it first: `keep = \"…\"` in the evidence of a step";
            (format!("no evidence keeps an artefact `{name}`"), help.or(Some(first.to_owned())))
        };
        self.report.add(Diagnostic::new(node.place, message).maybe_help(help).absence());
    }

    /// A gate that comes before, and one of its checks or an invariant.
    pub(super) fn earlier(&self, gate: &Node, check: &Node) {
        let (Some(gate_id), Some(check_id)) = (self.report.text(gate, "gate"), self.report.text(check, "check")) else {
            return;
        };
        let before = match self.stage {
            Stage::Invariant => {
                let diagnostic = Diagnostic::new(gate.place, "an invariant cannot be compared with an earlier gate");
                self.report.add(diagnostic.help("it is checked with the first gate too; move it to a later gate"));
                return;
            }
            Stage::Phase(index) => &self.names.gates[..index.min(self.names.gates.len())],
            Stage::After => &self.names.gates[..],
        };
        let Some(found) = before.iter().find(|known| known.id == gate_id) else {
            return self.no_gate(gate, gate_id, before.iter().map(|known| known.id.as_str()));
        };
        let known = || found.checks.iter().chain(&self.names.invariants).map(String::as_str);
        if !known().any(|known| known == check_id) {
            let message = format!("the gate `{gate_id}` has no check `{check_id}`");
            let help = suggest::help(check_id, known(), "its checks and the invariants");
            self.report.add(Diagnostic::new(check.place, message).maybe_help(help).absence());
        }
    }

    fn no_gate<'n>(&self, node: &Node, id: &str, before: impl Iterator<Item = &'n str>) {
        let later = self.names.gates.iter().any(|known| known.id == id);
        let message = if later {
            format!("the gate `{id}` does not come before this")
        } else {
            format!("no phase `{id}` is declared")
        };
        let help = suggest::help(if later { "" } else { id }, before, "gates before this");
        let help = help.or(Some("no gate comes before this".to_owned()));
        self.report.add(Diagnostic::new(node.place, message).maybe_help(help).absence());
    }
}
