//! How long a step may work: its own limit, cut to what is left of the whole run's.

use std::time::{Duration, Instant};

use crate::process::clock;
use crate::runbook::Step;
use crate::text::limit;

/// The time of one invocation.
#[derive(Debug)]
pub(super) struct RunTime {
    began: Instant,
    limit: Option<Duration>,
    /// Spent waiting for people, which no limit counts.
    waited: Duration,
}

/// What a step is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) timeout: Duration,
    /// The limit of the whole run, where it is that one which will end the step.
    pub(super) by_run: Option<Duration>,
}

impl RunTime {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { began: clock::now(), limit, waited: Duration::ZERO }
    }

    /// A person was waited for since then.
    pub(super) fn waited_since(&mut self, since: Instant) {
        self.waited += clock::now() - since;
    }

    pub(super) fn allowed(&self, step: &Step) -> Allowed {
        cut(step.timeout, self.left(clock::now()), self.limit)
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        let worked = (now - self.began).saturating_sub(self.waited);
        Some(self.limit?.saturating_sub(worked))
    }
}

fn cut(timeout: Duration, left: Option<Duration>, run: Option<Duration>) -> Allowed {
    match left.filter(|left| *left < timeout) {
        Some(left) => Allowed { timeout: left, by_run: run },
        None => Allowed { timeout, by_run: None },
    }
}

impl Allowed {
    /// Nothing is left: the step is not to be started.
    pub(super) fn is_nothing(&self) -> bool {
        self.timeout.is_zero()
    }

    /// Why a step was ended.
    pub(super) fn ended(&self) -> String {
        match self.by_run {
            Some(run) => format!("was ended: the whole run took longer than {}", limit(run)),
            None => format!("took longer than {} and was ended", limit(self.timeout)),
        }
    }

    /// Why a step was not started.
    pub(super) fn not_started(&self) -> String {
        format!("not started: the whole run took longer than {}", limit(self.by_run.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn check(timeout: u64, left: Option<u64>, expected: u64, ended: &str) {
        let allowed = cut(Duration::from_mins(timeout), left.map(Duration::from_mins), left.map(|_| HOUR));
        assert_eq!(allowed.timeout, Duration::from_mins(expected));
        assert_eq!(allowed.ended(), ended);
    }

    #[test]
    fn the_shorter_limit_counts_and_is_named() {
        check(10, None, 10, "took longer than 10m and was ended");
        check(10, Some(50), 10, "took longer than 10m and was ended");
        check(10, Some(10), 10, "took longer than 10m and was ended");
        check(10, Some(9), 9, "was ended: the whole run took longer than 1h");
        check(10, Some(0), 0, "was ended: the whole run took longer than 1h");
        check(90, None, 90, "took longer than 1h 30m and was ended");
    }

    #[test]
    fn what_is_left_is_never_negative_and_leaves_out_people() {
        let mut time = RunTime::new(Some(HOUR));
        let after = |time: &RunTime, minutes| time.left(time.began + Duration::from_mins(minutes));
        assert_eq!(after(&time, 20), Some(Duration::from_mins(40)));
        assert_eq!(after(&time, 70), Some(Duration::ZERO));
        time.waited = Duration::from_mins(30);
        assert_eq!(after(&time, 70), Some(Duration::from_mins(20)));
        assert_eq!(after(&RunTime::new(None), 70), None);
    }
}
