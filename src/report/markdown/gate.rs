//! A gate: what counts now, every check, what did not pass in full, who signed.

use super::escape::{code, table, text};
use super::{gate_verdict, verdict};
use crate::event::BlockRef;
use crate::report::blocks::facts;
use crate::report::{GateReport, Judgement, PhaseReport, SignOffReport};
use crate::text::list;
use crate::verdict::{CheckResult, Verdict};

pub(super) fn render(id: &str, gate: &GateReport) -> Vec<String> {
    let mut blocks = vec![format!(
        "### Gate {}: {}",
        text(id),
        gate_verdict(gate.verdict, gate.last().map_or(&[], |last| &last.judged.results))
    )];
    match (gate.last(), gate.verdict) {
        (Some(last), Some(_)) => blocks.extend(judgement(&gate.title, last)),
        (Some(_), None) => {
            let void = "Its earlier judgement is void: a step of its phase ran again since.";
            blocks.push(format!("{}. {void}", text(&gate.title)));
        }
        (None, _) => blocks.push(format!("{}.", text(&gate.title))),
    }
    blocks.extend(gate.sign_offs.last().map(sign_off));
    blocks
}

fn judgement(title: &str, judgement: &Judgement) -> Vec<String> {
    let judged = &judgement.judged;
    let at = judged.block.as_ref().map_or_else(
        || ", no block was read".to_owned(),
        |block| format!(" at block {}, {}", block.number, code(&block.hash)),
    );
    let mut blocks = vec![format!(
        "{}. Judged {} on {}{at}; record {}, SHA-256 {}.",
        text(title),
        judgement.time,
        text(&judged.network),
        code(&judged.record),
        code(&judged.record_sha256),
    )];
    let rows = judged
        .results
        .iter()
        .map(|result| vec![code(&result.id), text(&result.kind), verdict(Some(result.verdict)), text(&result.message)]);
    blocks.push(table(&["Check", "Kind", "Verdict", "Found"], rows));
    let details = details(&judged.results, judged.block.as_ref());
    if !details.is_empty() {
        blocks.push(details);
    }
    blocks.extend(judged.notes.iter().map(|note| format!("Note: {}.", text(note))));
    blocks
}

/// Checks that did not pass, in full, as a list.
pub(super) fn details(results: &[CheckResult], block: Option<&BlockRef>) -> String {
    let bad = results.iter().filter(|result| result.verdict != Verdict::Passed);
    bad.map(|result| {
        let head = format!("- **{}** is {}: {}", text(&result.id), result.verdict, text(&result.message));
        let mut last = "";
        let facts = facts(result, block).into_iter().map(|(name, value)| {
            last = if name.is_empty() { last } else { name };
            let value = if matches!(last, "expected" | "hint") { text(&value) } else { code(&value) };
            format!("  - {last}: {value}")
        });
        std::iter::once(head).chain(facts).collect::<Vec<_>>().join("\n")
    })
    .collect::<Vec<_>>()
    .join("\n")
}

fn sign_off(sign_off: &SignOffReport) -> String {
    let request = &sign_off.request;
    let line = format!(
        "Sign-off: {} of {} needed, asked of {}; statement {}, valid until {}.",
        sign_off.signed.len(),
        request.threshold,
        text(&list(&request.signers)),
        code(&request.sha256),
        text(&request.expires),
    );
    if sign_off.signed.is_empty() {
        return line;
    }
    let rows = sign_off.signed.iter().map(|signed| vec![text(&signed.who), signed.time.to_string(), code(&signed.key)]);
    format!("{line}\n\n{}", table(&["Who", "When", "Key"], rows))
}

/// A gate that was judged more than once, or not to *passed*.
pub(super) fn history(phase: &PhaseReport) -> Option<String> {
    let verdicts: Vec<String> =
        phase.gate.judgements.iter().map(|judgement| judgement.judged.verdict.to_string()).collect();
    let many = verdicts.len();
    let passed = phase.gate.verdict == Some(Verdict::Passed);
    let id = text(&phase.id.0);
    match (many, phase.gate.verdict) {
        (0, _) => None,
        (1, Some(_)) if passed => None,
        (1, Some(verdict)) => Some(format!("**Gate {id} is {verdict}.**")),
        (1, None) => Some(format!("Gate {id} was judged ({}), and a step of its phase ran again since.", verdicts[0])),
        (_, _) => Some(format!("Gate {id} was judged {many} times: {}.", verdicts.join(", then "))),
    }
}
