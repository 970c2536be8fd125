//! Whether transactions wait to be mined: those of the accounts that the network declares, by the word of every endpoint; on a
//! development chain, anybody's. What no endpoint was told of is not seen here.

use ethers::types::Address;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::address::checksum;
use super::pin::Endpoints;
use super::question::number;
use super::rpc::{Request, Trouble};
use super::surroundings::{Target, is_dev_chain};
use super::text::count;
use super::together::together;

/// What is known of transactions that are in no block yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pool {
    /// There are none; `head` is the newest block that an endpoint told of afterwards.
    Empty { head: u64 },
    /// There are some, in one sentence.
    Waiting(String),
    /// Why it cannot be known.
    Unknown(String),
}

/// The endpoint does not say.
struct Untold;

/// Looks for what waits.
pub async fn pool(target: &Target<'_>) -> Pool {
    let (dev, accounts) = (is_dev_chain(target.network), target.network.accounts.as_slice());
    if accounts.is_empty() && !dev {
        return Pool::Unknown(format!("`{}` declares no `accounts`", target.network.name));
    }
    let asked = if dev { vec![Request::once("txpool_status", json!([]))] } else { counts(accounts) };
    let head = [Request::once("eth_blockNumber", json!([]))];
    let endpoints = Endpoints::new(target);
    let until = Instant::now() + target.limits.round;
    let told = together(endpoints.open.iter().map(async |endpoint| {
        let waiting = endpoint.ask(&asked, until).await;
        // Asked only then, since the questions of a batch are answered in any order: what left the pool before that answer is
        // in a block up to this one.
        let head = endpoint.ask(&head, until).await.pop();
        (waiting, head.and_then(Result::ok).as_ref().and_then(number))
    }))
    .await;
    let mut heads = Vec::new();
    for (endpoint, (answers, head)) in endpoints.open.iter().zip(told) {
        let waiting = if dev { Ok(in_pool(&answers)) } else { of_accounts(accounts, &answers) };
        match (waiting, head) {
            (Ok(Some(waiting)), _) => return Pool::Waiting(format!("{waiting}, says {}", endpoint.at.label())),
            (Ok(None), Some(head)) => heads.push(head),
            (Err(Untold), _) | (_, None) => {}
        }
    }
    match heads.iter().max() {
        Some(head) if heads.len() >= target.network.agree.max(1) => Pool::Empty { head: *head },
        _ => {
            let agree = count(target.network.agree.max(1), "endpoint");
            Pool::Unknown(format!("only {} of the {agree} needed told what waits to be mined", heads.len()))
        }
    }
}

/// How many transactions each account sent: with those that wait, then without.
fn counts(accounts: &[Address]) -> Vec<Request> {
    let of = |account: &Address| ["pending", "latest"].map(|tag| json!([checksum(*account), tag]));
    accounts.iter().flat_map(of).map(|params| Request::once("eth_getTransactionCount", params)).collect()
}

/// What waits of the accounts, if anything does.
fn of_accounts(accounts: &[Address], answers: &[Result<Value, Trouble>]) -> Result<Option<String>, Untold> {
    let told: Option<Vec<u64>> = answers.iter().map(|answer| number(answer.as_ref().ok()?)).collect();
    let told = told.filter(|told| told.len() == 2 * accounts.len()).ok_or(Untold)?;
    let mut waiting = accounts.iter().zip(told.chunks(2)).filter(|(_, told)| told[0] > told[1]);
    Ok(waiting.next().map(|(account, told)| not_mined(told[0] - told[1], &format!(" of {}", checksum(*account)))))
}

/// What waits in a development node's pool. One that cannot tell mines at once.
fn in_pool(answers: &[Result<Value, Trouble>]) -> Option<String> {
    let told = answers.first()?.as_ref().ok()?;
    let waiting: u64 = ["pending", "queued"].iter().filter_map(|of| number(&told[*of])).sum();
    (waiting > 0).then(|| not_mined(waiting, ""))
}

fn not_mined(many: u64, of: &str) -> String {
    let many = usize::try_from(many).unwrap_or(usize::MAX);
    format!("{}{of} not mined yet", count(many, "transaction"))
}
