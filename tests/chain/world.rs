//! What a runbook and a run would know, made by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use citadel::chain::{EndpointUrl, Known, Limits, Reading, Seen, Surroundings, Target, TransactionsAsk, Wait, judge};
use citadel::runbook::{
    BlockTag, Check, CheckKind, ContractKind, Network, Operand, PhaseId, Place, Predicate, Scope, Template,
};
use citadel::verdict::{CheckResult, Verdict};
use ethers::types::Address;
use serde_json::Value;

/// Contracts, artefacts and earlier observations.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) contracts: Vec<Known>,
    pub(crate) artefacts: BTreeMap<String, Vec<u8>>,
    pub(crate) earlier: BTreeMap<(String, String), Value>,
    pub(crate) scope: Scope,
    pub(crate) seen: Seen,
    /// Whether somebody asked it to stop.
    pub(crate) stopped: bool,
    /// What it was told of waiting.
    pub(crate) waits: std::sync::Mutex<Vec<Wait>>,
}

impl World {
    /// Declares a settler of a contract.
    pub(crate) fn settled_by(mut self, name: &str, settler: Address) -> Self {
        let known = self.contracts.iter_mut().find(|known| known.name == name);
        known.unwrap().settlers.push(settler);
        self
    }

    pub(crate) fn with(mut self, name: &str, kind: ContractKind, address: Address) -> Self {
        self.contracts.push(Known { name: name.to_owned(), kind, address, settlers: Vec::new() });
        self
    }

    pub(crate) fn keep(&mut self, name: &str, value: &Value) {
        self.artefacts.insert(name.to_owned(), value.to_string().into_bytes());
    }
}

impl Surroundings for World {
    fn contracts(&self) -> Vec<Known> {
        self.contracts.clone()
    }

    fn artefact(&self, name: &str) -> Result<Vec<u8>, String> {
        self.artefacts.get(name).cloned().ok_or_else(|| "nobody kept it yet".to_owned())
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn seen(&self) -> Seen {
        self.seen.clone()
    }

    fn waits(&self, wait: &Wait) -> bool {
        self.waits.lock().unwrap().push(wait.clone());
        !self.stopped
    }

    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<Value> {
        self.earlier.get(&(gate.0.clone(), check.to_owned())).cloned()
    }
}

/// A network of that chain id without a dev chain of citadel's own.
pub(crate) fn network(chain_id: u64, agree: usize, variables: &[&str]) -> Network {
    Network {
        name: "testnet".to_owned(),
        chain_id,
        genesis: None,
        passed_as: "testnet".to_owned(),
        rpc: variables.iter().map(|name| (*name).to_owned()).collect(),
        agree,
        key: vec![],
        accounts: vec![],
        block: BlockTag::Latest,
        max_block_age: None,
        settle: Duration::ZERO,
        confirm: false,
        operators: vec![],
        dev_chain: None,
        place: Place::default(),
    }
}

/// Limits that let a test see a deadline pass.
pub(crate) const SHORT: Limits = Limits {
    connect: Duration::from_millis(500),
    request: Duration::from_millis(600),
    round: Duration::from_millis(1500),
    total: Duration::from_secs(4),
};

pub(crate) fn check(id: &str, kind: CheckKind) -> Check {
    Check { id: id.to_owned(), kind, waiver: None, place: Place::default() }
}

/// `call` without arguments.
pub(crate) fn call(of: &str, signature: &str, rules: Vec<Predicate>) -> CheckKind {
    call_with(of, signature, &[], rules)
}

pub(crate) fn call_with(of: &str, signature: &str, args: &[&str], rules: Vec<Predicate>) -> CheckKind {
    let args = args.iter().map(|text| Template((*text).to_owned())).collect();
    CheckKind::Call { of: of.to_owned(), signature: signature.to_owned(), args, from: None, rules }
}

pub(crate) fn eq(value: impl Into<Value>) -> Predicate {
    Predicate::Eq(Operand::Literal(value.into()))
}

pub(crate) fn ge(value: impl Into<Value>) -> Predicate {
    Predicate::Ge(Operand::Literal(value.into()))
}

/// A reading of several checks and transactions.
pub(crate) async fn reading(target: &Target<'_>, world: &World, checks: &[Check], asks: &[TransactionsAsk]) -> Reading {
    let checks: Vec<&Check> = checks.iter().collect();
    judge(target, &checks, asks, world, None).await
}

/// The result of one check.
pub(crate) async fn one(target: &Target<'_>, world: &World, kind: CheckKind) -> CheckResult {
    reading(target, world, &[check("it", kind)], &[]).await.results.pop().expect("one result")
}

/// Holds a verdict and words of its message.
#[track_caller]
pub(crate) fn says(result: &CheckResult, verdict: Verdict, words: &[&str]) {
    assert_eq!(result.verdict, verdict, "{result:#?}");
    for word in words {
        assert!(result.message.contains(word), "no `{word}` in {result:#?}");
    }
}

pub(crate) fn endpoint(variable: &str, url: &str) -> EndpointUrl {
    EndpointUrl::new(variable, url).expect("a URL of this machine")
}
