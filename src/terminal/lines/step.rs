//! Steps: one line each, and everything needed to understand one that is not done.

use crate::event::{HandedIn, PhaseOutline, StepEnded, StepOutcome, StepStarted};
use crate::progress::Progress;
use crate::report::{blocks, outcome_words};
use crate::runbook::StepId;
use crate::text::{Line, Tone, clean, duration, padded, width};
use crate::verdict::{CheckResult, Verdict};

/// Ids longer than this push the title to the right.
const ID: usize = 20;

/// How wide the ids of a phase are.
pub(super) fn column(phase: &PhaseOutline) -> usize {
    phase.steps.iter().map(|outline| width(&outline.id.0)).max().unwrap_or(0).min(ID)
}

/// Mark, id and title in the columns of the phase.
fn line(progress: &Progress, step: &StepId, tone: Tone, mark: &str, column: usize) -> Line {
    let title = progress.outline(step).map_or("", |outline| outline.title.as_str());
    Line::new(2).add(tone, mark).plain(" ").plain(padded(&step.0, column)).plain("  ").plain(title)
}

fn again(attempt: u32) -> String {
    if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() }
}

pub(super) fn started(started: &StepStarted, progress: &Progress, column: usize) -> Line {
    line(progress, &started.step, Tone::Accent, "▸", column).plain(again(started.attempt)).cut()
}

pub(super) fn ended(ended: &StepEnded, progress: &Progress, folder: &str, column: usize) -> Vec<Line> {
    let (tone, mark) = mark(ended.outcome);
    let first = line(progress, &ended.step, tone, mark, column).plain(again(ended.attempt));
    let mut lines = vec![first.right(duration(ended.milliseconds))];
    lines.extend(left(ended));
    if ended.outcome == StepOutcome::Done {
        let waived: Vec<CheckResult> =
            ended.evidence.iter().filter(|result| result.verdict == Verdict::Waived).cloned().collect();
        lines.extend(blocks::checks(&waived, None, 6));
        return lines;
    }
    let words = outcome_words(ended.outcome);
    let reason = ended.reason.as_ref().map_or_else(|| words.to_owned(), |reason| format!("{words}: {reason}"));
    lines.push(Line::new(6).add(tone, reason).wrapped(6));
    let bad: Vec<CheckResult> =
        ended.evidence.iter().filter(|result| result.verdict != Verdict::Passed).cloned().collect();
    lines.extend(blocks::checks(&bad, None, 6));
    lines.extend(output(ended, progress, folder));
    lines
}

/// What outlived the command: its author may not know of it.
fn left(ended: &StepEnded) -> Option<Line> {
    let names: Vec<String> = ended.left.iter().map(|name| format!("`{}`", clean(name))).collect();
    let words = format!("ended what it left running: {}", names.join(", "));
    (!names.is_empty()).then(|| Line::new(6).add(Tone::Doubt, words).wrapped(6))
}

fn mark(outcome: StepOutcome) -> (Tone, &'static str) {
    match outcome {
        StepOutcome::Done => (Tone::Good, "✔"),
        StepOutcome::Failed | StepOutcome::TimedOut | StepOutcome::Refused(Verdict::Failed) => (Tone::Bad, "✘"),
        StepOutcome::Indeterminate | StepOutcome::Refused(_) => (Tone::Doubt, "?"),
        StepOutcome::Interrupted => (Tone::Doubt, "–"),
    }
}

/// What was run, what it said last, and where all of it is.
fn output(ended: &StepEnded, progress: &Progress, folder: &str) -> Vec<Line> {
    let Some(step) = progress.steps.get(&ended.step) else { return Vec::new() };
    if matches!(ended.outcome, StepOutcome::Refused(_)) {
        return Vec::new();
    }
    let mut lines = vec![blocks::field("command", &step.started.command, 6)];
    for (index, text) in ended.tail.iter().enumerate() {
        let name = if index == 0 { "output" } else { "" };
        lines.push(Line::new(6).quiet(padded(name, 10)).quiet("│ ").plain(text).cut());
    }
    lines.push(blocks::field("log", &format!("{folder}/{}", step.started.log), 6));
    lines
}

pub(super) fn decided(step: &StepId, happened: bool, by: &str, reason: &str) -> Vec<Line> {
    let (tone, mark, what) =
        if happened { (Tone::Good, "✔", "happened") } else { (Tone::Quiet, "–", "did not happen") };
    let line = Line::new(2).add(tone, mark).plain(format!(" {step}  {what}, says {by}: {reason}"));
    vec![line.wrapped(6)]
}

pub(super) fn handed_in(of: &HandedIn) -> Vec<Line> {
    let files = of.files.iter().map(|file| &file.name);
    let all: Vec<&str> = of.text.iter().chain(&of.transactions).chain(files).map(String::as_str).collect();
    let line = Line::new(2).quiet("·").plain(format!(" {}  handed in by {}: {}", of.step, of.by, all.join(", ")));
    vec![line.wrapped(6)]
}
