//! The time that expiries are judged by. Nobody makes something last longer by setting a clock back.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::world::View;
use crate::chain::PinnedBlock;
use crate::journal::Entry;
use crate::runbook::Network;

/// This machine's clock, never before the journal's last record and what has passed since it was read.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    floor: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that never shows a time before `floor`.
    pub fn after(floor: Timestamp) -> Self {
        Self { floor: floor.max(Timestamp::now()), since: Instant::now() }
    }

    /// A clock that never shows a time before the last of `entries`.
    pub fn after_records(entries: &[Entry]) -> Self {
        Self::after(entries.last().map_or(Timestamp::UNIX_EPOCH, |entry| entry.time))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        self.floor.checked_add(passed).unwrap_or(self.floor).max(Timestamp::now())
    }
}

impl View<'_> {
    /// The time at which something was read at `block`, whose own time is a lower bound too. A dev chain's is not: such
    /// a chain can be told any time.
    pub fn now(&self, network: &Network, block: Option<&PinnedBlock>) -> Timestamp {
        let now = self.world.clock.now();
        let time = block.filter(|_| network.dev_chain.is_none()).and_then(|block| i64::try_from(block.time).ok());
        time.and_then(|time| Timestamp::from_second(time).ok()).map_or(now, |time| now.max(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_is_not_believed() {
        let ahead = Timestamp::now() + SignedDuration::from_hours(48);
        assert!(Clock::after(ahead).now() >= ahead);
        let before = Timestamp::now();
        assert!(Clock::after(Timestamp::UNIX_EPOCH).now() >= before);
    }
}
