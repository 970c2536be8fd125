//! Judges waivers: whether the runbook accepts, for now and exactly, what a check observed instead of what it demands.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::runbook::Check;
use crate::verdict::{CheckResult, Verdict, Waiver};

/// Applies the waivers of `checks` to their results. What could not be known is never waived.
pub(super) fn waive<'a>(checks: impl IntoIterator<Item = &'a Check>, results: &mut [CheckResult], now: Timestamp) {
    for (check, waiver) in checks.into_iter().filter_map(|check| Some((check, check.waiver.as_deref()?))) {
        let of = |result: &&mut CheckResult| result.id == check.id && result.kind == check.kind.name();
        if let Some(result) = results.iter_mut().find(of) {
            apply(waiver, result, now);
        }
    }
}

fn apply(waiver: &Waiver, result: &mut CheckResult, now: Timestamp) {
    result.waiver = Some(waiver.clone());
    if result.verdict != Verdict::Failed {
        return;
    }
    let Waiver { expect, reason, until, by } = waiver;
    if now >= *until {
        let _ = write!(result.message, "; the waiver by {by} expired at {until}");
    } else if result.observed == *expect {
        result.verdict = Verdict::Waived;
        result.message = format!("by {by} until {until}: {reason} ({})", result.message);
        result.hint = None;
    } else {
        let _ = write!(result.message, "; the waiver by {by} is for {expect} alone");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(result: CheckResult, now: &str, verdict: Verdict, words: &str) {
        let expect = json!({ "paused": ["fee_pool"] });
        let until: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let waiver = Waiver { expect, reason: "known".into(), until, by: "ann".into() };
        let mut result = result;
        apply(&waiver, &mut result, now.parse().unwrap());
        assert_eq!((result.verdict, result.waiver), (verdict, Some(waiver)), "{words}");
        assert!(result.message.contains(words), "{}", result.message);
    }

    #[test]
    fn exactly_the_waived_value_and_only_for_a_while() {
        let failed = |observed: Value| CheckResult::failed("a", "pause", "one is paused").observed(observed);
        let known = || json!({ "paused": ["fee_pool"] });
        check(
            failed(known()),
            "2026-11-30T23:59:59Z",
            Verdict::Waived,
            "by ann until 2026-12-01T00:00:00Z: known (one",
        );
        check(failed(known()), "2026-12-01T00:00:00Z", Verdict::Failed, "the waiver by ann expired at 2026-12-01");
        let two = json!({ "paused": ["fee_pool", "jobs"] });
        check(failed(two), "2026-11-30T00:00:00Z", Verdict::Failed, "is for {\"paused\":[\"fee_pool\"]} alone");
        check(failed(Value::Null), "2026-11-30T00:00:00Z", Verdict::Failed, "alone");
        let unknown = CheckResult::unknown("a", "pause", "no answer").observed(known());
        check(unknown, "2026-11-30T00:00:00Z", Verdict::Unknown, "no answer");
        check(CheckResult::passed("a", "pause", "fine"), "2026-11-30T00:00:00Z", Verdict::Passed, "fine");
    }
}
