//! Judges a gate: its phase's steps, the invariants, its own checks, and what was published. Reads only; the engine and
//! `gate verify` share it, and sign-offs come on top.

use jiff::Timestamp;
use serde_json::json;

use super::facts::{self, Used};
use super::inputs::{Documents, Looked, Noted, Noting};
use super::waiver::waive;
use super::world::View;
use super::{exports, rehearsed, suspension};
use crate::chain::{self, Reading, Surroundings as _, TransactionsAsk};
use crate::evidence::Kept;
use crate::progress::StepState;
use crate::runbook::{Check, CheckKind, JsonRule, JsonSource, Network, Phase, Runbook, Step};
use crate::secrets::Mask;
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

    /// The same fit to be recorded and shown: results quote what they were judged by.
    fn clean(mut self, mask: &Mask) -> Self {
        let notes = self.reading.iter_mut().flat_map(|reading| &mut reading.notes);
        notes.for_each(|note| *note = mask.clean(note));
        self.results.iter_mut().for_each(|result| result.retell(&|text| mask.clean(text)));
        self
    }
}

/// Judges the gate of `phase` from a run's progress and the chain as it is now; `more` is read at the same block.
pub async fn judge(view: &View<'_>, phase: &Phase, more: &[Check]) -> Judgement {
    let network = view.network(phase);
    let kept = view.kept(network);
    let (progress, net) = (view.progress, view.world.network.as_str());
    let step_result = |step| facts::step_result(progress, net, step, &kept);
    let mut results: Vec<CheckResult> = phase.steps.iter().map(step_result).collect();
    let reports = &view.world.reports;
    results
        .extend(facts::deliverables(view.runbook, progress, phase, reports, |_, path| facts::found_in(reports, path)));
    let (mut asks, mut used) = (Vec::new(), Used::default());
    for step in phase.steps.iter().filter(|step| view.progress.step_state(&step.id) == Some(StepState::Done)) {
        let (found, asked) = transactions(view, step, &kept, network);
        results.extend(found);
        asks.extend(asked);
        used.note(step, progress, &kept);
    }
    let at_least = view.progress.last_block(phase.steps.iter().map(|step| step.id.clone()));
    let checks: Vec<&Check> = view.runbook.invariants.iter().chain(&phase.gate.checks).chain(more).collect();
    let mut judged = checks_and(view, network, &checks, &asks, kept, at_least).await;
    used.add_to(&mut judged.noted);
    results.extend(judged.results);
    results.extend(suspension::results(view));
    Judgement { results, ..judged }.clean(&view.world.mask)
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
    let on_chain = with_compared(view.runbook, on_chain);
    let all: Vec<&Check> = local.iter().chain(&on_chain).copied().collect();
    let around = Noting::new(view.around(network, kept), &all);
    let mut results: Vec<CheckResult> = local.iter().map(|check| local_check(check, &around)).collect();
    let asks = asks.to_vec();
    if on_chain.is_empty() && asks.is_empty() {
        let time = view.now(network, None);
        waive(checks.iter().copied(), &mut results, time);
        let judgement = Judgement { results, reading: None, asks, noted: around.noted(), time };
        return judgement.clean(&view.world.mask);
    }
    let target = view.target(network);
    let mut fetched = chain::fetch(&on_chain, &around, target.limits).await;
    fetched.extend(exports::gather(&on_chain, &view.world.workspace.dir, around.scope()));
    let around = around.with(fetched);
    let mut reading = chain::judge(&target, &on_chain, &asks, &around, at_least).await;
    if network.dev_chain.is_some() && target.endpoints.is_empty() {
        reading.results = reading.results.into_iter().map(without_chain).collect();
    }
    results.append(&mut reading.results);
    let time = view.now(network, reading.block.as_ref());
    waive(checks.iter().copied(), &mut results, time);
    Judgement { results, reading: Some(reading), asks, noted: around.noted(), time }.clean(&view.world.mask)
}

/// A local run without a kept chain ends together with its chain; nothing can be read of it any more.
fn without_chain(result: CheckResult) -> CheckResult {
    CheckResult { message: "the dev chain of this run has ended".into(), ..result }
        .hint("`citadel devchain up`, then `citadel run --local`: that run can be verified afterwards")
}

/// `unchanged_since` compares a check with itself at an earlier gate: that check must be among those that are read, and
/// with it those that it is compared with itself.
pub(super) fn with_compared<'a>(runbook: &'a Runbook, mut checks: Vec<&'a Check>) -> Vec<&'a Check> {
    let mut wanted: Vec<&str> = checks
        .iter()
        .filter_map(|check| match &check.kind {
            CheckKind::UnchangedSince { check, .. } => Some(check.as_str()),
            _ => None,
        })
        .collect();
    while let Some(id) = wanted.pop() {
        if checks.iter().any(|present| present.id == id) {
            continue;
        }
        let mut declared = runbook.phases.iter().flat_map(|phase| &phase.gate.checks).chain(&runbook.invariants);
        if let Some(check) = declared.find(|check| check.id == id) {
            checks.insert(0, check);
            wanted.extend(check.kind.compared_with().into_iter().map(|(other, _)| other));
        }
    }
    checks
}

/// What the transactions of a step's artefacts say, and what of them the chain must be asked.
pub fn transactions(
    view: &View<'_>,
    step: &Step,
    kept: &Kept,
    network: &Network,
) -> (Vec<CheckResult>, Vec<TransactionsAsk>) {
    let handed_in = view.progress.transactions_handed_in(&step.id);
    let after_block = view.progress.block_before(&step.id).map_or(0, |block| block.number);
    facts::transactions(step, kept, &handed_in, &view.around(network, kept.clone()), after_block)
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
