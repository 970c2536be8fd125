//! When each contingency was last brought to its end on any network, as far as this machine's records tell. Reads only.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::commands::context::Context;
use crate::commands::opening::Existing;
use crate::commands::outline;
use crate::engine::contingency::runbook_of;
use crate::engine::rehearsed::{Defined, changes};
use crate::engine::world::View;
use crate::event::{Event, LastRehearsal};
use crate::process::Stop;
use crate::programs::Programs;
use crate::progress::Progress;
use crate::runbook::{Contingency, Network, Runbook, Scope};
use crate::text::duration;
use crate::workspace::Workspace;

/// The last end of every contingency of the runbook.
pub(in crate::commands) fn all(context: &Context, workspace: &Path) -> BTreeMap<String, Option<LastRehearsal>> {
    let last = |of: &Contingency| (of.id.clone(), last(context, of, workspace));
    context.runbook.contingencies.iter().map(last).collect()
}

/// The last time that `contingency` was over, with what changed since.
pub(super) fn last(context: &Context, contingency: &Contingency, workspace: &Path) -> Option<LastRehearsal> {
    let runs = context.runbook.networks.values().flat_map(|network| {
        let home = context.home(network).contingencies();
        let runs = home.runs().unwrap_or_default().into_iter();
        runs.filter(|run| run.ends_with(&format!(".{}", contingency.id)))
            .filter_map(|run| Existing::read(run.clone(), home.run(&run)).ok())
            .filter_map(|run| Some((over(&run)?, network.name.clone(), run)))
            .collect::<Vec<_>>()
    });
    let (time, network, run) = runs.max_by_key(|(time, ..)| *time)?;
    let on = &context.runbook.networks[&network];
    let practice = run.progress.run.as_ref().is_some_and(|run| run.practice);
    let (time, changed) = (format!("{time:.0}"), changed(context, on, contingency, workspace, &run));
    Some(LastRehearsal { network, time, practice, changed })
}

/// When its gate, that it is over, passed.
fn over(run: &Existing) -> Option<Timestamp> {
    let (id, gate) = run.progress.gates.iter().next()?;
    let passed = run.progress.gate_passed(id);
    let entry =
        run.entries.iter().find(|entry| entry.seq == gate.sequence && matches!(entry.event, Event::GateJudged(_)));
    entry.filter(|_| passed).map(|entry| entry.time)
}

fn changed(
    context: &Context,
    network: &Network,
    contingency: &Contingency,
    workspace: &Path,
    run: &Existing,
) -> Vec<String> {
    let alone = runbook_of(&context.runbook, contingency);
    let workspace =
        Workspace { dir: workspace.to_owned(), practice: false, commit: None, programs: Programs::default() };
    let Some(scope) = scope(context, network, &alone, &workspace) else { return Vec::new() };
    let (outlines, after) = outline::with_definitions(&alone, &workspace, &scope);
    let (Some(then), Some(today)) = (run.progress.phases.first(), outlines.first()) else { return Vec::new() };
    if then.digest == today.digest {
        return Vec::new();
    }
    let before = run.folder.definitions().unwrap_or_default();
    changes(&Defined { outline: then, kept: &before }, &Defined { outline: today, kept: &after })
}

/// What the names in its commands stand for on the network that it was run on.
fn scope(context: &Context, network: &Network, alone: &Runbook, workspace: &Workspace) -> Option<Scope> {
    let (_sender, stop) = tokio::sync::watch::channel(Stop::No);
    let folder = context.home(network).contingencies().run("none");
    let world = context.world(network, workspace.clone(), "none", folder, stop).ok()?;
    Some(View { runbook: alone, progress: &Progress::default(), world: &world }.scope(network))
}

/// How long ago it was, in words.
pub(super) fn told(last: Option<&LastRehearsal>) -> String {
    let Some(LastRehearsal { network, time, practice, changed }) = last else {
        return "never, as far as this machine knows".to_owned();
    };
    let age =
        time.parse::<Timestamp>().map(|time| Timestamp::now().duration_since(time).as_millis()).unwrap_or_default();
    let where_ = if *practice { " in the practice workspace" } else { "" };
    let ago = format!("{} ago on {network}{where_}", duration(u64::try_from(age).unwrap_or_default()));
    match changed.as_slice() {
        [] => format!("{ago}, as it is now"),
        changed => format!("{ago}; changed since: {}", changed.join("; ")),
    }
}
