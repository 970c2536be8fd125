//! The clock of time limits: it stands still while citadel is suspended with Ctrl-Z.
//!
//! A laptop's sleep is not counted either: on Linux it is read from `CLOCK_MONOTONIC`, which stands still then by
//! itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static CLOCK: Mutex<Clock> = Mutex::new(Clock { suspended: Duration::ZERO, since: None });

struct Clock {
    /// All suspensions that are over.
    suspended: Duration,
    /// When the present one began.
    since: Option<Instant>,
}

impl Clock {
    fn at(&self, now: Instant) -> Instant {
        let now = self.since.unwrap_or(now);
        now.checked_sub(self.suspended).unwrap_or(now)
    }

    fn go_on(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.suspended += now - since;
        }
    }
}

/// Now, without the time that citadel was suspended. Comparable with other answers of this function only.
pub fn now() -> Instant {
    clock().at(Instant::now())
}

/// Time stands still from here on.
pub(super) fn pause() {
    clock().since.get_or_insert_with(Instant::now);
}

/// Time goes on.
pub(super) fn go_on() {
    clock().go_on(Instant::now());
}

fn clock() -> MutexGuard<'static, Clock> {
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspensions_do_not_count() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut clock = Clock { suspended: Duration::ZERO, since: None };
        assert_eq!(clock.at(at(10)), at(10));
        clock.since = Some(at(10));
        assert_eq!(clock.at(at(500)), at(10));
        clock.go_on(at(500));
        assert_eq!(clock.at(at(501)), at(11));
        clock.since = Some(at(510));
        clock.go_on(at(520));
        clock.go_on(at(900));
        assert_eq!(clock.at(at(521)), at(21));
    }
}
