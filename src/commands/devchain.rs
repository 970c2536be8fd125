//! `citadel devchain`: keeps a local chain up between runs.

use jiff::Timestamp;

use super::context::Context;
use crate::cli::Devchain;
use crate::devchain::{self, Kept, Request};
use crate::error::{ExitCode, Failure};
use crate::journal::create_folder;
use crate::process::{Started, Watcher, environment, signals};
use crate::programs::outside;
use crate::secrets::Mask;
use crate::terminal;

pub(super) async fn devchain(context: &Context, command: &Devchain) -> Result<ExitCode, Failure> {
    let network = context.network(None)?;
    let state = context.home(network).dev_chain();
    create_folder(&state)?;
    match command {
        Devchain::Up => up(context, &state).await,
        Devchain::Status => {
            let Some(kept) = devchain::find_kept(&state).await else {
                terminal::data("no dev chain is kept up; `citadel devchain up` starts one\n");
                return Ok(ExitCode::Precondition);
            };
            terminal::data(&describe(&kept));
            Ok(ExitCode::Ok)
        }
        Devchain::Down => {
            let ended = devchain::end_kept(&state).await?;
            terminal::data(if ended { "the dev chain is ended\n" } else { "no dev chain was kept up\n" });
            Ok(ExitCode::Ok)
        }
    }
}

async fn up(context: &Context, state: &std::path::Path) -> Result<ExitCode, Failure> {
    let network = context.network(None)?;
    if let Some(kept) = devchain::find_kept(state).await {
        terminal::data(&format!("already up\n{}", describe(&kept)));
        return Ok(ExitCode::Ok);
    }
    let stop = signals::listen()?;
    devchain::end_survivors(state).await?;
    context.make_room();
    context.close_state(&context.runbook.folder);
    let mut env = environment::base(&context.environment, &[]);
    env.insert("PATH".to_owned(), outside(&env["PATH"], &context.runbook.folder));
    let anvil = context.environment.get("ANVIL").map(String::as_str).filter(|program| !program.is_empty());
    let request = Request { network, folder: &context.runbook.folder, env: &env, anvil, logs: state, state };
    terminal::note("starting the dev chain");
    let running = devchain::start(&request, stop.clone()).await?;
    terminal::note(&format!("{} answers at {}; setting it up", running.client, running.url));
    let url = running.url.clone();
    let deployment = devchain::setup(&request, &url, &Mask::none(), stop, &mut Talk).await?;
    let kept = running.keep(Timestamp::now().to_string(), context.runbook.id.clone(), deployment)?;
    terminal::data(&describe(&kept));
    Ok(ExitCode::Ok)
}

fn describe(kept: &Kept) -> String {
    let record = &kept.record;
    format!(
        "{}\nurl        {}\nchain id   {}\npid        {}\nsince      {}\ncontracts  {}\nnext       `citadel run --local`; `citadel devchain down` ends it\n",
        record.client,
        record.url,
        record.chain_id,
        record.process.pid,
        record.started,
        kept.deployment.contracts.len(),
    )
}

/// Shows what the setup says.
struct Talk;

impl Watcher for Talk {
    fn started(&mut self, _: &Started) -> anyhow::Result<()> {
        Ok(())
    }

    fn line(&mut self, line: &str) {
        terminal::note(&format!("  {line}"));
    }
}
