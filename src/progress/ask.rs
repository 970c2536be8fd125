//! What can be asked of progress. Changes nothing.

use std::collections::BTreeSet;

use super::{Progress, StepState};
use crate::event::BlockRef;
use crate::runbook::{PhaseId, StepId};
use crate::verdict::Verdict;

impl Progress {
    /// Whether `gate` passed and nothing of its phase started since.
    pub fn gate_passed(&self, gate: &PhaseId) -> bool {
        self.gate_verdict(gate) == Some(Verdict::Passed)
    }

    /// The latest verdict of `gate`.
    pub fn gate_verdict(&self, gate: &PhaseId) -> Option<Verdict> {
        Some(self.gates.get(gate)?.judged.as_ref()?.verdict)
    }

    /// Where `step` stands; `None`: it never started.
    pub fn step_state(&self, step: &StepId) -> Option<StepState> {
        Some(self.steps.get(step)?.state)
    }

    /// The largest block that the evidence of `phase`'s steps reached.
    pub fn last_block(&self, steps: impl IntoIterator<Item = StepId>) -> Option<u64> {
        steps.into_iter().filter_map(|step| self.steps.get(&step)?.ended.as_ref()?.last_block).max()
    }

    /// The block before `step`'s latest attempt.
    pub fn block_before(&self, step: &StepId) -> Option<&BlockRef> {
        self.steps.get(step)?.started.after_block.as_ref()
    }

    /// The transactions that people handed in for `step`, each once.
    pub fn transactions_handed_in(&self, step: &StepId) -> Vec<String> {
        let all = self.handed_in.get(step).into_iter().flatten().flat_map(|handed_in| &handed_in.transactions);
        all.map(|hash| hash.to_lowercase()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
