//! Asks a step's probe. That it says *no* counts only where nothing that the attempt sent can still be mined: a transaction
//! in the mempool has not happened yet, and a second one beside it would happen too.

use std::time::Duration;

use super::Engine;
use super::judge::{self, Judgement};
use crate::chain::{self, Pool};
use crate::runbook::{Check, Effects, Network, Step};
use crate::verdict::Verdict;

/// Where nobody can tell what waits to be mined, the probe is asked again so many blocks later.
const BLOCKS_LATER: u64 = 2;

/// How long those blocks are waited for, where `settle` of the network is shorter.
const PATIENCE: Duration = Duration::from_secs(30);

impl Engine<'_> {
    /// What the probe says, *unknown* where its *no* may not be the last word.
    pub(super) async fn probed(&self, step: &Step, check: &Check, network: &Network) -> Judgement {
        if step.effects != Effects::Chain || step.own_chain {
            return self.asked_probe(step, check, network, None).await;
        }
        // In an emergency the step behind it does not wait: what the probe cannot tell now stays *unknown*.
        let patience = if self.world.marks.is_none() { Duration::ZERO } else { PATIENCE };
        let patient = Network { settle: network.settle.max(patience), ..network.clone() };
        // Before the chain is read: what is mined in between is read then.
        let pool = chain::pool(&self.view().target(network)).await;
        let head = if let Pool::Empty { head } = pool { Some(head) } else { None };
        let judged = self.asked_probe(step, check, &patient, head).await;
        if judged.verdict() != Verdict::Failed {
            return judged;
        }
        let block = judged.reading.as_ref().and_then(|reading| reading.block);
        match (pool, block) {
            (Pool::Empty { .. }, _) => judged,
            (Pool::Waiting(what), _) => {
                doubted(judged, &format!("{what}; run the same command again once it is mined or dropped"))
            }
            (Pool::Unknown(_), Some(block)) => {
                self.asked_probe(step, check, &patient, Some(block.number + BLOCKS_LATER)).await
            }
            (Pool::Unknown(why), None) => {
                doubted(judged, &format!("whether a transaction waits to be mined is not known: {why}"))
            }
        }
    }

    async fn asked_probe(&self, step: &Step, check: &Check, network: &Network, at_least: Option<u64>) -> Judgement {
        let view = self.view();
        let checks = [check];
        let reading = judge::checks_and(&view, network, &checks, &[], view.kept(network), at_least);
        self.telling_waits(&format!("the probe of {}", step.id), reading).await
    }
}

fn doubted(mut judged: Judgement, why: &str) -> Judgement {
    for result in judged.results.iter_mut().filter(|result| result.verdict == Verdict::Failed) {
        result.verdict = Verdict::Unknown;
        result.message = format!("{}, but {why}", result.message);
    }
    judged
}
