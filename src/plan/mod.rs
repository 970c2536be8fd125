//! What comes next, and why: a pure function of the runbook, what was asked for, and what happened.
//!
//! A retry, a resume and a person's answer are all "an event happened, decide again". Nothing here acts.

pub mod selection;

use std::fmt;

use crate::event::StepOutline;
use crate::progress::{Progress, StepState};
use crate::runbook::{Action, CheckKind, Effects, EvidenceKind, Need, Phase, PhaseId, Runbook, Step, StepId};
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
    /// Only a person can say whether it happened.
    Ask {
        step: StepId,
    },
    /// It was done by another definition than today's.
    Changed {
        what: String,
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
            Self::Ask { step } => write!(f, "ask {step}"),
            Self::Changed { what } => write!(f, "stop {what}"),
            Self::Gate { phase } => write!(f, "gate {phase}"),
            Self::Skip { what } => write!(f, "skip {what}"),
        }
    }
}

/// Everything that will happen and everything that will not, in order, if all goes well.
pub fn plan(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut chain = chain_is_up(progress);
    for phase in &runbook.phases[selection.phases.clone()] {
        let dev = runbook.networks[phase.on.as_deref().unwrap_or(network)].dev_chain.is_some();
        let mut add = |line: Line, needs_chain: bool| {
            if needs_chain && dev && !chain {
                chain = true;
                lines.push(Line { item: Item::DevChain, why: "the next line reads or changes the chain".into() });
            }
            lines.push(line);
        };
        for step in phase.steps.iter().filter(|step| selection.takes(&step.id)) {
            let line = step_line(step, selection, progress);
            let needs_chain = !matches!(line.item, Item::Skip { .. }) && step_needs_chain(step);
            add(line, needs_chain);
        }
        if selection.step.is_none() {
            let line = gate_line(phase, progress);
            let needs_chain = !matches!(line.item, Item::Skip { .. }) && gate_needs_chain(runbook, phase);
            add(line, needs_chain);
        }
    }
    lines
}

/// The first thing to do; nothing once this invocation was stopped.
pub fn next(runbook: &Runbook, selection: &Selection, progress: &Progress, network: &str) -> Option<Line> {
    if progress.halt.is_some() || progress.closed.is_some() {
        return None;
    }
    plan(runbook, selection, progress, network).into_iter().find(|line| !matches!(line.item, Item::Skip { .. }))
}

fn step_line(step: &Step, selection: &Selection, progress: &Progress) -> Line {
    let Some(seen) = progress.steps.get(&step.id) else {
        let item = Item::Run { step: step.id.clone(), attempt: 1 };
        return Line { item, why: "it has not run yet".into() };
    };
    let again =
        |why: &str| Line { item: Item::Run { step: step.id.clone(), attempt: seen.attempt + 1 }, why: why.to_owned() };
    match seen.state {
        StepState::Started | StepState::Indeterminate if step.probe.is_some() => Line {
            item: Item::Probe { step: step.id.clone() },
            why: format!("attempt {} may or may not have happened", seen.attempt),
        },
        StepState::Started | StepState::Indeterminate if step.idempotent || step.effects != Effects::Chain => {
            again("its outcome is not known, and doing it again does no harm")
        }
        StepState::Started | StepState::Indeterminate => Line {
            item: Item::Ask { step: step.id.clone() },
            why: format!("attempt {} may or may not have happened, and it has no probe", seen.attempt),
        },
        StepState::NotHappened => again("it is known not to have happened"),
        StepState::Failed => again(&format!("attempt {} failed", seen.attempt)),
        StepState::Done if selection.step.is_some() && !progress.fresh.contains(&step.id) => again("it was asked for"),
        StepState::Done => done_line(step, &seen.started.definition, seen.attempt, progress),
    }
}

fn done_line(step: &Step, by: &str, attempt: u32, progress: &Progress) -> Line {
    let outline = outline(progress, &step.id);
    if outline.is_some_and(|outline| outline.definition != by) {
        let item = Item::Changed { what: format!("step {}", step.id) };
        return Line { item, why: "its definition changed since it was done".into() };
    }
    Line { item: Item::Skip { what: format!("step {}", step.id) }, why: format!("done by attempt {attempt}") }
}

fn gate_line(phase: &Phase, progress: &Progress) -> Line {
    let judged = progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
    let today = progress.phases.iter().find(|outline| outline.id == phase.id).map(|outline| &outline.digest);
    let gate = || Item::Gate { phase: phase.id.clone() };
    match judged {
        None => Line { item: gate(), why: "it has not been judged yet".into() },
        Some(judged) if judged.verdict != Verdict::Passed => {
            Line { item: gate(), why: format!("it was {} when last judged", judged.verdict) }
        }
        Some(judged) if today.is_some_and(|digest| *digest != judged.definition) => {
            Line { item: gate(), why: "its phase's definition changed since it passed".into() }
        }
        Some(judged) => Line {
            item: Item::Skip { what: format!("gate {}", phase.id) },
            why: match &judged.block {
                Some(block) => format!("passed at block {}", block.number),
                None => "passed".into(),
            },
        },
    }
}

/// The step's outline in the definitions that the run works by.
pub fn outline<'a>(progress: &'a Progress, step: &StepId) -> Option<&'a StepOutline> {
    progress.phases.iter().flat_map(|phase| &phase.steps).find(|outline| outline.id == *step)
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
    runbook.invariants.iter().chain(&phase.gate.checks).any(|check| !matches!(check.kind, CheckKind::Json { .. }))
}
