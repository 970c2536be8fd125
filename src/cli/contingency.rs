//! Contingencies.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Net, OptionalNet};

#[derive(Debug, Subcommand)]
pub enum Contingency {
    /// List the contingencies, when to use them, and their steps
    List,
    /// Show one contingency: its steps, their evidence, and when it is over
    Show {
        /// The contingency
        id: String,
    },
    /// Face a contingency now: ready calldata first, then its steps, then watch until the chain says that it is over
    ///
    /// Never refused: not by a lock, a closed gate, a full disk or a dirty workspace. A running citadel starts nothing
    /// new, and no gate of the runs on this network opens until the contingency is closed. Ctrl-C ends the watch; the
    /// same command goes on. Exit codes: 0 over, 12 something is left for people, 13 a step failed.
    Run(ContingencyRun),
    /// Close a contingency that is over, so that runs go on and gates open again
    Close(ContingencyClose),
}

#[derive(Debug, Args)]
pub struct ContingencyRun {
    /// The contingency, such as `thermal-runaway`
    pub id: String,
    #[command(flatten)]
    pub net: Net,
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Say what is left and end, instead of watching
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct ContingencyClose {
    /// The contingency
    pub id: String,
    /// Why it is over; it is recorded with your name
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub net: OptionalNet,
}
