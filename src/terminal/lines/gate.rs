//! Gates: a clear verdict with every check, and the people who sign.

use crate::event::{GateJudged, SignOffRequested};
use crate::progress::Progress;
use crate::report::blocks;
use crate::runbook::PhaseId;
use crate::text::{Line, Tone, list};
use crate::verdict::Verdict;

pub(super) fn judged(judged: &GateJudged, title: &str, folder: &str) -> Vec<Line> {
    let GateJudged { gate, verdict, block, results, .. } = judged;
    let mut lines = blocks::gate_head(&gate.0, title, *verdict, block.as_ref(), results.len());
    lines.extend(blocks::checks(results, block.as_ref(), 4));
    if *verdict != Verdict::Passed {
        lines.push(blocks::field("record", &format!("{folder}/{}", judged.record), 4));
    }
    lines
}

pub(super) fn sign_off_requested(request: &SignOffRequested) -> Vec<Line> {
    let people = format!("{} of {}", request.threshold, list(&request.signers));
    let text = format!(" sign-off of gate {}: {people}, until {}", request.gate, request.expires);
    vec![Line::new(2).add(Tone::Doubt, "○").plain(text).wrapped(4)]
}

pub(super) fn sign_off_accepted(gate: &PhaseId, who: &str, key: &str, progress: &Progress) -> Vec<Line> {
    let known = progress.gates.get(gate);
    let signed = known.map_or(0, |gate| gate.signed.len());
    let needed = known.and_then(|gate| gate.request.as_ref()).map_or(0, |request| request.threshold);
    let line = Line::new(2).add(Tone::Good, "✔").plain(format!(" {who} signed gate {gate} ({signed} of {needed})  "));
    vec![line.quiet(key).wrapped(4)]
}
