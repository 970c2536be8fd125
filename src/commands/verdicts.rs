//! Writes what `gate verify` found in the form that was asked for, and the summary of a GitHub step where there is one.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::context::Context;
use crate::cli::VerdictFormat;
use crate::error::Failure;
use crate::report::gates::{self, GateView};
use crate::report::github;
use crate::terminal;

/// GitHub refuses a step summary longer than 1 MiB.
const LONGEST_SUMMARY: usize = 1_000_000;

pub(super) fn write(context: &Context, format: VerdictFormat, views: &[GateView], note: &str) -> Result<(), Failure> {
    let text = match format {
        VerdictFormat::Human => gates::human(views, note, terminal::columns_on_stdout(), terminal::colour_on_stdout()),
        VerdictFormat::Json => gates::json(views, note)?,
        VerdictFormat::Junit => gates::junit(views)?,
        VerdictFormat::Markdown => gates::markdown(views, note),
        VerdictFormat::Github => {
            summarise(context, &gates::markdown(views, note));
            github::log(views, &runbook_in_repository(context), note)
        }
    };
    terminal::data(&text);
    Ok(())
}

/// The runbook's path as annotations need it: relative to the repository, else as it was found.
fn runbook_in_repository(context: &Context) -> String {
    let file = context.runbook.file.canonicalize().unwrap_or_else(|_| context.here.join(&context.runbook.file));
    let root = context.environment.get("GITHUB_WORKSPACE").map_or(context.here.as_path(), Path::new);
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    file.strip_prefix(root).unwrap_or(&file).display().to_string()
}

/// Adds to the step's summary. A verdict counts without it, so that trouble here is only told.
fn summarise(context: &Context, markdown: &str) {
    let Some(file) = context.environment.get("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else { return };
    let cut = markdown.floor_char_boundary(LONGEST_SUMMARY.min(markdown.len()));
    let rest = if cut < markdown.len() { "\n\n(cut: too long for a step summary)\n" } else { "\n" };
    let open = OpenOptions::new().create(true).append(true).open(context.here.join(file));
    if let Err(error) = open.and_then(|mut open| write!(open, "{}{rest}", &markdown[..cut])) {
        terminal::warning(&format!("the step summary `{file}` cannot be written: {error}"));
    }
}
