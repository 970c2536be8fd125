//! Where steps stand in the definitions that a run works by, and how many from the first on are done by them, so that
//! nobody walks past those again to find what comes next.

use std::collections::BTreeSet;

use super::{Progress, StepProgress, StepState};
use crate::event::{PhaseOutline, StepOutline};
use crate::runbook::StepId;

impl Progress {
    /// The phase of `step` and its place there, in the definitions that the run works by.
    pub fn place(&self, step: &StepId) -> Option<(&PhaseOutline, usize)> {
        // Steps begin in the order of their outlines unless somebody asked for one alone.
        let nth = self.steps.get_index_of(step).unwrap_or(self.steps.len());
        self.nth_step(nth).filter(|(phase, index)| phase.steps[*index].id == *step).or_else(|| {
            let place = |phase: &PhaseOutline| phase.steps.iter().position(|outline| outline.id == *step);
            self.phases.iter().find_map(|phase| Some((phase, place(phase)?)))
        })
    }

    /// How many of the first steps of the phase at `index` are done by today's definitions.
    pub fn settled_in(&self, index: usize) -> usize {
        let before = self.phases.iter().take(index).map(|phase| phase.steps.len()).sum();
        let here = self.phases.get(index).map_or(0, |phase| phase.steps.len());
        self.settled.first_open().saturating_sub(before).min(here)
    }

    /// Other definitions count from here on.
    pub fn work_by(&mut self, phases: Vec<PhaseOutline>) {
        self.phases = phases;
        self.settled = Settled::default();
        self.settle_on();
        self.undeclared =
            self.steps.values().find(|seen| self.is_undeclared(seen)).map(|seen| seen.started.step.clone());
    }

    /// The first step that may have changed a chain and that today's definitions do not have any more: under another name it
    /// would run as if it never had.
    pub fn undeclared(&self) -> Option<&StepId> {
        self.undeclared.as_ref()
    }

    fn is_undeclared(&self, seen: &StepProgress) -> bool {
        // The block before an attempt is looked up only where the step is about the chain.
        let began = seen.started.after_block.is_some() && !seen.was_not_started();
        began && seen.state != StepState::NotHappened && self.place(&seen.started.step).is_none()
    }

    fn nth_step(&self, mut nth: usize) -> Option<(&PhaseOutline, usize)> {
        for phase in &self.phases {
            if nth < phase.steps.len() {
                return Some((phase, nth));
            }
            nth -= phase.steps.len();
        }
        None
    }

    /// What `step` means in the definitions that the run works by.
    pub fn outline(&self, step: &StepId) -> Option<&StepOutline> {
        self.place(step).map(|(phase, index)| &phase.steps[index])
    }

    /// The first step that was done by another definition than today's.
    pub fn redefined(&self) -> Option<&StepId> {
        let mut outlines = self.phases.iter().flat_map(|phase| &phase.steps);
        let changed = |outline: &&StepOutline| {
            let seen = self.steps.get(&outline.id).filter(|seen| seen.state == StepState::Done);
            seen.is_some_and(|seen| seen.started.definition != outline.definition)
        };
        outlines.find(changed).map(|outline| &outline.id)
    }

    /// A step's state changed.
    pub(super) fn settle(&mut self, step: &StepId) {
        let nth = self.place(step).map(|(phase, index)| {
            let before = self.phases.iter().take_while(|other| other.id != phase.id);
            before.map(|phase| phase.steps.len()).sum::<usize>() + index
        });
        match nth {
            Some(nth) if nth < self.settled.reached && self.is_settled(nth) => _ = self.settled.reopened.remove(&nth),
            Some(nth) if nth < self.settled.reached => _ = self.settled.reopened.insert(nth),
            _ => self.settle_on(),
        }
    }

    /// Moves past what is settled.
    fn settle_on(&mut self) {
        while self.is_settled(self.settled.reached) {
            self.settled.reached += 1;
        }
    }

    fn is_settled(&self, nth: usize) -> bool {
        let Some((phase, index)) = self.nth_step(nth) else { return false };
        let outline = &phase.steps[index];
        let done = self.steps.get(&outline.id).filter(|seen| seen.state == StepState::Done);
        done.is_some_and(|seen| seen.started.definition == outline.definition)
    }
}

/// Which steps are settled, counted through all phases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// All before this one once were.
    reached: usize,
    /// Those of them that began again since.
    reopened: BTreeSet<usize>,
}

impl Settled {
    fn first_open(&self) -> usize {
        self.reopened.first().copied().unwrap_or(self.reached)
    }
}
