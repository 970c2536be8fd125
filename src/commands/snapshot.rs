//! `citadel snapshot`: writes what the runbook's checks observe at one block. Read-only: no run, no lock, no command.

use super::context::Context;
use super::gate::{progress_of_chain, unset, world};
use super::opening::refuse;
use crate::cli::Snapshot;
use crate::engine::observe::observe;
use crate::engine::world::View;
use crate::error::{ExitCode, Failure};
use crate::journal::write_file;
use crate::terminal;

pub(super) async fn snapshot(context: &Context, args: &Snapshot) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let progress = progress_of_chain(context, network).await;
    let mut world = world(context, None, network, None).await?;
    world.at = args.at;
    let missing = unset(context, std::iter::once(network.name.as_str()), &world);
    refuse(&missing, "the chain can be observed", "nothing was observed")?;
    let view = View { runbook: &context.runbook, progress: &progress, world: &world };
    let snapshot = observe(&view, network).await?;
    let text = serde_json::to_string_pretty(&snapshot).map_err(anyhow::Error::from)? + "\n";
    match &args.out {
        Some(file) => {
            write_file(&context.here.join(file), text.as_bytes())?;
        }
        None => terminal::data(&text),
    }
    for one in snapshot.observed.iter().filter(|one| one.unknown.is_some()) {
        let why = one.unknown.as_deref().unwrap_or_default();
        terminal::warning(&format!("`{}` of {} could not be observed: {why}", one.check, one.of));
    }
    Ok(if snapshot.is_whole() { ExitCode::Ok } else { ExitCode::GateUnknown })
}
