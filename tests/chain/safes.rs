//! Real Safes: their configuration, bundles for them, and what their owners signed.

use citadel::chain::{Target, checksum};
use citadel::runbook::{Check, CheckKind, ContractKind, Network, PhaseId, Safe, SafeBundle};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::{Address, Bytes, H256};
use ethers::utils::keccak256;
use serde_json::{Value, json};

use crate::anvil::Anvil;
use crate::bytecode::{Does, calldata, error, number, runtime};
use crate::contracts::{FACTORY, MULTI_SEND, SAFE, TIMELOCK, creation, other};
use crate::kinds::{FACTORY_1_3, FACTORY_1_5, SAFE_1_3, SAFE_1_5};
use crate::world::{World, check, eq, ge, network, one, reading, says};

const SCHEDULE: &str = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)";

/// A chain with a Safe of three owners, a timelock that it proposes to, and a contract that obeys the timelock.
pub(crate) struct Bank {
    pub(crate) anvil: Anvil,
    pub(crate) network: Network,
    pub(crate) world: World,
    pub(crate) accounts: Vec<Address>,
    pub(crate) safe: Address,
    pub(crate) timelock: Address,
    pub(crate) registry: Address,
    pub(crate) multi_send: Address,
    singleton: Address,
    factory: Address,
}

impl Bank {
    pub(crate) async fn new() -> Self {
        Self::of(&creation(SAFE), &creation(FACTORY)).await
    }

    /// The same with a Safe of another release.
    pub(crate) async fn of(singleton: &[u8], factory: &[u8]) -> Self {
        let anvil = Anvil::start(&[]);
        let accounts = anvil.accounts().await;
        let singleton = anvil.deploy(accounts[0], singleton).await;
        let factory = anvil.deploy(accounts[0], factory).await;
        let multi_send = anvil.deploy(accounts[0], &creation(MULTI_SEND)).await;
        let safe = create_safe(&anvil, accounts[0], factory, singleton, &accounts[1..4], Address::zero()).await;
        let list = || Token::Array(vec![Token::Address(safe)]);
        let arguments = encode(&[number(2), list(), list(), Token::Address(Address::zero())]);
        let timelock = anvil.deploy(accounts[0], &[creation(TIMELOCK), arguments].concat()).await;
        let registry = Address::from_low_u64_be(0x00c0_de00);
        let only = Does::OnlyFor(timelock, error("NotGovernance()"));
        let functions = ["setMax(uint256)", "setMin(uint256)", "setPauser(address)", "changeThreshold(uint256)"];
        anvil.set_code(registry, &runtime(&functions.map(|name| (name, only.clone())))).await;
        let world = World::default()
            .with("governance_safe", ContractKind::Safe, safe)
            .with("timelock", ContractKind::Timelock, timelock)
            .with("registry", ContractKind::Governable, registry)
            .with("multi_send", ContractKind::Plain, multi_send);
        let network = network(31337, 1, &["ANVIL_RPC_URL"]);
        Self { anvil, network, world, accounts, safe, timelock, registry, multi_send, singleton, factory }
    }

    /// Another Safe of the same release, of which two owners are needed.
    pub(crate) async fn another(&self, owners: &[Address], handler: Address) -> Address {
        create_safe(&self.anvil, self.accounts[0], self.factory, self.singleton, owners, handler).await
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target::new(&self.network, vec![self.anvil.endpoint()])
    }

    pub(crate) async fn one(&self, kind: CheckKind) -> CheckResult {
        one(&self.target(), &self.world, kind).await
    }

    /// A transaction of a bundle that schedules a call of the registry.
    pub(crate) fn scheduled(&self, inner: &[u8], salt: u8) -> Value {
        self.schedules(self.registry, inner, salt)
    }

    pub(crate) fn schedules(&self, to: Address, inner: &[u8], salt: u8) -> Value {
        let names = ["target", "value", "data", "predecessor", "salt", "delay"];
        let values = [
            checksum(to),
            "0".to_owned(),
            Bytes::from(inner.to_vec()).to_string(),
            format!("{:?}", H256::zero()),
            format!("{:?}", H256::repeat_byte(salt)),
            "2".to_owned(),
        ];
        let types = ["address", "uint256", "bytes", "bytes32", "bytes32", "uint256"];
        let inputs: Vec<Value> =
            names.iter().zip(types).map(|(name, of)| json!({ "name": name, "type": of })).collect();
        let tokens = [
            Token::Address(to),
            number(0),
            Token::Bytes(inner.to_vec()),
            Token::FixedBytes(vec![0; 32]),
            Token::FixedBytes(vec![salt; 32]),
            number(2),
        ];
        json!({
            "to": checksum(self.timelock),
            "value": "0",
            "data": Bytes::from(calldata(SCHEDULE, &tokens)),
            "description": "schedule",
            "contractMethod": { "name": "schedule", "payable": false, "stateMutability": "nonpayable", "inputs": inputs },
            "contractInputsValues": names.into_iter().zip(values).collect::<std::collections::BTreeMap<_, _>>(),
        })
    }

    pub(crate) fn two(&self) -> Vec<Value> {
        let set = |name: &str, value| calldata(name, &[number(value)]);
        vec![self.scheduled(&set("setMax(uint256)", 9), 1), self.scheduled(&set("setMin(uint256)", 1), 2)]
    }

    pub(crate) fn keep_bundle(&mut self, transactions: &[Value]) {
        let bundle = json!({
            "version": "1.0", "chainId": 31337, "createdAt": "2026-11-22T18:30:34.262Z",
            "meta": { "name": "plan", "description": "", "txBuilderVersion": "1.16.6" },
            "transactions": transactions,
        });
        self.world.keep("bundle.json", &bundle);
    }
}

async fn create_safe(
    anvil: &Anvil,
    from: Address,
    factory: Address,
    singleton: Address,
    owners: &[Address],
    handler: Address,
) -> Address {
    let nobody = || Token::Address(Address::zero());
    let owners = Token::Array(owners.iter().map(|owner| Token::Address(*owner)).collect());
    let setup = calldata(
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        &[owners, number(2), nobody(), Token::Bytes(vec![]), Token::Address(handler), nobody(), number(0), nobody()],
    );
    let create = calldata(
        "createProxyWithNonce(address,bytes,uint256)",
        &[Token::Address(singleton), Token::Bytes(setup), number(0)],
    );
    let receipt = anvil.send(from, Some(factory), &create).await;
    let topic = format!("{:?}", H256(keccak256("ProxyCreation(address,address)")));
    let logs = receipt["logs"].as_array().unwrap();
    let log = logs.iter().find(|log| log["topics"][0] == json!(topic)).expect("the proxy's log");
    // Before 1.4 the proxy is not indexed.
    let word = log["topics"].get(1).cloned().unwrap_or_else(|| json!(log["data"].as_str().unwrap()[..66]));
    Address::from(serde_json::from_value::<H256>(word).unwrap())
}

fn safe_check() -> CheckKind {
    CheckKind::Safe(Safe { of: "governance_safe".to_owned(), threshold: vec![ge(2)], ..Safe::default() })
}

pub(crate) fn bundle_check() -> CheckKind {
    bundle_with(|_| {})
}

fn bundle_with(change: impl FnOnce(&mut SafeBundle)) -> CheckKind {
    let (of, safe) = ("bundle.json".to_owned(), "governance_safe".to_owned());
    let mut bundle = SafeBundle { of, safe, ..SafeBundle::default() };
    change(&mut bundle);
    CheckKind::SafeBundle(bundle)
}

/// The slot of a mapping's value.
fn mapped(key: Address, slot: u64) -> H256 {
    H256(keccak256(encode(&[Token::Address(key), number(slot)])))
}

#[tokio::test]
async fn configuration() {
    let mut bank = Bank::new().await;
    let seen = bank.one(safe_check()).await;
    says(&seen, Passed, &["is a Safe 1.4.1: 2 of 3 owners"]);
    assert_eq!(seen.observed["threshold"], "2");
    assert_eq!(seen.observed["owners"].as_array().unwrap().len(), 3);
    let strict = CheckKind::Safe(Safe { of: "governance_safe".to_owned(), threshold: vec![ge(3)], ..Safe::default() });
    says(&bank.one(strict).await, Failed, &["the threshold of", "at least 3"]);
    let owners = citadel::runbook::Predicate::Len(vec![eq(3)]);
    let counted = CheckKind::Safe(Safe { of: "governance_safe".to_owned(), owners: vec![owners], ..Safe::default() });
    says(&bank.one(counted).await, Passed, &[]);

    let checks: [Check; 2] = [
        check("safe", safe_check()),
        check("same", CheckKind::UnchangedSince { gate: PhaseId("1".to_owned()), check: "safe".to_owned() }),
    ];
    bank.world.earlier.insert(("1".to_owned(), "safe".to_owned()), seen.observed.clone());
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(5), H256::from_low_u64_be(7)).await;
    let same = async |bank: &Bank| reading(&bank.target(), &bank.world, &checks, &[]).await.results.pop().unwrap();
    says(&same(&bank).await, Passed, &["unchanged"]);
    let guard = H256(keccak256("guard_manager.guard.address"));
    bank.anvil.set_slot(bank.safe, guard, H256::from_low_u64_be(0x1234)).await;
    says(&same(&bank).await, Failed, &["guard set to 0x"]);
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(4), H256::from_low_u64_be(1)).await;
    says(&same(&bank).await, Failed, &["threshold 2 to 1"]);
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(4), H256::from_low_u64_be(9)).await;
    says(&bank.one(safe_check()).await, Failed, &["a threshold of 9 with 3 owners"]);
}

#[tokio::test]
async fn modules_and_impostors() {
    for (singleton, factory) in [
        (other(SAFE_1_3), other(FACTORY_1_3)),
        (creation(SAFE), creation(FACTORY)),
        (other(SAFE_1_5), other(FACTORY_1_5)),
    ] {
        modules_and_impostors_of(Bank::of(&singleton, &factory).await).await;
    }
}

async fn modules_and_impostors_of(bank: Bank) {
    // More modules than fit on one page of the list.
    let sentinel = Address::from_low_u64_be(1);
    let modules: Vec<Address> = (0..45).map(|index| Address::from_low_u64_be(0x00aa_0000 + index)).collect();
    let ring: Vec<Address> = [&[sentinel], modules.as_slice(), &[sentinel]].concat();
    for pair in ring.windows(2) {
        let value = H256::from(pair[1]);
        bank.anvil.rpc("anvil_setStorageAt", json!([bank.safe, mapped(pair[0], 1), value])).await;
    }
    bank.anvil.mine().await;
    let seen = bank.one(safe_check()).await;
    says(&seen, Failed, &["has the module", "without any signature"]);
    assert_eq!(seen.observed["modules"].as_array().unwrap().len(), 45);
    let declared = |modules: &[Address]| {
        CheckKind::Safe(Safe { of: "governance_safe".to_owned(), modules: Some(modules.to_vec()), ..Safe::default() })
    };
    says(&bank.one(declared(&modules)).await, Passed, &[]);
    says(
        &bank.one(declared(&[modules.as_slice(), &[bank.registry]].concat())).await,
        Failed,
        &["lacks the declared module"],
    );

    // Slot 0 rewritten to something that answers like a Safe: what happened to Bybit.
    let code = bank.anvil.rpc("eth_getCode", json!([bank.safe, "latest"])).await;
    let impostor = Address::from_low_u64_be(0x00bb_0000);
    let singleton: Bytes =
        serde_json::from_value(bank.anvil.rpc("eth_getCode", json!([seen.observed["singleton"], "latest"])).await)
            .unwrap();
    bank.anvil.set_code(impostor, &[singleton.as_ref(), &[0]].concat()).await;
    bank.anvil.set_slot(bank.safe, H256::zero(), H256::from(impostor)).await;
    says(&bank.one(declared(&modules)).await, Failed, &["is no released Safe", &checksum(impostor)]);
    let proxy: Bytes = serde_json::from_value(code).unwrap();
    bank.anvil.set_code(bank.safe, &[proxy.as_ref(), &[0]].concat()).await;
    says(&bank.one(declared(&modules)).await, Failed, &["is no released Safe account"]);
    bank.anvil.set_code(bank.safe, &[]).await;
    says(&bank.one(safe_check()).await, Failed, &["no code at", "(`governance_safe`)"]);
}

#[tokio::test]
async fn bundles() {
    let mut bank = Bank::new().await;
    says(&bank.one(bundle_check()).await, Unknown, &["nobody kept it yet"]);
    let two = bank.two();
    bank.keep_bundle(&two);
    let good = bank.one(bundle_check()).await;
    says(&good, Passed, &["2 transactions of `bundle.json` would succeed", "one after the other"]);
    let lines = good.observed["transactions"].to_string();
    assert!(lines.contains("(`timelock`) schedule(") && lines.contains("(`timelock`) calls"), "{lines}");
    bank.keep_bundle(&[]);
    says(&bank.one(bundle_check()).await, Failed, &["holds no transaction"]);

    let set = |name: &str, value| calldata(name, &[number(value)]);
    let direct = json!({
        "to": checksum(bank.registry), "value": "0", "data": Bytes::from(set("setMax(uint256)", 9)),
        "contractMethod": { "name": "setMax", "payable": false, "inputs": [{ "name": "max", "type": "uint256" }] },
        "contractInputsValues": { "max": "9" },
    });
    bank.keep_bundle(&[direct]);
    let reverts = bank.one(bundle_check()).await;
    says(&reverts, Failed, &["transaction 1", "reverts with NotGovernance()", "(`governance_safe`)"]);
    assert!(reverts.reproduce.unwrap().contains(&format!("--from {}", checksum(bank.safe))));

    let pauser = |who| calldata("setPauser(address)", &[Token::Address(who)]);
    let cases: [(Vec<Value>, &str); 6] = [
        (vec![bank.scheduled(&pauser(Address::zero()), 1)], "`setPauser` to the zero address"),
        (vec![bank.scheduled(&set("changeThreshold(uint256)", 1), 1)], "`changeThreshold` changes who rules a Safe"),
        (vec![bank.schedules(bank.safe, &[], 1)], "calls the Safe itself"),
        (
            vec![bank.schedules(Address::from_low_u64_be(0x00dd_0000), &set("setMax(uint256)", 1), 1)],
            "does not declare",
        ),
        (vec![bank.scheduled(&set("unheard(uint256)", 1), 1)], "reverts without a reason"),
        (vec![two[0].clone(), bank.scheduled(&pauser(Address::zero()), 3)], "transaction 2: `setPauser`"),
    ];
    for (transactions, words) in cases {
        bank.keep_bundle(&transactions);
        says(&bank.one(bundle_check()).await, Failed, &[words]);
    }
    bank.keep_bundle(&[bank.scheduled(&pauser(bank.timelock), 1)]);
    says(&bank.one(bundle_check()).await, Passed, &[]);
    let mut short = two[0].clone();
    short["contractInputsValues"]["delay"] = json!("1");
    // The delay is the sixth word of the head.
    let at = 2 + 8 + 64 * 5;
    let mut patched = two[0]["data"].as_str().unwrap().to_owned();
    patched.replace_range(at + 63..at + 64, "1");
    short["data"] = json!(patched);
    bank.keep_bundle(&[short]);
    says(&bank.one(bundle_check()).await, Failed, &["reverts with TimelockInsufficientDelay(1, 2)"]);
    let wrong_chain = json!({ "version": "1.0", "chainId": "1", "createdAt": 1, "meta": {}, "transactions": two });
    bank.world.keep("bundle.json", &wrong_chain);
    says(&bank.one(bundle_check()).await, Failed, &["made for chain 1, not 31337"]);
}

#[tokio::test]
async fn what_a_bundle_may_hold_only_where_it_is_declared() {
    let mut bank = Bank::new().await;
    let change = calldata("changeThreshold(uint256)", &[number(1)]);
    bank.keep_bundle(&[bank.scheduled(&change, 1)]);
    let refused = bank.one(bundle_check()).await;
    says(&refused, Failed, &["`changeThreshold` changes who rules a Safe"]);
    assert!(refused.hint.unwrap().contains("allow = [\"changeThreshold(uint256)\"]"));
    assert!(refused.reproduce.unwrap().starts_with("cast decode-calldata \"changeThreshold(uint256)\" 0x"));
    let allow = |text: &str| bundle_with(|bundle| bundle.allow = vec![text.to_owned()]);
    says(&bank.one(allow("changeThreshold(uint256)")).await, Passed, &["would succeed", "one after the other"]);
    says(&bank.one(allow("setGuard(address)")).await, Failed, &["`changeThreshold` changes"]);
    let multicall = calldata("multicall(bytes[])", &[Token::Array(vec![])]);
    bank.keep_bundle(&[bank.scheduled(&multicall, 1)]);
    says(&bank.one(allow("multicall(bytes[])")).await, Failed, &["cannot open"]);

    // The Safe changes itself.
    let own = json!({
        "to": checksum(bank.safe), "value": "0", "data": Bytes::from(change),
        "contractMethod": { "name": "changeThreshold", "inputs": [{ "name": "_threshold", "type": "uint256" }] },
        "contractInputsValues": { "_threshold": "1" },
    });
    bank.keep_bundle(&[own]);
    says(&bank.one(bundle_check()).await, Failed, &["`changeThreshold` changes who rules a Safe"]);
    says(&bank.one(allow("changeThreshold(uint256)")).await, Passed, &[]);

    let mut paid = bank.two()[0].clone();
    paid["value"] = json!("7");
    bank.keep_bundle(&[paid]);
    says(&bank.one(bundle_check()).await, Failed, &["it sends 7 wei to", "none is declared"]);
    let most = |wei: &str| bundle_with(|bundle| bundle.value = Some(wei.to_owned()));
    says(&bank.one(most("6")).await, Failed, &["it sends 7 wei to", "declared are at most 6"]);
    // What the Safe does not have it cannot send, and nodes say so each in words of their own.
    says(&bank.one(most("7")).await, Unknown, &["could not be read"]);
    bank.anvil.rpc("anvil_setBalance", json!([bank.safe, "0xde0b6b3a7640000"])).await;
    bank.anvil.mine().await;
    // `schedule` takes no money; the simulation sends it.
    says(&bank.one(most("7")).await, Failed, &["reverts without a reason"]);

    bank.keep_bundle(&bank.two());
    let words = bundle_with(|bundle| bundle.functions = vec!["setMax(uint256)".to_owned()]);
    let lines = bank.one(words).await.observed["transactions"].to_string();
    assert!(
        lines.contains("(`registry`) setMax(9)") && lines.contains("no declared function puts into words"),
        "{lines}"
    );
}

#[tokio::test]
async fn delegatecalls_go_to_the_released_multi_send_alone() {
    let mut bank = Bank::new().await;
    let inner = calldata("setMax(uint256)", &[number(9)]);
    let scheduled = bank.scheduled(&inner, 1);
    let scheduled: Bytes = scheduled["data"].as_str().unwrap().parse().unwrap();
    let delegated = |to: Address, operation: u8, packed: Vec<u8>| {
        json!({
            "to": checksum(to), "value": "0", "operation": operation,
            "data": Bytes::from(calldata("multiSend(bytes)", &[Token::Bytes(packed)])),
        })
    };
    let packed = |operation: u8, to: Address, data: &[u8]| {
        let length = encode(&[number(data.len() as u64)]);
        [&[operation], to.as_bytes(), &[0; 32], length.as_slice(), data].concat()
    };
    let good = packed(0, bank.timelock, &scheduled);
    bank.keep_bundle(&[delegated(bank.multi_send, 1, good.clone())]);
    let passed = bank.one(bundle_check()).await;
    says(&passed, Passed, &[]);
    assert!(passed.observed["transactions"].to_string().contains("delegates to"), "{:?}", passed.observed);
    // As a call, MultiSendCallOnly itself would be the sender, who may propose nothing.
    bank.keep_bundle(&[delegated(bank.multi_send, 0, good.clone())]);
    says(&bank.one(bundle_check()).await, Failed, &["reverts"]);
    bank.keep_bundle(&[delegated(bank.registry, 1, good.clone())]);
    says(&bank.one(bundle_check()).await, Failed, &["it is a delegatecall of", "would act as the Safe itself"]);
    bank.keep_bundle(&[delegated(bank.multi_send, 1, good.clone()), bank.two()[0].clone()]);
    says(&bank.one(bundle_check()).await, Failed, &["a delegatecall beside other transactions"]);
    bank.keep_bundle(&[delegated(bank.multi_send, 1, packed(1, bank.timelock, &scheduled))]);
    let hidden = bank.one(bundle_check()).await;
    says(&hidden, Failed, &["`multiSend` carries a delegatecall"]);
    assert!(hidden.reproduce.unwrap().starts_with("cast decode-calldata \"multiSend(bytes)\" 0x8d80ff0a"));
    bank.anvil.set_code(bank.multi_send, &runtime(&[])).await;
    bank.keep_bundle(&[delegated(bank.multi_send, 1, good)]);
    says(&bank.one(bundle_check()).await, Failed, &["is no released `MultiSendCallOnly`"]);
}

#[tokio::test]
async fn every_module_of_a_declared_pause_may_be_called() {
    let mut bank = Bank::new().await;
    let undeclared = bank.registry;
    bank.world.contracts.retain(|known| known.name != "registry");
    let two = bank.two();
    bank.keep_bundle(&two);
    says(&bank.one(bundle_check()).await, Failed, &["does not declare"]);
    let names = [
        "jobRegistry()",
        "stakeManager()",
        "validationModule()",
        "disputeModule()",
        "platformRegistry()",
        "feePool()",
        "reputationEngine()",
        "arbitratorCommittee()",
    ];
    let module = |index: u64| if index == 0 { undeclared } else { Address::from_low_u64_be(0x00ee_0000 + index) };
    let getters: Vec<(&str, Does)> =
        names.into_iter().zip(0..).map(|(name, index)| (name, crate::bytecode::account(module(index)))).collect();
    let pause = Address::from_low_u64_be(0x00ef_0000);
    bank.anvil.set_code(pause, &runtime(&getters)).await;
    bank.world = std::mem::take(&mut bank.world).with("system_pause", ContractKind::SystemPause, pause);
    says(&bank.one(bundle_check()).await, Passed, &[]);
}
