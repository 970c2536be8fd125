//! Facts about attempts at steps: the intent, the outcome, and what was kept of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BlockRef;
use crate::digest::Digest;
use crate::process::Ended;
use crate::runbook::StepId;
use crate::verdict::{CheckResult, Verdict};

/// The intent to run a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepStarted {
    pub step: StepId,
    pub attempt: u32,
    /// The command as a person would type it; holds no secret.
    pub command: String,
    /// Names of the variables that the step is given beyond the allow-list.
    pub env: Vec<String>,
    /// Relative to the run's folder.
    pub log: String,
    /// The digest of the step's definition.
    pub definition: String,
    /// The git commit of the workspace.
    #[serde(default)]
    pub commit: Option<String>,
    /// The SHA-256 of the files that the step reads and need not write.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// The newest agreed block before the step began.
    pub after_block: Option<BlockRef>,
    /// The newest finalized one, where enough endpoints told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<BlockRef>,
}

/// How a step came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEnded {
    pub step: StepId,
    pub attempt: u32,
    pub outcome: StepOutcome,
    pub ended: Ended,
    pub milliseconds: u64,
    pub evidence: Vec<CheckResult>,
    pub artefacts: Vec<Artefact>,
    /// Block numbers of the transactions that its evidence verified; gates pin at or past the largest.
    pub last_block: Option<u64>,
    /// Transaction hashes that its evidence used up.
    #[serde(default)]
    pub transactions: Vec<String>,
    /// Why it is not done, in one sentence.
    pub reason: Option<String>,
    /// The last lines of its output, safe for a terminal.
    #[serde(default)]
    pub tail: Vec<String>,
    /// Processes that outlived its command and were ended: a name and a pid each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// What it printed, as it was kept; older records have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<Log>,
    /// The newest finalized block when its evidence was read of the chain, where enough endpoints told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<BlockRef>,
}

impl StepEnded {
    /// An attempt that is done, with nothing to show for it.
    pub fn done(step: StepId, attempt: u32) -> Self {
        Self {
            step,
            attempt,
            outcome: StepOutcome::Done,
            ended: Ended::Exited(0),
            milliseconds: 0,
            evidence: Vec::new(),
            artefacts: Vec::new(),
            last_block: None,
            transactions: Vec::new(),
            reason: None,
            tail: Vec::new(),
            left: Vec::new(),
            logs: Vec::new(),
            finalized: None,
        }
    }
}

/// What is known about a step's attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Its exit was the expected one and its evidence holds.
    Done,
    Failed,
    TimedOut,
    Interrupted,
    /// Its effect may or may not have happened.
    Indeterminate,
    /// It never began: a check before it did not pass.
    Refused(Verdict),
}

/// A file kept in the run's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    pub name: String,
    /// Relative to the run's folder.
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    /// Where it came from: a path relative to the workspace, or `output`.
    pub source: String,
}

/// What an attempt printed, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Relative to the run's folder.
    pub path: String,
    #[serde(flatten)]
    pub digest: Digest,
    pub bytes: u64,
}

/// What a person handed in for a step by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    pub step: StepId,
    pub by: String,
    /// The person's own words.
    pub text: Option<String>,
    /// Transaction hashes, still to be judged.
    pub transactions: Vec<String>,
    /// Copies of files, kept in the run's folder.
    pub files: Vec<Artefact>,
}
