//! `unchanged_since`: whether a check observes now what it observed when an earlier gate opened. Reads nothing itself.

use serde_json::Value;

use super::{Around, Results};
use crate::chain::address::checksum;
use crate::chain::finding::Finding;
use crate::difference;
use crate::runbook::{Check, CheckKind};
use crate::verdict::{CheckResult, Verdict};

/// Stands in until the other checks have results.
pub(super) fn placeholder() -> Finding {
    Finding::unknown("not compared yet")
}

/// Gives every `unchanged_since` its result, from the results of the other checks.
pub(crate) fn compare_with_earlier(checks: &[&Check], results: Results<'_>, around: Around<'_>) {
    for check in checks {
        let CheckKind::UnchangedSince { gate, check: subject } = &check.kind else { continue };
        let now = results.iter().find(|result| result.id == *subject && result.kind != "unchanged_since");
        let who = |address: &str| named(address, around);
        let finding = compared(gate.0.as_str(), subject, around.earlier(gate, subject), now, &who);
        let finding = finding.named(&check.id, "unchanged_since");
        if let Some(place) = results.iter_mut().find(|result| result.id == check.id && result.kind == "unchanged_since")
        {
            *place = finding;
        }
    }
}

/// An address with the name of the contract that it is.
fn named(address: &str, around: Around<'_>) -> String {
    let known = around.contracts().into_iter().find(|known| checksum(known.address) == address);
    known.map_or_else(|| address.to_owned(), |known| format!("{address} (`{}`)", known.name))
}

fn compared(
    gate: &str,
    subject: &str,
    then: Option<Value>,
    now: Option<&CheckResult>,
    who: &dyn Fn(&str) -> String,
) -> Finding {
    let expected = format!("`{subject}` as it was at gate {gate}");
    let Some(then) = then else {
        return Finding::unknown(format!("no record of what `{subject}` observed at gate {gate}"))
            .expected(expected)
            .hint(format!("open gate {gate} in this run first: `citadel run --phase {gate}`"));
    };
    let Some(now) = now else {
        return Finding::unknown(format!("`{subject}` was not read together with this check")).expected(expected);
    };
    if now.verdict == Verdict::Unknown || now.observed.is_null() {
        return Finding::unknown(format!("`{subject}` could not be compared: {}", now.message)).expected(expected);
    }
    let changes = difference::changes(&then, &now.observed, who);
    let changes: Vec<String> = changes.into_iter().filter(|change| !change.moving).map(|change| change.words).collect();
    let finding = Finding::if_true(
        changes.is_empty(),
        format!("`{subject}` is unchanged since gate {gate}"),
        format!("`{subject}` changed since gate {gate}: {}", changes.join("; ")),
    );
    let finding = finding.expected(expected).observed(now.observed.clone());
    if changes.is_empty() {
        finding
    } else {
        let finding = finding.hint(format!("look at who changed it; gate {gate} must be judged anew"));
        finding.repeated(now.reproduce.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(then: Option<Value>, now: Option<Value>, verdict: Verdict, words: &str) {
        let now = now.map(|value| CheckResult::passed("s", "safe", "").observed(value));
        let finding = compared("1", "s", then, now.as_ref(), &str::to_owned).named("u", "unchanged_since");
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.message.contains(words), "{}", finding.message);
    }

    #[test]
    fn every_change_is_named() {
        let safe = |threshold: &str, nonce: &str| {
            Some(json!({ "threshold": threshold, "nonce": nonce, "owners": ["a", "b"] }))
        };
        check(safe("3", "1"), safe("3", "9"), Verdict::Passed, "unchanged");
        check(safe("3", "1"), safe("2", "1"), Verdict::Failed, "threshold 3 to 2");
        check(Some(json!({ "a": 1 })), Some(json!({ "b": 1 })), Verdict::Failed, "a 1 to nothing; b nothing to 1");
        check(
            Some(json!({ "owners": ["a"] })),
            Some(json!({ "owners": ["b"] })),
            Verdict::Failed,
            "owner b added; owner a removed",
        );
        check(Some(json!("1")), Some(json!("2")), Verdict::Failed, "1 to 2");
        check(None, safe("3", "1"), Verdict::Unknown, "no record");
        check(safe("3", "1"), None, Verdict::Unknown, "was not read");
        check(safe("3", "1"), Some(Value::Null), Verdict::Unknown, "could not be compared");
    }
}
