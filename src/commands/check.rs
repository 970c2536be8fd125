//! `citadel check`: everything that is wrong with a runbook.

use std::path::{Path, PathBuf};

use crate::error::{ExitCode, Failure};
use crate::runbook;
use crate::terminal;

pub(super) fn check(file: Option<&Path>) -> Result<ExitCode, Failure> {
    let file = file.map_or_else(|| PathBuf::from("runbook.toml"), Path::to_owned);
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
