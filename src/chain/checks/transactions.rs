//! `transactions`: whether transactions really happened: on this chain, successful, after a block, about the right contracts.

use std::collections::BTreeSet;

use ethers::types::{Address, H256};
use serde_json::{Value, json};

use crate::chain::finding::{Finding, Judged};
use crate::chain::question::{Answer, Mined, Question, hash};
use crate::chain::surroundings::TransactionsAsk;
use crate::chain::text::{count, tame};
use crate::chain::view::View;
use crate::runbook::ContractKind;

/// `ExecutionFailure(bytes32,uint256)`: a Safe took the transaction, and what it was to do failed.
pub(super) const EXECUTION_FAILURE: &str = "ExecutionFailure(bytes32,uint256)";

/// `ExecutionSuccess(bytes32,uint256)`: a Safe did what its owners signed.
pub(super) const EXECUTION_SUCCESS: &str = "ExecutionSuccess(bytes32,uint256)";

pub(super) async fn judge(view: &View<'_>, ask: &TransactionsAsk) -> Judged {
    judge_executed(view, ask, None).await
}

/// The same, where each must be a successful execution by `safe`, if there is one.
pub(super) async fn judge_executed(view: &View<'_>, ask: &TransactionsAsk, safe: Option<Address>) -> Judged {
    let expected = format!(
        "at least {}, mined after block {}",
        count(usize::try_from(ask.min).unwrap_or(usize::MAX), "transaction"),
        ask.after_block
    );
    let hashes = well_formed(ask).map_err(|finding| finding.expected(&expected))?;
    let answers = view.several(hashes.iter().copied().map(Question::Receipt).collect()).await;
    let mut mined = Vec::new();
    for (hash, answer) in hashes.iter().zip(answers) {
        mined.push(found(view, *hash, answer).map_err(|finding| finding.expected(&expected))?);
    }
    let blocks = view.several(mined.iter().map(|one| Question::BlockHash(one.block_number)).collect()).await;
    for (one, block) in mined.iter().zip(blocks) {
        let good = counts(view, ask, one, &block).and_then(|()| executed(view, one, safe));
        good.map_err(|finding| finding.expected(&expected).or_asked(view.cast_receipt(one.hash)))?;
    }
    let observed: Vec<Value> = mined.iter().map(|one| json!({ "hash": one.hash, "block": one.block_number })).collect();
    let by = safe.map(|safe| format!(", executed by {}", view.who(safe))).unwrap_or_default();
    let message = format!("{} mined after block {}{by}", count(mined.len(), "transaction"), ask.after_block);
    Ok(Finding::passed(message).expected(expected).observed(Value::Array(observed)))
}

/// Reads a transaction's hash.
pub(crate) fn transaction_hash(text: &str) -> Result<H256, String> {
    match hash(&json!(text)) {
        Some(hash) if hash.is_zero() => Err("the zero hash is no transaction".to_owned()),
        Some(hash) => Ok(hash),
        None => Err(format!("`{}` is not a transaction hash", tame(text))),
    }
}

fn well_formed(ask: &TransactionsAsk) -> Result<Vec<H256>, Finding> {
    let hashes: Result<Vec<H256>, String> = ask.hashes.iter().map(|text| transaction_hash(text)).collect();
    let hashes = hashes.map_err(|reason| Finding::failed(reason).observed(json!(ask.hashes)))?;
    let mut seen = BTreeSet::new();
    if let Some(twin) = hashes.iter().find(|hash| !seen.insert(**hash)) {
        return Err(Finding::failed(format!("transaction {twin:?} is named twice")).observed(json!(hashes)));
    }
    if (hashes.len() as u64) < ask.min {
        let message = format!("{} named, at least {} needed", count(hashes.len(), "transaction"), ask.min);
        return Err(Finding::failed(message).observed(json!(hashes)));
    }
    Ok(hashes)
}

fn found(view: &View<'_>, hash: H256, answer: Answer) -> Result<Mined, Finding> {
    match answer {
        Answer::Receipt(Some(mined)) => Ok(*mined),
        Answer::Receipt(None) => {
            let chain = view.network.chain_id;
            Err(Finding::failed(format!("transaction {hash:?} is not on chain {chain}")).asked(view.cast_receipt(hash)))
        }
        Answer::Unknown(reason) => {
            Err(Finding::unknown(format!("the receipt of {hash:?} could not be read: {reason}"))
                .asked(view.cast_receipt(hash)))
        }
        other => Err(Finding::unknown(format!("the receipt of {hash:?} could not be read: {other}"))),
    }
}

/// Whether a mined transaction is one that counts.
fn counts(view: &View<'_>, ask: &TransactionsAsk, mined: &Mined, block: &Answer) -> Result<(), Finding> {
    let Mined { hash, block_number: number, .. } = mined;
    match block {
        Answer::BlockHash(Some(canonical)) if *canonical == mined.block_hash => {}
        Answer::BlockHash(_) => {
            return Err(Finding::unknown(format!("transaction {hash:?} is in a block that was replaced")));
        }
        other => {
            return Err(Finding::unknown(format!("block {number} of transaction {hash:?} could not be read: {other}")));
        }
    }
    if !mined.succeeded {
        return Err(Finding::failed(format!("transaction {hash:?} reverted in block {number}")));
    }
    if *number <= ask.after_block {
        let message =
            format!("transaction {hash:?} is from block {number}, before the step began (block {})", ask.after_block);
        return Err(Finding::failed(message));
    }
    if *number > view.block.number {
        let message = format!(
            "transaction {hash:?} is in block {number}, newer than the block that is read, {}",
            view.block.number
        );
        return Err(Finding::unknown(message).hint("wait, then run it again"));
    }
    if let Some(safe) = failed_safe(view, mined) {
        return Err(Finding::failed(format!(
            "transaction {hash:?} was mined, but its execution by {} failed",
            view.who(safe)
        )));
    }
    if ask.to.is_empty() || touches(mined, &ask.to) {
        return Ok(());
    }
    let wanted: Vec<String> = ask.to.iter().map(|address| view.who(*address)).collect();
    Err(Finding::failed(format!("transaction {hash:?} neither called nor logged any of {}", wanted.join(", "))))
}

fn executed(view: &View<'_>, mined: &Mined, safe: Option<Address>) -> Result<(), Finding> {
    let topic = Some(H256(ethers::utils::keccak256(EXECUTION_SUCCESS)));
    match safe.filter(|safe| !mined.logs.iter().any(|log| log.by == *safe && log.topic == topic)) {
        Some(safe) => Err(Finding::failed(format!(
            "transaction {:?} was mined, but {} did not say that it executed anything",
            mined.hash,
            view.who(safe)
        ))),
        None => Ok(()),
    }
}

fn touches(mined: &Mined, wanted: &[Address]) -> bool {
    let involved = mined.to.into_iter().chain(mined.logs.iter().map(|log| log.by));
    involved.into_iter().any(|address| wanted.contains(&address))
}

/// A declared Safe that says it could not execute what the transaction carried.
fn failed_safe(view: &View<'_>, mined: &Mined) -> Option<Address> {
    let topic = H256(ethers::utils::keccak256(EXECUTION_FAILURE));
    let safes: Vec<Address> = view
        .around
        .contracts()
        .into_iter()
        .filter(|known| known.kind == ContractKind::Safe)
        .map(|known| known.address)
        .collect();
    mined.logs.iter().find(|log| log.topic == Some(topic) && safes.contains(&log.by)).map(|log| log.by)
}
