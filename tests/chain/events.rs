//! Roles proven from events: read in full, in pieces where an endpoint wants pieces, or not proven.

use std::collections::BTreeMap;
use std::sync::Arc;

use citadel::chain::{EndpointUrl, Target};
use citadel::runbook::{CheckKind, ContractKind, Predicate, Role, Timelock};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::Token;
use ethers::types::{Address, H256};
use ethers::utils::keccak256;
use serde_json::{Value, json};

use crate::bytecode::{calldata, number, runtime, word};
use crate::contracts::{TIMELOCK, creation, other};
use crate::kinds::{Place, TIMELOCK_4};
use crate::scripted::{Reply, Scripted};
use crate::world::{endpoint, eq, network, one, says};

fn since(block: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([("testnet".to_owned(), block)])
}

fn timelock(block: u64) -> CheckKind {
    CheckKind::Timelock(Timelock {
        of: "timelock".into(),
        proposer: Some("ann".into()),
        executor: Some("ann".into()),
        since: since(block),
        ..Timelock::default()
    })
}

fn proposers(members: &[&str], block: u64) -> CheckKind {
    let members = Some(members.iter().map(|name| (*name).to_owned()).collect());
    let (of, role) = ("timelock".to_owned(), "PROPOSER_ROLE".to_owned());
    CheckKind::Role(Role { of, role, members, since: since(block), ..Role::default() })
}

/// A timelock that the chain administers by itself, deployed in block 3.
async fn place(code: &[u8]) -> Place {
    let mut place = Place::new().await;
    place.anvil.mine().await;
    place.anvil.mine().await;
    let ann = place.accounts[1];
    let list = || Token::Array(vec![Token::Address(ann)]);
    let address = place.deploy(code, &[number(5), list(), list(), Token::Address(Address::zero())]).await;
    assert_eq!(place.anvil.number().await, 3);
    place.name("timelock", ContractKind::Timelock, address);
    place.name("ann", ContractKind::Plain, ann);
    place.name("bob", ContractKind::Plain, place.accounts[2]);
    place.anvil.rpc("anvil_impersonateAccount", json!([address])).await;
    place.anvil.rpc("anvil_setBalance", json!([address, "0xde0b6b3a7640000"])).await;
    place
}

impl Place {
    fn timelock(&self) -> Address {
        self.world.contracts.iter().find(|known| known.name == "timelock").unwrap().address
    }

    /// The timelock calls itself.
    async fn itself(&self, function: &str, role: &str, who: Address) {
        let data = calldata(function, &[Token::FixedBytes(keccak256(role).to_vec()), Token::Address(who)]);
        let receipt = self.anvil.send(self.timelock(), Some(self.timelock()), &data).await;
        assert_eq!(receipt["status"], "0x1");
    }

    async fn through(&self, endpoints: Vec<EndpointUrl>, kind: CheckKind) -> CheckResult {
        let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.variable().to_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        one(&Target::new(&network(31337, names.len(), &names), endpoints), &self.world, kind).await
    }

    /// The same chain behind an endpoint that does something to each question about events.
    async fn behind(&self, trick: fn(&Value, Value) -> Value) -> Scripted {
        let (client, url) = (reqwest::Client::new(), self.anvil.url.clone());
        let runtime = tokio::runtime::Handle::current();
        let answer = move |asked: &Value| {
            let request = client.post(&url).header("content-type", "application/json").body(asked.to_string());
            let told = async { request.send().await.unwrap().bytes().await.unwrap() };
            let told = tokio::task::block_in_place(|| runtime.block_on(told));
            let told: Value = serde_json::from_slice(&told).unwrap();
            let one =
                |asked: &Value, told: Value| if asked["method"] == "eth_getLogs" { trick(asked, told) } else { told };
            let told = match (asked.as_array(), told) {
                (Some(asked), Value::Array(told)) => {
                    let find = |told: &Value| asked.iter().find(|asked| asked["id"] == told["id"]).unwrap();
                    told.into_iter().map(|told| one(find(&told), told)).collect()
                }
                (_, told) => one(asked, told),
            };
            Reply { status: "200 OK", headers: "", body: told.to_string().into_bytes() }
        };
        Scripted::answering(Arc::new(answer)).await
    }
}

#[tokio::test]
async fn strangers_are_found_and_absence_is_proven() {
    for code in [creation(TIMELOCK), other(TIMELOCK_4)] {
        let place = place(&code).await;
        let bob = place.accounts[2];
        says(&place.one(timelock(3)).await, Passed, &["nobody but those declared holds a role", "since block 3"]);
        let only = place.one(proposers(&["ann"], 0)).await;
        says(&only, Passed, &["held as declared, by 1 account", "proven from", "since block 0"]);
        says(&place.one(proposers(&["ann", "bob"], 3)).await, Failed, &["`bob`", "does not hold it"]);
        place.itself("grantRole(bytes32,address)", "PROPOSER_ROLE", bob).await;
        let found = place.one(timelock(3)).await;
        says(&found, Failed, &["(`bob`) may propose, which the runbook does not declare"]);
        assert!(found.reproduce.unwrap().contains("--data 0x91d14854"));
        says(&place.one(proposers(&["ann"], 3)).await, Failed, &["`bob`", "holds it too"]);
        place.itself("revokeRole(bytes32,address)", "PROPOSER_ROLE", bob).await;
        says(&place.one(timelock(3)).await, Passed, &[]);
        place.itself("grantRole(bytes32,address)", "CANCELLER_ROLE", bob).await;
        says(&place.one(timelock(3)).await, Failed, &["(`bob`) may cancel"]);
        let CheckKind::Timelock(mut asked) = timelock(3) else { unreachable!() };
        asked.cancellers = vec!["bob".into()];
        says(&place.one(CheckKind::Timelock(asked)).await, Passed, &[]);
    }
}

#[tokio::test]
async fn a_first_block_that_is_not_the_first_proves_nothing() {
    let place = place(&creation(TIMELOCK)).await;
    for _ in 0..3 {
        place.anvil.mine().await;
    }
    says(&place.one(timelock(4)).await, Failed, &["has code before block 4"]);
    says(&place.one(timelock(2)).await, Passed, &[]);
    says(&place.one(timelock(99)).await, Unknown, &["absence not proven", "later than the block that is read"]);
    // A contract that answers like one and never logged.
    let quiet = Address::from_low_u64_be(0x00c0_de01);
    let code = runtime(&[
        ("hasRole(bytes32,address)", word(1)),
        ("getRoleAdmin(bytes32)", word(0)),
        ("getMinDelay()", word(9)),
    ]);
    place.anvil.set_code(quiet, &code).await;
    let mut place = place;
    place.world.contracts[0].address = quiet;
    says(&place.one(timelock(0)).await, Unknown, &["absence not proven", "granted no role"]);
}

#[tokio::test]
async fn pending_operations_are_found() {
    for code in [creation(TIMELOCK), other(TIMELOCK_4)] {
        pending_operations_of(place(&code).await).await;
    }
}

async fn pending_operations_of(place: Place) {
    let CheckKind::Timelock(asked) = timelock(3) else { unreachable!() };
    let none = Timelock { pending: vec![Predicate::Len(vec![eq(0)])], ..asked.clone() };
    says(&place.one(CheckKind::Timelock(none.clone())).await, Passed, &[]);
    let bare = Timelock { since: BTreeMap::new(), ..none.clone() };
    says(&place.one(CheckKind::Timelock(bare)).await, Unknown, &["told by its events alone: set `since`"]);
    let words = |salt: u64| [Token::FixedBytes(vec![0; 32]), Token::FixedBytes(H256::from_low_u64_be(salt).0.to_vec())];
    let call = || [Token::Address(place.accounts[5]), number(0), Token::Bytes(vec![])];
    let (one, other) = (1, 2);
    for salt in [one, other] {
        let arguments = [call().as_slice(), &words(salt), &[number(5)]].concat();
        let schedule = calldata("schedule(address,uint256,bytes,bytes32,bytes32,uint256)", &arguments);
        place.anvil.send(place.accounts[1], Some(place.timelock()), &schedule).await;
    }
    let seen = place.one(CheckKind::Timelock(none.clone())).await;
    says(&seen, Failed, &["the pending operations of"]);
    assert_eq!(seen.observed["pending"].as_array().unwrap().len(), 2);
    says(&place.one(timelock(3)).await, Passed, &[]);
    place.anvil.rpc("evm_increaseTime", json!([10])).await;
    place.anvil.mine().await;
    let execute =
        calldata("execute(address,uint256,bytes,bytes32,bytes32)", &[call().as_slice(), &words(one)].concat());
    place.anvil.send(place.accounts[1], Some(place.timelock()), &execute).await;
    let left = seen.observed["pending"][1].as_str().unwrap().parse::<H256>().unwrap();
    let seen = place.one(timelock(3)).await;
    assert_eq!(seen.observed["pending"], json!([left]));
    let cancel = calldata("cancel(bytes32)", &[Token::FixedBytes(left.as_bytes().to_vec())]);
    place.anvil.send(place.accounts[1], Some(place.timelock()), &cancel).await;
    says(&place.one(CheckKind::Timelock(none)).await, Passed, &[]);
}

#[tokio::test]
async fn a_contract_that_contradicts_its_events_is_not_believed() {
    let place = place(&creation(TIMELOCK)).await;
    // `_roles[PROPOSER_ROLE].hasRole[ann]`, taken away without an event.
    let role = keccak256("PROPOSER_ROLE");
    let of_role = keccak256([role.as_slice(), &[0; 32]].concat());
    let slot = keccak256([H256::from(place.accounts[1]).as_bytes(), &of_role].concat());
    place.anvil.set_slot(place.timelock(), H256(slot), H256::zero()).await;
    says(&place.one(proposers(&[], 3)).await, Failed, &["by its events role", "(`ann`) does not hold it"]);
}

fn refuses_more_than_two(asked: &Value, told: Value) -> Value {
    let number = |key: &str| {
        u64::from_str_radix(asked["params"][0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    if number("toBlock") - number("fromBlock") < 2 {
        return told;
    }
    let error = json!({ "code": -32005, "message": "exceed maximum block range: 2" });
    json!({ "jsonrpc": "2.0", "id": told["id"], "error": error })
}

fn hides_the_last(_: &Value, mut told: Value) -> Value {
    told["result"].as_array_mut().unwrap().pop();
    told
}

fn never(_: &Value, mut told: Value) -> Value {
    told.as_object_mut().unwrap().remove("result");
    told["error"] = json!({ "code": -32601, "message": "the method is not available" });
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_want_pieces_hide_events_or_refuse_them() {
    let place = place(&creation(TIMELOCK)).await;
    place.itself("grantRole(bytes32,address)", "PROPOSER_ROLE", place.accounts[2]).await;
    for _ in 0..20 {
        place.anvil.mine().await;
    }
    let whole = || place.anvil.endpoint();
    let pieces = place.behind(refuses_more_than_two).await;
    let both = vec![whole(), endpoint("OTHER_RPC_URL", pieces.url())];
    says(&place.through(both, proposers(&["ann", "bob"], 0)).await, Passed, &["by 2 accounts"]);
    let asked: Vec<Value> = pieces.bodies.lock().unwrap().clone();
    assert!(asked.iter().filter(|body| body.to_string().contains("eth_getLogs")).count() > 3);

    let liar = place.behind(hides_the_last).await;
    let both = vec![whole(), endpoint("OTHER_RPC_URL", liar.url())];
    says(
        &place.through(both, proposers(&["ann"], 0)).await,
        Unknown,
        &["absence not proven", "the endpoints disagree"],
    );
    let without = place.behind(never).await;
    let alone = vec![endpoint("OTHER_RPC_URL", without.url())];
    says(&place.through(alone, timelock(0)).await, Unknown, &["absence not proven", "the method is not available"]);
}
