//! What a check asks: one question with a verdict, by kind.

use std::time::Duration;

use ethers::types::{Address, H256};
use serde::Serialize;

use super::{JsonRule, PhaseId, Place, Predicate, Template};

/// One question with a verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub id: String,
    pub kind: CheckKind,
    #[serde(skip)]
    pub place: Place,
}

/// The kinds of checks, one file each in `chain/checks/`, except `Json`, which reads no chain.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    Pause {
        of: String,
        is: PauseState,
    },
    CanPause {
        of: String,
        within: Duration,
    },
    /// Whether the declared settlers of a contract may settle.
    Settlers {
        of: String,
        allowed: bool,
    },
    Governed {
        contracts: Vec<String>,
        by: String,
    },
    Code {
        of: String,
        hash: Option<H256>,
    },
    Call {
        of: String,
        signature: String,
        args: Vec<Template>,
        from: Option<String>,
        rules: Vec<Predicate>,
    },
    Timelock {
        of: String,
        min_delay: Option<Duration>,
        proposer: Option<String>,
    },
    Safe {
        of: String,
        threshold: Vec<Predicate>,
        owners: Vec<Predicate>,
        modules: Option<Vec<Address>>,
    },
    SafeBundle {
        of: String,
        safe: String,
    },
    SafeTx {
        of: String,
        bundle: String,
        safe: String,
    },
    UnchangedSince {
        gate: PhaseId,
        check: String,
    },
    Json {
        of: JsonSource,
        rules: Vec<JsonRule>,
    },
}

impl CheckKind {
    /// The kind's name, as the runbook's key spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "pause",
            Self::CanPause { .. } => "can_pause",
            Self::Settlers { .. } => "settlers",
            Self::Governed { .. } => "governed",
            Self::Code { .. } => "code",
            Self::Call { .. } => "call",
            Self::Timelock { .. } => "timelock",
            Self::Safe { .. } => "safe",
            Self::SafeBundle { .. } => "safe_bundle",
            Self::SafeTx { .. } => "safe_tx",
            Self::UnchangedSince { .. } => "unchanged_since",
            Self::Json { .. } => "json",
        }
    }
}

/// Whether a `json` check reads a kept artefact or a file of the workspace.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonSource {
    Artefact(String),
    File(Template),
}

/// The pause state that a check demands. Partly paused never satisfies either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseState {
    Running,
    Paused,
}
