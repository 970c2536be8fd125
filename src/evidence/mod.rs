//! Whether a step did what it says: its files, its output, and the artefacts that are kept of them. What the chain has
//! to say is asked elsewhere; here only the questions are made. Exit codes play no part.

mod file;
mod kept;
mod output;
mod transactions;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use crate::event::Artefact;
use crate::journal::RunFolder;
use crate::runbook::{Check, Evidence, EvidenceKind, Scope, Step};
use crate::secrets::Mask;
use crate::verdict::CheckResult;

pub use file::{hashes_before, set_aside};
pub use kept::Kept;
pub use transactions::{Hashes, hashes};

/// One attempt at a step, with everything its evidence may look at.
#[derive(Debug)]
pub struct Attempt<'a> {
    pub step: &'a Step,
    pub number: u32,
    pub workspace: &'a Path,
    pub folder: &'a RunFolder,
    /// When the attempt began; a file from before does not count.
    pub since: SystemTime,
    pub scope: &'a Scope,
    /// The SHA-256, before the attempt, of the files that it must leave as they were.
    pub before: &'a BTreeMap<String, String>,
    /// Knows the secret values that nothing kept may hold.
    pub mask: &'a Mask,
    /// The transactions that a person handed in.
    pub handed_in: &'a [String],
}

/// What the evidence says so far, and what the chain must still be asked.
#[derive(Debug, Default)]
pub struct Found {
    pub results: Vec<CheckResult>,
    pub artefacts: Vec<Artefact>,
    pub transactions: Vec<Hashes>,
    pub checks: Vec<Check>,
}

/// Judges everything that needs no chain. `kept` gains the attempt's artefacts as they are found, so that later
/// evidence can speak of them.
pub fn judge(attempt: &Attempt<'_>, kept: &mut Kept) -> Found {
    let mut found = Found::default();
    for evidence in &attempt.step.evidence {
        let (result, artefact) = match &evidence.kind {
            EvidenceKind::File(wanted) => file::judge(attempt, wanted, kept),
            EvidenceKind::Output(wanted) => output::judge(attempt, wanted, kept),
            EvidenceKind::Chain(check) => {
                found.checks.push(check.clone());
                continue;
            }
            EvidenceKind::Transactions(wanted) => {
                let hashes = hashes(wanted, kept, attempt.handed_in, attempt.step.own_chain);
                found.results.extend(hashes.own_verdict());
                found.transactions.extend((!attempt.step.own_chain).then_some(hashes));
                continue;
            }
        };
        found.results.push(result);
        if let Some(artefact) = artefact {
            kept.add(artefact.clone());
            found.artefacts.push(artefact);
        }
    }
    found
}

/// What the result of an evidence is called, by what names stood for.
pub fn id(evidence: &Evidence, scope: &Scope) -> String {
    match &evidence.kind {
        EvidenceKind::File(wanted) => wanted.path.render(scope).map_or_else(|_| "file".into(), |path| file::id(&path)),
        EvidenceKind::Output(_) => output::ID.to_owned(),
        EvidenceKind::Chain(check) => check.id.clone(),
        EvidenceKind::Transactions(wanted) => transactions::id(wanted),
    }
}

/// What a kept artefact breaks of the evidence that kept it, judged from its bytes alone; `kept` holds what was kept by
/// then. `None`: the evidence keeps no such artefact.
pub fn again(evidence: &Evidence, name: &str, kept: &Kept) -> Option<Vec<String>> {
    let keeps = match &evidence.kind {
        EvidenceKind::File(wanted) => &wanted.keep,
        EvidenceKind::Output(wanted) => &wanted.keep,
        EvidenceKind::Chain(_) | EvidenceKind::Transactions(_) => &None,
    };
    if keeps.as_deref() != Some(name) {
        return None;
    }
    let bytes = match kept.read(name) {
        Ok(bytes) => bytes,
        Err(why) => return Some(vec![why]),
    };
    Some(match &evidence.kind {
        EvidenceKind::File(wanted) => file::content_problems(wanted, &bytes, kept, &kept.scope),
        EvidenceKind::Output(wanted) if !wanted.json.is_empty() => output::json_again(wanted, &bytes, kept),
        _ => Vec::new(),
    })
}
