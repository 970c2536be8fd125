//! What happened: one fact each, owned, written to the journal as it is and read back the same.
//!
//! Events say nothing about what comes next, and hold no secret value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::process::{Ended, Fence, Started};
use crate::runbook::{PhaseId, StepId};
use crate::verdict::{CheckResult, Verdict, Waiver};

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

/// The first record of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOpened {
    pub run: String,
    pub citadel: String,
    pub runbook: String,
    pub title: String,
    pub runbook_sha256: String,
    pub network: String,
    pub chain_id: u64,
    /// Where steps run, and where readable copies go.
    pub workspace: String,
    pub reports: String,
    /// The folder that the run is kept in.
    pub folder: String,
    /// The workspace is the practice one: nothing of this run counts anywhere else.
    pub practice: bool,
    /// The git commit of the workspace, where it is a repository.
    pub commit: Option<String>,
    pub operator: String,
    pub host: String,
    /// The declared tools that were found, and the versions that they said they are.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
    pub phases: Vec<PhaseOutline>,
    /// When each contingency was last brought to its end, as far as this machine knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contingencies: BTreeMap<String, Option<LastRehearsal>>,
    /// What stands between its steps and what it keeps.
    #[serde(default, skip_serializing_if = "Guards::is_unknown")]
    pub guards: Guards,
}

/// What stands between the steps of an invocation and what citadel keeps and uses itself; nothing where an older citadel
/// wrote the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// Whether steps are kept out of the state folder.
    pub fence: Option<Fence>,
    /// The programs that citadel itself uses, as they were found before any step ran.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, Program>,
}

impl Guards {
    /// Whether nothing was recorded.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// A program as it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Program {
    /// Absolute.
    pub path: String,
    pub sha256: String,
}

/// A contingency that was brought to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRehearsal {
    pub network: String,
    /// RFC 3339, UTC.
    pub time: String,
    /// The workspace was the practice one.
    pub practice: bool,
    /// What of its definition is not as it was then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// What a phase consists of, so that displays know all steps from the first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseOutline {
    pub id: PhaseId,
    pub title: String,
    pub gate: String,
    /// The digest of the phase's definition.
    pub digest: String,
    pub steps: Vec<StepOutline>,
    /// What is accepted instead of what its checks and the invariants demand, by the check's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waivers: BTreeMap<String, Waiver>,
}

/// A step's id and title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepOutline {
    pub id: StepId,
    pub title: String,
    /// The digest of the step's definition.
    pub definition: String,
    pub differs: Option<String>,
}

/// A later invocation of the same run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunContinued {
    pub citadel: String,
    pub operator: String,
    pub host: String,
    pub runbook_sha256: String,
    pub commit: Option<String>,
    /// The declared tools that were found, and the versions that they said they are.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
    pub phases: Vec<PhaseOutline>,
    /// When each contingency was last brought to its end, as far as this machine knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contingencies: BTreeMap<String, Option<LastRehearsal>>,
    /// What stands between its steps and what it keeps.
    #[serde(default, skip_serializing_if = "Guards::is_unknown")]
    pub guards: Guards,
}

/// Who took a run over, where it lives now, and what was judged before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenOver {
    pub citadel: String,
    pub by: String,
    pub from: String,
    pub host: String,
    pub workspace: String,
    pub reports: String,
    pub folder: String,
    /// The gates that had passed and passed again, with the block that was read.
    pub gates: Vec<(PhaseId, Option<BlockRef>)>,
}

/// What the dev chain's setup deployed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Name to EIP-55 address.
    pub contracts: BTreeMap<String, String>,
    /// Group to keys.
    #[serde(default)]
    pub signers: BTreeMap<String, Vec<DeployedKey>>,
}

/// A practice signer that the setup made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployedKey {
    pub who: String,
    pub ssh: String,
}

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

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    pub number: u64,
    pub hash: String,
    /// Unix seconds.
    pub time: u64,
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
    pub sha256: String,
    pub bytes: u64,
}

/// A gate's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateJudged {
    pub gate: PhaseId,
    pub verdict: Verdict,
    pub network: String,
    pub block: Option<BlockRef>,
    /// The newest finalized block then, where enough endpoints told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<BlockRef>,
    pub results: Vec<CheckResult>,
    /// The record with everything needed to judge again, relative to the run's folder, and its SHA-256.
    pub record: String,
    pub record_sha256: String,
    /// The digest of the phase's definition that was judged.
    pub definition: String,
    /// The newest block that each counted endpoint told, by its variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub heads: BTreeMap<String, u64>,
    /// What to know besides, such as an endpoint that was not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The operator was asked to sign that they open the run, or take it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningRequested {
    pub operator: String,
    pub nonce: String,
    /// The exact bytes to sign, relative to the run's folder, and their SHA-256.
    pub statement: String,
    pub sha256: String,
    /// RFC 3339, UTC.
    pub expires: String,
    /// What the operator can sign with, as in `SignOffRequested`.
    pub ways: Vec<String>,
    /// The record that the statement names, so that it cannot have been signed before.
    pub journal_sequence: u64,
    pub journal_hash: String,
}

/// People were asked to sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignOffRequested {
    pub gate: PhaseId,
    pub nonce: String,
    /// The exact bytes to sign, relative to the run's folder, and their SHA-256.
    pub statement: String,
    pub sha256: String,
    /// RFC 3339, UTC.
    pub expires: String,
    pub threshold: u32,
    pub signers: Vec<String>,
    /// The record that the statement names, so that it cannot have been signed before.
    pub journal_sequence: u64,
    pub journal_hash: String,
    /// The block that was judged at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockRef>,
    /// The sentence that people put their names to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// Names and SHA-256 of the artefacts that it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<(String, String)>,
    /// Who must not be counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// What each signer who was asked can sign with: `ssh` or `ethereum`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ways: BTreeMap<String, Vec<String>>,
    /// Why the request before this one is void: what is no longer as it said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voids: Vec<String>,
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

/// A readable copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedFile {
    /// Relative to the reports folder.
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    /// The deliverable that it belongs to.
    pub deliverable: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
