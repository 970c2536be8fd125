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

/// What is asked besides: the newest finalized block, where that is not the one to read anyway. Whatever is answered, it
/// keeps no endpoint from being counted.
pub(crate) fn finalized_request(tag: BlockTag) -> Option<Request> {
    let asked = || Request::once("eth_getBlockByNumber", json!([asked_tag(BlockTag::Finalized), false]));
    (tag != BlockTag::Finalized).then(asked)
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
        let (age, limit) = (crate::text::seconds(age), super::value::duration(limit));
        return Err(format!("{} is {age} old, more than {limit}", block.number));
    }
    // On a dev chain, time is what its operator sets.
    let told = network.max_block_age.is_some() || !is_dev_chain(network);
    if told && block.time > now.saturating_add(CLOCK_SLACK) {
        return Err(format!("{} is {} in the future", block.number, crate::text::seconds(block.time - now)));
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

#[cfg(test)]
mod tests {
    use super::super::rpc::RpcError;
    use super::*;
    use crate::runbook::Place;

    const NOW: u64 = 1_800_000_000;

    fn network(chain_id: u64) -> Network {
        Network {
            name: "net".to_owned(),
            chain_id,
            genesis: None,
            passed_as: "net".to_owned(),
            rpc: vec![],
            agree: 1,
            key: vec![],
            accounts: vec![],
            block: BlockTag::Latest,
            max_block_age: None,
            settle: Duration::ZERO,
            confirm: false,
            operators: vec![],
            dev_chain: None,
            place: Place::default(),
        }
    }

    fn told(number: u64, time: u64) -> Value {
        json!({ "number": format!("{number:#x}"), "hash": H256::from_low_u64_be(number), "timestamp": format!("{time:#x}") })
    }

    /// What a sound node of chain 1 answers, with what a test changes, by the place in `requests`.
    fn answers(changed: &[(usize, Result<Value, Trouble>)]) -> Vec<Result<Value, Trouble>> {
        let nowhere = || Err(Trouble::Rpc(unknown()));
        let mut answers = vec![
            Ok(json!("0x1")),
            Ok(told(0, 0)),
            Ok(json!(false)),
            Ok(told(100, NOW - 10)),
            Ok(told(90, NOW - 130)),
            Ok(json!("Geth/v1.16.0")),
            nowhere(),
            nowhere(),
        ];
        for (at, answer) in changed {
            answers[*at] = answer.clone();
        }
        answers
    }

    fn unknown() -> RpcError {
        RpcError { code: -32001, message: "resource not found".to_owned(), data: None }
    }

    /// What keeps an endpoint of chain 1 from being counted; nothing where it is.
    fn check(url: &str, changed: &[(usize, Result<Value, Trouble>)], expected: &str) {
        let at = EndpointUrl::new("X_RPC_URL", url).unwrap();
        let network = Network { max_block_age: Some(Duration::from_mins(30)), ..network(1) };
        let examined = examine(&at, &network, BlockTag::Finalized, answers(changed), NOW);
        let trouble = examined.report.trouble.unwrap_or_default();
        assert!(trouble.contains(expected) && trouble.is_empty() == expected.is_empty(), "{trouble}, not {expected}");
        assert_eq!(examined.tagged.map(|tagged| tagged.number), expected.is_empty().then_some(90));
    }

    #[test]
    fn only_a_sound_node_of_the_right_chain_counts() {
        let url = "https://eth.example.com/key";
        let late = || Err(Trouble::lasting("late"));
        check(url, &[], "");
        check("http://127.0.0.1:8545", &[], "is on this machine; `net` is read from others");
        check("https://localhost/key", &[], "is on this machine");
        for client in ["anvil/v1.7.1", "HardhatNetwork/2.2", "Ganache/v7", "foundry"] {
            check(url, &[(5, Ok(json!(client)))], "is a development node");
        }
        check(url, &[(5, late())], "");
        check(url, &[(0, Ok(json!("0x5")))], "is chain 5, not 1 (`net`)");
        check(url, &[(0, Ok(json!(1)))], "no readable chain id");
        check(url, &[(0, late())], "late");
        check(url, &[(2, Ok(json!({})))], "still syncing");
        check(url, &[(2, late())], "does not say whether it is synced");
        check(url, &[(3, late())], "tells no `latest` block");
        check(url, &[(4, Ok(Value::Null))], "has no `finalized` block");
        check(url, &[(4, Ok(json!({ "number": "0x1" })))], "malformed `finalized` block");
        check(url, &[(4, Ok(told(101, NOW)))], "contradicts itself");
        check(url, &[(4, Ok(told(90, NOW - 1801)))], "its chosen block 90 is 30m 1s old, more than 30m");
        check(url, &[(3, Ok(told(100, NOW + 121)))], "its newest block 100 is 2m 1s in the future");
        check(url, &[(6, Ok(json!("0x")))], "ignores block hashes");
        check(url, &[(7, Ok(json!("0x")))], "ignores block hashes");
        check(url, &[(7, late())], "late");
    }

    #[test]
    fn the_future_is_refused_without_a_limit_too() {
        let at =
            |chain_id, time| is_of_now(&network(chain_id), PinnedBlock { number: 1, hash: H256::zero(), time }, NOW);
        assert!(at(1, NOW + 121).is_err() && at(1, NOW + 120).is_ok() && at(1, 0).is_ok());
        assert!(at(31337, NOW + 9999).is_ok(), "on a dev chain time is what its operator sets");
    }
}
