//! `JUnit` XML: a phase is a suite, a step or a check of its gate a case. *Failed* is a failure, what could not be known an
//! error, what did not run or waits for people is skipped.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::outcome::outcome_words;
use super::{GateView, PhaseReport, Report, StepReport, blocks};
use crate::event::{BlockRef, StepOutcome};
use crate::progress::StepState;
use crate::text;
use crate::verdict::{CheckResult, Verdict};

/// The report of a run.
pub fn render(report: &Report) -> anyhow::Result<String> {
    let name = report.run.as_ref().map_or("citadel", |run| run.runbook.as_str());
    let mut junit = Junit::new(name);
    junit.timestamp = report.invocations.first().and_then(|first| first.time.to_string().parse().ok());
    for phase in &report.phases {
        junit.add_test_suite(suite(phase));
    }
    if !report.others.is_empty() {
        let mut suite = TestSuite::new("other steps");
        suite.add_test_cases(report.others.iter().map(step_case));
        junit.add_test_suite(suite);
    }
    Ok(junit.to_string()?)
}

/// The answers of `gate verify`.
pub(super) fn gates(views: &[GateView]) -> anyhow::Result<String> {
    let mut junit = Junit::new("citadel gate verify");
    for view in views {
        let mut suite = TestSuite::new(format!("gate {}: {}", view.id, view.title));
        suite.add_property(Property::new("network", view.network.as_str()));
        if let Some(block) = &view.block {
            suite.add_property(Property::new("block", format!("{} {}", block.number, block.hash)));
        }
        suite.add_test_cases(
            view.results.iter().map(|result| check_case(view.id.0.as_str(), result, view.block.as_ref())),
        );
        if view.results.is_empty() {
            let nothing = CheckResult { verdict: view.verdict, ..CheckResult::unknown("gate", "gate", "no checks") };
            suite.add_test_case(check_case(&view.id.0, &nothing, None));
        }
        junit.add_test_suite(suite);
    }
    Ok(junit.to_string()?)
}

fn suite(phase: &PhaseReport) -> TestSuite {
    let mut suite = TestSuite::new(format!("phase {}: {}", phase.id, phase.title));
    suite.timestamp = phase
        .steps
        .iter()
        .find_map(|step| step.attempts.first())
        .and_then(|attempt| attempt.time.to_string().parse().ok());
    suite.add_test_cases(phase.steps.iter().map(step_case));
    // A judgement before a step ran again says nothing about now.
    if let (Some(_), Some(last)) = (phase.gate.verdict, phase.gate.last()) {
        suite.add_test_cases(
            last.judged.results.iter().map(|result| check_case(&phase.id.0, result, last.judged.block.as_ref())),
        );
    } else {
        let mut case = TestCase::new(format!("gate {}", phase.id), TestCaseStatus::skipped());
        case.status.set_message("not judged");
        suite.add_test_case(case);
    }
    suite
}

fn step_case(step: &StepReport) -> TestCase {
    let mut case = TestCase::new(step.id.0.as_str(), step_status(step));
    case.set_classname("step");
    case.set_time(Duration::from_millis(step.milliseconds()));
    if let Some(ended) = step.last().filter(|ended| !ended.tail.is_empty()) {
        case.set_system_out(plain(&ended.tail.join("\n")));
    }
    case
}

fn step_status(step: &StepReport) -> TestCaseStatus {
    let last = step.last();
    let mut status = match step.state {
        None => TestCaseStatus::skipped(),
        Some(StepState::Done) => return TestCaseStatus::success(),
        Some(StepState::Failed) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Some(StepState::NotHappened) => match last.map(|ended| ended.outcome) {
            Some(StepOutcome::Refused(Verdict::Failed)) => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Some(StepOutcome::Refused(_)) => TestCaseStatus::non_success(NonSuccessKind::Error),
            Some(_) | None => TestCaseStatus::skipped(),
        },
        Some(StepState::Started | StepState::Indeterminate | StepState::Happened) => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    let why = last.and_then(|ended| ended.reason.clone());
    let why = why.or_else(|| last.map(|ended| outcome_words(ended.outcome).to_owned()));
    let otherwise = if step.state.is_none() { "not started" } else { "started, and no outcome was recorded" };
    status.set_message(plain(&why.unwrap_or_else(|| otherwise.to_owned())));
    if let Some(ended) = last {
        let problems: Vec<String> = ended.evidence.iter().filter_map(|result| problem(result, None)).collect();
        if !problems.is_empty() {
            status.set_description(plain(&problems.join("\n")));
        }
    }
    status
}

fn check_case(gate: &str, result: &CheckResult, block: Option<&BlockRef>) -> TestCase {
    let mut status = match result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Waived | Verdict::Waiting => TestCaseStatus::skipped(),
        Verdict::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if let Some(problem) = problem(result, block) {
        status.set_message(plain(&format!("{}: {}", result.verdict, result.message)));
        status.set_type(result.kind.as_str());
        status.set_description(plain(&problem));
    }
    let mut case = TestCase::new(format!("gate {gate}: {}", result.id), status);
    case.set_classname(result.kind.as_str());
    case
}

/// Lines of strangers: what shows them is as easily fooled as a terminal.
fn plain(text: &str) -> String {
    text.lines().map(text::clean).collect::<Vec<_>>().join("\n")
}

/// Everything about a check that did not pass.
fn problem(result: &CheckResult, block: Option<&BlockRef>) -> Option<String> {
    if result.verdict == Verdict::Passed {
        return None;
    }
    let mut lines = vec![format!("{}: {}", result.id, text::clean(&result.message))];
    lines.extend(blocks::facts(result, block).into_iter().map(|(name, value)| match name {
        "" => format!("      {value}"),
        name => format!("{name}: {value}"),
    }));
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_run_as_suites_and_cases() {
        let xml = render(&Report::of(&fixture::entries(fixture::events()))).unwrap();
        let check = |part: &str| assert!(xml.contains(part), "{part}\n{xml}");
        check(
            r#"<testsuites name="astral-citadel" tests="6" skipped="2" failures="0" errors="0" timestamp="2026-11-22T19:40:05"#,
        );
        check(r#"<testsuite name="phase 1: Governance Posture" tests="4" skipped="0" errors="0" failures="0""#);
        check(r#"<testcase name="1.plan-safe" classname="step" time="5.198"/>"#);
        check(r#"<testcase name="gate 1: not-paused" classname="pause"/>"#);
        check(r#"<testcase name="gate 2">"#);
        check(r#"<skipped message="not judged"/>"#);
    }

    #[test]
    fn failed_is_a_failure_and_unknown_an_error() {
        let events = fixture::events();
        let failing = render(&Report::of(&fixture::entries(events[..14].to_vec()))).unwrap();
        assert!(failing.contains(r#"<failure message="failed: 1 of 8 modules is paused: fee_pool" type="pause">"#));
        assert!(failing.contains("hint: cast call 0x33"));
        let running = render(&Report::of(&fixture::entries(events[..4].to_vec()))).unwrap();
        assert!(running.contains(r#"<error message="started, and no outcome was recorded"#), "{running}");
        let stopped = render(&Report::of(&fixture::entries(events[..9].to_vec()))).unwrap();
        assert!(stopped.contains("<failure message=\"its evidence does not hold"), "{stopped}");
        assert!(!stopped.contains('\u{1b}'));
    }
}
