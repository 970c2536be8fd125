//! `citadel completions`: scripts for the shell.

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::error::ExitCode;

pub(super) fn completions(args: &Completions) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "citadel", &mut script);
    crate::terminal::data(&String::from_utf8_lossy(&script));
    ExitCode::Ok
}
