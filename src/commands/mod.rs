//! One file a subcommand, each thin: read what the others need, call them, and give the exit code.

mod approved;
mod archive;
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

use crate::cli::{Cli, Command, Contingency, Gate, Step};
use crate::error::{ExitCode, Failure};
use context::Context;

/// Does what the command line asks.
pub async fn dispatch(cli: &Cli) -> Result<ExitCode, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Explain(args) => explain::explain(args),
        Command::Completions(args) => Ok(completions::completions(args)),
        Command::Check(args) => check::check(args.file.as_deref().or(global.runbook.as_deref())),
        Command::Run(args) => Box::pin(run::run(&Context::new(global)?, args)).await,
        Command::Plan(args) => plan::plan(&Context::new(global)?, args).await,
        Command::Gate(Gate::List) => Ok(gate::list(&Context::new(global)?)),
        Command::Gate(Gate::Verify(args)) if let Some(file) = &args.replay => {
            replay::judge_again(file, args.format).await
        }
        Command::Gate(Gate::Verify(args)) => gate::verify(&Context::new(global)?, args).await,
        Command::Snapshot(args) => snapshot::snapshot(&Context::new(global)?, args).await,
        Command::Diff(args) => diff::diff(args),
        Command::Doctor(args) => doctor::doctor(&Context::new(global)?, args).await,
        Command::Status(args) => status::status(&Context::new(global)?, args),
        Command::Report(args) => report::report(&Context::new(global)?, args),
        Command::Archive(args) => archive::archive(&Context::new(global)?, args).await,
        Command::Export(args) => archive::export(&Context::new(global)?, args).await,
        Command::Verify(args) => verify::verify(args).await,
        Command::SignOff(args) => Box::pin(sign_off::sign_off(&Context::new(global)?, args)).await,
        Command::Contingency(Contingency::List) => Ok(contingency::list(&Context::new(global)?)),
        Command::Contingency(Contingency::Show { id }) => contingency::show(&Context::new(global)?, id),
        Command::Contingency(Contingency::Run(args)) => contingency::run(&Context::new(global)?, args).await,
        Command::Contingency(Contingency::Close(args)) => contingency::close(&Context::new(global)?, args),
        Command::Step(Step::Complete(args)) => step::complete(&Context::new(global)?, args),
        Command::Decide(args) => decide::decide(&Context::new(global)?, args),
        Command::Handover(args) => handover::hand_over(&Context::new(global)?, args),
        Command::Take(args) => Box::pin(take::take(&Context::new(global)?, args)).await,
        Command::Devchain(args) => devchain::devchain(&Context::new(global)?, args).await,
    }
}
