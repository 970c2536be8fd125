//! The smaller kinds of checks on real contracts: Safes of every release, proxies, roles, refusals, operations, slots and
//! executed transactions.

use std::collections::BTreeMap;

use citadel::chain::{Target, checksum};
use citadel::runbook::{
    CheckKind, ContractKind, Network, Operand, OperationState, Predicate, Proxy, ProxyKind, Role, Safe, Template,
    TransactionCheck,
};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::{Address, H256};
use ethers::utils::keccak256;
use serde_json::{Value, json};

use crate::anvil::Anvil;
use crate::bytecode::{Does, calldata, error, number, runtime, word};
use crate::contracts::{FACTORY, SAFE, TIMELOCK, creation, other};
use crate::world::{World, eq, ge, network, one, says};

pub(crate) const SAFE_1_3: &str = "@gnosis.pm/safe-contracts/build/artifacts/contracts/GnosisSafe.sol/GnosisSafe.json";
pub(crate) const FACTORY_1_3: &str = "@gnosis.pm/safe-contracts/build/artifacts/contracts/proxies/GnosisSafeProxyFactory.sol/GnosisSafeProxyFactory.json";
pub(crate) const SAFE_1_5: &str = "@safe-global/safe-smart-account/build/artifacts/contracts/Safe.sol/Safe.json";
pub(crate) const FACTORY_1_5: &str =
    "@safe-global/safe-smart-account/build/artifacts/contracts/proxies/SafeProxyFactory.sol/SafeProxyFactory.json";
const TOKEN: &str = "oz4/build/contracts/ERC20PresetMinterPauser.json";
pub(crate) const TIMELOCK_4: &str = "oz4/build/contracts/TimelockController.json";

const GUARD: &str = "guard_manager.guard.address";
const MODULE_GUARD: &str = "module_manager.module_guard.address";
const FALLBACK_HANDLER: &str = "fallback_manager.handler.address";

/// A chain and the contracts that a runbook would name.
pub(crate) struct Place {
    pub(crate) anvil: Anvil,
    pub(crate) network: Network,
    pub(crate) world: World,
    pub(crate) accounts: Vec<Address>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let anvil = Anvil::start(&[]);
        let accounts = anvil.accounts().await;
        Self { anvil, network: network(31337, 1, &["ANVIL_RPC_URL"]), world: World::default(), accounts }
    }

    pub(crate) fn name(&mut self, name: &str, kind: ContractKind, address: Address) {
        self.world = std::mem::take(&mut self.world).with(name, kind, address);
    }

    pub(crate) async fn deploy(&self, code: &[u8], arguments: &[Token]) -> Address {
        self.anvil.deploy(self.accounts[0], &[code, &encode(arguments)].concat()).await
    }

    pub(crate) async fn one(&self, kind: CheckKind) -> CheckResult {
        one(&Target::new(&self.network, vec![self.anvil.endpoint()]), &self.world, kind).await
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target::new(&self.network, vec![self.anvil.endpoint()])
    }

    async fn put(&self, code: &[u8], at: u64) -> Address {
        let at = Address::from_low_u64_be(0x00c0_de00 + at);
        self.anvil.set_code(at, code).await;
        at
    }

    /// A Safe of the first `owners` accounts after the deployer.
    async fn safe(&self, singleton: &[u8], factory: &[u8], owners: usize, threshold: u64) -> Address {
        let singleton = self.deploy(singleton, &[]).await;
        let factory = self.deploy(factory, &[]).await;
        let nobody = || Token::Address(Address::zero());
        let owners = Token::Array(self.accounts[1..=owners].iter().map(|owner| Token::Address(*owner)).collect());
        let setup = calldata(
            "setup(address[],uint256,address,bytes,address,address,uint256,address)",
            &[owners, number(threshold), nobody(), Token::Bytes(vec![]), nobody(), nobody(), number(0), nobody()],
        );
        let create = calldata(
            "createProxyWithNonce(address,bytes,uint256)",
            &[Token::Address(singleton), Token::Bytes(setup), number(0)],
        );
        let receipt = self.anvil.send(self.accounts[0], Some(factory), &create).await;
        let topic = json!(format!("{:?}", H256(keccak256("ProxyCreation(address,address)"))));
        let logs = receipt["logs"].as_array().unwrap();
        let log = logs.iter().find(|log| log["topics"][0] == topic).expect("the proxy's log");
        // Before 1.4 the proxy is not indexed.
        let word = log["topics"].get(1).cloned().unwrap_or_else(|| json!(log["data"].as_str().unwrap()[..66]));
        Address::from(serde_json::from_value::<H256>(word).unwrap())
    }
}

fn slot(name: &str) -> H256 {
    H256(keccak256(name))
}

fn one_less(name: &str) -> H256 {
    let hash = ethers::types::U256::from(keccak256(name)) - 1;
    let mut bytes = [0; 32];
    hash.to_big_endian(&mut bytes);
    H256(bytes)
}

fn safe(change: fn(&mut Safe)) -> CheckKind {
    let mut safe = Safe { of: "safe".to_owned(), ..Safe::default() };
    change(&mut safe);
    CheckKind::Safe(safe)
}

async fn release(version: &'static str, singleton: Vec<u8>, factory: Vec<u8>) {
    let mut place = Place::new().await;
    let address = place.safe(&singleton, &factory, 3, 2).await;
    place.name("safe", ContractKind::Safe, address);
    let is =
        |version: &str| CheckKind::Safe(Safe { of: "safe".into(), version: Some(version.into()), ..Safe::default() });
    says(&place.one(is(version)).await, Passed, &[&format!("is a Safe {version}: 2 of 3 owners")]);
    says(&place.one(is("1.2.0")).await, Failed, &[&format!("is a Safe {version}, not 1.2.0")]);
    says(&place.one(safe(|safe| safe.share = vec![ge(66)])).await, Passed, &[]);
    let share = place.one(safe(|safe| safe.share = vec![ge(67)])).await;
    says(&share, Failed, &["the threshold in percent of the owners", "66"]);
    says(&place.one(safe(|safe| safe.nonce = vec![eq("0")])).await, Passed, &[]);
    says(&place.one(safe(|safe| safe.nonce = vec![eq("1")])).await, Failed, &["the nonce of"]);
    let guards = [(GUARD, "guard"), (MODULE_GUARD, "module guard")];
    for (name, what) in guards {
        let word = H256::from(place.accounts[5]);
        place.anvil.set_slot(address, slot(name), word).await;
        let seen = place.one(safe(|_| {})).await;
        says(&seen, Failed, &[&format!("has the {what}"), "does not declare", &checksum(place.accounts[5])]);
        assert!(seen.reproduce.unwrap().starts_with(&format!(
            "cast storage {} {:?} --block",
            checksum(address),
            slot(name)
        )));
        place.anvil.set_slot(address, slot(name), H256::zero()).await;
    }
    place.name("handler", ContractKind::Plain, place.accounts[6]);
    let handler = || safe(|safe| safe.fallback_handler = Some("handler".into()));
    says(&place.one(handler()).await, Failed, &["the fallback handler of", "is the zero address, not", "`handler`"]);
    place.anvil.set_slot(address, slot(FALLBACK_HANDLER), H256::from(place.accounts[6])).await;
    says(&place.one(handler()).await, Passed, &[]);
    let singleton = safe(|safe| safe.singleton = Some("handler".into()));
    says(&place.one(singleton).await, Failed, &["the singleton of", "not", "`handler`"]);
}

#[tokio::test]
async fn safes_of_every_release() {
    release("1.3.0", other(SAFE_1_3), other(FACTORY_1_3)).await;
    release("1.4.1", creation(SAFE), creation(FACTORY)).await;
    release("1.5.0", other(SAFE_1_5), other(FACTORY_1_5)).await;
}

fn proxy(kind: ProxyKind, implementation: &str) -> Proxy {
    let implementation = Some(implementation.to_owned());
    Proxy { of: "proxy".into(), kind, implementation, admin: None, beacon: None, hash: None }
}

/// What a proxy is told to do first, since it may not begin with nothing.
fn begin() -> Token {
    Token::Bytes(calldata("version()", &[]))
}

#[tokio::test]
async fn transparent_proxies() {
    let mut place = Place::new().await;
    let logic = place.put(&runtime(&[("version()", word(1))]), 1).await;
    let code = creation("@openzeppelin/contracts/build/contracts/TransparentUpgradeableProxy.json");
    let owner = Token::Address(place.accounts[1]);
    let address = place.deploy(&code, &[Token::Address(logic), owner, begin()]).await;
    place.name("proxy", ContractKind::Plain, address);
    place.name("logic", ContractKind::Plain, logic);
    place.name("other", ContractKind::Plain, place.accounts[9]);
    let check = || proxy(ProxyKind::Transparent, "logic");
    let seen = place.one(CheckKind::Proxy(check())).await;
    says(&seen, Passed, &["delegates to", "`logic`"]);
    let hash: H256 = serde_json::from_value(seen.observed["implementation_code_hash"].clone()).unwrap();
    says(&place.one(CheckKind::Proxy(Proxy { hash: Some(hash), ..check() })).await, Passed, &[]);
    let wrong = Proxy { hash: Some(H256::repeat_byte(1)), ..check() };
    says(&place.one(CheckKind::Proxy(wrong)).await, Failed, &["the code behind it has the hash"]);
    says(
        &place.one(CheckKind::Proxy(proxy(ProxyKind::Transparent, "other"))).await,
        Failed,
        &["its implementation is"],
    );
    let admin = Proxy { admin: Some("other".into()), ..check() };
    says(&place.one(CheckKind::Proxy(admin)).await, Failed, &["its admin is", "`other`"]);
    // What an attacker with the administrator's key would do.
    let evil = place.put(&runtime(&[("version()", word(2))]), 2).await;
    place.anvil.set_slot(address, one_less("eip1967.proxy.implementation"), H256::from(evil)).await;
    let seen = place.one(CheckKind::Proxy(check())).await;
    says(&seen, Failed, &["its implementation is", &checksum(evil)]);
    assert!(seen.reproduce.unwrap().contains("cast storage"));
    place.anvil.set_slot(address, one_less("eip1967.proxy.implementation"), H256::repeat_byte(7)).await;
    says(&place.one(CheckKind::Proxy(check())).await, Unknown, &["holds no address"]);
}

#[tokio::test]
async fn upgradeable_beacon_and_minimal_proxies() {
    let mut place = Place::new().await;
    let uuid = Does::Returns(one_less("eip1967.proxy.implementation").as_bytes().to_vec());
    let logic = place.put(&runtime(&[("version()", word(1)), ("proxiableUUID()", uuid)]), 1).await;
    let plain = place.put(&runtime(&[("version()", word(1))]), 2).await;
    place.name("logic", ContractKind::Plain, logic);
    place.name("plain", ContractKind::Plain, plain);
    let code = creation("@openzeppelin/contracts/build/contracts/ERC1967Proxy.json");
    let address = place.deploy(&code, &[Token::Address(logic), begin()]).await;
    place.name("proxy", ContractKind::Plain, address);
    says(&place.one(CheckKind::Proxy(proxy(ProxyKind::Uups, "logic"))).await, Passed, &["delegates to", "`logic`"]);
    says(&place.one(CheckKind::Proxy(proxy(ProxyKind::Transparent, "logic"))).await, Failed, &["has no administrator"]);
    says(&place.one(CheckKind::Proxy(proxy(ProxyKind::Beacon, "logic"))).await, Failed, &["has no beacon"]);
    says(&place.one(CheckKind::Proxy(proxy(ProxyKind::Minimal, "logic"))).await, Failed, &["is no minimal proxy"]);
    place.anvil.set_slot(address, one_less("eip1967.proxy.implementation"), H256::from(plain)).await;
    let seen = place.one(CheckKind::Proxy(proxy(ProxyKind::Uups, "plain"))).await;
    says(&seen, Failed, &["`proxiableUUID()` of", "reverts"]);

    let code = creation("@openzeppelin/contracts/build/contracts/UpgradeableBeacon.json");
    let beacon = place.deploy(&code, &[Token::Address(plain), Token::Address(place.accounts[1])]).await;
    let code = creation("@openzeppelin/contracts/build/contracts/BeaconProxy.json");
    let address = place.deploy(&code, &[Token::Address(beacon), begin()]).await;
    place.world = World::default()
        .with("proxy", ContractKind::Plain, address)
        .with("plain", ContractKind::Plain, plain)
        .with("beacon", ContractKind::Plain, beacon);
    let with_beacon = Proxy { beacon: Some("beacon".into()), ..proxy(ProxyKind::Beacon, "plain") };
    says(&place.one(CheckKind::Proxy(with_beacon)).await, Passed, &["delegates to", "`plain`"]);
    let wrong = Proxy { beacon: Some("plain".into()), ..proxy(ProxyKind::Beacon, "plain") };
    says(&place.one(CheckKind::Proxy(wrong)).await, Failed, &["its beacon is", "`beacon`"]);

    let minimal = [
        [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73].as_slice(),
        plain.as_bytes(),
        &[0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3],
    ]
    .concat();
    let address = place.put(&minimal, 3).await;
    place.world =
        World::default().with("proxy", ContractKind::Plain, address).with("plain", ContractKind::Plain, plain);
    says(&place.one(CheckKind::Proxy(proxy(ProxyKind::Minimal, "plain"))).await, Passed, &["`plain`"]);
}

fn role(of: &str, role: &str) -> Role {
    Role { of: of.to_owned(), role: role.to_owned(), ..Role::default() }
}

#[tokio::test]
async fn roles_with_and_without_a_list() {
    let mut place = Place::new().await;
    let text = |text: &str| Token::String(text.to_owned());
    let token = place.deploy(&other(TOKEN), &[text("Token"), text("TKN")]).await;
    place.name("token", ContractKind::Plain, token);
    for (name, index) in [("deployer", 0), ("ann", 1), ("bob", 2)] {
        place.name(name, ContractKind::Plain, place.accounts[index]);
    }
    let only = |members: &[&str]| {
        let members = Some(members.iter().map(|name| (*name).to_owned()).collect());
        CheckKind::Role(Role { members, ..role("token", "PAUSER_ROLE") })
    };
    let seen = place.one(only(&["deployer"])).await;
    says(&seen, Passed, &["PAUSER_ROLE of", "by 1 account"]);
    assert_eq!(seen.observed["members"], json!([checksum(place.accounts[0])]));
    says(&place.one(only(&["deployer", "ann"])).await, Failed, &["`ann`", "does not hold it"]);
    let id = Token::FixedBytes(keccak256("PAUSER_ROLE").to_vec());
    let grant = calldata("grantRole(bytes32,address)", &[id, Token::Address(place.accounts[2])]);
    place.anvil.send(place.accounts[0], Some(token), &grant).await;
    let seen = place.one(only(&["deployer"])).await;
    says(&seen, Failed, &[&checksum(place.accounts[2]), "holds it too"]);
    assert!(seen.reproduce.unwrap().contains("cast call"));
    let has_not = Role { has: vec!["deployer".into()], has_not: vec!["bob".into()], ..role("token", "PAUSER_ROLE") };
    says(&place.one(CheckKind::Role(has_not)).await, Failed, &["`bob`", "holds it"]);
    let admin = Role { admin: Some("MINTER_ROLE".into()), ..role("token", "PAUSER_ROLE") };
    says(&place.one(CheckKind::Role(admin)).await, Failed, &["its administrator role is", "not MINTER_ROLE"]);
    let admin = Role { admin: Some("DEFAULT_ADMIN_ROLE".into()), ..role("token", "PAUSER_ROLE") };
    says(&place.one(CheckKind::Role(admin)).await, Passed, &[]);

    for code in [creation(TIMELOCK), other(TIMELOCK_4)] {
        let list = |who| Token::Array(vec![Token::Address(who)]);
        let (ann, nobody) = (place.accounts[1], Address::zero());
        let timelock = place.deploy(&code, &[number(5), list(ann), list(ann), Token::Address(nobody)]).await;
        let mut there = World::default().with("timelock", ContractKind::Timelock, timelock);
        there = there.with("ann", ContractKind::Plain, ann).with("bob", ContractKind::Plain, place.accounts[2]);
        place.world = there;
        let has = Role { has: vec!["ann".into()], has_not: vec!["bob".into()], ..role("timelock", "PROPOSER_ROLE") };
        says(&place.one(CheckKind::Role(has)).await, Passed, &["absence of others is not proven"]);
        let only = Role { members: Some(vec!["ann".into()]), ..role("timelock", "PROPOSER_ROLE") };
        says(
            &place.one(CheckKind::Role(only)).await,
            Unknown,
            &["cannot be listed", "absence of others is not proven"],
        );
        let bob = Role { has: vec!["bob".into()], ..role("timelock", "PROPOSER_ROLE") };
        says(&place.one(CheckKind::Role(bob)).await, Failed, &["`bob`", "lacks it"]);
    }
}

#[tokio::test]
async fn refusals_by_their_reason() {
    let mut place = Place::new().await;
    let functions = [
        ("setMax(uint256)", Does::OnlyFor(place.accounts[1], error("NotGovernance()"))),
        ("free()", word(1)),
        ("mute()", Does::Reverts(vec![])),
    ];
    let registry = place.put(&runtime(&functions), 1).await;
    place.name("registry", ContractKind::Plain, registry);
    place.name("governance", ContractKind::Plain, place.accounts[1]);
    place.name("nothing", ContractKind::Plain, Address::from_low_u64_be(0x00de_ad01));
    let reverts = |of: &str, signature: &str, args: &[&str], from: Option<&str>, with: &str| CheckKind::Reverts {
        of: of.to_owned(),
        signature: signature.to_owned(),
        args: args.iter().map(|text| Template((*text).to_owned())).collect(),
        from: from.map(str::to_owned),
        with: with.to_owned(),
    };
    let set = |from: Option<&str>, with: &str| reverts("registry", "setMax(uint256)()", &["9"], from, with);
    says(&place.one(set(None, "NotGovernance()")).await, Passed, &["reverts with NotGovernance()"]);
    says(&place.one(set(None, "0xb56f932c")).await, Passed, &[]);
    let seen = place.one(set(None, "EnforcedPause()")).await;
    says(&seen, Failed, &["reverts with NotGovernance(), not with EnforcedPause()"]);
    assert!(seen.reproduce.unwrap().contains("cast call"));
    says(&place.one(set(Some("governance"), "NotGovernance()")).await, Failed, &["does not revert"]);
    says(&place.one(reverts("registry", "free()()", &[], None, "NotGovernance()")).await, Failed, &["does not revert"]);
    let mute = place.one(reverts("registry", "mute()()", &[], None, "NotGovernance()")).await;
    assert_ne!(mute.verdict, Passed, "{mute:#?}");
    says(&place.one(reverts("nothing", "free()()", &[], None, "NotGovernance()")).await, Failed, &["no code at"]);
}

#[tokio::test]
async fn operations_of_a_timelock() {
    for code in [creation(TIMELOCK), other(TIMELOCK_4)] {
        let mut place = Place::new().await;
        let ann = place.accounts[1];
        let list = |who| Token::Array(vec![Token::Address(who)]);
        let timelock =
            place.deploy(&code, &[number(1000), list(ann), list(ann), Token::Address(Address::zero())]).await;
        place.name("timelock", ContractKind::Timelock, timelock);
        let target = place.put(&runtime(&[("poke()", word(1))]), 1).await;
        let poke = calldata("poke()", &[]);
        let operation = [
            Token::Address(target),
            number(0),
            Token::Bytes(poke),
            Token::FixedBytes(vec![0; 32]),
            Token::FixedBytes(vec![7; 32]),
        ];
        let id = H256(keccak256(encode(&operation)));
        place.world.scope.values = BTreeMap::from([("var.op".to_owned(), format!("{id:?}"))]);
        let is = |states: &[OperationState]| CheckKind::Operation {
            of: "timelock".into(),
            id: Template("{{ var.op }}".into()),
            is: states.to_vec(),
        };
        says(&place.one(is(&[OperationState::Unset])).await, Passed, &["is unset"]);
        let schedule = [operation.as_slice(), &[number(1000)]].concat();
        let schedule = calldata("schedule(address,uint256,bytes,bytes32,bytes32,uint256)", &schedule);
        place.anvil.send(ann, Some(timelock), &schedule).await;
        let seen = place.one(is(&[OperationState::Ready, OperationState::Done])).await;
        says(&seen, Failed, &["is waiting at block", "not ready or done"]);
        place.anvil.rpc("evm_increaseTime", json!([1001])).await;
        place.anvil.mine().await;
        says(&place.one(is(&[OperationState::Ready])).await, Passed, &["is ready"]);
        let execute = calldata("execute(address,uint256,bytes,bytes32,bytes32)", &operation);
        place.anvil.send(ann, Some(timelock), &execute).await;
        says(&place.one(is(&[OperationState::Done])).await, Passed, &["is done"]);
    }
}

#[tokio::test]
async fn words_in_slots() {
    let mut place = Place::new().await;
    let address = place.put(&runtime(&[]), 1).await;
    place.name("thing", ContractKind::Plain, address);
    place.anvil.set_slot(address, H256::from_low_u64_be(3), H256::from_low_u64_be(100)).await;
    let check = |rules: Vec<Predicate>| CheckKind::Slot { of: "thing".into(), slot: H256::from_low_u64_be(3), rules };
    says(&place.one(check(vec![eq(100)])).await, Passed, &["is 0x"]);
    let seen = place.one(check(vec![eq(1)])).await;
    says(&seen, Failed, &["slot 0x"]);
    assert!(seen.reproduce.unwrap().contains("cast storage"));
    says(&place.one(check(vec![Predicate::Lt(Operand::Literal(Value::from(101)))])).await, Passed, &[]);
}

#[tokio::test]
async fn a_safe_that_failed_inside_a_mined_transaction() {
    let mut place = Place::new().await;
    let safe = place.safe(&creation(SAFE), &creation(FACTORY), 1, 1).await;
    let good = place.put(&runtime(&[("poke()", word(1))]), 1).await;
    place.name("safe", ContractKind::Safe, safe);
    place.name("good", ContractKind::Plain, good);
    let owner = place.accounts[1];
    // An owner who sends the transaction has approved it: r is the owner, v is 1.
    let signature = [H256::from(owner).as_bytes(), &[0; 32], &[1]].concat();
    let execute = |data: Vec<u8>, gas: u64| {
        let nobody = || Token::Address(Address::zero());
        let signature = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)";
        let parameters =
            [number(0), Token::Bytes(data), number(0), number(gas), number(0), number(0), nobody(), nobody()];
        (signature, [&[Token::Address(good)], parameters.as_slice()].concat())
    };
    let mut sent = Vec::new();
    for (data, gas) in [(calldata("poke()", &[]), 0), (calldata("unknown()", &[]), 50_000)] {
        let (name, mut parameters) = execute(data, gas);
        parameters.push(Token::Bytes(signature.clone()));
        let receipt = place.anvil.send(owner, Some(safe), &calldata(name, &parameters)).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        sent.push(receipt["transactionHash"].as_str().unwrap().to_owned());
    }
    let check = |safe: Option<&str>, to: &[&str]| {
        CheckKind::Transaction(TransactionCheck {
            of: "sent.json".into(),
            at: "$[*].hash".into(),
            min: 1,
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            safe: safe.map(str::to_owned),
        })
    };
    place.world.keep("sent.json", &json!([{ "hash": sent[0] }]));
    says(&place.one(check(Some("safe"), &["safe"])).await, Passed, &["executed by", "`safe`"]);
    place.world.keep("sent.json", &json!([{ "hash": sent[0] }, { "hash": sent[1] }]));
    says(&place.one(check(Some("safe"), &[])).await, Failed, &[&sent[1], "its execution by", "failed"]);
    let other = place.anvil.send(owner, Some(good), &calldata("poke()", &[])).await;
    place.world.keep("sent.json", &json!([{ "hash": other["transactionHash"] }]));
    says(&place.one(check(None, &["good"])).await, Passed, &[]);
    says(&place.one(check(Some("safe"), &[])).await, Failed, &["did not say that it executed anything"]);
    place.world.keep("sent.json", &json!([]));
    says(&place.one(check(None, &[])).await, Failed, &["at least 1 needed"]);
}
