//! Contracts that own a Safe and stand by signatures (ERC-1271): a Safe of each release with the handler of that release, and a
//! wallet by `OpenZeppelin`. What citadel counts is what the real Safe executes.

use citadel::chain::checksum;
use citadel::verdict::Verdict::{Failed, Passed};
use ethers::abi::{Token, encode};
use ethers::types::{Address, Bytes, H256};
use serde_json::{Value, json};

use crate::bytecode::{calldata, number};
use crate::compiled::compiled;
use crate::contracts::{FACTORY, SAFE, creation, other};
use crate::kinds::{FACTORY_1_3, FACTORY_1_5, SAFE_1_3, SAFE_1_5};
use crate::safes::Bank;
use crate::signed::{Exported, joined, with_fields};
use crate::world::says;

const HANDLER: &str = "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json";

/// The code of a release, and whether contracts are asked about the hash instead of the data.
struct Release {
    singleton: Vec<u8>,
    factory: Vec<u8>,
    handler: Vec<u8>,
    by_hash: bool,
}

fn releases() -> [Release; 3] {
    let handler = |package: &str| format!("{package}/build/artifacts/contracts/{HANDLER}");
    [
        Release {
            singleton: other(SAFE_1_3),
            factory: other(FACTORY_1_3),
            handler: other(&handler("@gnosis.pm/safe-contracts")),
            by_hash: false,
        },
        Release {
            singleton: creation(SAFE),
            factory: creation(FACTORY),
            handler: creation(&handler("@safe-global/safe-contracts")),
            by_hash: false,
        },
        Release {
            singleton: other(SAFE_1_5),
            factory: other(FACTORY_1_5),
            handler: other(&handler("@safe-global/safe-smart-account")),
            by_hash: true,
        },
    ]
}

impl Bank {
    /// Makes a contract an owner; two signatures are still needed.
    async fn adds(&self, owner: Address) {
        self.anvil.rpc("anvil_impersonateAccount", json!([self.safe])).await;
        self.anvil.rpc("anvil_setBalance", json!([self.safe, "0xde0b6b3a7640000"])).await;
        let add = calldata("addOwnerWithThreshold(address,uint256)", &[Token::Address(owner), number(2)]);
        self.anvil.send(self.safe, Some(self.safe), &add).await;
    }

    /// What the Safe asks its contract owners about.
    async fn asked_about(&self, exported: &Exported, by_hash: bool) -> Vec<u8> {
        let value = &exported.value;
        if by_hash {
            return value["safeTxHash"].as_str().unwrap().parse::<Bytes>().unwrap().to_vec();
        }
        let types =
            "encodeTransactionData(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)";
        let call = json!([{ "to": self.safe, "data": Bytes::from(calldata(types, &with_fields(value, number(0)))) }, "latest"]);
        let told: Bytes = serde_json::from_value(self.anvil.rpc("eth_call", call).await).unwrap();
        let [Token::Bytes(bytes)] = &ethers::abi::decode(&[ethers::abi::ParamType::Bytes], &told).unwrap()[..] else {
            panic!("bytes")
        };
        bytes.clone()
    }

    /// What these owners of `safe` sign so that it stands by a message.
    async fn messages(&self, safe: Address, signers: &[usize], message: &[u8]) -> Vec<u8> {
        let field = |name: &str, of: &str| json!({ "name": name, "type": of });
        let typed = json!({
            "types": {
                "EIP712Domain": [field("chainId", "uint256"), field("verifyingContract", "address")],
                "SafeMessage": [field("message", "bytes")],
            },
            "primaryType": "SafeMessage",
            "domain": { "chainId": 31337, "verifyingContract": checksum(safe) },
            "message": { "message": Bytes::from(message.to_vec()) },
        });
        let mut signatures = Vec::new();
        for signer in signers {
            let owner = self.accounts[*signer];
            let signature = self.anvil.rpc("eth_signTypedData_v4", json!([owner, typed])).await;
            signatures.push((owner, serde_json::from_value::<Bytes>(signature).unwrap()));
        }
        signatures.sort();
        joined(&signatures)
    }
}

/// The signature of a contract, alone.
fn of_contract(owner: Address, bytes: &[u8]) -> String {
    let words = [H256::from(owner), H256::from_low_u64_be(65)].map(|word| word.as_bytes().to_vec()).concat();
    let length = encode(&[number(bytes.len() as u64)]);
    Bytes::from([words.as_slice(), &[0], &length, bytes].concat()).to_string()
}

impl Exported {
    /// The same with this contract's signature beside the first.
    fn and(&self, owner: Address, bytes: &[u8]) -> Self {
        let first = self.value["confirmations"][0].clone();
        let mut with = self.with("confirmations", Value::Array(vec![first]));
        with.confirm(owner, &of_contract(owner, bytes));
        with
    }
}

#[tokio::test]
async fn a_safe_owns_a_safe() {
    for Release { singleton, factory, handler, by_hash } in releases() {
        let mut bank = Bank::of(&singleton, &factory).await;
        let handler = bank.anvil.deploy(bank.accounts[0], &handler).await;
        let inner = bank.another(&bank.accounts[5..8], handler).await;
        bank.adds(inner).await;
        let two = bank.two();
        bank.keep_bundle(&two);
        let exported = bank.export(&two, 0, &[1]).await;
        let about = bank.asked_about(&exported, by_hash).await;

        let alone = exported.and(inner, &bank.messages(inner, &[5], &about).await);
        let refused = bank.judged(&alone).await;
        says(&refused, Failed, &["1 of 2 signatures"]);
        let reason = "the contract does not stand by its signature: it reverts";
        assert!(refused.observed["not_counted"].to_string().contains(reason), "{:?}", refused.observed);
        let of_another = exported.and(inner, &bank.messages(inner, &[5, 6], b"something else").await);
        says(&bank.judged(&of_another).await, Failed, &["1 of 2 signatures"]);
        let strangers = exported.and(inner, &bank.messages(inner, &[5, 9], &about).await);
        says(&bank.judged(&strangers).await, Failed, &["1 of 2 signatures"]);

        let good = exported.and(inner, &bank.messages(inner, &[5, 7], &about).await);
        let passed = bank.judged(&good).await;
        says(&passed, Passed, &["signed by 2 of 2 needed owners"]);
        assert!(passed.observed["signers"].to_string().contains(&checksum(inner)));
        let transaction = bank.execute(&good).await;
        let done = bank.judged(&good.with("transactionHash", transaction)).await;
        says(&done, Passed, &["executed with success"]);
    }
}

#[tokio::test]
async fn a_wallet_by_openzeppelin_owns_a_safe() {
    let [_, _, Release { singleton, factory, .. }] = releases();
    let mut bank = Bank::of(&singleton, &factory).await;
    let code = [compiled("Wallet"), encode(&[Token::Address(bank.accounts[5])])].concat();
    let wallet = bank.anvil.deploy(bank.accounts[0], &code).await;
    bank.adds(wallet).await;
    let two = bank.two();
    bank.keep_bundle(&two);
    let exported = bank.export(&two, 0, &[1]).await;
    // Its owner signs the hash itself, as one who owns the Safe would.
    let signed = async |bank: &Bank, who: usize| {
        let by = bank.export(&two, 0, &[who]).await;
        by.value["confirmations"][0]["signature"].as_str().unwrap().parse::<Bytes>().unwrap().to_vec()
    };
    let strangers = exported.and(wallet, &signed(&bank, 6).await);
    let refused = bank.judged(&strangers).await;
    says(&refused, Failed, &["1 of 2 signatures"]);
    assert!(refused.observed["not_counted"].to_string().contains("does not stand by its signature"));
    let good = exported.and(wallet, &signed(&bank, 5).await);
    says(&bank.judged(&good).await, Passed, &["signed by 2 of 2 needed owners"]);
    let transaction = bank.execute(&good).await;
    says(&bank.judged(&good.with("transactionHash", transaction)).await, Passed, &["executed with success"]);
}
