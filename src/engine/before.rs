//! What is looked at before an attempt: the checks that it may not start without, and the newest block.

use super::gate::block_ref;
use super::{Engine, gate_code, judge};
use crate::chain;
use crate::error::Failure;
use crate::event::BlockRef;
use crate::runbook::{Check, Effects, EvidenceKind, Network, Step};
use crate::verdict::{CheckResult, Verdict};

impl Engine<'_> {
    /// What of the checks that a step may not start without did not plainly pass: every invariant where it has chain
    /// effects, and its own. What is waived keeps nothing from starting.
    pub(super) async fn before(&self, step: &Step, network: &Network) -> Vec<CheckResult> {
        let invariants = if step.effects == Effects::Chain { self.runbook.invariants.as_slice() } else { &[] };
        let checks: Vec<&Check> = invariants.iter().chain(&step.before).collect();
        if checks.is_empty() {
            return Vec::new();
        }
        let view = self.view();
        let reading = judge::checks_and(&view, network, &checks, &[], view.kept(network), None);
        let judged = self.telling_waits(&format!("step {}", step.id), reading).await;
        judged.results.into_iter().filter(|result| result.verdict != Verdict::Passed).collect()
    }

    /// The newest block, and the newest finalized one, where the step needs to know them.
    pub(super) async fn block_before(
        &self,
        step: &Step,
        network: &Network,
    ) -> Result<(Option<BlockRef>, Option<BlockRef>), Failure> {
        let emergency = self.world.marks.is_none();
        let needed = step.evidence.iter().any(|evidence| matches!(evidence.kind, EvidenceKind::Transactions(_)));
        if step.own_chain || !(needed || step.effects == Effects::Chain) {
            return Ok((None, None));
        }
        let head = match chain::head(&self.view().target(network)).await {
            // A contingency goes on without it; then the evidence of transactions counts them from the chain's beginning.
            Err(_) if emergency => return Ok((None, None)),
            head => head,
        };
        let (head, finalized) = head.map_err(|why| {
            Failure::new(gate_code(Verdict::Unknown), format!("the block before {} is not known: {why}", step.id))
                .hint("nothing was started; mend the endpoint, then run the same command again")
        })?;
        Ok((Some(block_ref(head)), finalized.map(block_ref)))
    }
}
