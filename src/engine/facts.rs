//! What a run's own facts say at a gate: how its steps stand, what it published, which transactions its artefacts name.
//! Believes the progress and the kept files alone; the live gate and the replay of its record share it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::inputs::{Content, Noted};
use crate::beneath;
use crate::chain::{Surroundings, TransactionsAsk};
use crate::digest::sha256;
use crate::evidence::{Kept, hashes};
use crate::plan::{only_once, step_needs_chain};
use crate::progress::{Progress, StepState};
use crate::runbook::{Action, Deliverable, Evidence, EvidenceKind, Lookup, Phase, Runbook, Step, TransactionsEvidence};
use crate::verdict::CheckResult;

/// How a step stands, as a result of the gate that closes its phase.
pub(super) fn step_result(progress: &Progress, network: &str, step: &Step, kept: &Kept) -> CheckResult {
    let id = format!("step {}", step.id);
    let not_done = |why: String| {
        CheckResult::failed(&id, "step", format!("`{}` {why}", step.id))
            .expected("done: its exit was the expected one and its evidence holds")
            .hint(format!("`citadel run --network {network} --step {}`", step.id))
    };
    let Some(seen) = progress.steps.get(&step.id) else { return not_done("has not run".into()) };
    match seen.state {
        StepState::Done => {}
        StepState::Started => return not_done("is running".into()),
        StepState::Indeterminate if matches!(step.action, Action::Manual { .. }) => {
            return not_done("waits for a person".into());
        }
        StepState::Indeterminate => return not_done("may or may not have happened".into()),
        StepState::Happened => return not_done("happened, and its evidence was not judged since".into()),
        StepState::NotHappened => return not_done("did not happen".into()),
        StepState::Failed => {
            let reason = seen.ended.as_ref().and_then(|ended| ended.reason.as_deref()).unwrap_or("failed");
            return not_done(format!("failed: {reason}"));
        }
    }
    let artefacts = seen.ended.iter().flat_map(|ended| &ended.artefacts);
    if let Some(problem) = artefacts.map(|artefact| kept.read(&artefact.name)).find_map(Result::err) {
        let again = if only_once(step) { format!(" --again {}", seen.attempt) } else { String::new() };
        return not_done(format!("no longer has its evidence: {problem}"))
            .hint(format!("`citadel run --network {network} --step {}{again}`", step.id));
    }
    let word = seen.decided.as_ref().map(|(by, reason)| format!(", by the word of {by}: {reason}"));
    let handed_in = progress.handed_in.get(&step.id).and_then(|all| all.last());
    let handed_in = handed_in.map(|last| format!(", handed in by {}", last.by));
    let (word, handed_in) = (word.unwrap_or_default(), handed_in.unwrap_or_default());
    CheckResult::passed(&id, "step", format!("done by attempt {}{word}{handed_in}", seen.attempt))
}

/// Whether what is due at the gate of `phase` was published, and stands in `reports` as it was. `found` tells, for a
/// result's id and a path there, the SHA-256 of the file, or nothing where there is none.
pub(super) fn deliverables(
    runbook: &Runbook,
    progress: &Progress,
    phase: &Phase,
    reports: &Path,
    found: impl Fn(&str, &str) -> Option<String>,
) -> Vec<CheckResult> {
    let last = runbook.phases.last().is_some_and(|last| last.id == phase.id);
    let made_here = |name: &String| phase.steps.iter().any(|step| keeps(step, name));
    let due =
        |of: &[String]| last || of.iter().any(made_here) && of.iter().all(|name| progress.artefacts.contains_key(name));
    let due = runbook.deliverables.iter().filter(|deliverable| due(&deliverable.of));
    due.map(|deliverable| published(deliverable, progress, reports, &found)).collect()
}

/// The SHA-256 of a file under the reports folder.
pub(super) fn found_in(reports: &Path, path: &str) -> Option<String> {
    beneath::read(reports, path).ok().map(|found| sha256(&found.bytes))
}

fn published(
    deliverable: &Deliverable,
    progress: &Progress,
    reports: &Path,
    found: &impl Fn(&str, &str) -> Option<String>,
) -> CheckResult {
    let id = format!("deliverable {}", deliverable.id);
    let of = |file: &&crate::event::PublishedFile| file.deliverable.as_deref() == Some(deliverable.id.as_str());
    let files: Vec<_> = progress.published.iter().filter(of).collect();
    if files.len() < deliverable.of.len() {
        let missing = deliverable.of.iter().find(|name| !progress.artefacts.contains_key(*name));
        let what = missing.map_or_else(|| "was not published".into(), |name| format!("lacks `{name}`"));
        return CheckResult::failed(&id, "deliverable", format!("`{}` {what}", deliverable.path))
            .hint("the step that makes it has not run, or its evidence does not hold");
    }
    let seen: BTreeMap<&str, Option<String>> =
        files.iter().map(|file| (file.path.as_str(), found(&id, &file.path))).collect();
    let observed = json!(seen);
    let changed = files.iter().find(|file| seen[file.path.as_str()].as_ref() != Some(&file.sha256));
    match changed {
        Some(file) => {
            let what = format!("`{}` is not what citadel published", reports.join(&file.path).display());
            CheckResult::failed(&id, "deliverable", what)
                .expected(format!("SHA-256 {}", file.sha256))
                .observed(observed)
                .hint("somebody changed or removed it; run the phase again to publish what was kept")
        }
        None => {
            CheckResult::passed(&id, "deliverable", format!("`{}` as published", deliverable.path)).observed(observed)
        }
    }
}

/// Whether `step` keeps an artefact called `name`.
fn keeps(step: &Step, name: &str) -> bool {
    let kept = |evidence: &Evidence| match &evidence.kind {
        EvidenceKind::File(file) => file.keep.as_deref() == Some(name),
        EvidenceKind::Output(output) => output.keep.as_deref() == Some(name),
        EvidenceKind::Chain(_) | EvidenceKind::Transactions(_) => false,
    };
    step.evidence.iter().any(kept)
}

/// What the transactions of a step's artefacts say, and what of them the chain must be asked.
pub(super) fn transactions(
    step: &Step,
    kept: &dyn Lookup,
    handed_in: &[String],
    around: &dyn Surroundings,
    after_block: u64,
) -> (Vec<CheckResult>, Vec<TransactionsAsk>) {
    let (mut results, mut asks) = (Vec::new(), Vec::new());
    for wanted in wanted(step) {
        let found = hashes(wanted, kept, handed_in, false);
        match found.own_verdict() {
            Some(result) => results.push(result),
            None => asks.push(TransactionsAsk {
                id: found.id,
                hashes: found.hashes,
                min: found.min,
                to: found.to.iter().filter_map(|name| Some(around.contract(name)?.address)).collect(),
                after_block,
            }),
        }
    }
    (results, asks)
}

/// The transactions that a step's evidence is about, on the chain that gates read.
pub(super) fn wanted(step: &Step) -> Vec<&TransactionsEvidence> {
    let of = |evidence| match evidence {
        &Evidence { kind: EvidenceKind::Transactions(ref wanted), .. } => Some(wanted),
        _ => None,
    };
    let reads = !step.own_chain && step_needs_chain(step);
    step.evidence.iter().filter(|_| reads).filter_map(of).collect()
}

/// What transactions were taken from, for the record.
#[derive(Debug, Default)]
pub(super) struct Used {
    artefacts: BTreeMap<String, Content>,
    steps: BTreeMap<String, HandedInThen>,
}

/// What people had handed in for a step, and the newest block before it began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedInThen {
    pub handed_in: Vec<String>,
    pub after_block: u64,
}

impl Used {
    /// Takes what `step`'s transactions are taken from.
    pub(super) fn note(&mut self, step: &Step, progress: &Progress, kept: &Kept) {
        let wanted = wanted(step);
        if wanted.is_empty() {
            return;
        }
        for of in wanted.iter().filter(|wanted| !wanted.handed_in).map(|wanted| &wanted.of) {
            self.artefacts.insert(of.clone(), Content::of(&kept.read(of)));
        }
        let handed_in = progress.transactions_handed_in(&step.id);
        let after_block = progress.block_before(&step.id).map_or(0, |block| block.number);
        self.steps.insert(step.id.0.clone(), HandedInThen { handed_in, after_block });
    }

    /// Adds it to what checks looked at.
    pub(super) fn add_to(self, noted: &mut Noted) {
        noted.artefacts.extend(self.artefacts);
        noted.transactions.extend(self.steps);
    }
}
