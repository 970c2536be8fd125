//! What is done with a run that is there: told, checked, packed, handed over.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Net, OfRun};

#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    pub of: OfRun,
    #[arg(long, value_enum, default_value_t = ReportFormat::Markdown)]
    pub format: ReportFormat,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ReportFormat {
    Markdown,
    Json,
    Junit,
}

#[derive(Debug, Args)]
pub struct VerifyRun {
    /// The folder of a run, one that `citadel export` made, a published folder with an archive in it, or an archive
    pub dir: PathBuf,
    /// A journal head that was noted down: the journal must have it
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
    /// The public key that must have signed the attestations: OpenSSH's, or an ed25519 one in PEM
    #[arg(long, value_name = "FILE")]
    pub signer: Option<PathBuf>,
    /// Accept a run that is not over
    #[arg(long)]
    pub unfinished: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Who signs attestations, and how.
#[derive(Debug, Default, Args)]
pub struct Attesting {
    /// A command that signs each attestation: it gets the bytes on stdin and prints an SSH or a plain ed25519 signature
    #[arg(long, value_name = "COMMAND", requires = "signer")]
    pub sign_with: Option<String>,
    /// The public key that it signs with: OpenSSH's, or an ed25519 one in PEM
    #[arg(long, value_name = "FILE", requires = "sign_with")]
    pub signer: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Archive {
    #[command(flatten)]
    pub of: OfRun,
    #[command(flatten)]
    pub attesting: Attesting,
    /// The file to write [default: `RUNBOOK-NETWORK-RUN.tar.zst` here]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub of: OfRun,
    #[command(flatten)]
    pub attesting: Attesting,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

#[derive(Debug, Args)]
pub struct Handover {
    /// Who takes it over, as `CITADEL_OPERATOR` says on their machine
    #[arg(long, value_name = "PERSON")]
    pub to: String,
    /// The folder to write [default: `handover-RUN-to-PERSON` here]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub net: Net,
}

#[derive(Debug, Args)]
pub struct Take {
    /// The folder that `citadel handover` wrote
    pub folder: PathBuf,
    /// The checkout that the run goes on in [default: here or above]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}
