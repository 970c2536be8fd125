//! The `citadel` program: parses the command line, does what it asks, and ends with the documented code.

use std::process::ExitCode;

use citadel::cli::Cli;
use citadel::error::{ExitCode as Code, Failure};
use citadel::runbook::Problems;
use citadel::{commands, process, terminal};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// As a shell says that a program cannot be started.
const CANNOT_START: u8 = 126;

fn main() -> ExitCode {
    #[cfg(feature = "kill-points")]
    if let Some(asked) = std::env::var_os("CITADEL_KILL_AT").and_then(|asked| asked.into_string().ok()) {
        citadel::journal::kill_point::arm(asked);
    }
    // Asked alone, as scripts do: what reads command lines need not be built for it.
    if std::env::args_os().skip(1).eq(["--version"]) {
        terminal::data(concat!("citadel ", env!("CARGO_PKG_VERSION"), "\n"));
        return ExitCode::SUCCESS;
    }
    process::no_dumps();
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == process::LAUNCHER) {
        terminal::failure(&Failure::new(Code::Internal, process::launch(words)));
        return ExitCode::from(CANNOT_START);
    }
    let cli = Cli::parse();
    diagnostics(cli.global.verbose);
    // One thread: with another that waits for the kernel, each of a step's events would wake two.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(commands::dispatch(&cli));
            // A read of the terminal that nobody answered must not keep the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(anyhow::Error::from(error).context("cannot start the runtime").into()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code.number()),
        Err(failure) => {
            problem(&failure);
            ExitCode::from(failure.code.number())
        }
    }
}

/// A runbook's problems point at their places by themselves; every other failure is one error with its hint.
fn problem(failure: &Failure) {
    match failure.source.downcast_ref::<Problems>() {
        Some(problems) => terminal::diagnostics(&problems.render(terminal::colour_on_stderr())),
        None => terminal::failure(failure),
    }
}

/// citadel's own diagnostics; never what it tells operators.
fn diagnostics(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "citadel=info",
        _ => "citadel=trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(terminal::colour_on_stderr())
        .init();
}
