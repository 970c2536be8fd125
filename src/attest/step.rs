//! The predicate of an attempt at a step: what was run, from what, what it left, and what came of it, also where it failed.
//! Its page is `docs/attestations/step/v1/README.md`; what `v1` says of a journal never changes.

use serde::Serialize;

use super::statement::{Context, Resource, attestation};
use super::{Attestation, Outcome};
use crate::event::{BlockRef, Event, StepOutcome, StepStarted};
use crate::journal::Entry;
use crate::process::Ended;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// The type of the predicate.
pub const STEP: &str = "https://github.com/citadel-runbooks/citadel/tree/main/docs/attestations/step/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    run: Run<'a>,
    phase: &'a str,
    step: &'a str,
    attempt: u32,
    commands: [&'a str; 1],
    /// Names alone.
    environment: &'a [String],
    materials: Vec<Resource>,
    products: Vec<Resource>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'a Ended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    evidence: Vec<Held<'a>>,
    transactions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision<'a>>,
    started_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_on: Option<String>,
    /// The step cannot have begun before this block.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<&'a BlockRef>,
    records: Vec<Resource>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    id: &'a str,
    runbook: &'a str,
    network: &'a str,
    chain_id: u64,
    practice: bool,
}

#[derive(Serialize)]
struct Held<'a> {
    id: &'a str,
    kind: &'a str,
    verdict: Verdict,
}

#[derive(Serialize)]
struct Decision<'a> {
    happened: bool,
    by: &'a str,
    reason: &'a str,
}

/// What the records say of the attempt that `entry` begins.
pub(super) fn attest(
    context: &Context<'_>,
    progress: &Progress,
    entry: &Entry,
    started: &StepStarted,
    outcome: Option<&Outcome<'_>>,
) -> anyhow::Result<Attestation> {
    let ended = outcome.and_then(|outcome| outcome.ended);
    let end = ended.map(|(_, ended)| ended);
    let decided = outcome.and_then(|outcome| outcome.decided);
    let records: Vec<&Entry> = [Some(entry), ended.map(|(entry, _)| entry), decided].into_iter().flatten().collect();
    let products: Vec<Resource> = end
        .map(|end| end.artefacts.iter().map(Resource::kept).chain(end.logs.iter().map(Resource::log)).collect())
        .unwrap_or_default();
    let predicate = Predicate {
        run: run(context),
        phase: progress.place(&started.step).map_or("", |(phase, _)| phase.id.0.as_str()),
        step: &started.step.0,
        attempt: started.attempt,
        commands: [&started.command],
        environment: &started.env,
        materials: materials(context, started, outcome),
        products: products.clone(),
        outcome: end.map_or("indeterminate", |end| word(end.outcome)),
        ended: end.map(|end| &end.ended),
        reason: end.and_then(|end| end.reason.as_deref()),
        evidence: end.map(|end| end.evidence.as_slice()).unwrap_or_default().iter().map(held).collect(),
        transactions: end.map(|end| end.transactions.as_slice()).unwrap_or_default(),
        decision: decided.and_then(decision),
        started_on: entry.time.to_string(),
        finished_on: ended.map(|(entry, _)| entry.time.to_string()),
        not_before: started.finalized.as_ref().or(started.after_block.as_ref()),
        records: records.iter().map(|entry| Resource::record(entry)).collect(),
    };
    let last = records.iter().map(|entry| entry.seq).max().unwrap_or(entry.seq);
    let subject: Vec<Resource> =
        std::iter::once(Resource::record(records.last().unwrap_or(&entry))).chain(products).collect();
    let name = format!("step.{}.{}", started.step, started.attempt);
    attestation(name, last, subject, STEP, predicate)
}

fn run<'a>(context: &Context<'a>) -> Run<'a> {
    let run = context.run;
    Run {
        id: run.map_or("", |run| &run.run),
        runbook: run.map_or("", |run| &run.runbook),
        network: run.map_or("", |run| &run.network),
        chain_id: run.map_or(0, |run| run.chain_id),
        practice: run.is_some_and(|run| run.practice),
    }
}

/// What the attempt began with: the runbook, the step's definition, the commit, files that it read, and what was handed in.
fn materials(context: &Context<'_>, started: &StepStarted, outcome: Option<&Outcome<'_>>) -> Vec<Resource> {
    let mut materials = vec![context.runbook()];
    materials.push(Resource::sha256(format!("definition of {}", started.step), &started.definition));
    materials.extend(started.commit.as_ref().map(|commit| Resource::of("workspace", "gitCommit", commit)));
    materials.extend(started.inputs.iter().map(|(file, sha256)| Resource::sha256(file, sha256)));
    let handed_in = outcome.map(|outcome| outcome.handed_in.as_slice()).unwrap_or_default();
    materials.extend(handed_in.iter().flat_map(|handed_in| &handed_in.files).map(Resource::kept));
    materials
}

fn held(result: &crate::verdict::CheckResult) -> Held<'_> {
    Held { id: &result.id, kind: &result.kind, verdict: result.verdict }
}

fn decision(entry: &Entry) -> Option<Decision<'_>> {
    match &entry.event {
        Event::StepDecided { happened, by, reason, .. } => Some(Decision { happened: *happened, by, reason }),
        _ => None,
    }
}

fn word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Failed => "failed",
        StepOutcome::TimedOut => "timed_out",
        StepOutcome::Interrupted => "interrupted",
        StepOutcome::Indeterminate => "indeterminate",
        StepOutcome::Refused(_) => "refused",
    }
}
