//! Gates: a clear verdict with every check, and the people who sign.

use crate::event::{GateJudged, OpeningRequested, SignOffRequested};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::report::{blocks, request};
use crate::runbook::PhaseId;
use crate::text::{Line, Tone, list};
use crate::verdict::Verdict;

pub(super) fn judged(entry: &Entry, judged: &GateJudged, title: &str, progress: &Progress, folder: &str) -> Vec<Line> {
    let GateJudged { gate, verdict, block, results, notes, .. } = judged;
    let mut lines = blocks::gate_head(&gate.0, title, *verdict, block.as_ref(), results);
    let mut shown = results.clone();
    // The screen that follows says who and how.
    for people in shown.iter_mut().filter(|result| result.verdict == Verdict::Waiting) {
        people.hint = None;
        people.expected.clear();
    }
    lines.extend(blocks::checks(&shown, block.as_ref(), 4));
    lines.extend(blocks::notes(notes));
    if *verdict != Verdict::Passed {
        lines.push(blocks::field("record", &format!("{folder}/{}", judged.record), 4));
    }
    // To be noted down: it binds the gate's record and everything before it. In an emergency there may be no journal.
    if !entry.hash.is_empty() {
        lines.push(blocks::field("head", &format!("{} (record {})", entry.hash, entry.seq), 4));
    }
    let request = progress.gates.get(gate).and_then(|gate| gate.request.as_ref());
    if let (Verdict::Waiting, Some(request)) = (verdict, request) {
        lines.extend(request::sign_off(request, progress, folder));
    }
    lines
}

pub(super) fn opening_requested(request: &OpeningRequested, progress: &Progress, folder: &str) -> Vec<Line> {
    request::opening(request, progress, folder)
}

pub(super) fn opening_signed(who: &str, key: &str) -> Vec<Line> {
    vec![Line::new(2).add(Tone::Good, "✔").plain(format!(" {who} operates this run  ")).quiet(key).wrapped(4)]
}

pub(super) fn sign_off_requested(request: &SignOffRequested) -> Vec<Line> {
    let people = format!("{} of {}", request.threshold, list(&request.signers));
    let text = format!(" sign-off of gate {}: {people}, until {}", request.gate, request.expires);
    let mut lines = vec![Line::new(2).add(Tone::Doubt, "○").plain(text).wrapped(4)];
    if !request.voids.is_empty() {
        lines.push(Line::new(4).plain("the request before it is void, and so are its signatures:"));
    }
    lines.extend(request.voids.iter().map(|why| Line::new(6).plain(why).wrapped(8)));
    lines
}

pub(super) fn sign_off_accepted(gate: &PhaseId, who: &str, key: &str, progress: &Progress) -> Vec<Line> {
    let known = progress.gates.get(gate);
    let signed = known.map_or(0, |gate| gate.signed.len());
    let needed = known.and_then(|gate| gate.request.as_ref()).map_or(0, |request| request.threshold);
    let line = Line::new(2).add(Tone::Good, "✔").plain(format!(" {who} signed gate {gate} ({signed} of {needed})  "));
    vec![line.quiet(key).wrapped(4)]
}
