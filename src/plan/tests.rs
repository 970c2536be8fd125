//! What a plan says of every state of a step and a gate.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::event::{Event, StepEnded, StepStarted};

const RUNBOOK: &str = r#"
format = 1
[runbook]
id = "r"
title = "R"
reports = "reports"
[workspace]
marker = "x"
[network.mainnet]
chain_id = 1
rpc = ["URL"]
[[phase]]
id = "1"
title = "One"
[[phase.step]]
id = "a"
title = "A"
run = ["true"]
retry = { max = 1 }
[[phase.step]]
id = "b"
title = "B"
run = ["true"]
effects = "chain"
[[phase.step.evidence]]
chain = { json = { file = "x", rules = [{ at = "$", eq = 1 }] } }
[phase.gate]
title = "G"
[[phase.gate.check]]
id = "x"
json = { file = "x", rules = [{ at = "$", eq = 1 }] }
"#;

fn outline(id: &str) -> StepOutline {
    StepOutline { id: StepId::new("1", id), title: id.into(), definition: format!("{id}1"), differs: None }
}

/// The progress of a run whose outlines are in this order.
fn progress(order: &[&str], events: &[Event]) -> Progress {
    let steps = order.iter().map(|id| outline(id)).collect();
    let phase = PhaseOutline {
        id: PhaseId("1".into()),
        title: "One".into(),
        gate: "G".into(),
        digest: "d".into(),
        steps,
        waivers: BTreeMap::new(),
    };
    let mut progress = Progress::default();
    progress.work_by(vec![phase]);
    events.iter().enumerate().for_each(|(index, event)| progress.apply(index as u64 + 1, event));
    progress
}

fn started(id: &str, definition: &str) -> Event {
    Event::StepStarted(StepStarted {
        step: StepId::new("1", id),
        attempt: 1,
        command: "true".into(),
        env: Vec::new(),
        log: "log".into(),
        definition: definition.into(),
        commit: None,
        inputs: BTreeMap::new(),
        after_block: None,
        finalized: None,
    })
}

fn ended(id: &str, outcome: StepOutcome) -> Event {
    Event::StepEnded(StepEnded { outcome, ..StepEnded::done(StepId::new("1", id), 1) })
}

fn judged(verdict: Verdict, definition: &str) -> Event {
    Event::GateJudged(GateJudged {
        gate: PhaseId("1".into()),
        verdict,
        network: "mainnet".into(),
        block: None,
        finalized: None,
        results: Vec::new(),
        record: String::new(),
        record_sha256: String::new(),
        definition: definition.into(),
        heads: BTreeMap::new(),
        notes: Vec::new(),
    })
}

/// What the plan shows, and what comes next.
#[track_caller]
fn check_in(order: &[&str], events: &[Event], expected: &[&str], first: Option<&str>) {
    let runbook = crate::runbook::parse(RUNBOOK, Path::new("runbook.toml")).unwrap();
    let (selection, progress) = (Selection::all(&runbook), progress(order, events));
    let shown = |line: &Line| format!("{}: {}", line.item, line.why);
    let lines: Vec<String> = plan(&runbook, &selection, &progress, "mainnet").iter().map(shown).collect();
    assert_eq!(lines, expected);
    let next = next(&runbook, &selection, &progress, "mainnet");
    assert_eq!(next.as_ref().map(|line| line.item.to_string()).as_deref(), first);
    if order == ["a", "b"] {
        assert_eq!(next_at_work(&runbook, &selection, &progress, "mainnet"), next);
    }
}

#[track_caller]
fn check(events: &[Event], expected: &[&str], first: Option<&str>) {
    check_in(&["a", "b"], events, expected, first);
    // Outlines in another order, as an older runbook may have had them, say the same.
    check_in(&["b", "a"], events, expected, first);
}

const B: &str = "run 1.b: it has not run yet";
const GATE: &str = "gate 1: it has not been judged yet";

#[test]
fn steps() {
    use StepOutcome::{Done, Failed, Indeterminate};
    check(&[], &["run 1.a: it has not run yet", B, GATE], Some("run 1.a"));
    let done = [started("a", "a1"), ended("a", Done)];
    check(&done, &["skip step 1.a: done by attempt 1", B, GATE], Some("run 1.b"));
    let changed = [started("a", "a0"), ended("a", Done)];
    check(&changed, &["stop step 1.a: its definition changed since it was done", B, GATE], Some("stop step 1.a"));
    let failed = [started("a", "a1"), ended("a", Failed)];
    check(&failed, &["run 1.a: attempt 1 failed", B, GATE], Some("run 1.a"));
    let unknown = [started("a", "a1"), ended("a", Done), started("b", "b1"), ended("b", Indeterminate)];
    let ask = "ask 1.b: attempt 1 may or may not have happened, and it has no probe";
    check(&unknown, &["skip step 1.a: done by attempt 1", ask, GATE], None);
}

#[test]
fn a_settled_step_that_begins_again_is_due_again() {
    use StepOutcome::{Done, Failed};
    let runbook = crate::runbook::parse(RUNBOOK, Path::new("runbook.toml")).unwrap();
    let selection = Selection::all(&runbook);
    let mut progress = progress(&["a", "b"], &[]);
    let both = [started("a", "a1"), ended("a", Done), started("b", "b1"), ended("b", Done)];
    let again = [started("a", "a1"), ended("a", Failed), Event::AnotherTry { by: "x".into() }];
    let events = both.iter().chain(&again).chain(&both[..2]);
    let settled = events.map(|event| {
        progress.apply(1, event);
        assert_eq!(
            next_at_work(&runbook, &selection, &progress, "mainnet"),
            next(&runbook, &selection, &progress, "mainnet")
        );
        progress.settled_in(0)
    });
    assert_eq!(settled.collect::<Vec<_>>(), [0, 1, 1, 2, 0, 0, 0, 0, 2]);
}

#[test]
fn gates() {
    use StepOutcome::Done;
    let done = [started("a", "a1"), ended("a", Done), started("b", "b1"), ended("b", Done)];
    let skips = ["skip step 1.a: done by attempt 1", "skip step 1.b: done by attempt 1"];
    let with = |event: Event| done.iter().cloned().chain([event]).collect::<Vec<_>>();
    check(&done, &[skips[0], skips[1], GATE], Some("gate 1"));
    check(&with(judged(Verdict::Passed, "d")), &[skips[0], skips[1], "skip gate 1: passed"], None);
    let changed = "gate 1: its phase's definition changed since it passed";
    check(&with(judged(Verdict::Passed, "e")), &[skips[0], skips[1], changed], Some("gate 1"));
    check(&with(judged(Verdict::Failed, "d")), &[skips[0], skips[1], "gate 1: it was failed when last judged"], None);
}
