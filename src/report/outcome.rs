//! How a run stands, in one sentence.

use serde::Serialize;

use super::blocks;
use crate::event::StepOutcome;
use crate::progress::{Halt, Progress, StepState};
use crate::text;
use crate::verdict::Verdict;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// Every gate passed.
    Complete { sentence: String },
    /// Everything that was asked for is behind its gate; more phases follow.
    Partial { sentence: String },
    /// People must sign.
    Waiting { sentence: String },
    /// A contingency holds it up until a person closes it.
    Suspended { sentence: String },
    /// Something did not come out well.
    Stopped { sentence: String },
    /// Something was written that must not be: nothing of the run may be passed on.
    Secret { sentence: String },
    /// A person gave the run up.
    Closed { sentence: String },
    /// It goes on, or its citadel is gone.
    Open { sentence: String },
}

impl Outcome {
    /// The outcome of a run.
    pub fn of(progress: &Progress) -> Self {
        let gates = progress.phases.len();
        let passed = progress.phases.iter().filter(|phase| progress.gate_passed(&phase.id)).count();
        let so_far = format!("{passed} of {} passed{}", text::count(gates, "gate"), waived(progress));
        if let Some(reason) = &progress.closed {
            return Self::Closed { sentence: format!("given up: {reason}") };
        }
        if let Some(to) = &progress.handed_over {
            return Self::Waiting { sentence: format!("handed over to {to}, who takes it over; {so_far}") };
        }
        if let Some((contingency, suspension)) = progress.suspended.iter().next() {
            let (since, by) = (&suspension.since, &suspension.by);
            let sentence = format!("suspended by contingency {contingency} since {since} ({by}); {so_far}");
            return Self::Suspended { sentence };
        }
        if let Some(step) = progress.undeclared() {
            let sentence = format!("step `{step}` ran, and the runbook does not have it any more; {so_far}");
            return Self::Stopped { sentence };
        }
        if let Some(step) = progress.redefined() {
            return Self::Stopped { sentence: format!("step `{step}` was done by another definition; {so_far}") };
        }
        if progress.secrets > 0 {
            let places = text::count(progress.secrets, "place");
            let sentence =
                format!("something secret was written in {places}: nothing of this run must be passed on; {so_far}");
            return Self::Secret { sentence };
        }
        if gates > 0 && passed == gates {
            return Self::Complete { sentence: format!("every gate passed ({gates} of {gates}){}", waived(progress)) };
        }
        match &progress.halt {
            _ if progress.complete => {
                Self::Partial { sentence: format!("everything that was asked for is done; {so_far}") }
            }
            Some(Halt::Step { step, outcome }) => {
                let what = match progress.step_state(step) {
                    Some(StepState::Done) => "is done after all",
                    Some(StepState::NotHappened) if *outcome == StepOutcome::Indeterminate => "did not happen",
                    Some(_) | None => outcome_words(*outcome),
                };
                Self::Stopped { sentence: format!("step `{step}` {what}; {so_far}") }
            }
            Some(Halt::Gate { gate, verdict: Verdict::Waiting }) => {
                Self::Waiting { sentence: format!("gate {gate} waits for people to sign; {so_far}") }
            }
            Some(Halt::Gate { gate, verdict }) => {
                let words = if *verdict == Verdict::Failed { "failed" } else { "could not be judged" };
                Self::Stopped { sentence: format!("gate {gate} {words}; {so_far}") }
            }
            Some(Halt::Signal { signal }) => {
                Self::Stopped { sentence: format!("interrupted by {}; {so_far}", signal_name(*signal)) }
            }
            None => Self::without_halt(progress, &so_far),
        }
    }

    fn without_halt(progress: &Progress, so_far: &str) -> Self {
        let find = |state: StepState| progress.steps.iter().find(|(_, step)| step.state == state).map(|(id, _)| id);
        if let Some(step) = find(StepState::Started) {
            return Self::Open { sentence: format!("step `{step}` is started; {so_far}") };
        }
        if let Some(step) = find(StepState::Indeterminate) {
            return Self::Stopped { sentence: format!("step `{step}` may or may not have happened; {so_far}") };
        }
        if let Some(step) = find(StepState::Happened) {
            return Self::Stopped { sentence: format!("step `{step}` happened, its evidence is not judged; {so_far}") };
        }
        if progress.steps.is_empty() {
            return Self::Open { sentence: format!("nothing was started; {so_far}") };
        }
        Self::Partial { sentence: format!("nothing is left open; {so_far}") }
    }

    /// One word for it, in capitals.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "COMPLETE",
            Self::Partial { .. } => "DONE SO FAR",
            Self::Waiting { .. } => "WAITING FOR PEOPLE",
            Self::Suspended { .. } => "SUSPENDED",
            Self::Stopped { .. } => "STOPPED",
            Self::Secret { .. } => "SECRET FOUND",
            Self::Closed { .. } => "CLOSED",
            Self::Open { .. } => "OPEN",
        }
    }

    /// The sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Complete { sentence }
            | Self::Partial { sentence }
            | Self::Waiting { sentence }
            | Self::Suspended { sentence }
            | Self::Stopped { sentence }
            | Self::Secret { sentence }
            | Self::Closed { sentence }
            | Self::Open { sentence } => sentence,
        }
    }
}

/// What the gates that passed did not plainly pass with.
fn waived(progress: &Progress) -> String {
    let judged = progress.gates.values().filter_map(|gate| gate.judged.as_ref());
    match judged.map(|judged| blocks::waived(&judged.results)).sum() {
        0 => String::new(),
        waived => format!(", {} waived", text::count(waived, "check")),
    }
}

/// A step's outcome in words that follow its name.
pub(crate) fn outcome_words(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "is done",
        StepOutcome::Failed => "failed",
        StepOutcome::TimedOut => "ran out of time",
        StepOutcome::Interrupted => "was interrupted",
        StepOutcome::Indeterminate => "may or may not have happened",
        StepOutcome::Refused(Verdict::Failed) => "was not started: a check before it failed",
        StepOutcome::Refused(_) => "was not started: a check before it could not be judged",
    }
}

/// A signal as people know it.
pub(crate) fn signal_name(signal: i32) -> String {
    match signal {
        1 => "SIGHUP".into(),
        2 => "SIGINT".into(),
        9 => "SIGKILL".into(),
        15 => "SIGTERM".into(),
        other => format!("signal {other}"),
    }
}
