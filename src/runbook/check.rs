//! What a check asks: one question with a verdict, by kind.

use std::collections::BTreeMap;
use std::time::Duration;

use ethers::types::{Address, H256};
use serde::Serialize;

use super::{JsonRule, PhaseId, Place, Predicate, Template};
use crate::verdict::Waiver;

/// One question with a verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub id: String,
    pub kind: CheckKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Box<Waiver>>,
    #[serde(skip)]
    pub place: Place,
}

/// The kinds of checks, one file each in `chain/checks/`, except `Json` and `Rehearsed`, which read no chain.
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
    Slot {
        of: String,
        slot: H256,
        rules: Vec<Predicate>,
    },
    Reverts {
        of: String,
        signature: String,
        args: Vec<Template>,
        from: Option<String>,
        with: String,
    },
    Proxy(Proxy),
    Role(Role),
    Timelock(Timelock),
    Operation {
        of: String,
        id: Template,
        is: Vec<OperationState>,
    },
    Transaction(TransactionCheck),
    Safe(Safe),
    SafeBundle(SafeBundle),
    SafeTx {
        of: String,
        bundle: String,
        safe: String,
        /// The address of a Safe Transaction Service.
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<Template>,
        /// A folder of the workspace with further exports.
        #[serde(skip_serializing_if = "Option::is_none")]
        others: Option<Template>,
    },
    UnchangedSince {
        gate: PhaseId,
        check: String,
    },
    Json {
        of: JsonSource,
        rules: Vec<JsonRule>,
    },
    /// Whether the same phase passed elsewhere not long ago.
    Rehearsed(Rehearsed),
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
            Self::Slot { .. } => "slot",
            Self::Reverts { .. } => "reverts",
            Self::Proxy(_) => "proxy",
            Self::Role(_) => "role",
            Self::Timelock(_) => "timelock",
            Self::Operation { .. } => "operation",
            Self::Transaction(_) => "transaction",
            Self::Safe(_) => "safe",
            Self::SafeBundle(_) => "safe_bundle",
            Self::SafeTx { .. } => "safe_tx",
            Self::UnchangedSince { .. } => "unchanged_since",
            Self::Json { .. } => "json",
            Self::Rehearsed(_) => "rehearsed",
        }
    }

    /// The predicates that it holds values of the chain against.
    pub fn predicates(&self) -> Vec<&Predicate> {
        match self {
            Self::Call { rules, .. } | Self::Slot { rules, .. } => rules.iter().collect(),
            Self::Safe(Safe { threshold, share, owners, nonce, .. }) => {
                [threshold, share, owners, nonce].into_iter().flatten().collect()
            }
            Self::Timelock(timelock) => timelock.pending.iter().collect(),
            Self::Pause { .. }
            | Self::CanPause { .. }
            | Self::Settlers { .. }
            | Self::Governed { .. }
            | Self::Code { .. }
            | Self::Reverts { .. }
            | Self::Proxy(_)
            | Self::Role(_)
            | Self::Operation { .. }
            | Self::Transaction(_)
            | Self::SafeBundle(_)
            | Self::SafeTx { .. }
            | Self::UnchangedSince { .. }
            | Self::Json { .. }
            | Self::Rehearsed(_) => Vec::new(),
        }
    }

    /// The other checks whose observed values it is compared with, with the places where they are named.
    pub fn compared_with(&self) -> Vec<(&str, Place)> {
        self.predicates().into_iter().flat_map(Predicate::compared_with).collect()
    }

    /// Whether others can be compared with what it observes at a block.
    pub fn can_be_compared_with(&self) -> bool {
        self.reads_chain() && !matches!(self, Self::UnchangedSince { .. })
    }

    /// Whether it is judged from a chain; the others from what the run and this machine keep.
    pub fn reads_chain(&self) -> bool {
        !matches!(self, Self::Json { .. } | Self::Rehearsed(_))
    }
}

/// A rehearsal that must have been: the phase's gate, by the same definition, at the same commit of the workspace.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsed {
    pub phase: PhaseId,
    /// Networks that it may have been on.
    pub on: Vec<String>,
    pub max_age: Duration,
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

/// What a Safe must be. Accounts are names of contracts or addresses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Safe {
    pub of: String,
    /// The release that it says it is, and whose code it must have.
    pub version: Option<String>,
    pub singleton: Option<String>,
    pub threshold: Vec<Predicate>,
    /// The threshold in percent of the owners, rounded down.
    pub share: Vec<Predicate>,
    pub owners: Vec<Predicate>,
    pub nonce: Vec<Predicate>,
    /// Exactly these; none where not declared.
    pub modules: Option<Vec<Address>>,
    /// Exactly this; none where not declared.
    pub guard: Option<String>,
    /// Exactly this; none where not declared.
    pub module_guard: Option<String>,
    /// Exactly this; any where not declared.
    pub fallback_handler: Option<String>,
}

/// What a Safe Transaction Builder file may hold.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SafeBundle {
    pub of: String,
    pub safe: String,
    /// Functions that may be called although they change who rules, such as `grantRole(bytes32,address)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Functions by which calls inside calls are put into words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// The most wei that one call may send; none where not declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What a timelock must be. Accounts are names of contracts or addresses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timelock {
    pub of: String,
    pub min_delay: Option<Duration>,
    /// May propose and cancel.
    pub proposer: Option<String>,
    /// May execute.
    pub executor: Option<String>,
    /// Anybody may execute what has waited long enough.
    pub open_executor: bool,
    /// May cancel, beside the proposer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancellers: Vec<String>,
    /// The ids of pending operations, as its events tell them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Predicate>,
    /// Its first block by network: with it, nobody else may hold a role, as its events prove.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub since: BTreeMap<String, u64>,
}

/// What must stand behind a proxy. Accounts are names of contracts or addresses.
#[derive(Debug, Clone, Serialize)]
pub struct Proxy {
    pub of: String,
    pub kind: ProxyKind,
    pub implementation: Option<String>,
    pub admin: Option<String>,
    pub beacon: Option<String>,
    /// The hash of the implementation's code.
    pub hash: Option<H256>,
}

/// How a proxy finds its implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyKind {
    /// EIP-1967 with an administrator of its own.
    Transparent,
    /// EIP-1967 whose implementation exchanges itself (ERC-1822).
    Uups,
    /// EIP-1967 by way of a beacon.
    Beacon,
    /// EIP-1167: for ever the same implementation.
    Minimal,
}

/// Who must hold a role, and who must not. Accounts are names of contracts or addresses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Role {
    pub of: String,
    /// A name such as `PAUSER_ROLE`, or 32 bytes.
    pub role: String,
    pub has: Vec<String>,
    pub has_not: Vec<String>,
    /// Exactly these.
    pub members: Option<Vec<String>>,
    /// The role that administers it.
    pub admin: Option<String>,
    /// The contract's first block by network: with it, its events prove who holds the role where it lists nobody.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub since: BTreeMap<String, u64>,
}

/// Where an operation of a timelock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    Unset,
    Waiting,
    Ready,
    Done,
}

/// Transactions in an artefact that must have succeeded.
#[derive(Debug, Clone, Serialize)]
pub struct TransactionCheck {
    pub of: String,
    /// The JSON path of the hashes.
    pub at: String,
    pub min: u64,
    /// Each must have called one of these contracts, or one of them logged in it.
    pub to: Vec<String>,
    /// Each must be a successful execution by this Safe.
    pub safe: Option<String>,
}
