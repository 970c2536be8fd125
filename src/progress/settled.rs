//! Where steps stand in the definitions that a run works by, and how many from the first on are done by them, so that
//! nobody walks past those again to find what comes next.

use super::{Progress, StepState};
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
        self.settled.saturating_sub(before).min(here)
    }

    /// Other definitions count from here on.
    pub fn work_by(&mut self, phases: Vec<PhaseOutline>) {
        self.phases = phases;
        self.settled = 0;
        self.settle();
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

    /// Moves past what is settled.
    pub(super) fn settle(&mut self) {
        let is_settled = |(phase, index): (&PhaseOutline, usize)| {
            let outline = &phase.steps[index];
            let done = self.steps.get(&outline.id).filter(|seen| seen.state == StepState::Done);
            done.is_some_and(|seen| seen.started.definition == outline.definition)
        };
        let mut settled = self.settled;
        while self.nth_step(settled).is_some_and(is_settled) {
            settled += 1;
        }
        self.settled = settled;
    }

    /// A step's state changes.
    pub(super) fn unsettle(&mut self, step: &StepId) {
        let next = self.nth_step(self.settled).is_some_and(|(phase, index)| phase.steps[index].id == *step);
        if self.settled > 0 && !next && self.step_state(step) == Some(StepState::Done) {
            self.settled = 0;
        }
    }
}
