//! Every known way in which endpoints fool a gate, each as a test: against the library, and against the program with its
//! exit code. `docs/endpoints.md` is this list; `UPDATE_ENDPOINTS=1` writes it.

use std::fmt::Write as _;
use std::path::Path;

use citadel::chain::{Limits, Reading, Target};
use citadel::engine::gate_code;
use citadel::runbook::{ContractKind, Network};
use citadel::verdict::Verdict::{self, Failed, Unknown};

use crate::fault::Fault;
use crate::proxy::{Proxied, Trick};
use crate::scripted::Scripted;
use crate::site::{Ended, Site};
use crate::told::CONTRACT;
use crate::world::{World, call, check, endpoint, eq, network, reading};

pub(crate) const NAMES: [&str; 3] = ["A_RPC_URL", "B_RPC_URL", "C_RPC_URL"];
/// Both paths of every URL here end with it; it must never be seen.
const KEY: &str = "secretkey";
/// After so long a judgement with the limits of a dev chain is over, whatever endpoints do, with much time to spare.
const STUCK: std::time::Duration = std::time::Duration::from_mins(2);

/// One attack and what must come of it.
#[derive(Debug, Clone, Copy)]
struct Attack {
    name: &'static str,
    /// What the endpoints do.
    how: &'static str,
    /// What each endpoint is.
    endpoints: &'static [At],
    agree: usize,
    asks: Asks,
    verdict: Verdict,
    /// What is said.
    words: &'static str,
}

/// An endpoint of an attack.
#[derive(Debug, Clone, Copy)]
enum At {
    /// The scripted chain, told with these faults.
    Scripted(&'static [Fault]),
    /// A real Anvil behind a proxy that plays a trick after the first read.
    Anvil(Trick),
}

/// What is special about the network or the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// `paused()` is `false`, on a network without special demands.
    NotPaused,
    /// `owner()` is a certain address.
    Owner,
    /// Blocks are at most two hours old.
    Fresh,
    /// Block 0 has a certain hash.
    Genesis,
    /// The network is Ethereum's main network.
    Mainnet,
}

impl Attack {
    fn signature(&self) -> (&'static str, serde_json::Value) {
        match self.asks {
            Asks::Owner => ("owner()(address)", "0x41675C099F32341bf84BFc5382aF534df5C7461a".into()),
            _ => ("paused()(bool)", false.into()),
        }
    }

    fn network(&self) -> Network {
        let mut network = network(31337, self.agree, &NAMES[..self.endpoints.len()]);
        match self.asks {
            Asks::Fresh => network.max_block_age = Some(std::time::Duration::from_hours(2)),
            Asks::Genesis => network.genesis = Some(ethers::types::H256::repeat_byte(7)),
            Asks::Mainnet => network.chain_id = 1,
            Asks::NotPaused | Asks::Owner => {}
        }
        network
    }
}

/// Endpoints of a test, which live as long as this.
struct Servers {
    urls: Vec<String>,
    anvils: Vec<Proxied>,
}

impl Servers {
    async fn start(attack: &Attack) -> Self {
        let mut servers = Self { urls: Vec::new(), anvils: Vec::new() };
        for at in attack.endpoints {
            match at {
                At::Scripted(faults) => servers.urls.push(Scripted::with(faults).await.url().to_owned()),
                At::Anvil(trick) => {
                    let proxied = Proxied::start(*trick).await;
                    servers.urls.push(proxied.url().to_owned());
                    servers.anvils.push(proxied);
                }
            }
        }
        servers
    }
}

/// Judges by the library, and by the program in its formats; nothing but the documented verdict, and no key anywhere.
/// Each judgement gets endpoints of its own: what a trick changed is changed.
async fn attacked(name: &str) {
    let attack = ATTACKS.iter().find(|attack| attack.name == name).unwrap();
    let (json, human) = (by_program(attack, "json"), by_program(attack, "human"));
    let ((), json, ()) = tokio::join!(by_library(attack), json, async { drop(human.await) });
    let flat = json.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = attack.words.replace("testnet", "net");
    assert!(flat.contains(&words), "{name}: no `{words}` in {flat}");
}

async fn by_library(attack: &Attack) {
    let servers = Servers::start(attack).await;
    let reading = tokio::time::timeout(STUCK, judged(attack, &servers.urls)).await.expect("ends in time");
    assert_eq!(reading.results[0].verdict, attack.verdict, "{}: {reading:#?}", attack.name);
    assert_ne!(reading.verdict(), Verdict::Passed);
    let told = format!("{} {}", reading.results[0].message, reading.notes.join(" "));
    assert!(told.contains(attack.words), "{}: no `{}` in {told}", attack.name, attack.words);
    let record = serde_json::to_string(&reading).unwrap();
    assert!(!record.contains(KEY), "{record}");
}

/// Everything that citadel said.
async fn by_program(attack: &Attack, format: &str) -> String {
    let servers = Servers::start(attack).await;
    let site = Site::new(&attack.network(), attack.signature(), &servers.urls);
    let Ended { code, said } = tokio::time::timeout(STUCK, site.verify(format)).await.expect("ends in time");
    assert_eq!(code, gate_code(attack.verdict) as i32, "{}: {said}", attack.name);
    assert!(!said.contains(KEY), "{}: {said}", attack.name);
    said
}

async fn judged(attack: &Attack, urls: &[String]) -> Reading {
    let network = attack.network();
    let endpoints = urls.iter().zip(NAMES).map(|(url, name)| endpoint(name, url)).collect();
    let target = Target { network: &network, endpoints, unusable: vec![], limits: Limits::DEV_CHAIN };
    let world = World::default().with("system", ContractKind::Plain, CONTRACT.parse().unwrap());
    let (signature, value) = attack.signature();
    reading(&target, &world, &[check("it", call("system", signature, vec![eq(value)]))], &[]).await
}

macro_rules! attacks {
    ($($name:ident: $how:literal, $endpoints:expr, $agree:literal, $asks:ident => $verdict:ident, $words:literal;)*) => {
        const ATTACKS: &[Attack] = &[$(Attack {
            name: stringify!($name),
            how: $how,
            endpoints: &$endpoints,
            agree: $agree,
            asks: Asks::$asks,
            verdict: $verdict,
            words: $words,
        }),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                attacked(stringify!($name)).await;
            }
        )*
    };
}

const HONEST: At = At::Scripted(&[]);
/// The chain is paused, and this endpoint says so.
const TRUE: At = At::Scripted(&[Fault::SaysPaused]);
/// The chain is paused, and this endpoint denies it.
const LIAR: At = HONEST;

const fn one(faults: &'static [Fault]) -> At {
    At::Scripted(faults)
}

attacks! {
    lying_where_the_other_is_down: "the only answer of two that must agree", [LIAR, one(&[Fault::Status500])], 2, NotPaused
        => Unknown, "HTTP status 500";
    lying_one_of_two: "one of two says *running*, the chain is paused", [TRUE, LIAR], 2, NotPaused
        => Unknown, "the endpoints disagree";
    lying_one_of_three: "one of three says *running*", [TRUE, TRUE, LIAR], 2, NotPaused
        => Unknown, "the endpoints disagree";
    lying_two_of_three: "two of three say *running*, two must agree", [TRUE, LIAR, LIAR], 2, NotPaused
        => Unknown, "the endpoints disagree";
    stale: "the node stopped years ago and answers 200", [one(&[Fault::Stale])], 1, Fresh
        => Unknown, "is out of date: its newest block 100 is";
    frozen_head: "one of two stopped 50 blocks ago", [HONEST, one(&[Fault::Frozen])], 2, Fresh
        => Unknown, "is out of date: its newest block 50 is";
    block_from_the_future: "blocks of tomorrow", [one(&[Fault::Future])], 1, Fresh
        => Unknown, "in the future";
    slow_to_the_deadline: "takes the request and says nothing", [one(&[Fault::Silent])], 1, NotPaused
        => Unknown, "no answer";
    slow_one_of_two: "one of two says nothing", [HONEST, one(&[Fault::Silent])], 2, NotPaused
        => Unknown, "no answer";
    wrong_chain: "another chain id", [one(&[Fault::WrongChain])], 1, NotPaused
        => Unknown, "is chain 5, not 31337";
    wrong_genesis: "another block 0 than the runbook declares", [HONEST], 1, Genesis
        => Unknown, "has another genesis block";
    wrong_genesis_of_one: "two endpoints, two chains of one id", [HONEST, one(&[Fault::OtherGenesis])], 1, NotPaused
        => Unknown, "the endpoints are on different chains";
    wrong_block_hash_of_one: "another hash at the same number", [HONEST, one(&[Fault::OtherHash])], 1, NotPaused
        => Unknown, "the endpoints disagree on block 100";
    still_syncing: "`eth_syncing` is not `false`", [one(&[Fault::Syncing])], 1, NotPaused
        => Unknown, "is still syncing";
    anvil_pretending_to_be_mainnet: "a real Anvil with chain id 1", [At::Anvil(Trick::Mainnet)], 1, Mainnet
        => Unknown, "is on this machine";
    twoanvils_of_one_chain_id: "two real Anvils, each a chain of its own", [At::Anvil(Trick::None), At::Anvil(Trick::Older)], 2, NotPaused
        => Unknown, "the endpoints are on different chains";
    ignores_block_hashes: "answers for a hash that no block has", [one(&[Fault::IgnoresHashes])], 1, NotPaused
        => Unknown, "ignores block hashes";
    reorg_between_reads: "a real Anvil, `anvil_reorg` after the block was chosen", [At::Anvil(Trick::Reorg)], 1, NotPaused
        => Unknown, "was replaced by another while it was read";
    replaced_while_it_is_read: "another block at the number, in the same batch", [one(&[Fault::Reorganised])], 1, NotPaused
        => Unknown, "block 100 was replaced by another while it was read";
    head_going_backwards: "a real Anvil, `evm_revert` after the block was chosen", [At::Anvil(Trick::Revert)], 1, NotPaused
        => Unknown, "block";
    head_going_backwards_in_a_batch: "50 blocks are gone, in the same batch", [one(&[Fault::GoesBackwards])], 1, NotPaused
        => Unknown, "block 100 was replaced by another while it was read";
    batch_refused_with_an_object: "an error object for a batch; the chain is paused", [one(&[Fault::NoBatches, Fault::SaysPaused])], 1, NotPaused
        => Failed, "expected false, saw true";
    batch_refused_with_an_error: "HTTP 400 for a batch; the chain is paused", [one(&[Fault::ErrorsOnBatches, Fault::SaysPaused])], 1, NotPaused
        => Failed, "expected false, saw true";
    batch_refused_by_closing: "closes the connection on a batch; the chain is paused", [one(&[Fault::ClosesOnBatches, Fault::SaysPaused])], 1, NotPaused
        => Failed, "expected false, saw true";
    ids_swapped: "each answer under another's id", [one(&[Fault::SwappedIds])], 1, NotPaused
        => Unknown, "tells no readable chain id";
    ids_foreign: "answers to ids that nobody sent", [one(&[Fault::ForeignIds])], 1, NotPaused
        => Unknown, "foreign id";
    id_missing: "one answer of the batch is missing", [one(&[Fault::MissingIds])], 1, NotPaused
        => Unknown, "left a request of a batch without an answer";
    id_doubled: "two answers under one id", [one(&[Fault::DoubledIds])], 1, NotPaused
        => Unknown, "answered one request twice";
    http_500_with_a_valid_body: "status 500 beside a right answer", [one(&[Fault::Status500])], 1, NotPaused
        => Unknown, "HTTP status 500";
    http_429_with_html: "too many requests, an HTML page", [one(&[Fault::TooMany])], 1, NotPaused
        => Unknown, "HTTP status 429, too many requests, asks for 1 s";
    html_with_status_200: "an HTML page", [one(&[Fault::Html])], 1, NotPaused
        => Unknown, "not JSON";
    redirect: "sends citadel elsewhere", [one(&[Fault::Redirect])], 1, NotPaused
        => Unknown, "a redirect, which citadel does not follow";
    gzip_bomb: "100 MB of zeros in 650 kB of gzip", [one(&[Fault::Gzipped])], 1, NotPaused
        => Unknown, "not JSON";
    body_of_100_mb: "an answer that does not end", [one(&[Fault::Endless])], 1, NotPaused
        => Unknown, "answered with more than 16 MiB";
    slow_drip_body: "one byte after the other", [one(&[Fault::Drips])], 1, NotPaused
        => Unknown, "no answer";
    truncated_body: "the connection ends in the middle of the answer", [one(&[Fault::Truncated])], 1, NotPaused
        => Unknown, "the connection broke";
    connection_reset: "a reset in the middle of the answer", [one(&[Fault::Resets])], 1, NotPaused
        => Unknown, "the connection broke";
    untrusted_certificate: "TLS with a certificate that nobody signed", [one(&[Fault::Untrusted])], 1, NotPaused
        => Unknown, "cannot connect";
    key_in_an_error: "an error that repeats the key of the URL", [one(&[Fault::LeaksUrl])], 1, NotPaused
        => Unknown, "…";
    bool_of_two: "`paused()` returns 2", [one(&[Fault::BoolTwo])], 1, NotPaused
        => Unknown, "malformed return";
    dirty_bool: "`paused()` returns 0 with a dirty high byte", [one(&[Fault::DirtyHigh])], 1, NotPaused
        => Unknown, "malformed return";
    dirty_address: "`owner()` returns the owner with a dirty high byte", [one(&[Fault::DirtyAddress])], 1, Owner
        => Unknown, "malformed return";
    trailing_bytes: "a word more than the type has", [one(&[Fault::Trailing])], 1, NotPaused
        => Unknown, "malformed return";
    short_return: "one byte", [one(&[Fault::Short])], 1, NotPaused
        => Unknown, "malformed return";
    empty_return: "`0x`", [one(&[Fault::NoReturn])], 1, NotPaused
        => Unknown, "malformed return";
    revert_with_data: "the call reverts with `NotGovernance()`", [one(&[Fault::RevertsOnCalls])], 1, NotPaused
        => Failed, "reverts with NotGovernance()";
    revert_without_data: "the call reverts, code 3, no data", [one(&[Fault::RevertsBarely])], 1, NotPaused
        => Failed, "reverts without a reason";
    revert_in_words_alone: "an error that says `execution reverted`, neither code 3 nor data", [one(&[Fault::ErrorsOnCalls])], 1, NotPaused
        => Unknown, "error -32000";
    codeless: "no code at the address", [one(&[Fault::NoCode])], 1, NotPaused
        => Failed, "no code at 0x";
    eip_7702_delegation: "an account that delegates to a contract", [one(&[Fault::Delegates])], 1, NotPaused
        => Failed, "EIP-7702";
}

/// The document, from the list above.
fn document() -> String {
    let mut text = include_str!("endpoints-head.md").to_owned();
    text.push_str("| attack | endpoints | `agree` | verdict | exit | citadel says |\n|---|---|---|---|---|---|\n");
    for attack in ATTACKS {
        let Attack { name, how, endpoints, agree, verdict, words, .. } = attack;
        let (name, code) = (name.replace('_', " "), gate_code(*verdict) as i32);
        let _ = writeln!(text, "| {name}: {how} | {} | {agree} | {verdict} | {code} | {words} |", endpoints.len());
    }
    text
}

#[test]
fn the_document_lists_every_attack() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/endpoints.md");
    if std::env::var_os("UPDATE_ENDPOINTS").is_some() {
        std::fs::write(&path, document()).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == document(), "write it again with UPDATE_ENDPOINTS=1");
}
