//! `citadel sign-off`: what people are asked to sign, what they handed in, and whether it is good. Takes no lock, so that
//! it works beside a citadel that waits.

mod add;
mod file;
mod run;
mod verify;

use std::path::Path;

use self::run::of_run;
pub(super) use self::verify::{BY_CONTRACT, verified};
use super::context::Context;
use crate::cli::{GatePart, Part, SignOff, SignOffAdd, SignOffRequest, SignOffShow};
use crate::error::{ExitCode, Failure};
use crate::plan::{self, Item, Selection};

pub(super) async fn sign_off(context: &Context, args: &SignOff) -> Result<ExitCode, Failure> {
    match args {
        SignOff::Request(args) => Box::pin(ask(context, args)).await,
        SignOff::Show(args) => Box::pin(show(context, args)).await,
        SignOff::Add(args) => Box::pin(add(context, args)).await,
        SignOff::List(args) => Ok(of_run(context, args).await?.list()),
        SignOff::Verify(args) => match &args.statement {
            Some(_) => file::verify(context, args),
            None => Ok(of_run(context, &args.net).await?.verify()),
        },
        SignOff::Import(args) => file::import(context, args),
    }
}

/// Asks for the sign-off of a gate whose steps are all done: the same as running its phase.
async fn ask(context: &Context, args: &SignOffRequest) -> Result<ExitCode, Failure> {
    let selection = Selection::phases(&context.runbook, &args.gate)?;
    let run = of_run(context, &args.part.net.clone().into()).await?;
    let lines = plan::plan(&context.runbook, &selection, &run.existing.progress, &run.world.network);
    let left = lines.iter().find(|line| !matches!(line.item, Item::Gate { .. } | Item::Skip { .. } | Item::DevChain));
    if let Some(line) = left {
        let network = &run.world.network;
        return Err(Failure::new(
            ExitCode::Precondition,
            format!("gate {} cannot be asked for yet: {}", args.gate, line.item),
        )
        .hint(format!("`citadel run --phase {} --network {network}`", args.gate)));
    }
    let GatePart { net, workspace } = args.part.clone();
    let part = Part { net: net.into(), phase: Some(args.gate.clone()), step: None, again: None, workspace, new: false };
    let attesting = crate::cli::Attesting::default();
    let run = crate::cli::Run { part, yes: false, opening: None, plan: None, on_failure: Vec::new(), attesting };
    Box::pin(super::run::run(context, &run)).await
}

async fn show(context: &Context, args: &SignOffShow) -> Result<ExitCode, Failure> {
    if let Some(what) = args.what.as_deref().filter(|what| *what == "-" || Path::new(what).is_file()) {
        return file::show(what);
    }
    of_run(context, &args.net).await?.show(args)
}

async fn add(context: &Context, args: &SignOffAdd) -> Result<ExitCode, Failure> {
    of_run(context, &args.net).await?.add(&args.file)
}
