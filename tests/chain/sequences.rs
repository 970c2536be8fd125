//! Bundles whose calls depend on one another: simulated in sequence where endpoints can, else apart, and never passed more
//! easily because of what one endpoint says of itself.

use std::sync::Arc;

use citadel::chain::{EndpointUrl, Target, checksum};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::{Token, encode};
use ethers::types::Bytes;
use ethers::utils::keccak256;
use serde_json::{Value, json};

use crate::bytecode::{calldata, number};
use crate::safes::{Bank, bundle_check};
use crate::scripted::{Reply, Scripted};
use crate::world::{network, one, says};

/// What an endpoint before the chain does with a simulation.
#[derive(Clone, Copy)]
enum Says {
    /// It has no such method.
    Unsupported,
    /// Everything succeeds.
    Success,
    /// It cannot be bothered.
    Broken,
}

impl Bank {
    /// A transaction that takes the first scheduled operation back.
    fn cancels(&self, scheduled: &Value) -> Value {
        let data: Bytes = scheduled["data"].as_str().unwrap().parse().unwrap();
        let words = [ethers::abi::ParamType::Address, ethers::abi::ParamType::Uint(256), ethers::abi::ParamType::Bytes];
        let words =
            [&words[..], &[ethers::abi::ParamType::FixedBytes(32), ethers::abi::ParamType::FixedBytes(32)]].concat();
        let operation = ethers::abi::decode(&words, &data[4..]).unwrap();
        let id = keccak256(encode(&operation)).to_vec();
        json!({
            "to": checksum(self.timelock), "value": "0",
            "data": Bytes::from(calldata("cancel(bytes32)", &[Token::FixedBytes(id.clone())])),
            "contractMethod": { "name": "cancel", "payable": false, "inputs": [{ "name": "id", "type": "bytes32" }] },
            "contractInputsValues": { "id": Bytes::from(id) },
        })
    }

    /// An endpoint that gives the chain's own answers, but for simulations.
    async fn behind(&self, says: Says) -> Scripted {
        let (url, runtime) = (self.anvil.url.clone(), tokio::runtime::Handle::current());
        let answer = move |asked: &Value| {
            let body = tokio::task::block_in_place(|| runtime.block_on(forward(&url, asked)));
            let mut answers: Value = serde_json::from_slice(&body).unwrap();
            match (asked.as_array(), answers.as_array_mut()) {
                (Some(asked), Some(answers)) => answers.iter_mut().for_each(|answer| {
                    let asked = asked.iter().find(|asked| asked["id"] == answer["id"]).unwrap();
                    says.instead(asked, answer);
                }),
                _ => says.instead(asked, &mut answers),
            }
            Reply { status: "200 OK", headers: "", body: answers.to_string().into_bytes() }
        };
        Scripted::answering(Arc::new(answer)).await
    }

    /// What two endpoints make of the bundle, of which `agree` must say the same.
    async fn two_say(&self, agree: usize, other: &Scripted) -> CheckResult {
        let network = network(31337, agree, &["ONE_RPC_URL", "TWO_RPC_URL"]);
        let one_url = EndpointUrl::new("ONE_RPC_URL", &self.anvil.url).unwrap();
        one(&Target::new(&network, vec![one_url, other.endpoint("TWO_RPC_URL")]), &self.world, bundle_check()).await
    }

    /// What an endpoint makes of it alone.
    async fn alone_says(&self, endpoint: &Scripted) -> CheckResult {
        one(&Target::new(&self.network, vec![endpoint.endpoint("ANVIL_RPC_URL")]), &self.world, bundle_check()).await
    }
}

async fn forward(url: &str, asked: &Value) -> Vec<u8> {
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(asked.to_string());
    request.send().await.unwrap().bytes().await.unwrap().to_vec()
}

impl Says {
    fn instead(self, asked: &Value, answer: &mut Value) {
        if asked["method"] != "eth_simulateV1" {
            return;
        }
        let calls = asked["params"][0]["blockStateCalls"][0]["calls"].as_array().unwrap();
        let error = |code: i64, message: &str| json!({ "code": code, "message": message });
        let (key, said) = match self {
            Self::Unsupported => ("error", error(-32601, "the method eth_simulateV1 does not exist/is not available")),
            Self::Success => {
                let good = json!({ "status": "0x1", "returnData": "0x", "gasUsed": "0x1", "logs": [] });
                ("result", json!([{ "calls": vec![good; calls.len()] }]))
            }
            Self::Broken => ("error", error(-32000, "the method failed in a way of its own")),
        };
        *answer = json!({ "jsonrpc": "2.0", "id": asked["id"], key: said });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_bundle_see_one_another() {
    let mut bank = Bank::new().await;
    let scheduled = bank.scheduled(&calldata("setMax(uint256)", &[number(9)]), 1);
    // What the first call schedules the second takes back: alone it would find nothing.
    bank.keep_bundle(&[scheduled.clone(), bank.cancels(&scheduled)]);
    let good = bank.one(bundle_check()).await;
    says(
        &good,
        Passed,
        &["2 transactions of `bundle.json` would succeed from", "each seeing what those before it did"],
    );
    assert_eq!(good.observed["simulated"], "one after the other");
    // The other way round there is nothing to take back.
    bank.keep_bundle(&[bank.cancels(&scheduled), scheduled.clone()]);
    says(&bank.one(bundle_check()).await, Failed, &["transaction 1: the call 0xc4d252f5", "reverts with"]);
    // Each by itself would succeed; the second finds that the first was there before it.
    bank.keep_bundle(&[scheduled.clone(), scheduled.clone()]);
    let twice = bank.one(bundle_check()).await;
    says(&twice, Failed, &["transaction 2: the call 0x01d5062a of", "reverts with TimelockUnexpectedOperationState("]);
    let repeat = twice.reproduce.unwrap();
    assert!(
        repeat.starts_with("cast rpc eth_simulateV1 '{") && repeat.ends_with("--rpc-url \"$ANVIL_RPC_URL\""),
        "{repeat}"
    );
    assert!(!twice.said.is_empty(), "what the endpoint said is told");
    // Whatever is wrong with one is told beside what comes of the others.
    let stranger = bank.schedules(bank.accounts[9], &[1, 2, 3, 4], 7);
    bank.keep_bundle(&[scheduled.clone(), stranger, scheduled]);
    let both = bank.one(bundle_check()).await;
    says(&both, Failed, &["transaction 2: it calls", "transaction 3: the call 0x01d5062a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_cannot_simulate_makes_nothing_pass_more_easily() {
    let mut bank = Bank::new().await;
    let scheduled = bank.scheduled(&calldata("setMax(uint256)", &[number(9)]), 1);
    let (good, twice) = (bank.two(), vec![scheduled.clone(), scheduled.clone()]);
    let lacking = bank.behind(Says::Unsupported).await;
    let lying = bank.behind(Says::Success).await;
    let broken = bank.behind(Says::Broken).await;

    bank.keep_bundle(&good);
    let apart = bank.alone_says(&lacking).await;
    says(&apart, Passed, &["each by itself: they do not see one another, since too few endpoints simulate"]);
    assert_eq!(apart.observed["simulated"], "each by itself");
    says(&bank.two_say(2, &lacking).await, Passed, &["they do not see one another"]);
    says(&bank.two_say(1, &lacking).await, Passed, &["one after the other"]);
    says(&bank.alone_says(&broken).await, Unknown, &["what the calls do one after the other could not be read"]);

    bank.keep_bundle(&twice);
    // One endpoint says that it cannot; what the other one sees is not overlooked.
    let hidden = bank.two_say(2, &lacking).await;
    says(&hidden, Unknown, &["too few endpoints simulate it, and not all calls succeed", "unsupported"]);
    says(&bank.two_say(1, &lacking).await, Failed, &["TimelockUnexpectedOperationState("]);
    says(&bank.two_say(2, &lying).await, Unknown, &["the endpoints disagree"]);
    says(&bank.two_say(1, &lying).await, Unknown, &["the endpoints disagree"]);

    // What needs the call before it fails where nobody can show that it works.
    bank.keep_bundle(&[scheduled.clone(), bank.cancels(&scheduled)]);
    says(&bank.alone_says(&lacking).await, Failed, &["transaction 2: the call 0xc4d252f5"]);
}
