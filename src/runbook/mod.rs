//! What is declared: the runbook as plain, owned, validated data.
//!
//! `document` reads the TOML as written, `resolve` turns it into these types and reports everything wrong with it at
//! once. Nothing here runs a command, reads a chain or knows the time. What derives `Serialize` is what a definition
//! digest covers; what it skips (titles, places, time limits) may change without changing the meaning.

mod check;
mod decode;
mod diagnostic;
pub mod digest;
mod document;
mod forms;
mod id;
mod load;
mod pieces;
mod place;
mod predicate;
mod resolve;
mod step;
mod suggest;
mod syntax;
mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ethers::types::{Address, H256};
use serde::Serialize;

pub use check::{
    Check, CheckKind, JsonSource, OperationState, PauseState, Proxy, ProxyKind, Rehearsed, Role, Safe, SafeBundle,
    Timelock, TransactionCheck,
};
pub use diagnostic::{Diagnostic, Problems};
pub use id::{PhaseId, StepId};
pub use load::{Loaded, load};
pub use place::Place;
pub use predicate::{JsonRule, Lookup, Operand, Predicate, Unmet};
pub use resolve::parse;
pub use step::{
    Action, Effects, Evidence, EvidenceKind, ExpectedExit, FileEvidence, Isolation, Mentions, Need, OutputEvidence,
    Retry, Step, TransactionsEvidence,
};
pub use template::{Scope, Template};

/// A whole runbook, after every reference in it was checked.
#[derive(Debug, Clone)]
pub struct Runbook {
    pub id: String,
    pub title: String,
    /// The file it was read from, and the folder that its relative paths start at.
    pub file: PathBuf,
    pub folder: PathBuf,
    /// The file's text, and its SHA-256 in lowercase hex.
    pub text: String,
    pub sha256: String,
    /// Where readable copies are published, relative to `folder`.
    pub reports: Template,
    pub source: Option<Source>,
    /// Whether a complete run publishes its archive beside the readable copies.
    pub archive: bool,
    pub workspace: Workspace,
    pub limits: Limits,
    pub tools: Vec<Tool>,
    pub networks: BTreeMap<String, Network>,
    /// Further classes of secrets: the names of their environment variables.
    pub secrets: BTreeMap<String, Vec<String>>,
    pub contracts: BTreeMap<String, Contract>,
    pub vars: BTreeMap<String, PerNetwork>,
    pub signers: BTreeMap<String, Signers>,
    pub invariants: Vec<Check>,
    pub phases: Vec<Phase>,
    pub contingencies: Vec<Contingency>,
    pub deliverables: Vec<Deliverable>,
}

impl Runbook {
    /// Every variable that holds a secret, of whatever class.
    pub fn secret_variables(&self) -> impl Iterator<Item = &String> {
        let of_networks = self.networks.values().flat_map(|network| network.rpc.iter().chain(&network.key));
        of_networks.chain(self.secrets.values().flatten())
    }

    /// The variables of a class, as a step on `network` is given them.
    pub fn granted<'a>(&'a self, network: &'a Network, need: &Need) -> &'a [String] {
        match need {
            Need::Rpc => &network.rpc,
            Need::Key => &network.key,
            Need::Secret(class) => self.secrets.get(class).map_or(&[], Vec::as_slice),
        }
    }
}

/// The prose that a runbook transcribes.
#[derive(Debug, Clone)]
pub struct Source {
    pub file: String,
    pub sha256: String,
}

/// The checkout that steps run in.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// A file, relative to the workspace, by which a folder is recognised as one.
    pub marker: String,
    /// Folders put first on the PATH of steps, relative to the workspace.
    pub path: Vec<String>,
    /// Tracked files that steps may change.
    pub tracked_changes: Vec<String>,
    /// The practice workspace, used on a dev chain and refused everywhere else.
    pub practice: Option<Practice>,
}

/// The practice workspace that a repository carries beside its runbook.
#[derive(Debug, Clone)]
pub struct Practice {
    /// Relative to the runbook's folder.
    pub dir: String,
    /// A file that marks every copy of it.
    pub marker: String,
}

/// Time limits of commands that are not a step's own, from `[default]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a command has to end after each signal.
    pub grace: Duration,
    /// How long, after its first process has exited, the others may still work and write.
    pub drain: Duration,
    /// How long one `citadel run` may work, without the time that people are waited for.
    pub run: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), drain: Duration::from_secs(2), run: None }
    }
}

/// A program whose running version must be the one a file names.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: String,
    pub version_file: String,
    pub place: Place,
}

/// A chain that a run can be about.
#[derive(Debug, Clone)]
pub struct Network {
    pub name: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    pub genesis: Option<H256>,
    /// The name that the runbook's commands know.
    pub passed_as: String,
    /// Names of environment variables that hold endpoint URLs; never URLs.
    pub rpc: Vec<String>,
    /// How many endpoints must agree.
    pub agree: usize,
    /// Names of environment variables that hold private keys.
    pub key: Vec<String>,
    /// The accounts that steps send from, as far as somebody declared them.
    pub accounts: Vec<Address>,
    pub block: BlockTag,
    pub max_block_age: Option<Duration>,
    pub settle: Duration,
    /// Whether a person must type the network's name before a run opens.
    pub confirm: bool,
    pub operators: Vec<String>,
    pub dev_chain: Option<DevChain>,
    pub place: Place,
}

/// The block that a gate reads at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockTag {
    Latest,
    Safe,
    Finalized,
    /// So many blocks below the newest.
    Depth(u64),
}

/// How a network's chain is started and set up by citadel itself.
#[derive(Debug, Clone)]
pub struct DevChain {
    pub program: String,
    pub version: String,
    /// Folder of the make targets, relative to the runbook's folder.
    pub dir: String,
    /// The make target that deploys the contracts.
    pub setup: String,
    /// The make target that signs sign-off statements with practice keys.
    pub sign: Option<String>,
    /// The file that `setup` writes, relative to `dir`: `{ contracts, signers }`.
    pub deployment: String,
}

/// A contract that checks speak of.
#[derive(Debug, Clone)]
pub struct Contract {
    pub name: String,
    pub kind: ContractKind,
    pub address: BTreeMap<String, ContractAddress>,
    /// The accounts that settle at it, which no pause stops, by network.
    pub settlers: BTreeMap<String, Vec<Address>>,
    pub place: Place,
}

/// What a contract is, which decides what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    SystemPause,
    Timelock,
    Safe,
    /// `governance()` and `owner()` are the same account.
    Governable,
    /// The `Ownable` of `OpenZeppelin`.
    Ownable,
    /// The `Ownable2Step` of `OpenZeppelin`.
    Ownable2Step,
    /// Anything else with code.
    Plain,
}

/// Where an address comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractAddress {
    Fixed(Address),
    /// The name under which the dev chain's setup deployed it.
    DevChain(String),
}

/// A variable: one value everywhere, or one a network.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PerNetwork {
    Everywhere(String),
    Each(BTreeMap<String, String>),
}

/// People whose signatures count, by group.
#[derive(Debug, Clone, Serialize)]
pub struct Signers {
    pub name: String,
    pub keys: Vec<SignerKey>,
    /// On a dev chain the group is this one of its deployment file.
    pub dev_chain: Option<String>,
    /// The Safe whose owners at the gate's block are the group; `keys` then only give them names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_owners: Option<String>,
}

/// One key of one person. People are counted, not keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignerKey {
    pub who: String,
    #[serde(flatten)]
    pub key: PersonKey,
}

/// What a person signs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKey {
    /// An OpenSSH public key, `ssh-ed25519 AAAA…`.
    Ssh(String),
    /// An account: a key's, or a contract that judges signatures itself (ERC-1271).
    #[serde(serialize_with = "checksummed")]
    Ethereum(Address),
}

fn checksummed<S: serde::Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&ethers::utils::to_checksum(address, None))
}

/// One part of the runbook, closed by a gate.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    pub id: PhaseId,
    #[serde(skip)]
    pub title: String,
    /// The network this phase runs on where that is not the run's own.
    pub on: Option<String>,
    pub steps: Vec<Step>,
    pub gate: Gate,
    #[serde(skip)]
    pub place: Place,
}

/// What closes a phase.
#[derive(Debug, Clone, Serialize)]
pub struct Gate {
    #[serde(skip)]
    pub title: String,
    pub checks: Vec<Check>,
    pub sign_off: Option<SignOff>,
    #[serde(skip)]
    pub place: Place,
}

/// People who must sign what they saw.
#[derive(Debug, Clone, Serialize)]
pub struct SignOff {
    pub statement: Template,
    /// Names of kept artefacts.
    pub covers: Vec<String>,
    /// The name of a group in `[signers]`.
    pub signers: String,
    /// How many different people.
    pub threshold: u32,
    pub max_age: Duration,
    pub not_operator: bool,
    #[serde(skip)]
    pub place: Place,
}

/// What to do when things go wrong.
#[derive(Debug, Clone)]
pub struct Contingency {
    pub id: String,
    pub title: String,
    pub when: String,
    pub steps: Vec<Step>,
    pub done_when: Vec<Check>,
    pub place: Place,
}

/// What a run leaves behind, published under the reports folder.
#[derive(Debug, Clone)]
pub struct Deliverable {
    pub id: String,
    pub title: String,
    /// Relative to the reports folder; with a final `/`, a folder of artefacts under their own names.
    pub path: String,
    pub of: Vec<String>,
    pub place: Place,
}

impl Deliverable {
    /// Where its artefact `name` goes, relative to the reports folder.
    pub fn file_of(&self, name: &str) -> String {
        if self.path.ends_with('/') { format!("{}{name}", self.path) } else { self.path.clone() }
    }
}
