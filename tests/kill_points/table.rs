//! The table of `docs/kill-points.md`: what is on disk after each kill, and what the next citadel does.

use std::fmt::Write as _;

use citadel::event::{Event, StepOutcome};
use citadel::journal::Entry;

use crate::site::{Kill, Story};

/// One kill and what came of it.
pub(crate) struct Row {
    pub(crate) kill: Kill,
    /// The record that was being written.
    pub(crate) record: String,
    /// Whether it is on disk afterwards.
    pub(crate) kept: bool,
    pub(crate) next: String,
    pub(crate) resume: String,
}

impl Row {
    /// From the story of a run whose last kill was `kill`.
    pub(crate) fn new(kill: Kill, story: &Story, record: String) -> Self {
        let dead = story.deaths.last().unwrap();
        let durable = dead.entries.len() as u64 >= kill.0;
        assert_eq!(durable, matches!(kill.1, "after-write" | "after-sync" | "after-telling"), "{kill:?}");
        assert_eq!(dead.torn > 0, kill.1 == "torn-write", "{kill:?}");
        let resumed = &story.entries[dead.entries.len()..];
        let next = story.next.last().unwrap().clone();
        Self { kill, record, kept: durable, next, resume: what_followed(resumed) }
    }
}

/// The first records of a resume, up to the first step or gate that it settles.
fn what_followed(entries: &[Entry]) -> String {
    let mut told = Vec::new();
    for entry in entries {
        told.push(record(&entry.event));
        let settled = match &entry.event {
            Event::StepEnded(_) | Event::GateJudged(_) | Event::RunEnded { .. } => true,
            Event::RunOpened(_)
            | Event::RunContinued(_)
            | Event::OpeningRequested(_)
            | Event::OpeningSigned { .. }
            | Event::PlanTaken { .. }
            | Event::HandedOver { .. }
            | Event::TakenOver(_)
            | Event::DevChainStarted { .. }
            | Event::DevChainReady(_)
            | Event::DevChainEnded
            | Event::StepStarted(_)
            | Event::StepSpawned { .. }
            | Event::StepDecided { .. }
            | Event::AnotherTry { .. }
            | Event::SignOffRequested(_)
            | Event::SignOffAccepted { .. }
            | Event::Published { .. }
            | Event::HandedIn(_)
            | Event::Suspended { .. }
            | Event::SuspensionEnded { .. }
            | Event::Interrupted { .. }
            | Event::RunClosed { .. } => false,
        };
        if settled {
            break;
        }
    }
    told.join(", ")
}

/// A record in a few words.
pub(crate) fn record(event: &Event) -> String {
    match event {
        Event::RunOpened(_) => "run opened".into(),
        Event::RunContinued(_) => "run continued".into(),
        Event::OpeningRequested(_) => "opening signature requested".into(),
        Event::OpeningSigned { who, .. } => format!("opening signed by {who}"),
        Event::PlanTaken { .. } => "plan taken".into(),
        Event::HandedOver { to, .. } => format!("handed over to {to}"),
        Event::TakenOver(taken) => format!("taken over by {}", taken.by),
        Event::DevChainStarted { .. } => "dev chain started".into(),
        Event::DevChainReady(_) => "dev chain ready".into(),
        Event::DevChainEnded => "dev chain ended".into(),
        Event::StepStarted(started) => format!("{} intended (attempt {})", started.step, started.attempt),
        Event::StepSpawned { step, .. } => format!("{step} spawned"),
        Event::StepEnded(ended) => format!("{} {}", ended.step, outcome(ended.outcome)),
        Event::StepDecided { step, happened: true, by, .. } => format!("{step} happened (says the {by})"),
        Event::StepDecided { step, happened: false, by, .. } => format!("{step} did not happen (says the {by})"),
        Event::AnotherTry { .. } => "another try".into(),
        Event::GateJudged(judged) => format!("gate {} {}", judged.gate, judged.verdict),
        Event::SignOffRequested(request) => format!("sign-off of gate {} requested", request.gate),
        Event::SignOffAccepted { gate, who, .. } => format!("sign-off of gate {gate} by {who} accepted"),
        Event::Published { files } => format!("{} files published", files.len()),
        Event::HandedIn(of) => format!("evidence of {} handed in", of.step),
        Event::Suspended { contingency, .. } => format!("suspended by {contingency}"),
        Event::SuspensionEnded { contingency, .. } => format!("{contingency} closed"),
        Event::Interrupted { .. } => "interrupted".into(),
        Event::RunEnded { complete: true, .. } => "run ended, complete".into(),
        Event::RunEnded { complete: false, .. } => "run ended".into(),
        Event::RunClosed { .. } => "run closed".into(),
    }
}

fn outcome(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Failed => "failed",
        StepOutcome::TimedOut => "timed out",
        StepOutcome::Interrupted => "interrupted",
        StepOutcome::Indeterminate => "not known",
        StepOutcome::Refused(_) => "refused",
    }
}

/// Rows as Markdown: one where the record was lost, one where it was kept. Whether a torn line or nothing is left of it, and
/// whether it was synced or told, must make no difference.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut text =
        "| # | record | after the kill | comes next, says `status` | the resume records |\n|---|---|---|---|---|\n"
            .to_owned();
    for class in rows.chunk_by(|a, b| (a.kill.0, a.kept) == (b.kill.0, b.kept)) {
        let Row { kill, record, kept, next, resume } = &class[0];
        for other in class {
            assert_eq!((next, resume), (&other.next, &other.resume), "{:?} is not like {kill:?}", other.kill);
        }
        let kept = if *kept { "kept" } else { "lost" };
        let _ = writeln!(text, "| {} | {record} | {kept} | {next} | {resume} |", kill.0);
    }
    text
}
