//! One file a subcommand, each thin: read what the others need, call them, and give the exit code.

mod approved;
mod archive;
mod archived;
mod check;
mod completions;
mod context;
mod contingency;
mod decide;
mod devchain;
mod diff;
mod doctor;
mod explain;
mod fence;
mod gate;
mod handed_over;
mod handover;
mod opening;
mod outline;
mod plan;
mod preconditions;
mod replay;
mod report;
mod resume;
mod run;
mod sign_off;
mod snapshot;
mod status;
mod step;
mod take;
mod taken;
mod verdicts;
mod verify;

use crate::cli::{Cli, Command, Contingency, Gate, Global, Step};
use crate::error::{ExitCode, Failure};
use context::Context;

/// What most commands need. It stays until the process ends: to take a long runbook apart again is work for nothing.
fn context(global: &Global) -> Result<&'static Context, Failure> {
    Ok(Box::leak(Box::new(Context::new(global)?)))
}

/// Does what the command line asks.
pub async fn dispatch(cli: &Cli) -> Result<ExitCode, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Explain(args) => explain::explain(args),
        Command::Completions(args) => Ok(completions::completions(args)),
        Command::Check(args) => check::check(args.file.as_deref().or(global.runbook.as_deref())),
        Command::Run(args) => Box::pin(run::run(context(global)?, args)).await,
        Command::Plan(args) => plan::plan(context(global)?, args).await,
        Command::Gate(Gate::List) => Ok(gate::list(context(global)?)),
        Command::Gate(Gate::Verify(args)) if let Some(file) = &args.replay => {
            replay::judge_again(file, args.format).await
        }
        Command::Gate(Gate::Verify(args)) => gate::verify(context(global)?, args).await,
        Command::Snapshot(args) => snapshot::snapshot(context(global)?, args).await,
        Command::Diff(args) => diff::diff(args),
        Command::Doctor(args) => doctor::doctor(context(global)?, args).await,
        Command::Status(args) => status::status(context(global)?, args),
        Command::Report(args) => report::report(context(global)?, args),
        Command::Archive(args) => archive::archive(context(global)?, args).await,
        Command::Export(args) => archive::export(context(global)?, args).await,
        Command::Verify(args) => verify::verify(args).await,
        Command::SignOff(args) => Box::pin(sign_off::sign_off(context(global)?, args)).await,
        Command::Contingency(Contingency::List) => Ok(contingency::list(context(global)?)),
        Command::Contingency(Contingency::Show { id }) => contingency::show(context(global)?, id),
        Command::Contingency(Contingency::Run(args)) => contingency::run(context(global)?, args).await,
        Command::Contingency(Contingency::Close(args)) => contingency::close(context(global)?, args),
        Command::Step(Step::Complete(args)) => step::complete(context(global)?, args),
        Command::Decide(args) => decide::decide(context(global)?, args),
        Command::Handover(args) => handover::hand_over(context(global)?, args),
        Command::Take(args) => Box::pin(take::take(context(global)?, args)).await,
        Command::Devchain(args) => devchain::devchain(context(global)?, args).await,
    }
}
