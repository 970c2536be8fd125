//! What an attempt left behind, judged: its declared evidence, transactions that were used before, tracked files that it
//! changed untold.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::gate::block_ref;
use super::{Engine, judge};
use crate::event::BlockRef;
use crate::evidence::{self, Attempt, Found};
use crate::runbook::{BlockTag, Check, Network, Step};
use crate::verdict::CheckResult;
use crate::workspace;

/// How far the chain was when evidence was read of it.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// The newest block of its transactions.
    pub(super) last_block: Option<u64>,
    pub(super) finalized: Option<BlockRef>,
}

impl Engine<'_> {
    /// Judges the declared evidence; also the blocks that it was judged at.
    pub(super) async fn evidence(
        &self,
        step: &Step,
        attempt: u32,
        since: SystemTime,
        network: &Network,
        before: &BTreeMap<String, String>,
    ) -> (Found, Reached) {
        if step.evidence.is_empty() {
            return (Found::default(), Reached::default());
        }
        let view = self.view();
        // What a step just did is in the newest blocks; its gate waits until they are as final as the network demands.
        let network = &Network { block: BlockTag::Latest, ..network.clone() };
        let mut kept = view.kept(network);
        let scope = kept.scope.clone();
        let handed_in = view.progress.transactions_handed_in(&step.id);
        let attempt = Attempt {
            step,
            number: attempt,
            workspace: &self.world.workspace.dir,
            folder: &self.world.folder,
            since,
            scope: &scope,
            before,
            mask: &self.world.mask,
            handed_in: &handed_in,
        };
        let mut found = evidence::judge(&attempt, &mut kept);
        found.results.extend(self.used_before(step, &found));
        let (_, asks) = judge::transactions(&view, step, &kept, network);
        if asks.is_empty() && found.checks.is_empty() {
            return (found, Reached::default());
        }
        let checks: Vec<&Check> = found.checks.iter().collect();
        let reading = judge::checks_and(&view, network, &checks, &asks, kept, None);
        let judged = self.telling_waits(&format!("the evidence of {}", step.id), reading).await;
        let pinned = judged.reading.as_ref().and_then(|reading| reading.block.as_ref());
        let last_block = pinned.map(|block| block.number).filter(|_| !asks.is_empty());
        let finalized = judged.reading.as_ref().and_then(|reading| reading.finalized).map(block_ref);
        found.results.extend(judged.results);
        (found, Reached { last_block, finalized })
    }

    /// The tracked files that differ from the commit; none where the workspace is no repository.
    pub(super) async fn tracked_changes(&self) -> BTreeMap<String, String> {
        if self.world.workspace.commit.is_none() {
            return BTreeMap::new();
        }
        workspace::tracked_changes(&self.world.workspace, &self.world.child_environment()).await
    }

    /// Tracked files that the step changed and that no step may change.
    pub(super) async fn untold_changes(&self, step: &Step, before: &BTreeMap<String, String>) -> Option<CheckResult> {
        let now = self.tracked_changes().await;
        let allowed = &self.runbook.workspace.tracked_changes;
        let changed: Vec<&str> = now
            .iter()
            .filter(|(file, hash)| before.get(*file) != Some(hash) && !allowed.contains(file))
            .map(|(file, _)| file.as_str())
            .collect();
        let first = changed.first()?;
        let message = format!("`{}` changed {} tracked files, `{first}` among them", step.id, changed.len());
        let result = CheckResult::failed("tracked files", "workspace", message)
            .expected(format!(
                "changes in {} alone",
                if allowed.is_empty() { "none".into() } else { allowed.join(", ") }
            ))
            .observed(serde_json::json!(changed))
            .hint("look at `git diff`; what steps may change stands in `[workspace] tracked_changes`");
        Some(result)
    }

    /// A transaction is evidence once: the same hash for two steps proves neither.
    fn used_before(&self, step: &Step, found: &Found) -> Option<CheckResult> {
        let hashes = found.transactions.iter().flat_map(|found| &found.hashes);
        let (hash, user) = hashes
            .filter_map(|hash| Some((hash, self.recorder.progress().transactions.get(&hash.to_lowercase())?)))
            .find(|(_, user)| **user != step.id)?;
        let message = format!("the transaction {hash} was evidence for step {user} already");
        Some(CheckResult::failed("transactions", "transactions", message))
    }
}
