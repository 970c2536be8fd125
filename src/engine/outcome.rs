//! What an attempt came to: its exit and its evidence, added up. Pure.

use super::limits::Allowed;
use super::step_evidence::Reached;
use crate::event::{Log, StepEnded, StepOutcome};
use crate::evidence::Found;
use crate::journal::RunFolder;
use crate::process::{Ended, Outcome, Written};
use crate::runbook::{Effects, ExpectedExit, Step};
use crate::text::limit;
use crate::verdict::{CheckResult, worst};

/// What the exit and the evidence add up to.
pub(super) fn conclude(
    step: &Step,
    attempt: u32,
    allowed: Allowed,
    outcome: Outcome,
    found: Found,
    reached: Reached,
) -> StepEnded {
    let problem = exit_problem(step, allowed, &outcome).or_else(|| first_problem(&found.results));
    let undecided = step.effects == Effects::Chain;
    let outcome_of_step = match (&outcome.ended, &problem) {
        (_, None) => StepOutcome::Done,
        (Ended::NotStarted(_), _) => StepOutcome::Failed,
        (Ended::Interrupted, _) if !undecided => StepOutcome::Interrupted,
        (Ended::TimedOut | Ended::Silent, _) if !undecided => StepOutcome::TimedOut,
        (Ended::Exited(code), _) if !undecided || is_expected(step, *code) => StepOutcome::Failed,
        _ if undecided => StepOutcome::Indeterminate,
        _ => StepOutcome::Failed,
    };
    let transactions = found.transactions.into_iter().flat_map(|found| found.hashes).map(|hash| hash.to_lowercase());
    StepEnded {
        outcome: outcome_of_step,
        ended: outcome.ended,
        evidence: found.results,
        artefacts: found.artefacts,
        last_block: reached.last_block,
        finalized: reached.finalized,
        transactions: transactions.collect(),
        tail: if problem.is_some() { outcome.tail } else { Vec::new() },
        reason: problem,
        left: outcome.left,
        logs: logs(step, attempt, outcome.log, outcome.stdout),
        ..StepEnded::done(step.id.clone(), attempt)
    }
}

fn logs(step: &Step, attempt: u32, log: Option<Written>, stdout: Option<Written>) -> Vec<Log> {
    let of = |path: String| move |Written { digest, bytes, .. }| Log { path, digest, bytes };
    let log = log.map(of(RunFolder::log(&step.id.0, attempt)));
    log.into_iter().chain(stdout.map(of(RunFolder::stdout(&step.id.0, attempt)))).collect()
}

fn exit_problem(step: &Step, allowed: Allowed, outcome: &Outcome) -> Option<String> {
    match &outcome.ended {
        Ended::NotStarted(why) => Some(format!("cannot be started: {why}")),
        Ended::TimedOut => Some(allowed.ended()),
        Ended::Silent => Some(format!("printed nothing for {} and was ended", limit(step.silence))),
        Ended::Interrupted => Some("citadel was asked to stop".into()),
        Ended::Unseen => Some("ended unseen".into()),
        Ended::Signalled(signal) => Some(format!("was killed by signal {signal}")),
        Ended::Exited(code) => match (&outcome.prompt, is_expected(step, *code)) {
            (Some(prompt), _) => Some(format!("ended asking `{prompt}`, with nobody there to answer")),
            (None, false) => Some(format!("exited with {code}")),
            (None, true) => None,
        },
    }
}

fn is_expected(step: &Step, code: i32) -> bool {
    match step.exit {
        ExpectedExit::Any => true,
        ExpectedExit::Code(expected) => code == expected,
    }
}

pub(super) fn first_problem(results: &[CheckResult]) -> Option<String> {
    let problem = results.iter().find(|result| !result.verdict.goes_on())?;
    Some(format!("its evidence does not hold: {}", problem.message))
}

pub(super) fn refusal(step: &Step, attempt: u32, results: Vec<CheckResult>) -> StepEnded {
    let reason = results.first().map(|result| format!("not started: {}", result.message));
    let verdict = worst(results.iter().map(|result| result.verdict));
    StepEnded {
        outcome: StepOutcome::Refused(verdict),
        reason,
        evidence: results,
        ..StepEnded::done(step.id.clone(), attempt)
    }
}

pub(super) fn not_started(step: &Step, attempt: u32, why: String) -> StepEnded {
    StepEnded {
        outcome: StepOutcome::Failed,
        ended: Ended::NotStarted(why.clone()),
        reason: Some(why),
        ..StepEnded::done(step.id.clone(), attempt)
    }
}
