//! The command line, as types only: what can be asked, never how it is done.

mod contingency;
mod gate;
mod record;
mod run;
mod shared;
mod sign_off;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use contingency::{Contingency, ContingencyClose, ContingencyRun};
pub use gate::{Diff, DiffFormat, Gate, Snapshot, VerdictFormat, Verify};
pub use record::{Archive, Attesting, Export, Handover, Report, ReportFormat, Take, VerifyRun};
pub use run::{Check, Complete, Decide, Devchain, Doctor, DoctorFormat, Plan, Run, Status, Step};
pub use shared::{GatePart, Net, OfRun, OptionalNet, Part};
pub use sign_off::{SignOff, SignOffAdd, SignOffImport, SignOffRequest, SignOffShow, SignOffVerify};

/// Runs an operations runbook one step at a time. No gate opens unless the chain and the evidence say so.
#[derive(Debug, Parser)]
#[command(name = "citadel", version, max_term_width = 100, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Examples:
  citadel run --local                       rehearse the whole runbook on a chain of its own
  citadel plan --phase 3 --network mainnet  what would run, and why; changes nothing
  citadel run --phase 3 --network mainnet   run one phase; it needs the gates before it
  citadel doctor --network mainnet          whether a run could start: tools, endpoints, addresses
  citadel gate verify --network mainnet     judge every gate again; for CI
  citadel contingency run thermal-runaway --network mainnet
                                            the emergency brake: never refused
  citadel explain 11                        what an exit code means and what to do

Environment:
  CITADEL_OPERATOR   who you are, in records and locks [default: USER]
  ANVIL              the Anvil program to use for the local chain
  NO_COLOR           no colours")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub struct Global {
    /// The runbook [default: `runbook.toml` here or in a folder above]
    #[arg(long, short = 'f', global = true, value_name = "FILE")]
    pub runbook: Option<PathBuf>,
    /// Where runs are kept [default: `$XDG_STATE_HOME/citadel`, else `~/.local/state/citadel`]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Tell more about what citadel itself does; twice for all of it
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the runbook, one phase of it, or one step
    Run(Run),
    /// Show what `run` would do with the same options, and why; nothing is started
    Plan(Plan),
    /// Check a runbook and show everything that is wrong with it
    Check(Check),
    /// List gates, or judge them against the chain and a run's evidence
    #[command(subcommand)]
    Gate(Gate),
    /// Write what the runbook's checks observe at one block, as JSON
    ///
    /// Reads only, needs no run, and judges nothing. Exit codes: 0 everything was observed, 11 something could not be,
    /// 15 something is missing.
    #[command(after_help = "Examples:
  citadel snapshot --network mainnet --out today.json
  citadel snapshot --network mainnet --at 21000000 --out then.json   needs archive nodes
  citadel diff then.json today.json")]
    Snapshot(Snapshot),
    /// Say in words what changed between two snapshots
    ///
    /// Reads the two files and nothing else. Exit codes: 0 nothing changed, 17 something did, 11 nothing did, but
    /// something could not be compared; 2 they are no snapshots of one chain.
    Diff(Diff),
    /// Show whether a run could start: tools, variables, endpoints, addresses, clocks
    ///
    /// Reads only. Exit codes: 0 a run could start, 15 it could not.
    #[command(after_help = "Examples:
  citadel doctor --network mainnet
  citadel doctor --local
  citadel doctor --network mainnet --format json")]
    Doctor(Doctor),
    /// Show where a run stands
    Status(Status),
    /// Write the report of a run to stdout
    Report(Report),
    /// Look through a run's folder, its archive or what it published, offline: whether everything in it fits
    ///
    /// Needs the folder alone: no runbook, no network, no state. Of a published folder it unpacks the archive in it, and holds
    /// every readable copy against the records. It checks the journal's chain and order, every file that
    /// it names, gate records and evidence from what was kept, signatures, and attestations; it never says that a run passed.
    /// Exit codes: 0 consistent, 18 not, 15 a published folder has no archive of its run yet.
    #[command(after_help = "Examples:
  citadel verify reports/mainnet/astral-citadel
  citadel verify astral-citadel-mainnet-2026-11-22T19-40-05Z.tar.zst
  citadel verify ~/.local/state/citadel/astral-citadel/mainnet/2026-11-22T19-40-05Z
  citadel verify run --head 122c0b148c4f…   the head that every gate printed, noted down elsewhere
  citadel verify run --signer release.pub   the key that must have signed the attestations
  citadel verify run --unfinished           a run that stopped and is not over")]
    Verify(VerifyRun),
    /// Pack a complete run into one file that anybody can check
    ///
    /// The same run always gives the same bytes. Exit codes: 15 something is missing, 18 the run is not consistent, 19 a
    /// secret was found.
    #[command(after_help = "Examples:
  citadel archive --network mainnet
  citadel archive --network mainnet --signer ~/.ssh/release.pub \\
    --sign-with 'ssh-keygen -Y sign -n citadel-attestation@v1 -f ~/.ssh/release'
  citadel archive --network mainnet --out release/run.tar.zst")]
    Archive(Archive),
    /// Write a complete run into a folder, as `archive` would pack it
    #[command(after_help = "Examples:
  citadel export --network mainnet --to release/run")]
    Export(Export),
    /// What people are asked to sign, and what they handed in
    #[command(subcommand)]
    SignOff(SignOff),
    /// What to do when things go wrong: list, show, run, close
    #[command(subcommand)]
    Contingency(Contingency),
    /// Hand in what shows that a step by hand was done
    #[command(subcommand)]
    Step(Step),
    /// Record whether the effect of an indeterminate step happened
    Decide(Decide),
    /// Hand an open run over to another operator: writes a folder to bring to their machine, and goes on no more here
    Handover(Handover),
    /// Take over a run that was handed over to you: verified offline, its open gates judged again by your endpoints
    ///
    /// Nothing is imported before all of it holds. Exit codes: 0 taken over, 17 a stale copy or another runbook or
    /// workspace, 18 it does not verify or the run went on in two places, 10 and 11 a gate that was open is not.
    Take(Take),
    /// Keep a local chain up between runs
    #[command(subcommand)]
    Devchain(Devchain),
    /// Explain an exit code, or list them all
    Explain(Explain),
    /// Write shell completions to stdout
    Completions(Completions),
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The exit code [default: all of them]
    pub code: Option<u8>,
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: Shell,
}
