//! What `gate verify` found, for people, for programs and for CI.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{blocks, junit, markdown};
use crate::event::{BlockRef, GateJudged};
use crate::runbook::PhaseId;
use crate::text::{Line, Tone};
use crate::verdict::{CheckResult, Verdict, worst};

/// One gate's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateView {
    pub id: PhaseId,
    pub title: String,
    pub verdict: Verdict,
    pub network: String,
    pub block: Option<BlockRef>,
    pub results: Vec<CheckResult>,
    /// The line of the runbook where each result's check or step is declared, by the result's id.
    pub lines: BTreeMap<String, usize>,
    /// What to know besides, such as an endpoint that was not counted.
    pub notes: Vec<String>,
}

impl GateView {
    /// A recorded judgement as a view.
    pub fn of(judged: &GateJudged, title: &str) -> Self {
        Self {
            id: judged.gate.clone(),
            title: title.to_owned(),
            verdict: judged.verdict,
            network: judged.network.clone(),
            block: judged.block.clone(),
            results: judged.results.clone(),
            lines: BTreeMap::new(),
            notes: judged.notes.clone(),
        }
    }
}

/// What did not plainly pass and keeps no gate shut: one sentence, or none.
pub fn waived(views: &[GateView]) -> Option<String> {
    let of = |view: &GateView| {
        let waived = view.results.iter().filter(|result| result.verdict == Verdict::Waived);
        waived.map(|result| format!("{} of gate {}", result.id, view.id)).collect::<Vec<_>>()
    };
    let all: Vec<String> = views.iter().flat_map(of).collect();
    (!all.is_empty()).then(|| format!("waived by the runbook, not as it must be: {}", all.join(", ")))
}

/// The answer of several gates; none at all is *unknown*.
pub fn verdict(views: &[GateView]) -> Verdict {
    worst(views.iter().map(|view| view.verdict))
}

/// For people: every gate with every check, then `note`.
pub fn human(views: &[GateView], note: &str, columns: usize, colour: bool) -> String {
    let mut lines: Vec<Line> =
        waived(views).map(|waived| Line::new(0).add(Tone::Doubt, waived).wrapped(2)).into_iter().collect();
    for view in views {
        if !lines.is_empty() {
            lines.push(Line::new(0));
        }
        lines.extend(head(view));
        lines.extend(blocks::checks(&view.results, view.block.as_ref(), 4));
        lines.extend(blocks::notes(&view.notes));
    }
    if !note.is_empty() {
        lines.extend([Line::new(0), Line::new(0).plain(note).wrapped(0)]);
    }
    lines.iter().map(|line| line.render(columns, colour) + "\n").collect()
}

/// A gate's head with its network.
fn head(view: &GateView) -> Vec<Line> {
    let mut lines = blocks::gate_head(&view.id.0, &view.title, view.verdict, view.block.as_ref(), &view.results);
    lines.push(Line::new(2).add(Tone::Quiet, format!("network {}", view.network)));
    lines
}

#[derive(Serialize)]
struct Versioned<'a> {
    format: u32,
    verdict: Verdict,
    note: &'a str,
    /// How many checks are not as they must be, and waived.
    waived: usize,
    gates: &'a [GateView],
}

/// For programs: versioned JSON with a final newline.
pub fn json(views: &[GateView], note: &str) -> anyhow::Result<String> {
    let waived = views.iter().map(|view| blocks::waived(&view.results)).sum();
    let versioned = Versioned { format: 1, verdict: verdict(views), note, waived, gates: views };
    Ok(serde_json::to_string_pretty(&versioned)? + "\n")
}

/// For a pull request or a ticket.
pub fn markdown(views: &[GateView], note: &str) -> String {
    markdown::gates(views, note)
}

/// For CI: a gate is a suite, a check a case.
pub fn junit(views: &[GateView]) -> anyhow::Result<String> {
    junit::gates(views)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::report) fn views() -> Vec<GateView> {
        let view = |id: &str, verdict: Verdict, results: Vec<CheckResult>| GateView {
            id: PhaseId(id.into()),
            title: "Green <across> the board".into(),
            verdict,
            network: "local".into(),
            block: Some(BlockRef { number: 57, hash: "0x12ab34cd56ef7890".into(), time: 0 }),
            results,
            lines: BTreeMap::from([("safe".to_owned(), 7)]),
            notes: Vec::new(),
        };
        vec![
            view("1", Verdict::Passed, vec![CheckResult::passed("not-paused", "pause", "8 modules running")]),
            view("2", Verdict::Unknown, vec![CheckResult::unknown("safe", "safe", "no answer").hint("`anvil`")]),
            view("3", Verdict::Unknown, Vec::new()),
        ]
    }

    #[test]
    fn people_see_every_check() {
        assert_eq!(
            human(&views(), "chain checks only; steps and sign-offs not judged", 80, false),
            "\
Gate 1  PASSED   block 57 0x12ab34…  1 check
  Green <across> the board
  network local
    ✔ not-paused   8 modules running

Gate 2  UNKNOWN   block 57 0x12ab34…  1 check
  Green <across> the board
  network local
    ? safe   unknown: no answer
        hint      `anvil`

Gate 3  UNKNOWN   block 57 0x12ab34…  0 checks
  Green <across> the board
  network local

chain checks only; steps and sign-offs not judged
"
        );
    }

    #[test]
    fn programs_get_a_format_and_the_worst_verdict() {
        let value: serde_json::Value = serde_json::from_str(&json(&views(), "").unwrap()).unwrap();
        assert_eq!((value["format"].as_u64(), value["verdict"].as_str()), (Some(1), Some("unknown")));
        assert_eq!(value["gates"][0]["results"][0]["message"], "8 modules running");
        assert_eq!(verdict(&views()[..1]), Verdict::Passed);
        assert_eq!(verdict(&[]), Verdict::Unknown);
    }

    #[test]
    fn ci_never_sees_green_where_nothing_was_judged() {
        let xml = junit(&views()).unwrap();
        assert!(xml.contains(r#"tests="3" skipped="0" failures="0" errors="2""#), "{xml}");
        assert!(xml.contains("Green &lt;across"), "{xml}");
        assert!(xml.contains(r#"message="unknown: no checks""#), "{xml}");
    }
}
