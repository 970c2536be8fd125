//! Real Safes: their configuration, bundles for them, and what their owners signed.

use citadel::chain::{Target, checksum};
use citadel::runbook::{Check, CheckKind, ContractKind, Network, PhaseId, Safe};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::{Address, Bytes, H256};
use ethers::utils::keccak256;
use serde_json::{Value, json};

use crate::anvil::Anvil;
use crate::bytecode::{Does, calldata, error, number, runtime};
use crate::contracts::{FACTORY, MULTI_SEND, SAFE, TIMELOCK, creation};
use crate::world::{World, check, eq, ge, network, one, reading, says};

const SCHEDULE: &str = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)";

/// A chain with a Safe of three owners, a timelock that it proposes to, and a contract that obeys the timelock.
struct Bank {
    anvil: Anvil,
    network: Network,
    world: World,
    accounts: Vec<Address>,
    safe: Address,
    timelock: Address,
    registry: Address,
    multi_send: Address,
}

impl Bank {
    async fn new() -> Self {
        let anvil = Anvil::start(&[]);
        let accounts = anvil.accounts().await;
        let singleton = anvil.deploy(accounts[0], &creation(SAFE)).await;
        let factory = anvil.deploy(accounts[0], &creation(FACTORY)).await;
        let multi_send = anvil.deploy(accounts[0], &creation(MULTI_SEND)).await;
        let safe = create_safe(&anvil, &accounts, factory, singleton).await;
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
        Self { anvil, network, world, accounts, safe, timelock, registry, multi_send }
    }

    fn target(&self) -> Target<'_> {
        Target::new(&self.network, vec![self.anvil.endpoint()])
    }

    async fn one(&self, kind: CheckKind) -> CheckResult {
        one(&self.target(), &self.world, kind).await
    }

    /// A transaction of a bundle that schedules a call of the registry.
    fn scheduled(&self, inner: &[u8], salt: u8) -> Value {
        self.schedules(self.registry, inner, salt)
    }

    fn schedules(&self, to: Address, inner: &[u8], salt: u8) -> Value {
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

    fn two(&self) -> Vec<Value> {
        let set = |name: &str, value| calldata(name, &[number(value)]);
        vec![self.scheduled(&set("setMax(uint256)", 9), 1), self.scheduled(&set("setMin(uint256)", 1), 2)]
    }

    fn keep_bundle(&mut self, transactions: &[Value]) {
        let bundle = json!({
            "version": "1.0", "chainId": 31337, "createdAt": "2026-11-22T18:30:34.262Z",
            "meta": { "name": "plan", "description": "", "txBuilderVersion": "1.16.6" },
            "transactions": transactions,
        });
        self.world.keep("bundle.json", &bundle);
    }
}

async fn create_safe(anvil: &Anvil, accounts: &[Address], factory: Address, singleton: Address) -> Address {
    let nobody = || Token::Address(Address::zero());
    let owners = Token::Array(accounts[1..4].iter().map(|owner| Token::Address(*owner)).collect());
    let setup = calldata(
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        &[owners, number(2), nobody(), Token::Bytes(vec![]), nobody(), nobody(), number(0), nobody()],
    );
    let create = calldata(
        "createProxyWithNonce(address,bytes,uint256)",
        &[Token::Address(singleton), Token::Bytes(setup), number(0)],
    );
    let receipt = anvil.send(accounts[0], Some(factory), &create).await;
    let topic = format!("{:?}", H256(keccak256("ProxyCreation(address,address)")));
    let logs = receipt["logs"].as_array().unwrap();
    let log = logs.iter().find(|log| log["topics"][0] == json!(topic)).expect("the proxy's log");
    let word: H256 = serde_json::from_value(log["topics"][1].clone()).unwrap();
    Address::from(word)
}

fn safe_check() -> CheckKind {
    CheckKind::Safe(Safe { of: "governance_safe".to_owned(), threshold: vec![ge(2)], ..Safe::default() })
}

fn bundle_check() -> CheckKind {
    CheckKind::SafeBundle { of: "bundle.json".to_owned(), safe: "governance_safe".to_owned() }
}

fn tx_check() -> CheckKind {
    CheckKind::SafeTx {
        of: "safe-tx.json".to_owned(),
        bundle: "bundle.json".to_owned(),
        safe: "governance_safe".to_owned(),
    }
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
    says(&same(&bank).await, Failed, &["guard 0x0000000000000000000000000000000000000000 to 0x"]);
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(4), H256::from_low_u64_be(1)).await;
    says(&same(&bank).await, Failed, &["threshold 2 to 1"]);
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(4), H256::from_low_u64_be(9)).await;
    says(&bank.one(safe_check()).await, Failed, &["a threshold of 9 with 3 owners"]);
}

#[tokio::test]
async fn modules_and_impostors() {
    let bank = Bank::new().await;
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
    says(&good, Passed, &["2 transactions of `bundle.json` would succeed"]);
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

/// The Safe transaction of a bundle, as the service would tell it, signed by these accounts.
struct Exported {
    value: Value,
}

impl Bank {
    async fn export(&self, transactions: &[Value], nonce: u64, signers: &[usize]) -> Exported {
        let data = |one: &Value| one["data"].as_str().unwrap().parse::<Bytes>().unwrap().to_vec();
        let (to, data, operation) = match transactions {
            [one] => (self.timelock, data(one), 0),
            several => {
                let packed: Vec<u8> = several.iter().flat_map(|one| pack(self.timelock, &data(one))).collect();
                (self.multi_send, calldata("multiSend(bytes)", &[Token::Bytes(packed)]), 1)
            }
        };
        let zero = checksum(Address::zero());
        let message = json!({
            "to": checksum(to), "value": "0", "data": Bytes::from(data.clone()), "operation": operation, "safeTxGas": "0",
            "baseGas": "0", "gasPrice": "0", "gasToken": zero, "refundReceiver": zero, "nonce": nonce.to_string(),
        });
        let nobody = || Token::Address(Address::zero());
        let hash = calldata(
            "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)",
            &[
                Token::Address(to),
                number(0),
                Token::Bytes(data),
                number(operation),
                number(0),
                number(0),
                number(0),
                nobody(),
                nobody(),
                number(nonce),
            ],
        );
        let hash = self.anvil.rpc("eth_call", json!([{ "to": self.safe, "data": Bytes::from(hash) }, "latest"])).await;
        let mut value = message.clone();
        value["safe"] = json!(checksum(self.safe));
        value["safeTxHash"] = hash.clone();
        value["confirmations"] = json!([]);
        value["origin"] = json!("a key that is nobody's business");
        let mut exported = Exported { value };
        for (turn, signer) in signers.iter().enumerate() {
            let owner = self.accounts[*signer];
            let signature =
                if turn % 2 == 0 { self.typed(owner, &message).await } else { self.eth_sign(owner, &hash).await };
            exported.confirm(owner, &signature);
        }
        exported
    }

    async fn typed(&self, owner: Address, message: &Value) -> String {
        let field = |name: &str, of: &str| json!({ "name": name, "type": of });
        let typed = json!({
            "types": {
                "EIP712Domain": [field("chainId", "uint256"), field("verifyingContract", "address")],
                "SafeTx": [
                    field("to", "address"), field("value", "uint256"), field("data", "bytes"), field("operation", "uint8"),
                    field("safeTxGas", "uint256"), field("baseGas", "uint256"), field("gasPrice", "uint256"),
                    field("gasToken", "address"), field("refundReceiver", "address"), field("nonce", "uint256"),
                ],
            },
            "primaryType": "SafeTx",
            "domain": { "chainId": 31337, "verifyingContract": checksum(self.safe) },
            "message": message,
        });
        self.anvil.rpc("eth_signTypedData_v4", json!([owner, typed])).await.as_str().unwrap().to_owned()
    }

    /// A signature of the hash as a message, which a Safe knows by a `v` four higher.
    async fn eth_sign(&self, owner: Address, hash: &Value) -> String {
        let signature = self.anvil.rpc("eth_sign", json!([owner, hash])).await;
        let mut bytes = signature.as_str().unwrap().parse::<Bytes>().unwrap().to_vec();
        bytes[64] += 4;
        Bytes::from(bytes).to_string()
    }

    async fn judged(&mut self, exported: &Exported) -> CheckResult {
        self.world.keep("safe-tx.json", &exported.value);
        self.one(tx_check()).await
    }
}

impl Exported {
    fn confirm(&mut self, owner: Address, signature: &str) {
        let confirmation = json!({ "owner": checksum(owner), "signature": signature, "signatureType": "EOA" });
        self.value["confirmations"].as_array_mut().unwrap().push(confirmation);
    }

    fn with(&self, key: &str, value: Value) -> Self {
        let mut changed = self.value.clone();
        changed[key] = value;
        Self { value: changed }
    }
}

fn pack(to: Address, data: &[u8]) -> Vec<u8> {
    let length = encode(&[number(data.len() as u64)]);
    [&[0], to.as_bytes(), &[0; 32], length.as_slice(), data].concat()
}

#[tokio::test]
async fn what_owners_signed() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let good = bank.export(&two, 0, &[1, 2]).await;
    let passed = bank.judged(&good).await;
    says(&passed, Passed, &["`safe-tx.json` is `bundle.json`, signed by 2 of 2 needed owners"]);
    assert_eq!(passed.observed["safe_tx_hash"], good.value["safeTxHash"]);
    let later = bank.export(&two, 3, &[1, 3]).await;
    says(&bank.judged(&later).await, Passed, &[]);

    let one_signature = bank.export(&two, 0, &[1]).await;
    says(&bank.judged(&one_signature).await, Failed, &["1 of 2 signatures of current owners"]);
    let twice = bank.export(&two, 0, &[1, 1]).await;
    says(&bank.judged(&twice).await, Failed, &["1 of 2 signatures"]);
    let stranger = bank.export(&two, 0, &[1, 9]).await;
    says(&bank.judged(&stranger).await, Failed, &["not an owner of"]);
    let mut claimed = bank.export(&two, 0, &[1]).await;
    let signature = claimed.value["confirmations"][0]["signature"].as_str().unwrap().to_owned();
    claimed.confirm(bank.accounts[2], &signature);
    says(&bank.judged(&claimed).await, Failed, &["it is the signature of"]);
    let mut approved = bank.export(&two, 0, &[1]).await;
    approved.confirm(bank.accounts[2], &format!("0x{}01", "00".repeat(64)));
    says(&bank.judged(&approved).await, Failed, &["1 of 2 signatures"]);

    for (key, value, words) in [
        ("value", json!("1"), "its value is 1"),
        ("operation", json!(0), "its operation is a call, not a delegatecall"),
        ("operation", json!(2), "neither 0 nor 1"),
        ("to", json!(checksum(bank.registry)), "its target is"),
        ("data", json!("0x8d80ff0a"), "its data is"),
        ("data", Value::Null, "its data is nothing"),
        ("safeTxGas", json!("1"), "sets `safeTxGas`"),
        ("gasPrice", json!(1), "sets `gasPrice`"),
        ("refundReceiver", json!(checksum(bank.registry)), "sets `refundReceiver`"),
        ("nonce", json!("1"), "claims the hash"),
        ("safeTxHash", json!(format!("0x{}", "1".repeat(64))), "claims the hash"),
        ("safe", json!(checksum(bank.registry)), "is for the Safe"),
        ("confirmations", json!([]), "0 of 2"),
        ("confirmations", json!(null), "are no list"),
    ] {
        says(&bank.judged(&good.with(key, value)).await, Failed, &[words]);
    }

    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(5), H256::from_low_u64_be(1)).await;
    says(&bank.judged(&good).await, Failed, &["already executed or replaced"]);
    bank.anvil.set_slot(bank.safe, H256::from_low_u64_be(5), H256::zero()).await;

    let single = [two[0].clone()];
    bank.keep_bundle(&single);
    says(&bank.judged(&good).await, Failed, &["is not `bundle.json`"]);
    let direct = bank.export(&single, 0, &[2, 3]).await;
    says(&bank.judged(&direct).await, Passed, &[]);

    // The code that several calls would be delegated to must be the released one.
    bank.keep_bundle(&two);
    bank.anvil.set_code(bank.multi_send, &runtime(&[])).await;
    says(&bank.judged(&good).await, Failed, &["no released `MultiSendCallOnly`"]);
    bank.world.contracts.retain(|known| known.name != "multi_send");
    says(&bank.judged(&good).await, Failed, &["`multi_send` has no address"]);
}
