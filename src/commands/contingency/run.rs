//! `citadel contingency run`: never refused. Ready calldata first, then everything else, and nothing of that which fails
//! stops the rest.

use std::path::Path;

use super::calldata::{self, Halves};
use super::find;
use super::records::{Records, suspend};
use super::situation::{self, Brake, Seen};
use crate::cli::ContingencyRun;
use crate::commands::context::Context;
use crate::engine::Engine;
use crate::engine::contingency::{Facing, runbook_of};
use crate::engine::world::{View, World};
use crate::error::{ExitCode, Failure};
use crate::plan::Selection;
use crate::process::{Stop, signals};
use crate::programs::Programs;
use crate::progress::Progress;
use crate::runbook::{Action, Network, Runbook};
use crate::terminal;
use crate::workspace::{self, Workspace};

pub(in crate::commands) async fn run(context: &Context, args: &ContingencyRun) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    Box::pin(face(context, network, &args.id, args.workspace.as_deref(), args.once)).await
}

/// The contingency that a person chose after a failure of a run.
pub(in crate::commands) async fn chosen(
    context: &Context,
    network: &str,
    workspace: &Path,
    id: &str,
) -> Result<ExitCode, Failure> {
    Box::pin(face(context, context.network(Some(network))?, id, Some(workspace), false)).await
}

async fn face(
    context: &Context,
    network: &Network,
    id: &str,
    workspace: Option<&Path>,
    once: bool,
) -> Result<ExitCode, Failure> {
    let contingency = find(context, id)?;
    let stop = signals::listen()?;
    let mut alone = runbook_of(&context.runbook, contingency);
    let mut world = world(context, network, workspace, stop)?;
    terminal::data(&format!(
        "CONTINGENCY {id}  {}\nnetwork {} (chain {})\n\n",
        contingency.title, network.name, network.chain_id
    ));
    let facts = situation::chain_facts(context, network).await;
    let mut known = Progress::default();
    for (number, fact) in (1..).zip(&facts) {
        known.apply(number, fact);
    }
    let brake = brake(context, &alone, &world, &known, network, situation::pauses(contingency));
    if let Some(brake) = &brake {
        terminal::data(&calldata::first(brake, network));
    }
    let records = Records::open(context, &alone, &mut world, facts);
    suspend(context, network, id, &world);
    if let Some(brake) = &brake {
        show(context, &View { runbook: &alone, progress: &known, world: &world }, network, brake).await;
    }
    if records.elsewhere {
        alone.phases[0].steps.clear();
    }
    refuse_practice(&mut alone, &world, network);
    let selection = Selection::all(&alone);
    let Records { recorder, held: _held, .. } = records;
    let mut engine = Engine::new(&alone, &selection, world, recorder, false);
    let code = Box::pin(engine.face(Facing { once }, &mut terminal::note)).await?;
    finish(code, id, network);
    engine.faced(code, &mut terminal::note)?.secret.map_or(Ok(code), Err)
}

/// The world of a contingency: nothing that takes time is asked of git, and no mark holds it up.
fn world(
    context: &Context,
    network: &Network,
    named: Option<&Path>,
    stop: tokio::sync::watch::Receiver<Stop>,
) -> Result<World, Failure> {
    let dir = match workspace::find(&context.runbook, named, &context.here, network.dev_chain.is_some()) {
        Ok(dir) => dir,
        Err(why) => {
            terminal::warning(&format!("no workspace, so that commands will not work: {why}"));
            context.here.clone()
        }
    };
    let practice = context.runbook.workspace.practice.as_ref();
    let practice = practice.is_some_and(|practice| dir.join(&practice.marker).is_file());
    context.make_room();
    context.close_state(&dir);
    let path = context.environment.get("PATH").map_or("", String::as_str);
    let programs = Programs::find(path, &dir);
    let workspace = Workspace { dir, practice, commit: None, programs };
    let folder = context.home(network).contingencies().run("none");
    Ok(World { marks: None, ..context.world(network, workspace, "none", folder, stop)? })
}

fn brake(
    context: &Context,
    alone: &Runbook,
    world: &World,
    progress: &Progress,
    network: &Network,
    pauses: Option<&str>,
) -> Option<Brake> {
    let name = pauses?;
    let view = View { runbook: alone, progress, world };
    let found = Brake::of(&view, &context.runbook, network, name);
    if found.is_none() {
        let how = if network.dev_chain.is_some() {
            "`citadel devchain up` starts the chain that has one".to_owned()
        } else {
            format!("set `address.{}` of `[contract.{name}]` in the runbook", network.name)
        };
        terminal::warning(&format!("no calldata: `{name}` has no address on {}; {how}", network.name));
    }
    found
}

/// What the chain says of the brake, and the calldata that depends on it.
async fn show(context: &Context, view: &View<'_>, network: &Network, brake: &Brake) {
    let seen = brake.read(view, network).await;
    terminal::data(&calldata::coverage(brake, &seen));
    let left = brake.calls(&seen);
    if left.is_empty() {
        terminal::data("\nnothing is left to call\n\n");
        return;
    }
    if left != brake.calls(&Seen::default()) {
        terminal::data(&format!("\n{}", calldata::remaining(&left, network)));
    }
    let timelock = brake.timelock(&seen);
    let halves = timelock.map(|at| (Halves::of(&at, left.clone(), brake, &seen, &view.world.run), at));
    if let Some((halves, at)) = &halves {
        let mut states = Vec::new();
        for operation in &halves.operations {
            states.push(situation::operation(view, network, at, operation).await);
        }
        terminal::data(&halves.told(at, &seen, &states, network));
    }
    let folders = [view.world.folder.path(), context.here.as_path()];
    let calls = (left.as_slice(), halves.as_ref().map(|(halves, _)| halves));
    terminal::data(&(calldata::files(brake, network, calls, &folders) + "\n"));
}

/// The practice workspace's commands are for local chains only; what people do by hand stays.
fn refuse_practice(alone: &mut Runbook, world: &World, network: &Network) {
    if world.workspace.practice && network.dev_chain.is_none() {
        alone.phases[0].steps.retain(|step| matches!(step.action, Action::Manual { .. }));
        terminal::warning("this is the practice workspace, which is for local chains only: its commands are left out");
    }
}

fn finish(code: ExitCode, id: &str, network: &Network) {
    let network = &network.name;
    let again = format!("`citadel contingency run {id} --network {network}` goes on");
    let close = format!("`citadel contingency close {id} --reason \"…\" --network {network}` lets runs go on");
    let next = match code {
        ExitCode::Ok => format!("once its cause is understood, {close}"),
        ExitCode::Waiting => format!("do what is left; {again}"),
        _ => format!("{again}; once it is over, {close}"),
    };
    terminal::note(&format!("next: {next}"));
}
