//! `citadel check`: everything that is wrong with a runbook.

use std::path::Path;

use super::context::find_runbook;
use crate::error::{ExitCode, Failure};
use crate::runbook;
use crate::terminal;

pub(super) fn check(file: Option<&Path>) -> Result<ExitCode, Failure> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => find_runbook(&std::env::current_dir().map_err(anyhow::Error::from)?)?,
    };
    let runbook = runbook::load(&file)?.runbook;
    let steps: usize = runbook.phases.iter().map(|phase| phase.steps.len()).sum();
    let text = format!(
        "{}: {} phases, {steps} steps, {} gates, {} contingencies, {} deliverables; nothing is wrong with it\n",
        file.display(),
        runbook.phases.len(),
        runbook.phases.len(),
        runbook.contingencies.len(),
        runbook.deliverables.len(),
    );
    terminal::data(&text);
    Ok(ExitCode::Ok)
}
