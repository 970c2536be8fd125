//! What owners of a real Safe signed, in every way that a Safe knows, and what became of it.

use std::io::{Read as _, Write as _};

use citadel::chain::{Target, checksum, fetch, files_of};
use citadel::runbook::{CheckKind, Template};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::{Address, Bytes, H256};
use serde_json::{Value, json};

use crate::bytecode::{Does, calldata, number, runtime};
use crate::contracts::{FACTORY, SAFE, creation, other};
use crate::kinds::{FACTORY_1_3, FACTORY_1_5, SAFE_1_3, SAFE_1_5};
use crate::safes::Bank;
use crate::world::{check, network, says};

/// Where the tests' Safe Transaction Service would be.
const SERVICE: &str = "https://service.example";

fn tx_check() -> CheckKind {
    tx_with(None)
}

fn tx_with(service: Option<&str>) -> CheckKind {
    tx_beside(service, None)
}

fn tx_beside(service: Option<&str>, others: Option<&str>) -> CheckKind {
    CheckKind::SafeTx {
        of: "safe-tx.json".to_owned(),
        bundle: "bundle.json".to_owned(),
        safe: "governance_safe".to_owned(),
        service: service.map(|service| Template(service.to_owned())),
        others: others.map(|folder| Template(folder.to_owned())),
    }
}

/// A confirmation that only points at an approval on the chain.
fn approval(owner: Address) -> String {
    format!("{:?}{}01", H256::from(owner), "00".repeat(32))
}

/// The Safe transaction of a bundle, as the service would tell it, signed by these accounts.
pub(crate) struct Exported {
    pub(crate) value: Value,
}

impl Bank {
    pub(crate) async fn export(&self, transactions: &[Value], nonce: u64, signers: &[usize]) -> Exported {
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

    pub(crate) async fn judged(&mut self, exported: &Exported) -> CheckResult {
        self.world.keep("safe-tx.json", &exported.value);
        self.one(tx_check()).await
    }
}

impl Exported {
    pub(crate) fn confirm(&mut self, owner: Address, signature: &str) {
        let confirmation = json!({ "owner": checksum(owner), "signature": signature, "signatureType": "EOA" });
        self.value["confirmations"].as_array_mut().unwrap().push(confirmation);
    }

    pub(crate) fn with(&self, key: &str, value: Value) -> Self {
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
    says(&bank.judged(&later).await, Passed, &["3 must be executed before it"]);

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
    approved.confirm(bank.accounts[2], &approval(bank.accounts[2]));
    let result = bank.judged(&approved).await;
    says(&result, Failed, &["1 of 2 signatures"]);
    assert!(result.observed["not_counted"].to_string().contains("no approval on the chain"));
    assert!(result.hint.unwrap().contains("devices show the domain hash 0x"));

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

/// The hash that citadel encodes by hand is the one that each release computes itself, and the one that a wallet signs as
/// typed data (EIP-712).
#[tokio::test]
async fn every_release_computes_the_same_hash() {
    let releases = [
        (other(SAFE_1_3), other(FACTORY_1_3)),
        (creation(SAFE), creation(FACTORY)),
        (other(SAFE_1_5), other(FACTORY_1_5)),
    ];
    for (singleton, factory) in releases {
        let mut bank = Bank::of(&singleton, &factory).await;
        let two = bank.two();
        bank.keep_bundle(&two);
        let good = bank.export(&two, 0, &[1, 2, 3]).await;
        let passed = bank.judged(&good).await;
        says(&passed, Passed, &["signed by 3 of 2", "devices show the domain hash 0x", "and the message hash 0x"]);
        assert_eq!(passed.observed["safe_tx_hash"], good.value["safeTxHash"]);
        let transaction = bank.execute(&good).await;
        let done = bank.judged(&good.with("transactionHash", transaction)).await;
        says(&done, Passed, &["executed with success"]);
    }
}

#[tokio::test]
async fn approvals_on_the_chain_count() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let mut exported = bank.export(&two, 0, &[1]).await;
    let hash: H256 = serde_json::from_value(exported.value["safeTxHash"].clone()).unwrap();
    let approve = calldata("approveHash(bytes32)", &[Token::FixedBytes(hash.as_bytes().to_vec())]);
    bank.anvil.send(bank.accounts[2], Some(bank.safe), &approve).await;
    says(&bank.judged(&exported).await, Passed, &["signed by 2 of 2"]);
    exported.confirm(bank.accounts[2], &approval(bank.accounts[2]));
    says(&bank.judged(&exported).await, Passed, &["signed by 2 of 2"]);
    exported.value["confirmations"] = json!([]);
    says(&bank.judged(&exported).await, Failed, &["1 of 2 signatures"]);
}

#[tokio::test]
async fn contracts_that_own_a_safe_stand_by_their_signatures_or_not() {
    let mut bank = Bank::new().await;
    let owner = Address::from_low_u64_be(0x00c0_ffee);
    let word = |bytes: [u8; 4]| Does::Returns([bytes.as_slice(), &[0; 28]].concat());
    let says_yes = |answer| runtime(&[("isValidSignature(bytes,bytes)", answer)]);
    bank.anvil.set_code(owner, &says_yes(word([0x20, 0xc1, 0x3b, 0x0b]))).await;
    bank.anvil.rpc("anvil_impersonateAccount", json!([bank.safe])).await;
    bank.anvil.rpc("anvil_setBalance", json!([bank.safe, "0xde0b6b3a7640000"])).await;
    let add = calldata("addOwnerWithThreshold(address,uint256)", &[Token::Address(owner), number(2)]);
    bank.anvil.send(bank.safe, Some(bank.safe), &add).await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let mut exported = bank.export(&two, 0, &[1]).await;
    let offset: [u8; 32] = H256::from_low_u64_be(65).0;
    let length: [u8; 32] = H256::from_low_u64_be(2).0;
    let signature = [H256::from(owner).as_bytes(), &offset, &[0], &length, &[1, 2]].concat();
    exported.confirm(owner, &Bytes::from(signature).to_string());
    says(&bank.judged(&exported).await, Passed, &["signed by 2 of 2"]);
    for (code, words) in [
        (says_yes(word([0x16, 0x26, 0xba, 0x7e])), "does not stand by its signature"),
        (says_yes(Does::Reverts(vec![])), "it reverts"),
        (vec![], "no code at"),
    ] {
        bank.anvil.set_code(owner, &code).await;
        let result = bank.judged(&exported).await;
        says(&result, Failed, &["1 of 2 signatures"]);
        assert!(result.observed["not_counted"].to_string().contains(words), "{:?}", result.observed);
    }
}

impl Bank {
    /// Executes what was exported, and gives the transaction.
    pub(crate) async fn execute(&self, exported: &Exported) -> Value {
        let value = &exported.value;
        let mut signatures: Vec<(Address, Bytes)> = value["confirmations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |key: &str| one[key].as_str().unwrap();
                (text("owner").parse().unwrap(), text("signature").parse().unwrap())
            })
            .collect();
        signatures.sort();
        let signatures = joined(&signatures);
        let execute = calldata(
            "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
            &with_fields(value, Token::Bytes(signatures)),
        );
        let receipt = self.anvil.send(self.accounts[0], Some(self.safe), &execute).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt["transactionHash"].clone()
    }
}

/// The fields of an exported transaction that costs nothing, as a Safe's functions take them, and what comes last.
pub(crate) fn with_fields(exported: &Value, last: Token) -> [Token; 10] {
    let nobody = || Token::Address(Address::zero());
    let data: Bytes = exported["data"].as_str().unwrap().parse().unwrap();
    [
        Token::Address(exported["to"].as_str().unwrap().parse().unwrap()),
        number(0),
        Token::Bytes(data.to_vec()),
        number(exported["operation"].as_u64().unwrap()),
        number(0),
        number(0),
        number(0),
        nobody(),
        nobody(),
        last,
    ]
}

/// Signatures as a Safe takes them: 65 bytes each, and behind them the bytes that contracts are asked about.
pub(crate) fn joined(signatures: &[(Address, Bytes)]) -> Vec<u8> {
    let (mut fixed, mut dynamic) = (Vec::new(), Vec::new());
    for (_, bytes) in signatures {
        let (own, further) = bytes.split_at(65);
        fixed.extend(&own[..32]);
        if further.is_empty() {
            fixed.extend(&own[32..]);
        } else {
            fixed.extend(encode(&[number((65 * signatures.len() + dynamic.len()) as u64)]));
            fixed.push(0);
            dynamic.extend(further);
        }
    }
    [fixed, dynamic].concat()
}

#[tokio::test]
async fn what_was_executed_is_told_by_the_safe_itself() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let exported = bank.export(&two, 0, &[1, 2]).await;
    let transaction = bank.execute(&exported).await;
    let bare = bank.judged(&exported).await;
    says(&bare, Failed, &["has the nonce 0, but", "is at 1", "nothing says by which transaction"]);
    let done = bank.judged(&exported.with("transactionHash", transaction.clone())).await;
    says(&done, Passed, &["executed with success in", transaction.as_str().unwrap()]);
    let nowhere = json!(H256::repeat_byte(7));
    says(&bank.judged(&exported.with("transactionHash", nowhere)).await, Failed, &["is not on this chain"]);
    // Another transaction of the Safe took the nonce: no claim makes it this one.
    let single = [two[0].clone()];
    bank.keep_bundle(&single);
    let other = bank.export(&single, 0, &[1, 2]).await.with("transactionHash", transaction);
    says(&bank.judged(&other).await, Failed, &["does not say that", "another took its nonce"]);
}

#[tokio::test]
async fn a_service_is_looked_through_and_not_believed() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let exported = bank.export(&two, 0, &[1]).await;
    let hash = exported.value["safeTxHash"].as_str().unwrap().to_owned();
    let of_hash = format!("{SERVICE}/api/v2/multisig-transactions/{hash}/");
    let of_nonce = format!("{SERVICE}/api/v2/safes/{}/multisig-transactions/?nonce=0", checksum(bank.safe));
    let check = tx_with(Some(SERVICE));
    bank.world.keep("safe-tx.json", &exported.value);
    says(&bank.one(check.clone()).await, Unknown, &["the Safe Transaction Service does not tell the transaction"]);
    let told = bank.export(&two, 0, &[1, 3]).await;
    bank.world.keep(&of_hash, &told.value);
    says(&bank.one(check.clone()).await, Unknown, &["does not tell what waits at the nonce"]);
    let page = |results: Value| json!({ "count": 1, "next": null, "previous": null, "results": results });
    let own = json!({ "safeTxHash": hash, "nonce": "0" });
    bank.world.keep(&of_nonce, &page(json!([own])));
    says(&bank.one(check.clone()).await, Passed, &["signed by 2 of 2"]);
    // What it claims beside signatures counts for nothing.
    let mut boasts =
        bank.export(&two, 0, &[1]).await.with("isExecuted", json!(true)).with("confirmationsRequired", json!(1));
    bank.world.keep(&of_hash, &boasts.value);
    says(&bank.one(check.clone()).await, Failed, &["1 of 2 signatures"]);
    boasts.confirm(bank.accounts[9], exported.value["confirmations"][0]["signature"].as_str().unwrap());
    bank.world.keep(&of_hash, &boasts.value);
    says(&bank.one(check.clone()).await, Failed, &["in the service: it is the signature of"]);
    bank.world.keep(&of_hash, &told.with("nonce", json!("5")).value);
    says(&bank.one(check.clone()).await, Failed, &["tells another transaction"]);
    bank.world.keep(&of_hash, &told.value);
    let rival = json!({ "safeTxHash": H256::repeat_byte(9), "nonce": 0 });
    bank.world.keep(&of_nonce, &page(json!([own, rival])));
    says(&bank.one(check).await, Failed, &["waits at the same nonce 0 as `safe-tx.json`, at the service", "0x0909"]);
}

#[tokio::test]
async fn files_beside_it_are_signatures_and_rivals() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let exported = bank.export(&two, 0, &[1]).await;
    bank.world.keep("safe-tx.json", &exported.value);
    let check = || tx_beside(None, Some("signed"));
    let files = |files: &[(&str, &Value)]| -> Value {
        files.iter().map(|(name, file)| ((*name).to_owned(), json!(file.to_string()))).collect()
    };
    let key = files_of("signed");
    says(&bank.one(check()).await, Unknown, &["what lies in `signed` cannot be told"]);
    let own = ("safe-tx.json", &exported.value);
    bank.world.keep(&key, &files(&[own]));
    says(&bank.one(check()).await, Failed, &["1 of 2 signatures"]);
    // Each owner may export what he signed himself.
    let by_another = bank.export(&two, 0, &[3]).await;
    bank.world.keep(&key, &files(&[own, ("carol.json", &by_another.value)]));
    let signed = bank.one(check()).await;
    let looked = "others at its nonce were looked for in `signed` alone: no Safe Transaction Service is declared";
    says(&signed, Passed, &["signed by 2 of 2", looked]);
    assert_eq!(signed.observed["looked"], looked);
    let later = bank.export(&two, 1, &[1, 2]).await;
    bank.world.keep(&key, &files(&[own, ("carol.json", &by_another.value), ("later.json", &later.value)]));
    says(&bank.one(check()).await, Passed, &["signed by 2 of 2"]);
    // The tooling was changed, and the owners signed something else in an earlier round (Radiant).
    let rival = bank.export(&two[..1], 0, &[1]).await;
    let with_rival = [own, ("carol.json", &by_another.value), ("first-try.json", &rival.value)];
    bank.world.keep(&key, &files(&with_rival));
    let refused = bank.one(check()).await;
    let hash = rival.value["safeTxHash"].as_str().unwrap();
    says(&refused, Failed, &[hash, "waits at the same nonce 0 as `safe-tx.json`, in `signed/first-try.json`"]);
    assert!(refused.reproduce.unwrap().contains("nonce()(uint256)"));
    let forged = by_another.with("confirmations", exported.value["confirmations"].clone());
    let mut forged = forged.value;
    forged["confirmations"][0]["owner"] = json!(checksum(bank.accounts[2]));
    bank.world.keep(&key, &files(&[own, ("bob.json", &forged)]));
    says(&bank.one(check()).await, Failed, &["in `bob.json`: it is the signature of"]);
    let mut bad = files(&[own]);
    bad["torn.json"] = Value::Null;
    bank.world.keep(&key, &bad);
    says(&bank.one(check()).await, Unknown, &["`torn.json` could not be read"]);
    let partly = json!({ "safeTxHash": hash });
    bank.world.keep(&key, &files(&[own, ("partly.json", &partly)]));
    says(&bank.one(check()).await, Unknown, &["`partly.json`: it has no `operation`"]);
    let nowhere = bank.export(&two, 0, &[1, 2]).await;
    let words = "others at its nonce were not looked for: neither `others` nor `service` is declared";
    says(&bank.judged(&nowhere).await, Passed, &[words]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_fetched_before_the_judgement() {
    let mut bank = Bank::new().await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let exported = bank.export(&two, 0, &[1]).await;
    bank.world.keep("safe-tx.json", &exported.value);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut asked: Vec<String> = listener.incoming().take(2).map(|stream| answered(stream.unwrap())).collect();
        asked.sort();
        asked
    });
    let asks = check("it", tx_with(Some(&base)));
    let limits = Target::new(&network(31337, 1, &["ANVIL_RPC_URL"]), vec![]).limits;
    let fetched = fetch(&[&asks], &bank.world, limits).await;
    let hash = exported.value["safeTxHash"].as_str().unwrap();
    let of_hash = format!("/api/v2/multisig-transactions/{hash}/");
    let of_nonce = format!("/api/v2/safes/{}/multisig-transactions/?nonce=0", checksum(bank.safe));
    assert_eq!(serving.join().unwrap(), [of_hash.clone(), of_nonce.clone()]);
    assert_eq!(fetched[&format!("{base}{of_hash}")], Ok(of_hash.into_bytes()));
    assert_eq!(fetched[&format!("{base}{of_nonce}")], Ok(of_nonce.into_bytes()));
    let nobody = check("it", tx_with(Some("http://127.0.0.1:9")));
    assert!(fetch(&[&nobody], &bank.world, limits).await.values().all(Result::is_err));
    let plain = check("it", tx_with(Some("http://service.example")));
    let refused = fetch(&[&plain], &bank.world, limits).await;
    assert!(refused.values().all(|told| told.as_ref().unwrap_err().contains("plain http URL")), "{refused:?}");
}

/// Answers one GET with its own path.
fn answered(mut stream: std::net::TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let path = String::from_utf8(request).unwrap().split(' ').nth(1).unwrap().to_owned();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", path.len());
    stream.write_all((head + &path).as_bytes()).unwrap();
    path
}
