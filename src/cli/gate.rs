//! Gates and what their checks observe.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Net, OptionalNet};
use crate::chain::BlockChoice;

#[derive(Debug, Subcommand)]
pub enum Gate {
    /// List the gates and what each of them asks
    List,
    /// Judge gates: read-only, runs nothing, takes no lock
    ///
    /// With a run, its steps, sign-offs and evidence are judged too; without one, the chain checks alone, and nothing
    /// is opened. Exit codes: 0 passed, 10 failed, 11 unknown, 12 waiting for people, 15 something is missing and nothing
    /// was judged; of a replay, 0 consistent and 18 not.
    #[command(after_help = "Examples:
  citadel gate verify --network mainnet                   every gate, as it stands now
  citadel gate verify 3 --network mainnet --format github  one gate, as annotations in a GitHub workflow
  citadel gate verify 1 --network mainnet --at 21000000   as it stood at an older block; needs archive nodes
  citadel gate verify --replay gates/3.json               judge a record again, without network or run")]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct Verify {
    /// The gates [default: all]
    pub gates: Vec<String>,
    /// The gates of one phase, or of a range of them (`1..3`)
    #[arg(long, value_name = "N", conflicts_with = "gates")]
    pub phase: Option<String>,
    #[command(flatten)]
    pub net: OptionalNet,
    /// The folder of a run [default: the latest on the network]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// The checkout, where the run's own is not the one to look at
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// An older block, by number or hash; its state must still be there
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<BlockChoice>,
    /// Judge a gate's record again, offline: consistent or not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gates", "phase", "network", "local", "run", "workspace", "at"])]
    pub replay: Option<PathBuf>,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t = VerdictFormat::Human)]
    pub format: VerdictFormat,
}

/// How verdicts are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum VerdictFormat {
    /// Every check, for people
    Human,
    /// Versioned JSON: docs/gate-verify.schema.json
    Json,
    /// `JUnit` XML: a gate is a suite, a check a case
    Junit,
    /// Annotations in a GitHub workflow, and a step summary where `GITHUB_STEP_SUMMARY` is set
    Github,
    /// For a pull request or a ticket
    Markdown,
}

#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(flatten)]
    pub net: Net,
    /// Where to write it [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// An older block, by number or hash; its state must still be there
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<BlockChoice>,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier snapshot
    pub from: PathBuf,
    /// The later snapshot
    pub to: PathBuf,
    /// How to write what changed
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    pub format: DiffFormat,
}

/// How a difference is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Human,
    /// Versioned JSON
    Json,
    /// Annotations in a GitHub workflow
    Github,
}
