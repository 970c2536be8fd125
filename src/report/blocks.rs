//! The blocks that the terminal and `gate verify` share: a check, its details, a gate's head.

use serde_json::Value;

use crate::event::BlockRef;
use crate::text::{self, Line, Tone, padded, width};
use crate::verdict::{CheckResult, Verdict};

/// Observed values longer than this are cut; the gate's record has them whole.
const OBSERVED: usize = 300;

/// Ids longer than this push what follows them to the right.
const ID: usize = 26;

/// A verdict's mark. The words beside it say the same.
pub fn mark(verdict: Verdict) -> (Tone, &'static str) {
    match verdict {
        Verdict::Passed => (Tone::Good, "✔"),
        Verdict::Waived => (Tone::Doubt, "~"),
        Verdict::Waiting => (Tone::Doubt, "○"),
        Verdict::Unknown => (Tone::Doubt, "?"),
        Verdict::Failed => (Tone::Bad, "✘"),
    }
}

/// A gate's head: `Gate 1  PASSED   block 57 0x12ab…  6 checks, 1 waived`, and its title.
pub fn gate_head(
    id: &str,
    title: &str,
    verdict: Verdict,
    block: Option<&BlockRef>,
    results: &[CheckResult],
) -> Vec<Line> {
    let word = verdict.to_string().to_uppercase();
    let mut line = Line::new(0).add(Tone::Strong, format!("Gate {id}  ")).add(mark(verdict).0, word);
    if let Some(block) = block {
        line = line.plain(format!("   block {} {}", block.number, short(&block.hash)));
    }
    let gap = if block.is_some() { "  " } else { "   " };
    let line = line.plain(format!("{gap}{}", text::count(results.len(), "check")));
    let line = match waived(results) {
        0 => line,
        waived => line.plain(", ").add(Tone::Doubt, format!("{waived} waived")),
    };
    let line = line.wrapped(4);
    let title = (!title.is_empty()).then(|| Line::new(2).quiet(title).wrapped(2));
    std::iter::once(line).chain(title).collect()
}

/// How many checks are not as they must be and waived.
pub fn waived(results: &[CheckResult]) -> usize {
    results.iter().filter(|result| result.verdict == Verdict::Waived).count()
}

/// A hash by its first digits.
pub fn short(hash: &str) -> String {
    if hash.chars().count() > 12 { hash.chars().take(8).chain(['…']).collect() } else { hash.to_owned() }
}

/// Every check with its message; those that did not pass with what was expected, what was seen and what to do.
pub fn checks(results: &[CheckResult], block: Option<&BlockRef>, indent: usize) -> Vec<Line> {
    let column = results.iter().map(|result| width(&result.id)).max().unwrap_or(0).min(ID);
    results.iter().flat_map(|result| check(result, block, indent, column)).collect()
}

/// What to know besides the checks.
pub fn notes(notes: &[String]) -> Vec<Line> {
    notes.iter().map(|note| Line::new(4).quiet(format!("note: {note}")).wrapped(6)).collect()
}

fn check(result: &CheckResult, block: Option<&BlockRef>, indent: usize, column: usize) -> Vec<Line> {
    let (tone, mark) = mark(result.verdict);
    let message = match result.verdict {
        Verdict::Passed => result.message.clone(),
        Verdict::Waived | Verdict::Waiting | Verdict::Unknown | Verdict::Failed => {
            format!("{}: {}", result.verdict, result.message)
        }
    };
    let below = indent + 2 + column + 3;
    let line = Line::new(indent).add(tone, format!("{mark} ")).plain(padded(&result.id, column)).plain("   ");
    let mut lines = vec![line.plain(message).wrapped(below)];
    if result.verdict != Verdict::Passed {
        lines.extend(details(result, block, indent + 4));
    }
    lines
}

fn details(result: &CheckResult, block: Option<&BlockRef>, indent: usize) -> Vec<Line> {
    let line = |(name, value): (&str, String)| match name {
        "expected" | "observed" => field(name, &value, indent).wrapped(indent + 10),
        _ => field(name, &value, indent),
    };
    facts(result, block).into_iter().map(line).collect()
}

/// What there is to know of a check that did not pass, with the name of each fact; a fact of several lines has its name
/// once.
pub fn facts(result: &CheckResult, block: Option<&BlockRef>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if !result.expected.is_empty() {
        facts.push(("expected", result.expected.clone()));
    }
    // What a waiting check saw is told by its message.
    if result.observed != Value::Null && result.verdict != Verdict::Waiting {
        facts.push(("observed", observed(&result.observed)));
    }
    let once = |name, index| if index == 0 { name } else { "" };
    for (index, said) in result.said.iter().enumerate() {
        facts.push((once("said", index), format!("{}: {}", said.endpoint, said.answer)));
    }
    if let Some(block) = block.filter(|_| !result.said.is_empty()) {
        facts.push(("block", format!("{} {}", block.number, block.hash)));
    }
    facts.extend(result.reproduce.iter().map(|command| ("repeat", command.clone())));
    let hints = result.hint.iter().flat_map(|hint| hint.lines());
    facts.extend(hints.enumerate().map(|(index, hint)| (once("hint", index), hint.to_owned())));
    facts
}

/// A named detail. It stays whole, so that commands can be copied.
pub fn field(name: &str, value: &str, indent: usize) -> Line {
    Line::new(indent).quiet(padded(name, 10)).plain(value)
}

/// An observed value as a person reads it.
pub fn observed(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if whole.chars().count() <= OBSERVED {
        return whole;
    }
    let start: String = whole.chars().take(OBSERVED).collect();
    format!("{start}… (cut; whole in the run's records)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Said;
    use serde_json::json;

    fn shown(lines: &[Line], columns: usize) -> String {
        lines.iter().map(|line| line.render(columns, false) + "\n").collect()
    }

    fn results() -> Vec<CheckResult> {
        let mut governed = CheckResult::failed("governed", "governed", "`owner()` of system_pause is a stranger")
            .expected("0x1111111111111111111111111111111111111111")
            .observed(json!({ "owner": "0x2222222222222222222222222222222222222222" }))
            .hint("find out who");
        let said = |endpoint: &str| Said { endpoint: endpoint.into(), answer: "0x22".into() };
        governed.said = vec![said("one.example"), said("two.example:8545")];
        governed.reproduce = Some("cast call 0x33 'owner()(address)' --block 0x12 --rpc-url \"$ANVIL_RPC_URL\"".into());
        vec![
            CheckResult::passed("not-paused", "pause", "8 modules running"),
            governed,
            CheckResult::unknown("brake-works", "can_pause", "one endpoint of 3 answered"),
        ]
    }

    #[test]
    fn a_gate_on_a_usual_terminal() {
        let block = BlockRef { number: 57, hash: "0x12ab34cd56ef7890".into(), time: 0 };
        let mut lines = gate_head("1", "Governance operators sign off", Verdict::Failed, Some(&block), &results());
        lines.extend(checks(&results(), Some(&block), 4));
        assert_eq!(
            shown(&lines, 80),
            "\
Gate 1  FAILED   block 57 0x12ab34…  3 checks
  Governance operators sign off
    ✔ not-paused    8 modules running
    ✘ governed      failed: `owner()` of system_pause is a stranger
        expected  0x1111111111111111111111111111111111111111
        observed  {\"owner\":\"0x2222222222222222222222222222222222222222\"}
        said      one.example: 0x22
                  two.example:8545: 0x22
        block     57 0x12ab34cd56ef7890
        repeat    cast call 0x33 'owner()(address)' --block 0x12 --rpc-url \"$ANVIL_RPC_URL\"
        hint      find out who
    ? brake-works   unknown: one endpoint of 3 answered
"
        );
    }

    #[test]
    fn a_gate_on_a_narrow_terminal() {
        let lines = checks(&results()[..1], None, 4);
        assert_eq!(shown(&lines, 40), "    ✔ not-paused   8 modules running\n");
        let lines = checks(&results()[2..], None, 4);
        assert_eq!(
            shown(&lines, 40),
            "    ? brake-works   unknown: one\n                    endpoint of 3\n                    answered\n"
        );
    }

    #[test]
    fn each_line_of_a_hint_stays_a_line() {
        let result = CheckResult::unknown("sign-off", "sign-off", "0 of 1").hint("less 'x'\nssh-keygen -Y sign");
        assert_eq!(
            shown(&checks(&[result], None, 0), 80),
            "? sign-off   unknown: 0 of 1\n    hint      less 'x'\n              ssh-keygen -Y sign\n"
        );
    }

    #[test]
    fn long_values_are_cut_in_characters() {
        assert_eq!(observed(&json!("é".repeat(400))).chars().filter(|c| *c == 'é').count(), OBSERVED);
    }
}
