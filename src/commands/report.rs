//! `citadel report`: the report of a run, from its journal alone.

use super::context::Context;
use super::opening::Existing;
use crate::cli::{Report as Args, ReportFormat};
use crate::error::{ExitCode, Failure};
use crate::journal::RunFolder;
use crate::report::{Report, json, junit, markdown};
use crate::terminal;

pub(super) fn report(context: &Context, args: &Args) -> Result<ExitCode, Failure> {
    let existing = match &args.of.run {
        Some(folder) => Some(Existing::read(String::new(), RunFolder::at(&context.here.join(folder)))?),
        None => Existing::latest(&context.home(context.network(args.of.net.network.as_deref())?))?,
    };
    let Some(existing) = existing else {
        return Err(Failure::new(ExitCode::Precondition, "there is no run to report on")
            .hint("`citadel run` opens one; `--run DIR` names one that is kept elsewhere"));
    };
    let report = Report::of(&existing.entries);
    let text = match args.format {
        ReportFormat::Markdown => markdown::render(&report),
        ReportFormat::Json => json::render(&report)?,
        ReportFormat::Junit => junit::render(&report)?,
    };
    terminal::data(&text);
    Ok(ExitCode::Ok)
}
