//! Tells afterwards what a run did: a report from the journal's records alone, and its renderings.
//!
//! Pure: the same records give the same bytes. Nothing here reads a file, a clock or a chain, or prints.

pub mod blocks;
pub mod doctor;
pub mod drift;
#[cfg(test)]
pub(crate) mod fixture;
pub mod gates;
mod gather;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
mod outcome;
pub mod request;
pub mod snapshot;
pub mod status;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

pub use gates::GateView;
pub use outcome::Outcome;
pub(crate) use outcome::{outcome_words, signal_name};

use crate::event::{
    Artefact, GateJudged, Guards, HandedIn, LastRehearsal, PublishedFile, RunOpened, SignOffRequested, StepEnded,
    StepStarted, TakenOver,
};
use crate::journal::Entry;
use crate::progress::StepState;
use crate::runbook::{PhaseId, StepId};
use crate::verdict::{Verdict, Waiver};

/// Everything worth telling about one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub outcome: Outcome,
    pub run: Option<RunOpened>,
    /// The run was about a chain that citadel started itself.
    pub dev_chain: bool,
    pub invocations: Vec<Invocation>,
    pub phases: Vec<PhaseReport>,
    /// Steps of contingencies, and of phases that the runbook no longer has.
    pub others: Vec<StepReport>,
    pub artefacts: Vec<KeptArtefact>,
    pub published: Vec<PublishedFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspensions: Vec<SuspensionReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handed_in: Vec<HandedIn>,
    /// What the runbook accepts instead of what checks demand, as its definitions say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<HandoverReport>,
    pub head: Head,
}

/// A declared waiver, and where it made a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaiverReport {
    pub check: String,
    pub waiver: Waiver,
    /// The gates and steps that went on with it.
    pub used: Vec<String>,
}

/// The run went from one operator to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HandoverReport {
    pub time: Timestamp,
    pub by: String,
    pub to: String,
    /// When and by whom it was taken over.
    pub taken: Option<(Timestamp, TakenOver)>,
}

/// A contingency that held the run up, and how it was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuspensionReport {
    pub contingency: String,
    pub by: String,
    /// RFC 3339, UTC.
    pub since: String,
    /// The folder that the contingency is recorded in.
    pub folder: String,
    pub ended: Option<SuspensionEnd>,
}

/// Who closed a contingency, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuspensionEnd {
    pub time: Timestamp,
    pub by: String,
    pub reason: String,
}

/// The journal's last record: whoever knows its hash can tell whether any record was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Head {
    pub records: u64,
    pub hash: String,
    pub time: Option<Timestamp>,
}

/// One start of citadel on the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invocation {
    pub time: Timestamp,
    pub citadel: String,
    pub operator: String,
    pub host: String,
    pub runbook_sha256: String,
    pub commit: Option<String>,
    /// The signal that interrupted it.
    pub signal: Option<i32>,
    /// The key by which its operator proved who they are, if it was asked for here.
    pub proved: Option<String>,
    /// When each contingency was last brought to its end, as its machine knew then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contingencies: BTreeMap<String, Option<LastRehearsal>>,
    /// The digest of the plan that it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What stood between steps and what citadel keeps and uses itself.
    #[serde(skip_serializing_if = "Guards::is_unknown")]
    pub guards: Guards,
}

/// One phase with its gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseReport {
    pub id: PhaseId,
    pub title: String,
    pub steps: Vec<StepReport>,
    pub gate: GateReport,
}

/// One step with everything that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    pub id: StepId,
    pub title: String,
    pub differs: Option<String>,
    /// `None`: it never started.
    pub state: Option<StepState>,
    pub attempts: Vec<Attempt>,
    pub decisions: Vec<Decision>,
}

/// One attempt of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    pub time: Timestamp,
    pub started: StepStarted,
    /// `None`: no outcome was recorded.
    pub ended: Option<StepEnded>,
}

/// A probe or a person settled whether an indeterminate step happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    pub time: Timestamp,
    pub attempt: u32,
    pub happened: bool,
    pub by: String,
    pub reason: String,
}

/// One gate with every judgement and everything that was signed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateReport {
    pub title: String,
    /// What counts now; `None`: never judged, or a step of its phase ran again since.
    pub verdict: Option<Verdict>,
    pub judgements: Vec<Judgement>,
    pub sign_offs: Vec<SignOffReport>,
}

/// One judgement of a gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    pub sequence: u64,
    pub time: Timestamp,
    pub judged: GateJudged,
}

/// One request to sign, and who did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignOffReport {
    pub time: Timestamp,
    pub request: SignOffRequested,
    pub signed: Vec<Signed>,
}

/// One accepted signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    pub time: Timestamp,
    pub who: String,
    pub key: String,
    pub signature: String,
}

/// A kept file and the step that it is evidence of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptArtefact {
    pub step: StepId,
    pub attempt: u32,
    pub artefact: Artefact,
}

impl Report {
    /// The report of a journal's records.
    pub fn of(entries: &[Entry]) -> Self {
        gather::report(entries)
    }

    /// Every step, in the order of the runbook, those of contingencies last.
    pub fn steps(&self) -> impl Iterator<Item = &StepReport> {
        self.phases.iter().flat_map(|phase| &phase.steps).chain(&self.others)
    }
}

impl StepReport {
    /// The latest attempt's outcome record.
    pub fn last(&self) -> Option<&StepEnded> {
        self.attempts.last()?.ended.as_ref()
    }

    /// How long all attempts took together, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.attempts.iter().filter_map(|attempt| Some(attempt.ended.as_ref()?.milliseconds)).sum()
    }
}

impl GateReport {
    /// The latest judgement.
    pub fn last(&self) -> Option<&Judgement> {
        self.judgements.last()
    }
}
