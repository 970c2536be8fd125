//! A gate's judgement as in-toto's predicate for test results: each check is a test, and what cannot be known has failed.

use serde::Serialize;

use super::Attestation;
use super::statement::{Context, Resource, attestation};
use crate::event::{BlockRef, GateJudged};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// The type of the predicate: `spec/predicates/test-result.md` of in-toto's attestation framework.
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult<'a> {
    result: &'static str,
    configuration: Vec<Resource>,
    passed_tests: Vec<&'a str>,
    warned_tests: Vec<&'a str>,
    failed_tests: Vec<&'a str>,
}

/// What `entry` says of a gate.
pub(super) fn attest(
    context: &Context<'_>,
    progress: &Progress,
    entry: &Entry,
    judged: &GateJudged,
) -> anyhow::Result<Attestation> {
    let GateJudged { gate, verdict, network, block, results, record, record_sha256, definition, finalized, .. } =
        judged;
    let mut asked = Resource::record(entry).with("verdict", verdict.to_string()).with("network", network.as_str());
    asked = asked.with("run", context.run.map_or("", |run| run.run.as_str())).with("time", entry.time.to_string());
    for (name, block) in [("block", block), ("finalized", finalized)] {
        if let Some(BlockRef { number, hash, .. }) = block {
            asked = asked.with(name, format!("{number} {hash}"));
        }
    }
    let tests = |of: fn(Verdict) -> bool| -> Vec<&str> {
        results.iter().filter(|result| of(result.verdict)).map(|result| result.id.as_str()).collect()
    };
    let warned = tests(|verdict| verdict == Verdict::Waived);
    let result = match verdict {
        Verdict::Passed | Verdict::Waived if warned.is_empty() => "PASSED",
        Verdict::Passed | Verdict::Waived => "WARNED",
        Verdict::Waiting | Verdict::Unknown | Verdict::Failed => "FAILED",
    };
    let predicate = TestResult {
        result,
        configuration: vec![
            context.runbook(),
            Resource::sha256(format!("definition of phase {gate}"), definition),
            asked,
        ],
        passed_tests: tests(|verdict| verdict == Verdict::Passed),
        warned_tests: warned,
        failed_tests: tests(|verdict| !verdict.goes_on()),
    };
    let subject = std::iter::once(Resource::sha256(record, record_sha256)).chain(tested(progress, judged)).collect();
    attestation(format!("gate.{gate}.{}", entry.seq), entry.seq, subject, TEST_RESULT, predicate)
}

/// What the steps of the gate's phase had left when it was judged.
fn tested(progress: &Progress, judged: &GateJudged) -> Vec<Resource> {
    let phase = progress.phases.iter().find(|phase| phase.id == judged.gate);
    let steps = phase.map(|phase| phase.steps.as_slice()).unwrap_or_default();
    let ended = steps.iter().filter_map(|step| progress.steps.get(&step.id)?.ended.as_ref());
    ended.flat_map(|ended| &ended.artefacts).map(Resource::kept).collect()
}
