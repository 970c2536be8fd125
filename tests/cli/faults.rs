//! Commands that lie as the real ones do: the evidence decides, whatever the exit code was.

use citadel::event::{Event, StepEnded, StepOutcome};
use citadel::process::Ended;

use super::fixture::{Lease, kept};

/// The latest attempt at a step, as it was recorded.
fn ended(kept: &Lease, step: &str) -> StepEnded {
    let entries = kept.journal("astral-citadel", "local");
    let found = entries.into_iter().rev().find_map(|entry| match entry.event {
        Event::StepEnded(ended) if ended.step.0 == step => Some(ended),
        _ => None,
    });
    found.expect("the step ended")
}

/// A fault whose step fails although it exits 0, and closes its gate.
#[track_caller]
fn caught(fault: &str, step: &str, says: &[&str]) {
    let kept = kept();
    kept.fault(fault);
    let done = ended(&kept, step).attempt;
    let mut outcome = kept.citadel(&format!("run --local --step {step} --again {done}")).code(13);
    for part in says {
        outcome = outcome.says(part);
    }
    outcome.says("next: ").says("logs/");
    let ended = ended(&kept, step);
    assert_eq!((ended.outcome, &ended.ended), (StepOutcome::Failed, &Ended::Exited(0)), "{ended:?}");
    let gate = step.split('.').next().unwrap();
    let outcome = kept.citadel(&format!("gate verify {gate} --network local")).code(10);
    outcome.says(&format!("`{step}` failed")).says(&format!("--step {step}"));
    kept.citadel("status --network local").code(0).says("failed");
}

#[test]
fn a_mission_that_was_skipped() {
    caught("skip-mission", "3.mission", &["Skipping mission execution"]);
}

#[test]
fn a_receipt_with_a_zero_hash() {
    caught("zero-hash", "3.mission", &["is the zero hash: nothing was sent", "mission.json"]);
}

#[test]
fn a_receipt_with_a_hash_from_before_the_step() {
    caught("stale-hash", "3.mission", &["is from block 1, before the step began"]);
}

#[test]
fn an_empty_bundle() {
    caught("empty-bundle", "1.plan-safe", &["No module addresses resolved"]);
}

#[test]
fn a_prompt_that_nobody_answers() {
    let kept = kept();
    let wanted = kept.number("RewardEngineMB", "kappa()");
    kept.detune("RewardEngineMB", "setKappa(uint256)", wanted + 1);
    kept.fault("prompt");
    let outcome = kept.citadel("run --local --step 3.reward-engine").code(13);
    outcome.says("ended asking `Proceed with the transaction? [y/N] `").says("`kappa()` of");
    let ended = ended(&kept, "3.reward-engine");
    assert_eq!((ended.outcome, &ended.ended), (StepOutcome::Failed, &Ended::Exited(0)), "{ended:?}");
    kept.citadel("gate verify 3 --network local").code(10).says("`3.reward-engine` failed");
    std::fs::remove_file(kept.path("practice/faults.txt")).unwrap();
    kept.citadel("run --local --step 3.reward-engine").code(0);
    assert_eq!(kept.number("RewardEngineMB", "kappa()"), wanted);
}

#[test]
fn a_failure_after_the_transaction_landed() {
    let kept = kept();
    let wanted = kept.number("Thermostat", "systemTemperature()");
    kept.detune("Thermostat", "setSystemTemperature(int256)", wanted + 1);
    kept.fault("exit-1-after-tx");
    kept.citadel("run --local --step 3.thermostat").code(0);
    assert_eq!(kept.number("Thermostat", "systemTemperature()"), wanted, "the transaction landed");
    let ended = ended(&kept, "3.thermostat");
    assert_eq!((ended.outcome, &ended.ended), (StepOutcome::Done, &Ended::Exited(1)), "the evidence decides");
}

#[test]
fn a_step_that_runs_again_closes_its_gate_until_it_is_judged_again() {
    let kept = kept();
    kept.citadel("run --local --step 4.smoke").code(0);
    kept.citadel("status --network local").code(0).says("gate 4");
    kept.citadel("run --local --phase 4").code(0).says("Gate 4 PASSED");
    kept.citadel("gate verify --network local").code(0);
}
