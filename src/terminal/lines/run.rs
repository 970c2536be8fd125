//! The run itself: where it is, its chain, how it ended.

use crate::event::{Deployment, PublishedFile, RunContinued, RunOpened, TakenOver};
use crate::progress::Progress;
use crate::report::{Outcome, signal_name};
use crate::text::{Line, Tone, count};

pub(super) fn opened(run: &RunOpened, folder: &str) -> Vec<Line> {
    head(&run.citadel, run, &run.operator, &run.host, "", folder)
}

pub(super) fn continued(continued: &RunContinued, progress: &Progress, folder: &str) -> Vec<Line> {
    let Some(run) = &progress.run else { return Vec::new() };
    let passed = progress.phases.iter().filter(|phase| progress.gate_passed(&phase.id)).count();
    let so_far = format!(", continued: {passed} of {} passed", count(progress.phases.len(), "gate"));
    head(&continued.citadel, run, &continued.operator, &continued.host, &so_far, folder)
}

/// Names the workspace, the network and the run's folder first of all: the three that must not be mistaken.
fn head(citadel: &str, run: &RunOpened, operator: &str, host: &str, so_far: &str, folder: &str) -> Vec<Line> {
    let first = Line::new(0).add(Tone::Strong, format!("citadel {citadel} · {}", run.title));
    let network = format!("network {} (chain {})", run.network, run.chain_id);
    let first = first.plain(" · ").add(Tone::Accent, network);
    let first = if run.practice { first.plain(" · ").add(Tone::Doubt, "practice workspace") } else { first };
    vec![
        first.wrapped(2),
        field("workspace", &run.workspace),
        field("run", &format!("{}{so_far}", run.run)).wrapped(13),
        field("folder", folder),
        field("operator", &format!("{operator}@{host}")).wrapped(13),
    ]
}

fn field(name: &str, value: &str) -> Line {
    Line::new(2).quiet(format!("{name:<11}")).plain(value)
}

pub(super) fn plan_taken(digest: &str) -> Vec<Line> {
    vec![field("plan", &format!("{digest}, once")).wrapped(13)]
}

pub(super) fn handed_over(by: &str, to: &str) -> Vec<Line> {
    vec![Line::new(0).plain(format!("handed over by {by} to {to}: nothing more is recorded here")).wrapped(2)]
}

pub(super) fn taken_over(taken: &TakenOver) -> Vec<Line> {
    vec![Line::new(0).plain(format!("taken over from {} by {}@{}", taken.from, taken.by, taken.host)).wrapped(2)]
}

pub(super) fn chain_started(url: &str, pid: u32, kept: bool) -> Vec<Line> {
    let whose = if kept { "kept by `citadel devchain up`" } else { "this run's own" };
    vec![field("chain", &format!("{url}, {whose} (pid {pid})")).wrapped(13)]
}

pub(super) fn chain_ready(deployment: &Deployment) -> Vec<Line> {
    let contracts = count(deployment.contracts.len(), "contract");
    let groups = count(deployment.signers.len(), "group");
    vec![field("", &format!("set up: {contracts}, {groups} of signers")).wrapped(13)]
}

pub(super) fn chain_ended() -> Vec<Line> {
    vec![field("chain", "ended")]
}

pub(super) fn published(files: &[PublishedFile], progress: &Progress) -> Vec<Line> {
    let reports = progress.run.as_ref().map_or("", |run| run.reports.as_str());
    vec![field("published", &format!("{} under {reports}", count(files.len(), "file")))]
}

pub(super) fn interrupted(signal: i32) -> Vec<Line> {
    let line = Line::new(0).add(Tone::Doubt, "interrupted");
    vec![Line::new(0), line.plain(format!(" by {}: nothing more is started", signal_name(signal))).wrapped(2)]
}

pub(super) fn ended(progress: &Progress) -> Vec<Line> {
    let outcome = Outcome::of(progress);
    let tone = match outcome {
        Outcome::Complete { .. } | Outcome::Partial { .. } => Tone::Good,
        Outcome::Waiting { .. } | Outcome::Suspended { .. } | Outcome::Open { .. } => Tone::Doubt,
        Outcome::Stopped { .. } | Outcome::Secret { .. } | Outcome::Closed { .. } => Tone::Bad,
    };
    let line = Line::new(0).add(tone, outcome.word()).plain(format!("  {}", outcome.sentence()));
    vec![Line::new(0), line.wrapped(2)]
}

pub(super) fn closed(by: &str, reason: &str) -> Vec<Line> {
    vec![Line::new(0).plain(format!("the run was closed by {by}: {reason}")).wrapped(2)]
}

pub(super) fn suspended(contingency: &str, by: &str, since: &str) -> Vec<Line> {
    let line = Line::new(0).add(Tone::Doubt, "suspended").plain(format!(
        " by contingency {contingency} since {since} ({by}): nothing more is started, and no gate opens until it is closed"
    ));
    vec![Line::new(0), line.wrapped(2)]
}

pub(super) fn suspension_ended(contingency: &str, by: &str, reason: &str) -> Vec<Line> {
    vec![Line::new(0).plain(format!("contingency {contingency} was closed by {by}: {reason}")).wrapped(2)]
}
