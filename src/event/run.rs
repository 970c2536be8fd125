//! Facts about a whole run: how it was opened and taken up, by which definitions, and what it made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BlockRef;
use crate::process::Fence;
use crate::runbook::{PhaseId, StepId};
use crate::verdict::Waiver;

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

/// A later invocation of the same run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunContinued {
    pub citadel: String,
    pub operator: String,
    pub host: String,
    pub runbook_sha256: String,
    pub commit: Option<String>,
    /// Where steps run from here on, and where readable copies go; nothing where an older citadel wrote the record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub workspace: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reports: String,
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
