//! What a judgement is given: the endpoints, their limits, and what the runbook and the run know. Holds no answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ethers::types::Address;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::at::BlockChoice;
use super::rpc::EndpointUrl;
use crate::runbook::{ContractKind, Network, PhaseId, Scope};

/// The chain id of development nodes: a network with it is a dev chain even where citadel does not start it.
const DEV_CHAIN_ID: u64 = 31337;

/// The chain to read: a network of the runbook and the endpoints that its variables hold.
#[derive(Debug)]
pub struct Target<'a> {
    pub network: &'a Network,
    pub endpoints: Vec<EndpointUrl>,
    /// Variables that hold something else than a URL that can be used, with the reason; never their values.
    pub unusable: Vec<(String, String)>,
    pub limits: Limits,
}

impl<'a> Target<'a> {
    /// A target with the usual limits of its network.
    pub fn new(network: &'a Network, endpoints: Vec<EndpointUrl>) -> Self {
        let limits = if is_dev_chain(network) { Limits::DEV_CHAIN } else { Limits::USUAL };
        Self { network, endpoints, unusable: Vec::new(), limits }
    }
}

/// Whether a network is a development chain, where loopback endpoints and development nodes are right.
pub(crate) fn is_dev_chain(network: &Network) -> bool {
    network.dev_chain.is_some() || network.chain_id == DEV_CHAIN_ID
}

/// How long endpoints may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// For one request with its whole answer.
    pub request: Duration,
    /// For one round of reads with its retries; a round is all that can be asked without knowing more.
    pub round: Duration,
    /// For one judgement, beside the wait for a block (`settle`).
    pub total: Duration,
}

impl Limits {
    /// For chains that others run.
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(8),
        round: Duration::from_secs(12),
        total: Duration::from_secs(45),
    };
    /// For a chain on this machine.
    pub const DEV_CHAIN: Self = Self {
        connect: Duration::from_secs(1),
        request: Duration::from_secs(4),
        round: Duration::from_secs(5),
        total: Duration::from_secs(15),
    };
}

/// A contract of the runbook on the network that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    pub kind: ContractKind,
    pub address: Address,
    /// The accounts that are declared to settle at it.
    pub settlers: Vec<Address>,
}

/// What the runbook and the run know, as far as checks ask.
pub trait Surroundings: Sync {
    /// Every contract with an address on the network that is read.
    fn contracts(&self) -> Vec<Known>;

    /// The bytes of a kept artefact, or why there are none.
    fn artefact(&self, name: &str) -> Result<Vec<u8>, String>;

    /// What the names in templates stand for.
    fn scope(&self) -> &Scope;

    /// What a check observed when an earlier gate opened.
    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<Value>;

    /// The older block that is asked for instead of the newest one.
    fn at(&self) -> Option<BlockChoice> {
        None
    }

    /// How far the network was seen before.
    fn seen(&self) -> Seen;

    /// Is told, again and again, that a judgement waits for a newer block, and says whether it may go on waiting.
    fn waits(&self, wait: &Wait) -> bool;

    /// The contract of that name.
    ///
    /// Where an account rather than a contract is meant, the runbook may write its address.
    fn contract(&self, name: &str) -> Option<Known> {
        match name.parse().ok().filter(|_| name.starts_with("0x")) {
            Some(address) => {
                Some(Known { name: name.to_owned(), kind: ContractKind::Plain, address, settlers: Vec::new() })
            }
            None => self.contracts().into_iter().find(|known| known.name == name),
        }
    }
}

/// How far a network was seen in earlier judgements of the same run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The newest block that was read; an endpoint whose head is below it has gone backwards and is not counted.
    pub read: u64,
    /// The newest block that each endpoint told, by its variable.
    pub heads: BTreeMap<String, u64>,
}

/// A judgement that waits for a newer block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The block that must be read.
    pub block: u64,
    /// The newest block under the network's tag, where enough endpoints tell one.
    pub newest: Option<u64>,
    /// The network's tag.
    pub tag: String,
    /// How long it still waits.
    pub left: Duration,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = self.newest.map_or_else(|| "not known".to_owned(), |newest| newest.to_string());
        let left = super::value::duration(self.left);
        write!(f, "block {} must be read, the newest `{}` block is {newest}; {left} left", self.block, self.tag)
    }
}

/// Transactions that must have happened: found, successful, after a block, and about certain contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransactionsAsk {
    /// The result's id.
    pub id: String,
    /// As they stand in the artefact, still to be judged.
    pub hashes: Vec<String>,
    /// How many there must be at least.
    pub min: u64,
    /// Each must have called or logged one of these; empty: any.
    pub to: Vec<Address>,
    /// The newest block before the step began.
    pub after_block: u64,
}
