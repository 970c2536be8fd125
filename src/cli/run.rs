//! What is told to those who do the work: run, plan, check, doctor, status, steps by hand, decisions, dev chains.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Attesting, Net, OptionalNet, Part};
use crate::operator::Choice;

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub part: Part,
    /// The operator's signature on the opening that was asked for
    #[arg(long, value_name = "FILE")]
    pub opening: Option<PathBuf>,
    /// Run exactly the plan that `citadel plan --out` wrote, once; it names the network and the part
    #[arg(long, value_name = "FILE", conflicts_with_all = ["network", "local", "phase", "step", "again", "new"])]
    pub plan: Option<PathBuf>,
    /// Open a run without asking to type the network's name
    #[arg(long, short)]
    pub yes: bool,
    /// Answer a failure beforehand: `retry` (once, where that is safe), `log` (show it), `contingency:ID` or `abort`
    ///
    /// Several are used one after the other, and then the run stops; nobody is asked. Without the option, a person at the
    /// terminal is asked; where none sits, the run stops at once.
    #[arg(long, value_name = "ANSWER")]
    pub on_failure: Vec<Choice>,
    /// For the archive that a complete run publishes, where the runbook says `archive = true`
    #[command(flatten)]
    pub attesting: Attesting,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub part: Part,
    /// Write the plan to a file as well, to be reviewed and run once with `citadel run --plan FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Check {
    /// The runbook [default: `runbook.toml` here or in a folder above]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub net: Net,
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = DoctorFormat::Human)]
    pub format: DoctorFormat,
}

/// How the doctor's findings are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DoctorFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub net: OptionalNet,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Step {
    /// Record that a step by hand was done, with what shows it
    Complete(Complete),
}

#[derive(Debug, Args)]
pub struct Complete {
    /// The step, such as `validator-outage.quorum`
    pub step: String,
    /// A transaction hash, a file to keep, or your own words; several times where there are several
    #[arg(long, required = true, value_name = "TX|FILE|TEXT")]
    pub evidence: Vec<String>,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
#[group(id = "answer", required = true, multiple = false, args = ["happened", "did_not_happen"])]
pub struct Decide {
    /// The step, such as `3.mission`
    pub step: String,
    /// Its effect is on the chain: it will not run again
    #[arg(long)]
    pub happened: bool,
    /// Nothing of it happened: it may run again
    #[arg(long)]
    pub did_not_happen: bool,
    /// What you looked at; it is recorded with your name
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Subcommand)]
pub enum Devchain {
    /// Start the local chain, set it up, and leave it running
    Up,
    /// Show whether one is running, and where
    Status,
    /// End it
    Down,
}
