//! What a run that goes on starts from: one table of every step that was begun, what changed since, and what will
//! happen now and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::opening::Prospect;
use crate::digest::sha256;
use crate::engine::world::View;
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{Entry, RunFolder};
use crate::plan::{self, Item, Line};
use crate::process::survivors;
use crate::progress::{Progress, StepProgress, StepState};
use crate::runbook::StepId;
use crate::workspace::read_file;

/// How far this machine's clock may be behind the last record, since clocks are set right in small steps.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(2);

/// Refuses to go on where the records say that this citadel, or this machine's clock, is behind.
pub(super) fn refuse_going_back(entries: &[Entry], now: Timestamp) -> Result<(), Failure> {
    let Some(last) = entries.last() else { return Ok(()) };
    if last.time > now + CLOCK_SLACK {
        let what = format!("the clock was set back: it is {now}, and the run's last record is of {}", last.time);
        return Err(Failure::new(ExitCode::Precondition, what)
            .hint("nothing was started; set this machine's clock right, then run the same command again; where it is right, and \
                   was ahead then, `citadel run --new` starts over"));
    }
    let by = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::RunOpened(opened) => Some(&opened.citadel),
        Event::RunContinued(continued) => Some(&continued.citadel),
        _ => None,
    });
    let own = env!("CARGO_PKG_VERSION");
    match by {
        Some(by) if version(by) > version(own) => {
            let what = format!("citadel {by} worked on this run, and this is citadel {own}");
            Err(Failure::new(ExitCode::Precondition, what)
                .hint(format!("nothing was started; use citadel {by} or a later one, or `citadel run --new`")))
        }
        _ => Ok(()),
    }
}

/// The numbers of a version, in order.
fn version(text: &str) -> Vec<u64> {
    text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Refuses to work beside what a citadel that died left running.
pub(super) fn refuse_survivors(progress: &Progress, folder: &RunFolder) -> Result<(), Failure> {
    let mut details = Vec::new();
    let mut groups = BTreeSet::new();
    for (step, seen) in progress.steps.iter().filter(|(_, seen)| seen.ended.is_none()) {
        for left in survivors(seen.process.as_ref(), &folder.attempt_mark(&step.0, seen.attempt)) {
            details.push(format!("step {step}: pid {} `{}`", left.pid, left.command));
            groups.insert(left.group);
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    let ends: Vec<String> = groups.iter().map(|group| format!("`kill -TERM -- -{group}`")).collect();
    let mut failure = Failure::new(ExitCode::Locked, "a citadel that died left a step running; nothing was started")
        .hint(format!("wait until it is done, or end it with {}; then run again", ends.join(", ")));
    failure.details = details;
    Err(failure)
}

/// Refuses to do a step once more that is done and changed a chain, unless somebody said so.
pub(super) fn refuse_repeating(context: &Context, prospect: &Prospect<'_>) -> Result<(), Failure> {
    let Some((existing, asked)) = prospect.existing.as_ref().zip(prospect.selection.step.as_ref()) else {
        return Ok(());
    };
    let step = context.runbook.phases.iter().flat_map(|phase| &phase.steps).find(|step| step.id == *asked);
    let seen = existing.progress.steps.get(asked).filter(|seen| seen.state == StepState::Done);
    match step.zip(seen) {
        Some((step, seen)) if plan::only_once(step) && prospect.selection.again != Some(seen.attempt) => {
            let attempt = seen.attempt;
            let what = format!("{asked} is done (attempt {attempt}), and would change the chain once more");
            Err(Failure::new(ExitCode::Changed, what).hint(format!(
                "nothing was started; where it must happen twice: `citadel run --network {} --step {asked} --again {attempt}`",
                prospect.network.name
            )))
        }
        _ => Ok(()),
    }
}

/// The table, for a run that goes on; nothing where no step was begun.
pub(super) fn table(
    context: &Context,
    prospect: &Prospect<'_>,
    view: &View<'_>,
    tools: &BTreeMap<String, String>,
) -> Option<String> {
    let existing = prospect.existing.as_ref()?;
    if existing.progress.steps.is_empty() {
        return None;
    }
    let lines = plan::plan(&context.runbook, &prospect.selection, view.progress, &prospect.network.name);
    let mut text = format!("going on with run {}\n", existing.run);
    for phase in &context.runbook.phases {
        for step in &phase.steps {
            let Some(seen) = view.progress.steps.get(&step.id) else { continue };
            let mut changed = changes(view, &step.id, seen, prospect.workspace.commit.as_deref());
            changed.extend(other_tools(&tools_at(&existing.entries, &step.id), tools));
            let (what, why) = what_happens(&lines, &step.id);
            let _ = writeln!(text, "  {:<22} {:<14} {:<9} {why}", step.id.0, state(seen), what);
            for change in changed {
                let _ = writeln!(text, "      changed since: {change}");
            }
        }
    }
    let gone = |step: &&StepId| view.progress.outline(step).is_none();
    for (step, seen) in view.progress.steps.iter().filter(|(step, _)| gone(step)) {
        let word = if view.progress.undeclared() == Some(step) { "stop" } else { "-" };
        let _ = writeln!(text, "  {:<22} {:<14} {word:<9} the runbook does not have it any more", step.0, state(seen));
    }
    Some(text.trim_end().to_owned())
}

fn state(seen: &StepProgress) -> &'static str {
    match seen.state {
        StepState::Started => "cut off",
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Indeterminate => "not known",
        StepState::NotHappened => "not happened",
        StepState::Happened => "happened",
    }
}

fn what_happens(lines: &[Line], step: &StepId) -> (&'static str, String) {
    let about = |line: &&Line| match &line.item {
        Item::Run { step: id, .. }
        | Item::Probe { step: id }
        | Item::Verify { step: id }
        | Item::Ask { step: id }
        | Item::Changed { step: id } => id == step,
        Item::Skip { what } => *what == format!("step {step}"),
        Item::DevChain | Item::Gate { .. } => false,
    };
    let Some(line) = lines.iter().find(about) else { return ("-", "not asked for".into()) };
    let word = match line.item {
        Item::Run { .. } => "run",
        Item::Probe { .. } => "probe",
        Item::Verify { .. } => "verify",
        Item::Ask { .. } => "ask",
        Item::Changed { .. } => "stop",
        Item::Skip { .. } => "skip",
        Item::DevChain | Item::Gate { .. } => "",
    };
    (word, line.why.clone())
}

/// What is not as it was when the step began: its definition, its inputs, the workspace's commit.
fn changes(view: &View<'_>, step: &StepId, seen: &StepProgress, commit: Option<&str>) -> Vec<String> {
    let mut changed = Vec::new();
    if let Some(outline) = view.progress.outline(step) {
        changed.extend(view.differences(&seen.started.definition, &outline.definition));
    }
    let dir = &view.world.workspace.dir;
    for (path, hash) in &seen.started.inputs {
        let now = read_file(dir, path).map(|bytes| sha256(&bytes)).ok();
        if now.as_ref() != Some(hash) {
            changed.push(format!("`{path}`"));
        }
    }
    if seen.started.commit.as_deref() != commit {
        let was = seen.started.commit.as_deref().unwrap_or("none");
        changed.push(format!("workspace commit {was} → {}", commit.unwrap_or("none")));
    }
    changed
}

/// The tools of the invocation that last began the step.
fn tools_at(entries: &[Entry], step: &StepId) -> BTreeMap<String, String> {
    let (mut now, mut at) = (&BTreeMap::new(), BTreeMap::new());
    for entry in entries {
        match &entry.event {
            Event::RunOpened(opened) => now = &opened.tools,
            Event::RunContinued(continued) => now = &continued.tools,
            Event::StepStarted(started) if started.step == *step => at.clone_from(now),
            _ => {}
        }
    }
    at
}

fn other_tools(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let changed = then.iter().filter(|(name, version)| now.get(*name) != Some(version));
    let text = |(name, version): (&String, &String)| {
        format!("{name} {version} → {}", now.get(name).map_or("not there", String::as_str))
    };
    changed.map(text).collect()
}
