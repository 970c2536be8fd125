//! What progress is made of: the stories of steps, gates, openings and chains. Plain facts; what changes them is `apply`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{Deployment, GateJudged, OpeningRequested, SignOffRequested, StepEnded, StepOutcome, StepStarted};
use crate::process::{Ended, Started};
use crate::runbook::{PhaseId, StepId};
use crate::verdict::Verdict;

/// How far the gates of a run saw a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SeenNetwork {
    /// The newest block that a gate was judged at.
    pub read: u64,
    /// The newest block that each endpoint told, by its variable.
    pub heads: BTreeMap<String, u64>,
}

impl SeenNetwork {
    pub(super) fn add(&mut self, judged: &GateJudged) {
        self.read = judged.block.as_ref().map_or(self.read, |block| block.number.max(self.read));
        for (variable, head) in &judged.heads {
            let highest = self.heads.entry(variable.clone()).or_default();
            *highest = (*highest).max(*head);
        }
    }
}

/// A contingency that holds a run up until a person closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub by: String,
    /// RFC 3339, UTC.
    pub since: String,
    /// The folder that the contingency is recorded in.
    pub folder: String,
}

/// Who operates the run, and what proves it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpeningProgress {
    /// Who runs the latest invocation, by their own word.
    pub operator: String,
    /// Everybody who did, by their own word.
    pub claimed: BTreeSet<String>,
    pub request: Option<OpeningRequested>,
    /// The key that signed the request.
    pub signed: Option<String>,
    /// Everybody who proved it in this run, with their latest proof.
    pub proved: BTreeMap<String, OpeningProof>,
    /// A step began while nobody had proved that they operate the run.
    pub unproved: bool,
}

/// A signed opening.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpeningProof {
    pub request: OpeningRequested,
    pub key: String,
    /// Relative to the run's folder.
    pub signature: String,
}

impl OpeningProgress {
    /// Whether the latest invocation's operator proved who they are.
    pub fn is_proved(&self) -> bool {
        self.signed.is_some() && self.request.as_ref().is_some_and(|request| request.operator == self.operator)
    }

    pub(super) fn taken_up(&mut self, operator: &str) {
        operator.clone_into(&mut self.operator);
        self.claimed.insert(operator.to_owned());
    }
}

/// One step's story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepProgress {
    pub state: StepState,
    pub attempt: u32,
    pub started: StepStarted,
    /// The attempt's process, once it existed.
    pub process: Option<Started>,
    /// Who settled that its effect happened, and why they think so.
    pub decided: Option<(String, String)>,
    pub ended: Option<StepEnded>,
}

impl StepProgress {
    /// Whether the attempt is known to have had no process; then nothing can have happened.
    pub fn was_not_started(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| matches!(ended.ended, Ended::NotStarted(_)))
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Started, and no outcome recorded: while citadel runs it is running, afterwards it is indeterminate.
    Started,
    Done,
    Failed,
    Indeterminate,
    /// Known not to have happened: it may run again.
    NotHappened,
    /// Its effect is known to have happened; its evidence has not been judged since.
    Happened,
}

/// One gate's story.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GateProgress {
    pub judged: Option<GateJudged>,
    /// The journal's record that holds the judgement.
    pub sequence: u64,
    pub request: Option<SignOffRequested>,
    /// Who signed the current request, with the key's fingerprint.
    pub signed: BTreeMap<String, String>,
}

/// The run's own dev chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DevChainProgress {
    pub url: String,
    pub pid: u32,
    pub start_time: u64,
    pub kept: bool,
    pub deployment: Option<Deployment>,
    pub ended: bool,
}

/// What stopped an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Halt {
    Step { step: StepId, outcome: StepOutcome },
    Gate { gate: PhaseId, verdict: Verdict },
    Signal { signal: i32 },
}
