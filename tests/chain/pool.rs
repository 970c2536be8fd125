//! Whether an account's transactions wait to be mined, by the word of several endpoints.

use std::sync::Arc;

use citadel::chain::{Pool, Target, pool};
use citadel::runbook::Network;
use serde_json::{Value, json};

use crate::scripted::{Reply, Scripted};
use crate::world::{SHORT, network};

const ACCOUNT: &str = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23";

/// An endpoint by whose word the account sent so many transactions, with those that wait and without.
async fn saying(pending: Value, latest: Value, head: u64) -> Scripted {
    let answer = move |asked: &Value| {
        let one = |asked: &Value| {
            let result = match (asked["method"].as_str().unwrap(), asked["params"][1].as_str()) {
                ("eth_blockNumber", _) => json!(format!("{head:#x}")),
                ("eth_getTransactionCount", Some("pending")) if asked["params"][0] == ACCOUNT => pending.clone(),
                ("eth_getTransactionCount", Some("latest")) if asked["params"][0] == ACCOUNT => latest.clone(),
                other => panic!("{other:?}"),
            };
            json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })
        };
        let answer = asked.as_array().map_or_else(|| one(asked), |all| all.iter().map(one).collect());
        Reply { status: "200 OK", headers: "", body: answer.to_string().into_bytes() }
    };
    Scripted::answering(Arc::new(answer)).await
}

/// What is known where two must agree.
async fn check(accounts: &[&str], said: [(Value, Value, u64); 2]) -> Pool {
    let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
    let network = Network { accounts, ..network(1, 2, &["ONE", "TWO"]) };
    let [one, two] = said;
    let (one, two) = (saying(one.0, one.1, one.2).await, saying(two.0, two.1, two.2).await);
    let endpoints = vec![one.endpoint("ONE"), two.endpoint("TWO")];
    pool(&Target { network: &network, endpoints, unusable: vec![], limits: SHORT }).await
}

#[tokio::test]
async fn one_endpoint_that_knows_of_a_transaction_is_enough() {
    let none = |head| (json!("0x5"), json!("0x5"), head);
    assert_eq!(check(&[ACCOUNT], [none(7), none(9)]).await, Pool::Empty { head: 9 });
    let Pool::Waiting(what) = check(&[ACCOUNT], [none(7), (json!("0x7"), json!("0x5"), 7)]).await else {
        panic!("it waits")
    };
    assert!(what.starts_with(&format!("2 transactions of {ACCOUNT} not mined yet, says ")), "{what}");
}

#[tokio::test]
async fn the_head_is_asked_for_when_the_rest_is_known() {
    let one = saying(json!("0x5"), json!("0x5"), 7).await;
    let network = Network { accounts: vec![ACCOUNT.parse().unwrap()], ..network(1, 1, &["ONE"]) };
    let endpoints = vec![one.endpoint("ONE")];
    assert_eq!(
        pool(&Target { network: &network, endpoints, unusable: vec![], limits: SHORT }).await,
        Pool::Empty { head: 7 }
    );
    let bodies = one.bodies.lock().unwrap();
    let about_head: Vec<bool> = bodies.iter().map(|body| body.to_string().contains("eth_blockNumber")).collect();
    assert_eq!(about_head, [false, true], "{bodies:?}");
}

#[tokio::test]
async fn what_is_not_told_is_not_known() {
    let none = |head| (json!("0x5"), json!("0x5"), head);
    for said in [json!(null), json!("five"), json!(5)] {
        let pool = check(&[ACCOUNT], [none(7), (said.clone(), json!("0x5"), 7)]).await;
        assert!(
            matches!(&pool, Pool::Unknown(why) if why.starts_with("only 1 of the 2 endpoints")),
            "{said}: {pool:?}"
        );
    }
    assert!(matches!(check(&[], [none(7), none(7)]).await, Pool::Unknown(_)));
}
