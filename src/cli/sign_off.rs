//! Sign-offs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{GatePart, OptionalNet};

#[derive(Debug, Subcommand)]
pub enum SignOff {
    /// Ask for the sign-off of a gate whose steps are done
    Request(SignOffRequest),
    /// Show a request on one screen, with the commands to sign it
    ///
    /// With the path of a statement, or `-` for stdin, its copy is shown without a run: for another machine.
    Show(SignOffShow),
    /// Check a signature, and hand it in if it counts
    Add(SignOffAdd),
    /// List what was asked for, and who signed
    List(OptionalNet),
    /// Verify the signatures of a run, or one on a statement's copy; offline
    Verify(SignOffVerify),
    /// Write the keys of an OpenSSH `allowed_signers` file as `[signers]`, to be pasted after review
    Import(SignOffImport),
}

#[derive(Debug, Args)]
pub struct SignOffRequest {
    /// The gate, by its phase
    pub gate: String,
    #[command(flatten)]
    pub part: GatePart,
}

#[derive(Debug, Args)]
pub struct SignOffShow {
    /// A gate, `opening`, or the path of a statement [default: what is waited for]
    pub what: Option<String>,
    /// Write the exact bytes to sign
    #[arg(long, conflicts_with = "typed_data")]
    pub bytes: bool,
    /// Write them as EIP-712 typed data
    #[arg(long)]
    pub typed_data: bool,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffAdd {
    /// The signature's file, or `-` for stdin
    pub file: String,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffVerify {
    /// A statement's copy, or `-` for stdin [default: everything that the latest run counts]
    #[arg(long, value_name = "FILE", requires = "signature")]
    pub statement: Option<String>,
    /// The signature on it
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub signature: Option<String>,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffImport {
    /// The file
    pub file: PathBuf,
    /// The group's name
    #[arg(long, default_value = "people")]
    pub group: String,
}
