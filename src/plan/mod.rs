//! What comes next, and why: a pure function of the runbook, what was asked for, and what happened.
//!
//! A retry, a resume and a person's answer are all "an event happened, decide again". Nothing here acts.

pub mod selection;

use std::fmt;
use std::ops::ControlFlow;

use crate::event::{GateJudged, PhaseOutline, StepOutcome, StepOutline};
use crate::progress::{Halt, Progress, StepProgress, StepState};
use crate::runbook::{Action, Effects, EvidenceKind, Need, Phase, PhaseId, Runbook, Step, StepId};
use crate::verdict::Verdict;

pub use selection::Selection;

/// One thing to do, or to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Start the dev chain and set it up, or use the one that is kept up.
    DevChain,
    Run {
        step: StepId,
        attempt: u32,
    },
    /// Ask the chain whether an indeterminate step's effect happened.
    Probe {
        step: StepId,
    },
    /// Its effect happened while no citadel saw how it came out: its evidence decides.
    Verify {
        step: StepId,
    },
    /// Only a person can say whether it happened.
    Ask {
        step: StepId,
    },
    /// It was done by another definition than today's, by one that is gone, or is done and would be done twice.
    Changed {
        step: StepId,
    },
    Gate {
        phase: PhaseId,
    },
    /// Nothing to do.
    Skip {
        what: String,
    },
}

/// An item with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub item: Item,
    pub why: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DevChain => f.write_str("chain"),
            Self::Run { step, .. } => write!(f, "run {step}"),
            Self::Probe { step } => write!(f, "probe {step}"),
            Self::Verify { step } => write!(f, "verify {step}"),
            Self::Ask { step } => write!(f, "ask {step}"),
            Self::Changed { step } => write!(f, "stop step {step}"),
            Self::Gate { phase } => write!(f, "gate {phase}"),
            Self::Skip { what } => write!(f, "skip {what}"),
        }
    }
}

/// Everything that will happen and everything that will not, in order, if all goes well.
pub fn plan(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    each(runbook, selection, progress, network, |line| lines.push(line));
    lines
}

/// The same, one line after the other.
pub fn each(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str, mut take: impl FnMut(Line)) {
    let _ = walk(
        runbook,
        selection,
        progress,
        network,
        |_| 0,
        |line| -> ControlFlow<()> {
            take(line.text());
            ControlFlow::Continue(())
        },
    );
}

/// The first thing to do; nothing once this invocation was stopped.
pub fn next(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str) -> Option<Line> {
    first(runbook, selection, progress, network, |_| 0)
}

/// The same where the run works by the definitions of this very runbook: what it settled is not looked at again.
pub fn next_at_work(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str) -> Option<Line> {
    // A single step that was asked for is due although it is done.
    let settled = |phase| if selection.step.is_none() { progress.settled_in(phase) } else { 0 };
    let found = first(runbook, selection, progress, network, settled);
    debug_assert_eq!(found, next(runbook, selection, progress, network), "nothing settled is due");
    found
}

fn first(
    runbook: &Runbook,
    selection: &Selection,
    progress: &Progress,
    network: &str,
    settled: impl Fn(usize) -> usize,
) -> Option<Line> {
    let stopped = progress.halt.as_ref().is_some_and(|halt| !goes_on(runbook, progress, halt));
    if stopped || progress.closed.is_some() || progress.handed_over.is_some() || !progress.suspended.is_empty() {
        return None;
    }
    let found = walk(runbook, selection, progress, network, settled, |line| match line {
        Found::Done(..) | Found::Passed(..) => ControlFlow::Continue(()),
        Found::Due(line) => ControlFlow::Break(line),
    });
    found.break_value()
}

/// Whether the plan itself has an answer to what stopped the invocation: a probe, or a declared retry.
fn goes_on(runbook: &Runbook, progress: &Progress, halt: &Halt) -> bool {
    let Halt::Step { step: id, outcome } = halt else { return false };
    let Some(step) = runbook.phases.iter().flat_map(|phase| &phase.steps).find(|step| step.id == *id) else {
        return false;
    };
    let state = progress.step_state(id);
    match outcome {
        StepOutcome::Indeterminate if state == Some(StepState::Indeterminate) => step.probe.is_some(),
        StepOutcome::Indeterminate | StepOutcome::Failed | StepOutcome::TimedOut => {
            let harmless = step.effects != Effects::Chain || state == Some(StepState::NotHappened);
            harmless && retries_left(step, progress) > 0
        }
        StepOutcome::Done | StepOutcome::Interrupted | StepOutcome::Refused(_) => false,
    }
}

/// How many declared further attempts at `step` this invocation still has.
pub fn retries_left(step: &Step, progress: &Progress) -> u32 {
    let tries = progress.tries.get(&step.id).copied().unwrap_or(0);
    step.retry.map_or(0, |retry| (retry.max + 1).saturating_sub(tries))
}

/// A line, put into words only where it is shown: what is behind a run is looked at before each of its steps.
enum Found<'a> {
    /// Nothing to do: the step was done by this attempt.
    Done(&'a StepId, u32),
    /// Nothing to do: the gate passed.
    Passed(&'a PhaseId, &'a GateJudged),
    Due(Line),
}

impl Found<'_> {
    fn text(self) -> Line {
        match self {
            Self::Done(step, attempt) => {
                Line { item: Item::Skip { what: format!("step {step}") }, why: format!("done by attempt {attempt}") }
            }
            Self::Passed(phase, judged) => Line {
                item: Item::Skip { what: format!("gate {phase}") },
                why: match &judged.block {
                    Some(block) => format!("passed at block {}", block.number),
                    None => "passed".into(),
                },
            },
            Self::Due(line) => line,
        }
    }
}

/// Gives every line in order to `take`, until it breaks; of a phase, by its index, without the first that are `settled`.
fn walk<B>(
    runbook: &Runbook,
    selection: &Selection,
    progress: &Progress,
    network: &str,
    settled: impl Fn(usize) -> usize,
    mut take: impl FnMut(Found<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if let Some(step) = progress.undeclared() {
        let item = Item::Changed { step: step.clone() };
        take(Found::Due(Line {
            item,
            why: "it may have changed a chain, and the runbook does not have it any more".into(),
        }))?;
    }
    let mut chain = chain_is_up(progress);
    for (number, phase) in selection.phases.clone().zip(&runbook.phases[selection.phases.clone()]) {
        let dev = runbook.networks[phase.on.as_deref().unwrap_or(network)].dev_chain.is_some();
        let outline = progress.phases.iter().find(|outline| outline.id == phase.id);
        let mut add = |found: Found<'_>, reads_chain: &dyn Fn() -> bool| {
            if dev && !chain && matches!(found, Found::Due(_)) && reads_chain() {
                chain = true;
                let why = "the next line reads or changes the chain".into();
                take(Found::Due(Line { item: Item::DevChain, why }))?;
            }
            take(found)
        };
        let steps = phase.steps.iter().enumerate().skip(settled(number));
        for (index, step) in steps.filter(|(_, step)| selection.takes(&step.id)) {
            let today = || outline_at(progress, outline, index, &step.id);
            add(step_line(step, today, selection, progress), &|| step_needs_chain(step))?;
        }
        if selection.step.is_none() {
            add(gate_line(phase, outline, progress), &|| gate_needs_chain(runbook, phase))?;
        }
    }
    ControlFlow::Continue(())
}

fn step_line<'a>(
    step: &'a Step,
    today: impl FnOnce() -> Option<&'a StepOutline>,
    selection: &Selection,
    progress: &'a Progress,
) -> Found<'a> {
    let Some(seen) = progress.steps.get(&step.id) else {
        let item = Item::Run { step: step.id.clone(), attempt: 1 };
        return Found::Due(Line { item, why: "it has not run yet".into() });
    };
    let asked = selection.step.is_some() && !progress.fresh.contains(&step.id);
    if seen.state == StepState::Done && !asked {
        if today().is_some_and(|outline| outline.definition != seen.started.definition) {
            let item = Item::Changed { step: step.id.clone() };
            return Found::Due(Line { item, why: "its definition changed since it was done".into() });
        }
        return Found::Done(&step.id, seen.attempt);
    }
    if seen.state == StepState::Done && only_once(step) && selection.again != Some(seen.attempt) {
        let item = Item::Changed { step: step.id.clone() };
        let why = format!("it is done, and would change the chain once more: `--again {}` says so", seen.attempt);
        return Found::Due(Line { item, why });
    }
    Found::Due(due(step, seen))
}

/// What is to be done about a step that was begun and is not done with.
fn due(step: &Step, seen: &StepProgress) -> Line {
    let again =
        |why: &str| Line { item: Item::Run { step: step.id.clone(), attempt: seen.attempt + 1 }, why: why.to_owned() };
    match seen.state {
        StepState::Started | StepState::Indeterminate if step.probe.is_some() => unsettled(step, seen.attempt),
        StepState::Started | StepState::Indeterminate if by_hand(step) => again("a person may have done it by now"),
        StepState::Started | StepState::Indeterminate if step.idempotent || step.effects != Effects::Chain => {
            again("its outcome is not known, and doing it again does no harm")
        }
        StepState::Started | StepState::Indeterminate => unsettled(step, seen.attempt),
        StepState::NotHappened => again("it is known not to have happened"),
        StepState::Happened => Line {
            item: Item::Verify { step: step.id.clone() },
            why: format!("attempt {} happened, and its evidence decides", seen.attempt),
        },
        StepState::Failed if step.effects == Effects::Chain && !step.idempotent && !seen.was_not_started() => {
            // Its evidence did not hold, but something of its effect may have landed.
            unsettled(step, seen.attempt)
        }
        StepState::Failed => again(&format!("attempt {} failed", seen.attempt)),
        StepState::Done => again("it was asked for"),
    }
}

/// An attempt with effects on a chain of which it is not known whether they happened.
fn unsettled(step: &Step, attempt: u32) -> Line {
    let (id, why) = (step.id.clone(), format!("attempt {attempt} may or may not have happened"));
    match step.probe {
        Some(_) => Line { item: Item::Probe { step: id }, why },
        None => Line { item: Item::Ask { step: id }, why: format!("{why}, and it has no probe") },
    }
}

/// Whether a person does the step: citadel itself starts nothing, however often it looks.
fn by_hand(step: &Step) -> bool {
    matches!(step.action, Action::Manual { .. })
}

/// Whether `step`, once it is done, must not be done again unless somebody says so: it would change a chain twice.
pub fn only_once(step: &Step) -> bool {
    step.effects == Effects::Chain && !step.idempotent && !step.own_chain
}

fn gate_line<'a>(phase: &'a Phase, today: Option<&PhaseOutline>, progress: &'a Progress) -> Found<'a> {
    let judged = progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
    let why = match judged {
        None => "it has not been judged yet".to_owned(),
        Some(judged) if judged.verdict != Verdict::Passed => format!("it was {} when last judged", judged.verdict),
        Some(judged) if today.is_some_and(|today| today.digest != judged.definition) => {
            "its phase's definition changed since it passed".to_owned()
        }
        Some(judged) => return Found::Passed(&phase.id, judged),
    };
    Found::Due(Line { item: Item::Gate { phase: phase.id.clone() }, why })
}

/// What it means today, where it most likely is: a run's outlines are in the order of its runbook.
fn outline_at<'a>(
    progress: &'a Progress,
    phase: Option<&'a PhaseOutline>,
    index: usize,
    step: &StepId,
) -> Option<&'a StepOutline> {
    let there = phase.and_then(|phase| phase.steps.get(index)).filter(|outline| outline.id == *step);
    there.or_else(|| progress.outline(step))
}

fn chain_is_up(progress: &Progress) -> bool {
    progress.dev_chain.as_ref().is_some_and(|chain| !chain.ended && chain.deployment.is_some())
}

/// Whether a step reads or changes the chain, or is judged by it.
pub fn step_needs_chain(step: &Step) -> bool {
    step.needs.contains(&Need::Rpc)
        || step.effects == Effects::Chain
        || !step.before.is_empty()
        || matches!(step.action, Action::Secrets { .. })
        || step.evidence.iter().any(|evidence| {
            matches!(evidence.kind, EvidenceKind::Chain(_) | EvidenceKind::Transactions(_)) && !step.own_chain
        })
}

/// Whether a gate reads the chain.
pub fn gate_needs_chain(runbook: &Runbook, phase: &Phase) -> bool {
    runbook.invariants.iter().chain(&phase.gate.checks).any(|check| check.kind.reads_chain())
}

#[cfg(test)]
mod tests;
