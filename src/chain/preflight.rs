//! Examines one endpoint before it may count: the right chain, a synced and fresh node, no development node on a real
//! network, and one that honours block hashes. An endpoint that does not is left out, with the reason.

use std::time::Duration;

use ethers::types::H256;
use serde_json::{Value, json};

use super::question::{hash, number};
use super::reading::{EndpointReport, PinnedBlock};
use super::rpc::{EndpointUrl, Request, Trouble};
use super::surroundings::is_dev_chain;
use super::text::tame;
use crate::runbook::{BlockTag, Network};

/// How far a block's time may be ahead of this machine's.
const CLOCK_SLACK: u64 = 120;

/// Names that development nodes give themselves.
const DEV_CLIENTS: [&str; 7] = ["anvil", "hardhat", "ganache", "testrpc", "tevm", "foundry", "titanoboa"];

/// What one endpoint was found to be.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    pub(crate) report: EndpointReport,
    /// What it has under the tag, where it can be counted.
    pub(crate) tagged: Option<Tagged>,
}

/// The block under the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) number: u64,
    /// The block; a depth tells its number alone.
    pub(crate) block: Option<PinnedBlock>,
}

/// The requests of an examination; `examine` reads their answers.
pub(crate) fn requests(tag: BlockTag) -> Vec<Request> {
    let nowhere = json!({ "blockHash": impossible_block(), "requireCanonical": true });
    let zero = "0x0000000000000000000000000000000000000000";
    vec![
        Request::once("eth_chainId", json!([])),
        Request::once("eth_getBlockByNumber", json!(["0x0", false])),
        Request::once("eth_syncing", json!([])),
        Request::once("eth_getBlockByNumber", json!(["latest", false])),
        Request::once("eth_getBlockByNumber", json!([asked_tag(tag), false])),
        Request::once("web3_clientVersion", json!([])),
        Request::once("eth_call", json!([{ "to": zero, "data": "0x" }, nowhere.clone()])),
        Request::once("eth_getCode", json!([zero, nowhere])),
    ]
}

/// A hash that no block has.
fn impossible_block() -> H256 {
    H256(ethers::utils::keccak256("citadel: no block has this hash"))
}

/// How the tag is spelt in requests. A depth is counted from the newest block.
fn asked_tag(tag: BlockTag) -> &'static str {
    match tag {
        BlockTag::Latest | BlockTag::Depth(_) => "latest",
        BlockTag::Safe => "safe",
        BlockTag::Finalized => "finalized",
    }
}

/// The tag in messages.
pub(crate) fn tag_name(tag: BlockTag) -> String {
    match tag {
        BlockTag::Depth(depth) => format!("latest - {depth}"),
        BlockTag::Latest | BlockTag::Safe | BlockTag::Finalized => asked_tag(tag).to_owned(),
    }
}

/// Reads the answers to `requests`; `now` is in seconds since 1970.
pub(crate) fn examine(
    at: &EndpointUrl,
    network: &Network,
    tag: BlockTag,
    answers: Vec<Result<Value, Trouble>>,
    now: u64,
) -> Examined {
    let mut report =
        EndpointReport { variable: at.variable().to_owned(), host: at.host(), ..EndpointReport::default() };
    let Ok([chain_id, genesis, syncing, head, tagged, client, no_call, no_code]) = <[_; 8]>::try_from(answers) else {
        report.trouble = Some("was not asked everything".to_owned());
        return Examined { report, tagged: None };
    };
    report.chain_id = chain_id.as_ref().ok().and_then(number);
    report.genesis = genesis.as_ref().ok().and_then(|block| hash(&block["hash"]));
    report.client = client.ok().and_then(|client| client.as_str().map(tame));
    let (head, tagged) = (block("latest", head), block(asked_tag(tag), tagged));
    report.head = head.as_ref().ok().map(|head| head.number);
    let first = chain_is_right(network, &report, chain_id)
        .and_then(|()| is_synced(syncing))
        .and_then(|()| is_fit_for(network, at, report.client.as_deref()))
        .and_then(|()| honours_hashes([no_call, no_code]))
        .and_then(|()| blocks_are_fresh(network, head, tagged, now))
        .and_then(|block| below(tag, block));
    report.counted = first.is_ok();
    let (tagged, trouble) = match first {
        Ok(tagged) => (Some(tagged), None),
        Err(trouble) => (None, Some(trouble)),
    };
    report.trouble = trouble;
    Examined { report, tagged }
}

/// What is to be read where the tag has `block`.
fn below(tag: BlockTag, block: PinnedBlock) -> Result<Tagged, String> {
    let BlockTag::Depth(depth) = tag else { return Ok(Tagged { number: block.number, block: Some(block) }) };
    let number = block.number.checked_sub(depth);
    let number = number.ok_or_else(|| format!("has no block {depth} below its newest, {}", block.number))?;
    Ok(Tagged { number, block: None })
}

fn chain_is_right(network: &Network, report: &EndpointReport, answer: Result<Value, Trouble>) -> Result<(), String> {
    answer.map_err(|trouble| trouble.to_string())?;
    let chain_id = report.chain_id.ok_or("tells no readable chain id")?;
    if chain_id != network.chain_id {
        return Err(format!("is chain {chain_id}, not {} (`{}`)", network.chain_id, network.name));
    }
    match (network.genesis, report.genesis) {
        (Some(_), None) => Err("does not tell the hash of block 0, which the runbook declares".to_owned()),
        (Some(declared), Some(genesis)) if declared != genesis => {
            Err(format!("has another genesis block: {genesis:?}, not {declared:?}"))
        }
        _ => Ok(()),
    }
}

fn is_synced(answer: Result<Value, Trouble>) -> Result<(), String> {
    match answer {
        Ok(Value::Bool(false)) => Ok(()),
        Ok(_) => Err("is still syncing".to_owned()),
        Err(trouble) => Err(format!("does not say whether it is synced: {trouble}")),
    }
}

fn is_fit_for(network: &Network, at: &EndpointUrl, client: Option<&str>) -> Result<(), String> {
    if is_dev_chain(network) {
        return Ok(());
    }
    if at.is_loopback() {
        return Err(format!("is on this machine; `{}` is read from others", network.name));
    }
    let client = client.unwrap_or_default();
    let lower = client.to_lowercase();
    match DEV_CLIENTS.iter().find(|name| lower.contains(*name)) {
        Some(_) => Err(format!("is a development node (`{client}`)")),
        None => Ok(()),
    }
}

/// A node that answers for a block which does not exist answers about some other block.
fn honours_hashes(answers: [Result<Value, Trouble>; 2]) -> Result<(), String> {
    for answer in answers {
        match answer {
            Err(Trouble::Rpc(error)) if !error.is_revert() && !error.is_limit() => {}
            Err(Trouble::Rpc(error)) if error.is_limit() => return Err(Trouble::Rpc(error).to_string()),
            Err(Trouble::Silent { reason, .. }) => return Err(reason),
            Ok(_) | Err(Trouble::Rpc(_)) => {
                return Err("answers for a block that does not exist: it ignores block hashes".to_owned());
            }
        }
    }
    Ok(())
}

fn blocks_are_fresh(
    network: &Network,
    head: Result<PinnedBlock, String>,
    tagged: Result<PinnedBlock, String>,
    now: u64,
) -> Result<PinnedBlock, String> {
    let (head, tagged) = (head?, tagged?);
    if tagged.number > head.number {
        return Err(format!(
            "contradicts itself: its newest block is {}, but it answers for {}",
            head.number, tagged.number
        ));
    }
    for (what, block) in [("newest", head), ("chosen", tagged)] {
        is_of_now(network, block, now).map_err(|how| format!("is out of date: its {what} block {how}"))?;
    }
    Ok(tagged)
}

/// Whether a block is neither older than the network allows nor from the future; the error goes on after `block`.
pub(crate) fn is_of_now(network: &Network, block: PinnedBlock, now: u64) -> Result<(), String> {
    let age = now.saturating_sub(block.time);
    if let Some(limit) = network.max_block_age.filter(|limit| age > limit.as_secs()) {
        let (age, limit) = (super::value::seconds(age), super::value::duration(limit));
        return Err(format!("{} is {age} old, more than {limit}", block.number));
    }
    // On a dev chain, time is what its operator sets.
    let told = network.max_block_age.is_some() || !is_dev_chain(network);
    if told && block.time > now.saturating_add(CLOCK_SLACK) {
        return Err(format!("{} is {} in the future", block.number, super::value::seconds(block.time - now)));
    }
    Ok(())
}

/// This machine's time, in seconds since 1970.
pub(crate) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

fn block(tag: &str, answer: Result<Value, Trouble>) -> Result<PinnedBlock, String> {
    let value = answer.map_err(|trouble| format!("tells no `{tag}` block: {trouble}"))?;
    if value.is_null() {
        return Err(format!("has no `{tag}` block"));
    }
    read_block(&value).ok_or_else(|| format!("tells a malformed `{tag}` block"))
}

/// A block's header, as far as citadel uses it.
pub(crate) fn read_block(value: &Value) -> Option<PinnedBlock> {
    Some(PinnedBlock {
        number: number(&value["number"])?,
        hash: hash(&value["hash"])?,
        time: number(&value["timestamp"])?,
    })
}

/// How long to wait between two looks for a newer block.
pub(crate) fn look_again(network: &Network) -> Duration {
    if is_dev_chain(network) { Duration::from_millis(200) } else { Duration::from_secs(4) }
}
