//! Failures that are answered beforehand: `--on-failure`.

use std::path::Path;

use super::builder::Test;
use super::stub::{step, stub, stub_on_chain};

const CONTINGENCY: &str = r#"
[[contingency]]
id = "shock"
title = "Shock"
when = "always"
[[contingency.step]]
id = "note"
title = "Note"
shell = "touch noted"
"#;

/// A step that fails until it was tried so often.
fn fails_until(attempt: u32) -> Test {
    stub(&step("flaky", &format!("echo x >>tried; test $(wc -l <tried) -ge {attempt} || exit 3"), ""))
}

fn tried(test: &Test) -> usize {
    test.read("tried").lines().count()
}

#[track_caller]
fn check(passes_at: u32, answers: &str, code: i32, attempts: usize) {
    let test = fails_until(passes_at);
    test.citadel(&format!("run --network test {answers}")).code(code).never_says("[a]bort");
    assert_eq!(tried(&test), attempts, "{answers}");
}

#[test]
fn every_retry_is_one_attempt() {
    check(2, "", 13, 1);
    check(2, "--on-failure abort", 13, 1);
    check(2, "--on-failure retry", 0, 2);
    check(3, "--on-failure retry", 13, 2);
    check(3, "--on-failure retry --on-failure retry", 0, 3);
    check(2, "--on-failure abort --on-failure retry", 13, 1);
}

#[test]
fn a_retry_is_told_and_recorded() {
    let test = fails_until(2);
    let outcome = test.citadel("run --network test --on-failure retry").code(0);
    outcome.says("step 1.flaky stopped the run: retry (by `--on-failure`)").says("(attempt 2)").says("COMPLETE");
    let events = test.journal("stub", "test").into_iter().map(|entry| serde_json::to_value(entry.event).unwrap());
    assert_eq!(events.filter(|event| event["type"] == "another_try" && event["by"] == "tester").count(), 1);
}

#[test]
fn a_gate_is_judged_again() {
    let test = stub(&step("hello", "true", ""));
    test.write("gate.json", "{ \"open\": false }");
    let outcome = test.citadel("run --network test --on-failure retry").code(10);
    outcome.says("gate 1 failed: retry (by `--on-failure`)");
}

#[test]
fn the_log_is_shown() {
    let test = stub(&step("broken", "echo first; echo the last word; exit 3", ""));
    let outcome = test.citadel("run --network test --on-failure log").code(13);
    outcome.says("logs/1.broken.1.log\n  first\n  the last word").says("stopped the run: abort");
}

#[test]
fn a_contingency_takes_over() {
    let test = stub(&step("broken", "exit 3", ""));
    test.write("runbook.toml", test.read("runbook.toml") + CONTINGENCY);
    let outcome = test.citadel("run --network test --on-failure retry --on-failure contingency:shock");
    outcome.code(0).says("CONTINGENCY shock").says("citadel contingency close shock");
    assert!(test.path("noted").exists());
    test.citadel("run --network test").code(12).says("suspended by contingency shock");
}

#[test]
fn what_may_have_happened_is_never_tried_again() {
    let chain = "effects = \"chain\"\n[[phase.step.evidence]]\nchain = { call = { of = \"thing\", \
                 function = \"value()(uint256)\", eq = 1 } }";
    let (test, _watchdog) = stub_on_chain(&step("send", "echo x >>tried; exit 3", chain));
    let outcome = test.citadel("run --local --on-failure retry").code(20);
    outcome.says("not tried again, since its effect may have happened").says("citadel decide 1.send");
    assert_eq!(tried(&test), 1);
}

#[track_caller]
fn refused(answer: &str, says: &str) {
    let test = fails_until(1);
    test.citadel(&format!("run --network test --on-failure {answer}")).code(2).says(says);
    assert!(!Path::new(&test.path("tried")).exists());
}

#[test]
fn answers_that_make_no_sense_start_nothing() {
    refused("again", "one of `retry`, `log`, `contingency:ID` and `abort` is meant");
    refused("contingency:shok", "there is no contingency `shok`");
}
