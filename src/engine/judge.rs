//! Judges a gate: its phase's steps, the invariants, its own checks, and what was published. Reads only; the engine and
//! `gate verify` share it, and sign-offs come on top.

use jiff::Timestamp;
use serde_json::json;

use super::inputs::{Documents, Looked, Noted, Noting};
use super::waiver::waive;
use super::world::View;
use super::{rehearsed, suspension};
use crate::chain::{self, Reading, TransactionsAsk};
use crate::digest::sha256;
use crate::evidence::{Kept, hashes};
use crate::plan::step_needs_chain;
use crate::progress::StepState;
use crate::runbook::{
    Action, Check, CheckKind, Evidence, EvidenceKind, JsonRule, JsonSource, Network, Phase, Runbook, Step,
};
use crate::verdict::{CheckResult, Verdict, worst};

/// A gate's answer before people are asked.
#[derive(Debug)]
pub struct Judgement {
    pub results: Vec<CheckResult>,
    /// What was read of the chain, and what was looked at beside it, for the record.
    pub reading: Option<Reading>,
    pub asks: Vec<TransactionsAsk>,
    pub noted: Noted,
    /// What waivers and rehearsals were judged by.
    pub time: Timestamp,
}

impl Judgement {
    /// The worst of its parts.
    pub fn verdict(&self) -> Verdict {
        worst(self.results.iter().map(|result| result.verdict))
    }
}

/// Judges the gate of `phase` from a run's progress and the chain as it is now; `more` is read at the same block.
pub async fn judge(view: &View<'_>, phase: &Phase, more: &[Check]) -> Judgement {
    let network = view.network(phase);
    let kept = view.kept(network);
    let mut results: Vec<CheckResult> = phase.steps.iter().map(|step| step_result(view, step, &kept)).collect();
    results.extend(deliverables(view, phase));
    let mut asks = Vec::new();
    for step in phase.steps.iter().filter(|step| view.progress.step_state(&step.id) == Some(StepState::Done)) {
        let (found, asked) = transactions(view, step, &kept, network);
        results.extend(found);
        asks.extend(asked);
    }
    let at_least = view.progress.last_block(phase.steps.iter().map(|step| step.id.clone()));
    let checks: Vec<&Check> = view.runbook.invariants.iter().chain(&phase.gate.checks).chain(more).collect();
    let judged = checks_and(view, network, &checks, &asks, kept, at_least).await;
    results.extend(judged.results);
    results.extend(suspension::results(view));
    Judgement { results, ..judged }
}

/// Judges checks alone: before a step, as a probe, or where there is no run.
pub async fn checks_and(
    view: &View<'_>,
    network: &Network,
    checks: &[&Check],
    asks: &[TransactionsAsk],
    kept: Kept,
    at_least: Option<u64>,
) -> Judgement {
    let (local, on_chain): (Vec<&Check>, Vec<&Check>) = checks.iter().partition(|check| !check.kind.reads_chain());
    let around = Noting::new(view.around(network, kept), checks);
    let mut results: Vec<CheckResult> = local.iter().map(|check| local_check(check, &around)).collect();
    let asks = asks.to_vec();
    if on_chain.is_empty() && asks.is_empty() {
        let time = view.now(network, None);
        waive(checks.iter().copied(), &mut results, time);
        return Judgement { results, reading: None, asks, noted: around.noted(), time };
    }
    let on_chain = with_compared(view.runbook, on_chain);
    let target = view.target(network);
    let mut reading = chain::judge(&target, &on_chain, &asks, &around, at_least).await;
    if network.dev_chain.is_some() && target.endpoints.is_empty() {
        reading.results = reading.results.into_iter().map(without_chain).collect();
    }
    results.append(&mut reading.results);
    let time = view.now(network, reading.block.as_ref());
    waive(checks.iter().copied(), &mut results, time);
    Judgement { results, reading: Some(reading), asks, noted: around.noted(), time }
}

/// A local run without a kept chain ends together with its chain; nothing can be read of it any more.
fn without_chain(result: CheckResult) -> CheckResult {
    CheckResult { message: "the dev chain of this run has ended".into(), ..result }
        .hint("`citadel devchain up`, then `citadel run --local`: that run can be verified afterwards")
}

/// `unchanged_since` compares a check with itself at an earlier gate: that check must be among those that are read.
pub(super) fn with_compared<'a>(runbook: &'a Runbook, mut checks: Vec<&'a Check>) -> Vec<&'a Check> {
    let wanted: Vec<String> = checks
        .iter()
        .filter_map(|check| match &check.kind {
            CheckKind::UnchangedSince { check, .. } => Some(check.clone()),
            _ => None,
        })
        .collect();
    let declared = runbook.phases.iter().flat_map(|phase| &phase.gate.checks).chain(&runbook.invariants);
    for check in declared {
        if wanted.contains(&check.id) && !checks.iter().any(|present| present.id == check.id) {
            checks.insert(0, check);
        }
    }
    checks
}

/// How a step stands, as a result of the gate that closes its phase.
pub(super) fn step_result(view: &View<'_>, step: &Step, kept: &Kept) -> CheckResult {
    let id = format!("step {}", step.id);
    let not_done = |why: String| {
        CheckResult::failed(&id, "step", format!("`{}` {why}", step.id))
            .expected("done: its exit was the expected one and its evidence holds")
            .hint(format!("`citadel run --network {} --step {}`", view.world.network, step.id))
    };
    let Some(progress) = view.progress.steps.get(&step.id) else { return not_done("has not run".into()) };
    match progress.state {
        StepState::Done => {}
        StepState::Started => return not_done("is running".into()),
        StepState::Indeterminate if matches!(step.action, Action::Manual { .. }) => {
            return not_done("waits for a person".into());
        }
        StepState::Indeterminate => return not_done("may or may not have happened".into()),
        StepState::Happened => return not_done("happened, and its evidence was not judged since".into()),
        StepState::NotHappened => return not_done("did not happen".into()),
        StepState::Failed => {
            let reason = progress.ended.as_ref().and_then(|ended| ended.reason.as_deref()).unwrap_or("failed");
            return not_done(format!("failed: {reason}"));
        }
    }
    let artefacts = progress.ended.iter().flat_map(|ended| &ended.artefacts);
    if let Some(problem) = artefacts.map(|artefact| kept.read(&artefact.name)).find_map(Result::err) {
        return not_done(format!("no longer has its evidence: {problem}"));
    }
    let word = progress.decided.as_ref().map(|(by, reason)| format!(", by the word of {by}: {reason}"));
    let handed_in = view.progress.handed_in.get(&step.id).and_then(|all| all.last());
    let handed_in = handed_in.map(|last| format!(", handed in by {}", last.by));
    let (word, handed_in) = (word.unwrap_or_default(), handed_in.unwrap_or_default());
    CheckResult::passed(&id, "step", format!("done by attempt {}{word}{handed_in}", progress.attempt))
}

fn deliverables(view: &View<'_>, phase: &Phase) -> Vec<CheckResult> {
    let last = view.runbook.phases.last().is_some_and(|last| last.id == phase.id);
    let made_here = |name: &String| phase.steps.iter().any(|step| keeps(step, name));
    let due = |of: &[String]| {
        last || of.iter().any(made_here) && of.iter().all(|name| view.progress.artefacts.contains_key(name))
    };
    let due = view.runbook.deliverables.iter().filter(|deliverable| due(&deliverable.of));
    due.map(|deliverable| {
        let id = format!("deliverable {}", deliverable.id);
        let files: Vec<_> = view
            .progress
            .published
            .iter()
            .filter(|file| file.deliverable.as_deref() == Some(&deliverable.id))
            .collect();
        if files.len() < deliverable.of.len() {
            let missing = deliverable.of.iter().find(|name| !view.progress.artefacts.contains_key(*name));
            let what = missing.map_or_else(|| "was not published".into(), |name| format!("lacks `{name}`"));
            return CheckResult::failed(&id, "deliverable", format!("`{}` {what}", deliverable.path))
                .hint("the step that makes it has not run, or its evidence does not hold");
        }
        let changed = files.iter().find(|file| {
            std::fs::read(view.world.reports.join(&file.path)).map_or(true, |bytes| sha256(&bytes) != file.sha256)
        });
        match changed {
            Some(file) => {
                let path = view.world.reports.join(&file.path);
                let what = format!("`{}` is not what citadel published", path.display());
                CheckResult::failed(&id, "deliverable", what)
                    .expected(format!("SHA-256 {}", file.sha256))
                    .hint("somebody changed or removed it; run the phase again to publish what was kept")
            }
            None => CheckResult::passed(&id, "deliverable", format!("`{}` as published", deliverable.path)),
        }
    })
    .collect()
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
pub fn transactions(
    view: &View<'_>,
    step: &Step,
    kept: &Kept,
    network: &Network,
) -> (Vec<CheckResult>, Vec<TransactionsAsk>) {
    let (mut results, mut asks) = (Vec::new(), Vec::new());
    if step.own_chain || !step_needs_chain(step) {
        return (results, asks);
    }
    for evidence in &step.evidence {
        let EvidenceKind::Transactions(wanted) = &evidence.kind else { continue };
        let found = hashes(wanted, kept, &view.progress.transactions_handed_in(&step.id), false);
        match found.own_verdict() {
            Some(result) => results.push(result),
            None => asks.push(ask(view, step, found, kept, network)),
        }
    }
    (results, asks)
}

fn ask(
    view: &View<'_>,
    step: &Step,
    found: crate::evidence::Hashes,
    kept: &Kept,
    network: &Network,
) -> TransactionsAsk {
    use crate::chain::Surroundings;
    let around = view.around(network, kept.clone());
    TransactionsAsk {
        id: found.id,
        hashes: found.hashes,
        min: found.min,
        to: found.to.iter().filter_map(|name| Some(around.contract(name)?.address)).collect(),
        after_block: view.progress.block_before(&step.id).map_or(0, |block| block.number),
    }
}

/// Judges a check that reads no chain.
pub(super) fn local_check(check: &Check, around: &dyn Documents) -> CheckResult {
    match &check.kind {
        CheckKind::Json { of, rules } => json_check(check, of, rules, around),
        CheckKind::Rehearsed(asked) => rehearsed::judge(&check.id, asked, &around.rehearsals(asked)),
        other => CheckResult::unknown(&check.id, other.name(), "cannot be judged without a chain"),
    }
}

fn json_check(check: &Check, of: &JsonSource, rules: &[JsonRule], around: &dyn Documents) -> CheckResult {
    let (name, bytes) = match of {
        JsonSource::Artefact(name) => (name.clone(), around.artefact(name)),
        JsonSource::File(path) => match path.render(around.scope()) {
            Ok(path) => (path.clone(), around.file(&path)),
            Err(name) => (path.0.clone(), Err(format!("`{name}` has no value"))),
        },
    };
    let parse =
        |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|error| format!("`{name}` is not JSON: {error}"));
    let all = || serde_json::to_string(rules).unwrap_or_default();
    let document = match bytes.and_then(parse) {
        Ok(document) => document,
        Err(error) => {
            let unknown = CheckResult::unknown(&check.id, "json", error).expected(format!("`{name}` holds {}", all()));
            return unknown.hint(format!("run the step that writes `{name}` again"));
        }
    };
    match rules.iter().find_map(|rule| Some((rule, rule.judge(&document, &Looked(around)).err()?))) {
        Some((rule, unmet)) => CheckResult {
            verdict: unmet.verdict(),
            ..CheckResult::failed(&check.id, "json", format!("`{name}`: {unmet}"))
                .expected(serde_json::to_string(rule).unwrap_or_default())
                .observed(rules.iter().map(|rule| (rule.at.clone(), rule.found(&document))).collect())
                .hint(format!("find out why `{name}` says so, mend the cause, and run the step that writes it again"))
        },
        None => CheckResult::passed(&check.id, "json", format!("`{name}` says what it must"))
            .observed(json!({ "rules": rules.len() })),
    }
}
