//! Pausing, governing and transactions, read from a real chain.

use std::time::Duration;

use citadel::chain::{Target, TransactionsAsk, checksum};
use citadel::runbook::{Check, CheckKind, ContractKind, Network, PauseState, PhaseId, Timelock};
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::{Address, H256};
use serde_json::{Value, json};

use crate::anvil::Anvil;
use crate::bytecode::{Does, account, calldata, error, number, runtime, word};
use crate::contracts::{TIMELOCK, creation};
use crate::world::{World, call, call_with, check, eq, ge, network, one, reading, says};

const MODULES: [&str; 8] = [
    "jobRegistry",
    "stakeManager",
    "validationModule",
    "disputeModule",
    "platformRegistry",
    "feePool",
    "reputationEngine",
    "arbitratorCommittee",
];

fn at(number: u64) -> Address {
    Address::from_low_u64_be(0x00c0_de00 + number)
}

fn pause() -> Address {
    at(0)
}

fn module(index: u64) -> Address {
    at(1 + index)
}

/// A module that is paused or not and obeys these two.
fn module_code(paused: Does, owner: Address, may_pause: Address) -> Vec<u8> {
    runtime(&[("paused()", paused), ("owner()", account(owner)), ("pauser()", account(may_pause))])
}

fn pause_code(governance: Address, pull: Does, modules: &[Address]) -> Vec<u8> {
    let getters: Vec<String> = MODULES.iter().map(|name| format!("{name}()")).collect();
    let mut functions =
        vec![("governance()", account(governance)), ("owner()", account(governance)), ("pauseAll()", pull)];
    functions.extend(getters.iter().map(String::as_str).zip(modules.iter().map(|module| account(*module))));
    runtime(&functions)
}

/// A chain with a `SystemPause`, its eight modules, and a real timelock as its governance.
struct House {
    anvil: Anvil,
    network: Network,
    world: World,
    accounts: Vec<Address>,
    timelock: Address,
}

impl House {
    async fn new(delay: u64) -> Self {
        let anvil = Anvil::start(&[]);
        let accounts = anvil.accounts().await;
        let (proposer, nobody) = (accounts[1], Address::zero());
        let timelock = deploy_timelock(&anvil, accounts[0], delay, proposer, nobody).await;
        let pull = Does::OnlyFor(timelock, error("NotGovernance()"));
        let modules: Vec<Address> = (0..8).map(module).collect();
        anvil.set_code(pause(), &pause_code(timelock, pull, &modules)).await;
        for index in 0..8 {
            anvil.set_code(module(index), &module_code(word(0), pause(), pause())).await;
        }
        let world = World::default()
            .with("system_pause", ContractKind::SystemPause, pause())
            .with("timelock", ContractKind::Timelock, timelock)
            .with("proposer", ContractKind::Plain, proposer);
        let network = network(31337, 1, &["ANVIL_RPC_URL"]);
        Self { anvil, network, world, accounts, timelock }
    }

    fn target(&self) -> Target<'_> {
        Target::new(&self.network, vec![self.anvil.endpoint()])
    }

    async fn one(&self, kind: CheckKind) -> citadel::verdict::CheckResult {
        one(&self.target(), &self.world, kind).await
    }

    async fn set_module(&self, index: u64, paused: Does) {
        self.anvil.set_code(module(index), &module_code(paused, pause(), pause())).await;
    }
}

async fn deploy_timelock(anvil: &Anvil, from: Address, delay: u64, proposer: Address, admin: Address) -> Address {
    let list = |who| Token::Array(vec![Token::Address(who)]);
    let arguments = encode(&[number(delay), list(proposer), list(proposer), Token::Address(admin)]);
    anvil.deploy(from, &[creation(TIMELOCK), arguments].concat()).await
}

fn is(is: PauseState) -> CheckKind {
    CheckKind::Pause { of: "system_pause".to_owned(), is }
}

fn can_pause(within: u64) -> CheckKind {
    CheckKind::CanPause { of: "system_pause".to_owned(), within: Duration::from_secs(within) }
}

#[tokio::test]
async fn pausing() {
    let house = House::new(2).await;
    says(&house.one(is(PauseState::Running)).await, Passed, &["all eight modules", "running"]);
    says(&house.one(is(PauseState::Paused)).await, Failed, &["all eight modules", "running", "`feePool`"]);
    house.set_module(2, word(1)).await;
    house.set_module(5, word(1)).await;
    let partly = house.one(is(PauseState::Running)).await;
    says(
        &partly,
        Failed,
        &["partly paused: 2 of eight modules are paused", "`validationModule`", "`feePool`", &checksum(module(5))],
    );
    assert!(
        partly.reproduce.unwrap().contains(&format!("cast call {} \"paused()(bool)\" --block", checksum(module(2))))
    );
    assert_eq!(partly.observed["feePool"]["paused"], true);
    says(&house.one(is(PauseState::Paused)).await, Failed, &["partly paused: 6 of eight modules are running"]);
    for index in 0..8 {
        house.set_module(index, word(1)).await;
    }
    says(&house.one(is(PauseState::Paused)).await, Passed, &["paused"]);
    says(&house.one(is(PauseState::Running)).await, Failed, &["all eight modules", "are paused"]);
    says(&house.one(can_pause(600)).await, Passed, &["already paused"]);
    house.set_module(7, word(2)).await;
    says(&house.one(is(PauseState::Paused)).await, Unknown, &["malformed return", "`arbitratorCommittee`"]);
    house.set_module(7, Does::Reverts(vec![])).await;
    says(&house.one(is(PauseState::Paused)).await, Failed, &["reverts without a reason"]);
    house.anvil.set_code(module(7), &[]).await;
    says(&house.one(is(PauseState::Paused)).await, Failed, &["no code at", "`arbitratorCommittee`"]);
    let twins: Vec<Address> = [0, 0, 2, 3, 4, 5, 6, 7].map(module).to_vec();
    house.anvil.set_code(pause(), &pause_code(house.timelock, word(0), &twins)).await;
    says(&house.one(is(PauseState::Paused)).await, Failed, &["as `jobRegistry` and as `stakeManager`"]);
    let mut unset = twins;
    unset[1] = Address::zero();
    house.anvil.set_code(pause(), &pause_code(house.timelock, word(0), &unset)).await;
    says(&house.one(is(PauseState::Paused)).await, Failed, &["no `stakeManager`"]);
}

#[tokio::test]
async fn the_brake() {
    let house = House::new(172_800).await;
    says(&house.one(can_pause(200_000)).await, Passed, &["(`timelock`) can pause all eight modules", "after 48h"]);
    let slow = house.one(can_pause(600)).await;
    says(&slow, Failed, &["takes 48h", "(`timelock`)", "longer than 10m"]);
    assert!(slow.reproduce.unwrap().contains("getMinDelay()(uint256)"));
    let modules: Vec<Address> = (0..8).map(module).collect();
    let set = async |governance: Address, pull: Does| {
        house.anvil.set_code(pause(), &pause_code(governance, pull, &modules)).await;
    };
    let stranger = house.accounts[9];
    set(stranger, Does::OnlyFor(stranger, error("NotGovernance()"))).await;
    says(&house.one(can_pause(600)).await, Passed, &["at once", &checksum(stranger)]);
    set(stranger, Does::OnlyFor(house.timelock, error("NotGovernance()"))).await;
    says(&house.one(can_pause(600)).await, Failed, &["`pauseAll()`", "reverts with NotGovernance()"]);
    set(stranger, Does::Reverts(error("EnforcedPause()"))).await;
    let blocked = house.one(can_pause(600)).await;
    says(&blocked, Failed, &["EnforcedPause()"]);
    assert!(blocked.hint.unwrap().contains("executeGovernanceCall"));
    set(stranger, word(1)).await;
    says(&house.one(can_pause(600)).await, Unknown, &["malformed return"]);
    set(Address::zero(), word(1)).await;
    says(&house.one(can_pause(600)).await, Failed, &["nobody governs"]);
    set(stranger, Does::Returns(vec![])).await;
    house.anvil.set_code(module(4), &module_code(word(0), pause(), stranger)).await;
    says(
        &house.one(can_pause(600)).await,
        Failed,
        &["not wired", "`pauser()`", "`platformRegistry`", &checksum(stranger)],
    );
}

/// Whoever may say who pauses may also say who unpauses.
#[tokio::test]
async fn who_may_appoint_the_pauser() {
    let house = House::new(2).await;
    let stranger = house.accounts[9];
    let set = async |manager: Address| {
        let functions = [
            ("paused()", word(0)),
            ("owner()", account(pause())),
            ("pauser()", account(pause())),
            ("pauserManager()", account(manager)),
        ];
        house.anvil.set_code(module(3), &runtime(&functions)).await;
    };
    for fine in [Address::zero(), pause(), house.timelock] {
        set(fine).await;
        says(&house.one(can_pause(600)).await, Passed, &["can pause all eight modules"]);
    }
    set(stranger).await;
    let loose = house.one(can_pause(600)).await;
    says(&loose, Failed, &["not wired", "`pauserManager()`", "`disputeModule`", &checksum(stranger)]);
    let seen = house.one(is(PauseState::Running)).await;
    assert_eq!(seen.observed["disputeModule"]["pauser_manager"], checksum(stranger));
    assert!(seen.observed["feePool"].get("pauser_manager").is_none(), "not every module has one");
}

#[tokio::test]
async fn what_no_pause_reaches() {
    let mut house = House::new(2).await;
    let (engine, settler) = (at(100), house.accounts[4]);
    let allowed = |may: u64| runtime(&[("settlers(address)", word(may))]);
    house.anvil.set_code(engine, &allowed(1)).await;
    house.world = std::mem::take(&mut house.world)
        .with("reward_engine", ContractKind::Governable, engine)
        .with("fee_pool", ContractKind::Ownable, module(5))
        .settled_by("reward_engine", settler);
    let seen = house.one(can_pause(600)).await.observed["unreached"].clone();
    let expected = json!({ "address": checksum(engine), "settlers": { checksum(settler): true } });
    assert_eq!(seen, json!({ "reward_engine": expected }), "modules are reached");
    let settlers = |of: &str, allowed: bool| CheckKind::Settlers { of: of.to_owned(), allowed };
    says(&house.one(settlers("reward_engine", true)).await, Passed, &["every declared settler", "is allowed"]);
    says(&house.one(settlers("reward_engine", false)).await, Failed, &["still allowed", &checksum(settler)]);
    house.anvil.set_code(engine, &allowed(0)).await;
    says(&house.one(settlers("reward_engine", false)).await, Passed, &["is off"]);
    house.anvil.set_code(engine, &allowed(2)).await;
    says(&house.one(settlers("reward_engine", false)).await, Unknown, &["malformed return"]);
    let none = house.one(settlers("fee_pool", false)).await;
    says(&none, Failed, &["no settler of", "is declared"]);
}

#[tokio::test]
async fn who_governs() {
    let mut house = House::new(2).await;
    let governed = |contracts: &[&str]| CheckKind::Governed {
        contracts: contracts.iter().map(|name| (*name).to_owned()).collect(),
        by: "timelock".to_owned(),
    };
    says(&house.one(governed(&["system_pause"])).await, Passed, &["`system_pause`"]);
    let (timelock, stranger) = (house.timelock, house.accounts[9]);
    let two_step = |pending| runtime(&[("owner()", account(timelock)), ("pendingOwner()", account(pending))]);
    house.anvil.set_code(at(20), &two_step(Address::zero())).await;
    house.world = std::mem::take(&mut house.world).with("registry", ContractKind::Ownable2Step, at(20));
    says(&house.one(governed(&["system_pause", "registry"])).await, Passed, &["`registry`"]);
    house.anvil.set_code(at(20), &two_step(stranger)).await;
    says(&house.one(governed(&["registry"])).await, Failed, &["is being handed to", &checksum(stranger)]);
    house
        .anvil
        .set_code(at(21), &runtime(&[("owner()", account(timelock)), ("governance()", account(stranger))]))
        .await;
    house.world = std::mem::take(&mut house.world).with("engine", ContractKind::Governable, at(21));
    says(&house.one(governed(&["engine"])).await, Failed, &["`governance()`", "(`engine`)", "not", "(`timelock`)"]);
    house.anvil.set_code(module(3), &module_code(word(0), stranger, pause())).await;
    says(&house.one(governed(&["system_pause"])).await, Failed, &["`owner()`", "`disputeModule`"]);
    says(&house.one(governed(&["proposer"])).await, Unknown, &["nothing tells who governs"]);
    says(&house.one(governed(&["nowhere"])).await, Failed, &["`nowhere` has no address on `testnet`"]);
    let by_account = CheckKind::Governed { contracts: vec!["engine".to_owned()], by: "proposer".to_owned() };
    says(&house.one(by_account).await, Failed, &["no code at"]);
}

#[tokio::test]
async fn timelocks() {
    let mut house = House::new(3600).await;
    let timelock = |of: &str, delay: u64, proposer: &str| {
        CheckKind::Timelock(Timelock {
            of: of.to_owned(),
            min_delay: Some(Duration::from_secs(delay)),
            proposer: Some(proposer.to_owned()),
            ..Timelock::default()
        })
    };
    says(&house.one(timelock("timelock", 3600, "proposer")).await, Passed, &["delays by 1h"]);
    says(&house.one(timelock("timelock", 3601, "proposer")).await, Failed, &["its delay is 1h, less than 1h 1s"]);
    says(&house.one(timelock("timelock", 1, "system_pause")).await, Failed, &["may not propose", "may not cancel"]);
    let admin = house.accounts[2];
    let open = deploy_timelock(&house.anvil, house.accounts[0], 5, house.accounts[1], admin).await;
    house.world = std::mem::take(&mut house.world).with("open", ContractKind::Timelock, open);
    says(&house.one(timelock("open", 1, "proposer")).await, Passed, &[]);
    house.world = std::mem::take(&mut house.world).with("admin", ContractKind::Plain, admin);
    says(&house.one(timelock("open", 1, "proposer")).await, Failed, &["(`admin`) administers its roles"]);
    let anyone = deploy_timelock(&house.anvil, house.accounts[0], 5, Address::zero(), Address::zero()).await;
    house.world = std::mem::take(&mut house.world).with("anyone", ContractKind::Timelock, anyone);
    says(&house.one(timelock("anyone", 1, "proposer")).await, Failed, &["anyone may propose"]);
    says(&house.one(timelock("system_pause", 1, "proposer")).await, Failed, &["`getMinDelay()`", "reverts"]);
}

#[tokio::test]
async fn code_and_calls() {
    let mut house = House::new(2).await;
    let max = format!("0x{}", "f".repeat(64));
    house
        .anvil
        .set_code(at(30), &runtime(&[("temp()", Does::Returns(max.parse::<ethers::types::Bytes>().unwrap().to_vec()))]))
        .await;
    house.world = std::mem::take(&mut house.world).with("thermostat", ContractKind::Plain, at(30));
    says(&house.one(call("thermostat", "temp()(int256)", vec![eq(-1)])).await, Passed, &["\"-1\""]);
    let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    says(&house.one(call("thermostat", "temp()(uint256)", vec![eq(most)])).await, Passed, &[most]);
    says(&house.one(call("thermostat", "temp()(uint256)", vec![eq(1)])).await, Failed, &["expected 1"]);
    says(&house.one(call("thermostat", "temp()(uint8)", vec![])).await, Unknown, &["malformed return"]);
    says(&house.one(call("thermostat", "temp()(bool)", vec![])).await, Unknown, &["malformed return"]);
    says(&house.one(call("thermostat", "none()(bool)", vec![])).await, Failed, &["reverts"]);
    let role = "hasRole(bytes32,address)(bool)";
    let arguments = ["0x0000000000000000000000000000000000000000000000000000000000000000", "{{ contract.timelock }}"];
    let asked = || call_with("timelock", role, &arguments, vec![eq(true)]);
    says(&house.one(asked()).await, Unknown, &["`contract.timelock` has no value yet"]);
    house.world.scope.values.insert("contract.timelock".to_owned(), checksum(house.timelock));
    says(&house.one(asked()).await, Passed, &["true"]);
    house.world.scope.values.insert("contract.timelock".to_owned(), checksum(house.timelock).to_lowercase());
    says(&house.one(asked()).await, Unknown, &["EIP-55"]);
    let code = |of: &str, hash| CheckKind::Code { of: of.to_owned(), hash };
    let plain = house.one(code("timelock", None)).await;
    says(&plain, Passed, &["has code"]);
    let hash: H256 = serde_json::from_value(plain.observed["hash"].clone()).unwrap();
    says(&house.one(code("timelock", Some(hash))).await, Passed, &["declared code"]);
    says(&house.one(code("timelock", Some(H256::zero()))).await, Failed, &["other code than declared"]);
    let bare = house.one(code("proposer", None)).await;
    says(&bare, Failed, &["no code at", "(`proposer`)"]);
    assert!(bare.reproduce.unwrap().contains("--rpc-url \"$ANVIL_RPC_URL\""));
}

#[tokio::test]
async fn drift_since_an_earlier_gate() {
    let mut house = House::new(2).await;
    let checks: [Check; 2] = [
        check("brake", can_pause(600)),
        check("same", CheckKind::UnchangedSince { gate: PhaseId("1".to_owned()), check: "brake".to_owned() }),
    ];
    let same = async |house: &House| reading(&house.target(), &house.world, &checks, &[]).await.results.pop().unwrap();
    says(&same(&house).await, Unknown, &["no record of what `brake` observed at gate 1"]);
    let now = house.one(can_pause(600)).await;
    house.world.earlier.insert(("1".to_owned(), "brake".to_owned()), now.observed);
    says(&same(&house).await, Passed, &["unchanged since gate 1"]);
    house.set_module(1, word(1)).await;
    says(&same(&house).await, Failed, &["paused 0 to 1"]);
    house.anvil.set_code(pause(), &[]).await;
    says(&same(&house).await, Unknown, &["could not be compared", "no code"]);
    let alone = reading(&house.target(), &house.world, &checks[1..], &[]).await.results.pop().unwrap();
    says(&alone, Unknown, &["was not read together"]);
}

fn ask(hashes: &[&str], after_block: u64, to: &[Address]) -> TransactionsAsk {
    let hashes = hashes.iter().map(|hash| (*hash).to_owned()).collect();
    TransactionsAsk { id: "step 3.mission".to_owned(), hashes, min: 1, to: to.to_vec(), after_block }
}

#[tokio::test]
async fn transactions_must_have_happened() {
    let house = House::new(2).await;
    let (anvil, from) = (&house.anvil, house.accounts[0]);
    let hash = |receipt: &Value| receipt["transactionHash"].as_str().unwrap().to_owned();
    let before = hash(&anvil.send(from, Some(at(40)), &[]).await);
    let start = anvil.number().await;
    let target = at(41);
    anvil.set_code(target, &runtime(&[("go()", Does::Returns(vec![])), ("no()", Does::Reverts(vec![]))])).await;
    let good = hash(&anvil.send(from, Some(target), &calldata("go()", &[])).await);
    let reverted = hash(&anvil.send(from, Some(target), &calldata("no()", &[])).await);
    let judged =
        async |ask: TransactionsAsk| reading(&house.target(), &house.world, &[], &[ask]).await.results.pop().unwrap();
    let passed = judged(ask(&[&good], start, &[target])).await;
    says(&passed, Passed, &["1 transaction"]);
    assert_eq!((passed.id.as_str(), passed.kind.as_str()), ("step 3.mission", "transactions"));
    assert_eq!(passed.observed[0]["hash"], json!(good));
    says(&judged(ask(&[&good], start, &[])).await, Passed, &[]);
    says(
        &judged(ask(&[&good], start, &[pause()])).await,
        Failed,
        &["neither called nor logged any of", "(`system_pause`)"],
    );
    says(&judged(ask(&[&good, &good], start, &[])).await, Failed, &["named twice"]);
    says(&judged(ask(&[], start, &[])).await, Failed, &["0 transactions named, at least 1 needed"]);
    says(&judged(ask(&[&good, &before], start, &[])).await, Failed, &["before the step began"]);
    says(&judged(ask(&[&reverted], start, &[])).await, Failed, &["reverted in block"]);
    says(&judged(ask(&[&format!("0x{}", "0".repeat(64))], start, &[])).await, Failed, &["zero hash"]);
    says(&judged(ask(&[&format!("0x{}", "1".repeat(64))], start, &[])).await, Failed, &["is not on chain 31337"]);
    for bad in ["", "0x12", "hash", "0xzz", &good[2..]] {
        says(&judged(ask(&[bad], start, &[])).await, Failed, &["is not a transaction hash"]);
    }
}

#[tokio::test]
async fn a_final_block_that_is_too_old_is_waited_for() {
    let mut house = House::new(2).await;
    house.network.block = citadel::runbook::BlockTag::Finalized;
    let receipt = house.anvil.send(house.accounts[0], Some(at(40)), &[]).await;
    let hash = receipt["transactionHash"].as_str().unwrap();
    let asks = [ask(&[hash], 0, &[])];
    let early = reading(&house.target(), &house.world, &[], &asks).await;
    says(&early.results[0], Unknown, &["the newest `finalized` block", "must be read"]);
    house.network.settle = Duration::from_secs(20);
    let target = house.target();
    let (late, ()) = tokio::join!(reading(&target, &house.world, &[], &asks), async {
        house.anvil.rpc("anvil_mine", json!(["0x50"])).await;
    });
    says(&late.results[0], Passed, &["1 transaction"]);
}

#[tokio::test]
async fn two_nodes_with_one_hash_and_two_truths() {
    let start = || Anvil::start(&["--timestamp", "1700000000"]);
    let (one_node, other) = (start(), start());
    let world = World::default().with("registry", ContractKind::Plain, at(50));
    let paused = |value| runtime(&[("paused()", word(value))]);
    for (node, value) in [(&one_node, 0), (&other, 1)] {
        node.rpc("anvil_setCode", json!([at(50), ethers::types::Bytes::from(paused(value))])).await;
    }
    let network = network(31337, 1, &["ANVIL_RPC_URL", "OTHER_RPC_URL"]);
    let endpoints = vec![one_node.endpoint(), crate::world::endpoint("OTHER_RPC_URL", &other.url)];
    let result =
        one(&Target::new(&network, endpoints), &world, call("registry", "paused()(bool)", vec![eq(false)])).await;
    says(&result, Unknown, &["the endpoints disagree", "`OTHER_RPC_URL`"]);
}

#[tokio::test]
async fn a_development_node_never_stands_in_for_a_real_network() {
    let anvil = Anvil::start(&["--chain-id", "1"]);
    let mainnet = network(1, 1, &["ANVIL_RPC_URL"]);
    let world = World::default().with("registry", ContractKind::Plain, at(60));
    let target = Target::new(&mainnet, vec![anvil.endpoint()]);
    let result = one(&target, &world, call("registry", "n()(uint256)", vec![ge(0)])).await;
    says(&result, Unknown, &["is on this machine"]);
}
