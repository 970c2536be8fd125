//! The names that a runbook declares, gathered before anything is resolved, so that a reference can point forward and
//! a misspelt one gets a suggestion.
//!
//! Lenient: whatever has the wrong shape is passed over here and reported where it is read.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::KINDS;
use crate::runbook::ContractKind;
use crate::runbook::document::Table;

/// Declared names by kind.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Whether citadel starts the network's chain itself.
    pub(super) networks: BTreeMap<String, bool>,
    /// Further classes of secrets.
    pub(super) secrets: BTreeSet<String>,
    /// `None`: the kind itself is misspelt.
    pub(super) contracts: BTreeMap<String, Option<ContractKind>>,
    pub(super) vars: BTreeSet<String>,
    /// The people of each group.
    pub(super) signers: BTreeMap<String, BTreeSet<String>>,
    /// Groups whose people stand on the chain.
    pub(super) safe_groups: BTreeSet<String>,
    pub(super) invariants: Vec<String>,
    pub(super) gates: Vec<GateNames>,
    /// Artefact to the step that keeps it.
    pub(super) kept: BTreeMap<String, String>,
}

/// A gate and its own checks.
#[derive(Debug)]
pub(super) struct GateNames {
    pub(super) id: String,
    pub(super) checks: Vec<String>,
}

impl Names {
    pub(super) fn gather(root: &Table) -> Self {
        let mut names = Self::default();
        for entry in root.members("network") {
            let dev = entry.node.as_table().is_some_and(|table| table.get("dev_chain").is_some());
            names.networks.insert(entry.key.to_string(), dev);
        }
        names.secrets.extend(root.members("secret").iter().map(|entry| entry.key.to_string()));
        for entry in root.members("contract") {
            let kind = entry.node.as_table().and_then(|table| table.text("kind"));
            let kind = kind.and_then(|kind| KINDS.iter().find(|(word, _)| *word == kind)).map(|(_, kind)| *kind);
            names.contracts.insert(entry.key.to_string(), kind);
        }
        names.vars.extend(root.members("var").iter().map(|entry| entry.key.to_string()));
        for entry in root.members("signers") {
            if entry.node.as_table().is_some_and(|table| table.get("safe_owners").is_some()) {
                names.safe_groups.insert(entry.key.to_string());
            }
            let people = entry.node.as_table().into_iter().flat_map(|table| table.tables("key"));
            let people = people.filter_map(|key| key.text("who")).map(str::to_owned).collect();
            names.signers.insert(entry.key.to_string(), people);
        }
        names.invariants.extend(root.tables("invariant").filter_map(id));
        for phase in root.tables("phase") {
            names.gates.push(gate(phase));
            names.gather_kept(phase);
        }
        root.tables("contingency").for_each(|contingency| names.gather_kept(contingency));
        names
    }

    fn gather_kept(&mut self, of: &Table) {
        for step in of.tables("step") {
            let step_id = || format!("{}.{}", of.text("id").unwrap_or_default(), step.text("id").unwrap_or_default());
            for evidence in step.tables("evidence") {
                let output = evidence.get("output").and_then(|node| node.as_table());
                let kept = evidence.text("keep").or_else(|| output?.text("keep"));
                if let Some(kept) = kept {
                    self.kept.entry(kept.to_owned()).or_insert_with(step_id);
                }
            }
        }
    }
}

fn gate(phase: &Table) -> GateNames {
    let gate = phase.get("gate").and_then(|node| node.as_table());
    let checks = gate.into_iter().flat_map(|gate| gate.tables("check")).filter_map(id).collect();
    GateNames { id: phase.text("id").unwrap_or_default().to_owned(), checks }
}

fn id(table: &Table) -> Option<String> {
    table.text("id").map(str::to_owned)
}
