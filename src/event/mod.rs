//! What happened: one fact each, owned, written to the journal as it is and read back the same.
//!
//! Events say nothing about what comes next, and hold no secret value.

mod free_text;
mod gate;
mod run;
mod step;

use serde::{Deserialize, Serialize};

pub use gate::{GateJudged, OpeningRequested, SignOffRequested};
pub use run::{
    DeployedKey, Deployment, Guards, LastRehearsal, PhaseOutline, Program, PublishedFile, RunContinued, RunOpened,
    StepOutline, TakenOver,
};
pub use step::{Artefact, HandedIn, Log, StepEnded, StepOutcome, StepStarted};

use crate::process::Started;
use crate::runbook::{PhaseId, StepId};

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    RunOpened(RunOpened),
    /// A citadel took an existing run up again.
    RunContinued(RunContinued),
    /// The operator was asked to prove with a signature who they are.
    OpeningRequested(OpeningRequested),
    /// They did: this person operates the run.
    OpeningSigned {
        nonce: String,
        who: String,
        /// The key, as `SignOffAccepted` names it.
        key: String,
        /// Relative to the run's folder.
        signature: String,
    },
    /// What runs from here on is exactly this plan, once.
    PlanTaken {
        /// The plan's own number, which no other has.
        nonce: String,
        /// The digest of its content.
        digest: String,
        by: String,
    },
    /// The run goes on elsewhere: nothing is recorded here after this.
    HandedOver {
        by: String,
        to: String,
        nonce: String,
    },
    /// Another citadel took the run over, after it had verified it and judged its open gates again.
    TakenOver(TakenOver),
    DevChainStarted {
        url: String,
        pid: u32,
        start_time: u64,
        /// It was started by `citadel devchain up` and outlives this run.
        kept: bool,
    },
    DevChainReady(Deployment),
    DevChainEnded,
    /// The intent: written before the process exists.
    StepStarted(StepStarted),
    StepSpawned {
        step: StepId,
        attempt: u32,
        process: Started,
    },
    StepEnded(StepEnded),
    /// A probe or a person settled whether an indeterminate step's effect happened.
    StepDecided {
        step: StepId,
        attempt: u32,
        happened: bool,
        /// A person, or `probe`.
        by: String,
        reason: String,
    },
    /// A person asked for another attempt at what had stopped the run, at the terminal or beforehand by a flag.
    AnotherTry {
        by: String,
    },
    GateJudged(GateJudged),
    SignOffRequested(SignOffRequested),
    SignOffAccepted {
        gate: PhaseId,
        nonce: String,
        who: String,
        /// An SSH key's SHA-256 fingerprint, as `ssh-keygen -l` shows it, or an account.
        key: String,
        /// Relative to the run's folder.
        signature: String,
    },
    /// Readable copies were written under the reports folder.
    Published {
        files: Vec<PublishedFile>,
    },
    /// A person handed in what shows that a step by hand was done.
    HandedIn(HandedIn),
    /// A contingency began: nothing new is started and no gate opens until a person closes it.
    Suspended {
        contingency: String,
        by: String,
        /// When it began: RFC 3339, UTC.
        since: String,
        /// The folder that the contingency is recorded in.
        folder: String,
    },
    /// A person closed the contingency.
    SuspensionEnded {
        contingency: String,
        by: String,
        reason: String,
    },
    Interrupted {
        signal: i32,
    },
    /// Every phase that was asked for is behind its gate.
    RunEnded {
        complete: bool,
        /// In how many places something was found that must not be written.
        #[serde(default, skip_serializing_if = "is_zero")]
        secrets: usize,
    },
    /// A person gave the run up.
    RunClosed {
        by: String,
        reason: String,
    },
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    pub number: u64,
    pub hash: String,
    /// Unix seconds.
    pub time: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
