//! Endpoints that lie, break, stall or contradict each other: never *passed*; and those that are only odd still serve.

use citadel::chain::{EndpointUrl, Reading, Target, head};
use citadel::runbook::{BlockTag, Check, ContractKind, Network};
use citadel::verdict::Verdict::{self, Failed, Passed, Unknown};

use crate::fault::Fault;
use crate::scripted::Scripted;
use crate::told::{CONTRACT, HEAD};
use crate::world::{SHORT, World, call, check, endpoint, eq, network, reading};

pub(crate) const NAMES: [&str; 3] = ["A_RPC_URL", "B_RPC_URL", "C_RPC_URL"];

pub(crate) fn world() -> World {
    World::default().with("system", ContractKind::Plain, CONTRACT.parse().unwrap())
}

pub(crate) fn not_paused() -> Vec<Check> {
    vec![check("not-paused", call("system", "paused()(bool)", vec![eq(false)]))]
}

async fn judged_on(network: &Network, faults: &[Fault]) -> Reading {
    let mut endpoints = Vec::new();
    for (fault, name) in faults.iter().zip(NAMES) {
        endpoints.push(Scripted::start(*fault).await.endpoint(name));
    }
    let target = Target { network, endpoints, unusable: vec![], limits: SHORT };
    let reading = reading(&target, &world(), &not_paused(), &[]).await;
    let record = serde_json::to_string(&reading).unwrap();
    assert!(!record.contains("secretkey"), "{record}");
    assert_eq!(serde_json::from_str::<Reading>(&record).unwrap(), reading);
    reading
}

async fn judged(agree: usize, faults: &[Fault]) -> Reading {
    judged_on(&network(31337, agree, &NAMES[..faults.len()]), faults).await
}

/// The verdict of the one check, with words of its message or of the notes.
#[track_caller]
pub(crate) fn is(reading: &Reading, verdict: Verdict, words: &str) {
    let result = &reading.results[0];
    assert_eq!(result.verdict, verdict, "{reading:#?}");
    let told = format!("{} {}", result.message, reading.notes.join(" "));
    assert!(told.contains(words), "no `{words}` in {told}");
}

#[tokio::test]
async fn an_honest_endpoint_passes() {
    let reading = judged(1, &[Fault::None]).await;
    is(&reading, Passed, "`paused()`");
    assert_eq!(reading.block.unwrap().number, HEAD);
    assert_eq!(reading.chain_id, 31337);
    assert!(reading.genesis.is_some() && reading.endpoints[0].counted);
    let call = reading.reads.iter().find(|read| read.method == "eth_call").unwrap();
    assert_eq!(call.answer, format!("0x{}", "0".repeat(64)));
    assert_eq!(call.said_by, ["A_RPC_URL"]);
    assert!(call.params[1]["blockHash"].is_string());
}

/// One faulty endpoint, where one must agree; and the same beside an honest one, where two must.
async fn never_passes(fault: Fault, words: &'static str) {
    for faults in [&[fault][..], &[Fault::None, fault], &[fault, Fault::None]] {
        let reading = judged(faults.len(), faults).await;
        assert_eq!(reading.results[0].verdict, Unknown, "{fault:?}: {reading:#?}");
        if faults.len() == 1 {
            is(&reading, Unknown, words);
        }
    }
}

#[tokio::test]
async fn broken_transport_is_unknown() {
    // One after the other: a busy machine must not make an answer late as well as wrong.
    for (fault, words) in [
        (Fault::Status500, "HTTP status 500"),
        (Fault::Redirect, "a redirect"),
        (Fault::Html, "not JSON"),
        (Fault::Truncated, "the connection broke"),
        (Fault::Empty, "not JSON"),
        (Fault::Closes, "the connection broke"),
        (Fault::Unauthorized, "HTTP status 401"),
        (Fault::ForeignIds, "foreign id"),
        (Fault::SwappedIds, ""),
        (Fault::DoubledIds, "twice"),
        (Fault::MissingIds, "without an answer"),
    ] {
        never_passes(fault, words).await;
    }
}

#[tokio::test]
async fn an_endpoint_that_stalls_is_unknown() {
    never_passes(Fault::Silent, "no answer within").await;
}

#[tokio::test]
async fn the_wrong_node_is_unknown() {
    for (fault, words) in [
        (Fault::WrongChain, "is chain 5, not 31337"),
        (Fault::Syncing, "still syncing"),
        (Fault::IgnoresHashes, "ignores block hashes"),
        (Fault::LeaksUrl, "…"),
    ] {
        never_passes(fault, words).await;
    }
}

#[tokio::test]
async fn malformed_values_are_unknown() {
    for fault in [Fault::BoolTwo, Fault::DirtyHigh, Fault::Short, Fault::Trailing, Fault::NoReturn] {
        never_passes(fault, "malformed return").await;
        is(&judged(2, &[fault, fault]).await, Unknown, "malformed return");
    }
    never_passes(Fault::ErrorsOnCalls, "error -32000").await;
}

#[tokio::test]
async fn what_the_chain_denies_is_failed() {
    is(&judged(2, &[Fault::SaysPaused; 2]).await, Failed, "expected false, saw true");
    is(&judged(2, &[Fault::NoCode; 2]).await, Failed, "no code at 0x");
    is(&judged(2, &[Fault::Delegates; 2]).await, Failed, "EIP-7702");
    is(&judged(2, &[Fault::RevertsOnCalls; 2]).await, Failed, "reverts with NotGovernance()");
    let reading = judged(1, &[Fault::NoCode]).await;
    let command = reading.results[0].reproduce.clone().unwrap();
    assert!(command.starts_with("cast code 0x") && command.ends_with("--rpc-url \"$A_RPC_URL\""), "{command}");
    assert!(command.contains(&format!("--block {:?}", reading.block.unwrap().hash)), "{command}");
}

#[tokio::test]
async fn one_voice_against_others_is_unknown() {
    for fault in [Fault::SaysPaused, Fault::NoCode, Fault::BoolTwo, Fault::RevertsOnCalls] {
        let reading = judged(2, &[Fault::None, Fault::None, fault]).await;
        is(&reading, Unknown, "the endpoints disagree");
        is(&reading, Unknown, "`C_RPC_URL` (127.0.0.1:");
    }
    is(&judged(1, &[Fault::None, Fault::OtherHash]).await, Unknown, "disagree on block 100");
    is(&judged(1, &[Fault::None, Fault::OtherGenesis]).await, Unknown, "different chains");
}

#[tokio::test]
async fn missing_endpoints_are_tolerated_down_to_agree() {
    for fault in [Fault::Status500, Fault::WrongChain, Fault::Html, Fault::ErrorsOnCalls, Fault::Lags, Fault::Silent] {
        let reading = judged(2, &[Fault::None, fault, Fault::None]).await;
        assert_eq!(reading.results[0].verdict, Passed, "{fault:?}: {reading:#?}");
        if fault != Fault::Lags {
            is(&judged(3, &[Fault::None, fault, Fault::None]).await, Unknown, "");
        }
    }
}

#[tokio::test]
async fn all_read_at_the_newest_block_that_all_know() {
    let reading = judged(2, &[Fault::None, Fault::Lags]).await;
    is(&reading, Passed, "");
    assert_eq!(reading.block.unwrap().number, HEAD - 1);
}

#[tokio::test]
async fn a_depth_is_counted_from_the_newest_block_that_enough_know() {
    let mut deep = network(31337, 2, &NAMES[..2]);
    deep.block = BlockTag::Depth(7);
    let reading = judged_on(&deep, &[Fault::None, Fault::Lags]).await;
    is(&reading, Passed, "");
    assert_eq!(reading.block.unwrap().number, HEAD - 8);
    deep.block = BlockTag::Depth(HEAD + 1);
    is(&judged_on(&deep, &[Fault::None, Fault::None]).await, Unknown, "has no block 101 below its newest, 100");
}

#[tokio::test]
async fn the_chosen_block_is_fresh_itself() {
    let mut fresh = network(31337, 2, &NAMES[..2]);
    fresh.block = BlockTag::Depth(10);
    fresh.max_block_age = Some(std::time::Duration::from_hours(3));
    // Ten blocks are five hours: the newest is fresh, the chosen one is not.
    is(&judged_on(&fresh, &[Fault::None, Fault::None]).await, Unknown, "the block that enough endpoints know, 90 is");
    let reading = judged(2, &[Fault::None, Fault::None, Fault::LagsFar]).await;
    is(&reading, Passed, "does not know block 100 yet");
}

#[tokio::test]
async fn what_happened_is_in_the_record() {
    let happened = async |faults: &[Fault]| judged(1, faults).await.endpoints[0].happened.join("; ");
    assert_eq!(happened(&[Fault::None]).await, "");
    let text = happened(&[Fault::LimitsOnce]).await;
    assert_eq!(text, "was asked 9 requests again: HTTP status 429, too many requests", "said once");
    assert!(happened(&[Fault::TooMany]).await.contains("after 1 s"));
    assert!(happened(&[Fault::NoBatches]).await.contains("took no batch of 9: answered without one; asked one by one"));
    assert!(happened(&[Fault::Status500]).await.contains("again: HTTP status 500"));
    assert!(happened(&[Fault::GoesBackwards]).await.contains("told no block 0x64"));
    let reading = judged(2, &[Fault::None, Fault::None, Fault::SaysPaused]).await;
    let call = reading.reads.iter().find(|read| read.method == "eth_call").unwrap();
    assert_eq!(call.said_by, [""; 0]);
    assert!(call.others["C_RPC_URL"].ends_with('1') && call.others["A_RPC_URL"].ends_with('0'), "{call:?}");
}

#[tokio::test]
async fn many_reads_are_few_posts_on_one_connection() {
    let many: Vec<Check> =
        (0..100).map(|at| check(&format!("c{at}"), call("system", &format!("f{at}()(bool)"), vec![]))).collect();
    for (fault, posts) in [(Fault::None, 2), (Fault::FewAtOnce, 1 + 1 + 3)] {
        let server = Scripted::start(fault).await;
        let network = network(31337, 1, &NAMES[..1]);
        let target =
            Target { network: &network, endpoints: vec![server.endpoint(NAMES[0])], unusable: vec![], limits: SHORT };
        let reading = reading(&target, &world(), &many, &[]).await;
        assert_eq!((reading.verdict(), reading.results.len()), (Passed, 100), "{reading:#?}");
        assert_eq!(server.requests.load(std::sync::atomic::Ordering::SeqCst), posts, "{fault:?}");
        assert_eq!(server.connections.load(std::sync::atomic::Ordering::SeqCst), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_block_that_is_replaced_meanwhile_proves_nothing() {
    is(&judged(1, &[Fault::Reorganised]).await, Unknown, "block 100 was replaced");
    is(&judged(2, &[Fault::None, Fault::Reorganised]).await, Unknown, "whether block 100 still stands is unknown");
}

#[tokio::test]
async fn odd_but_honest_endpoints_serve() {
    for fault in [Fault::NoBatches, Fault::ErrorsOnBatches, Fault::ClosesOnBatches, Fault::LimitsOnce] {
        let reading = judged(2, &[Fault::None, fault]).await;
        assert_eq!(reading.results[0].verdict, Passed, "{fault:?}: {reading:#?}");
    }
}

#[tokio::test]
async fn a_real_network_refuses_this_machine_and_development_nodes() {
    let mut real = network(31337, 1, &NAMES[..1]);
    is(&judged_on(&real, &[Fault::Development]).await, Passed, "");
    real.chain_id = 1;
    is(&judged_on(&real, &[Fault::None]).await, Unknown, "is chain 31337, not 1");
}

#[tokio::test]
async fn declared_genesis_and_age_are_demanded() {
    let mut strict = network(31337, 1, &NAMES[..1]);
    strict.genesis = Some(ethers::types::H256::zero());
    is(&judged_on(&strict, &[Fault::None]).await, Passed, "");
    strict.genesis = Some(ethers::types::H256::repeat_byte(1));
    is(&judged_on(&strict, &[Fault::None]).await, Unknown, "another genesis block");
    let mut fresh = network(31337, 1, &NAMES[..1]);
    fresh.max_block_age = Some(std::time::Duration::from_hours(2));
    is(&judged_on(&fresh, &[Fault::None]).await, Passed, "");
    is(&judged_on(&fresh, &[Fault::Stale]).await, Unknown, "is out of date: its newest block 100 is");
}

#[tokio::test]
async fn one_host_counts_once() {
    let server = Scripted::start(Fault::None).await;
    let network = network(31337, 2, &NAMES[..2]);
    let endpoints = vec![server.endpoint(NAMES[0]), server.endpoint(NAMES[1])];
    let target = Target { network: &network, endpoints, unusable: vec![], limits: SHORT };
    is(&reading(&target, &world(), &not_paused(), &[]).await, Unknown, "same host as `A_RPC_URL`");
}

#[tokio::test]
async fn nobody_listening_is_told_at_once() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/secretkey", listener.local_addr().unwrap());
    drop(listener);
    let network = network(31337, 1, &["A_RPC_URL", "UNSET_RPC_URL"]);
    let target = Target::new(&network, vec![endpoint("A_RPC_URL", &url)]);
    let reading = reading(&target, &world(), &not_paused(), &[]).await;
    is(&reading, Unknown, "connection refused");
    is(&reading, Unknown, "`UNSET_RPC_URL` is not set");
    assert!(head(&target).await.unwrap_err().contains("connection refused"));
}

#[tokio::test]
async fn a_round_is_one_post() {
    let server = Scripted::start(Fault::None).await;
    let network = network(31337, 1, &NAMES[..1]);
    let target =
        Target { network: &network, endpoints: vec![server.endpoint(NAMES[0])], unusable: vec![], limits: SHORT };
    let three: Vec<Check> = ["a()(uint256)", "b()(uint256)", "paused()(bool)"]
        .into_iter()
        .map(|of| check(of, call("system", of, vec![])))
        .collect();
    let reading = reading(&target, &world(), &three, &[]).await;
    assert_eq!(reading.verdict(), Passed, "{reading:#?}");
    // The examination, and the round of three checks, which ends with whether the block still stands.
    assert_eq!(server.requests.load(std::sync::atomic::Ordering::SeqCst), 2);
    let bodies = server.bodies.lock().unwrap();
    assert_eq!(bodies[1].as_array().unwrap().len(), 5);
    assert_eq!(bodies[1][4]["method"], "eth_getBlockByNumber");
}

#[tokio::test]
async fn a_block_that_must_be_reached_is_waited_for_and_named() {
    let server = Scripted::start(Fault::None).await;
    let mut network = network(31337, 1, &NAMES[..1]);
    network.settle = std::time::Duration::from_secs(3);
    let target =
        Target { network: &network, endpoints: vec![server.endpoint(NAMES[0])], unusable: vec![], limits: SHORT };
    let (world, checks) = (world(), not_paused());
    let checks: Vec<&Check> = checks.iter().collect();
    let reading = citadel::chain::judge(&target, &checks, &[], &world, Some(HEAD + 7)).await;
    is(&reading, Unknown, "the newest `latest` block of `testnet` is 100; block 107 must be read");
    assert!(server.requests.load(std::sync::atomic::Ordering::SeqCst) > 1);
    assert!(world.waits.lock().unwrap().iter().all(|wait| wait.block == HEAD + 7 && wait.newest == Some(HEAD)));
    assert!(!world.waits.lock().unwrap().is_empty());
    is(&reading, Unknown, "waited: block 107 must be read, the newest `latest` block is 100; ");
    let reading = citadel::chain::judge(&target, &checks, &[], &world, Some(HEAD)).await;
    is(&reading, Passed, "");
    assert_eq!(head(&target).await.unwrap().0.number, HEAD);
}

#[tokio::test]
async fn a_variable_without_a_url_is_named_and_its_value_is_not() {
    let server = Scripted::start(Fault::None).await;
    for (agree, verdict) in [(1, Passed), (2, Unknown)] {
        let network = network(31337, agree, &NAMES[..2]);
        let endpoints = vec![server.endpoint(NAMES[0])];
        let why = EndpointUrl::new(NAMES[1], "http://eth.example.com/secretkey").unwrap_err();
        let unusable = vec![(NAMES[1].to_owned(), why.replace("`B_RPC_URL` ", ""))];
        let target = Target { network: &network, endpoints, unusable, limits: SHORT };
        let reading = reading(&target, &world(), &not_paused(), &[]).await;
        is(&reading, verdict, "");
        assert_eq!(reading.notes, ["`B_RPC_URL` is a plain http URL; only https reaches other machines safely"]);
        assert!(!format!("{reading:?}").contains("is not set"), "{reading:#?}");
    }
}
