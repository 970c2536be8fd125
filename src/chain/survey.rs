//! Looks at every endpoint of a network as a doctor does: what it is, what it can, how far back it remembers. Judges no
//! check, and believes no endpoint more than a gate would.

use std::time::Duration;

use ethers::types::Address;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::pin::{Endpoints, look};
use super::preflight::{read_block, requests};
use super::reading::{EndpointReport, PinnedBlock};
use super::rpc::{Endpoint, Request, Trouble};
use super::surroundings::Target;
use super::together::together;
use crate::runbook::BlockTag;

/// How far back state is looked for, in blocks.
const DEPTHS: [u64; 6] = [64, 127, 1_000, 10_000, 100_000, 1_000_000];

/// How often the time of an answer is taken; the shortest counts.
const PROBES: u32 = 3;

/// What there is to know of a network's endpoints.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Survey {
    pub endpoints: Vec<SurveyedEndpoint>,
    /// How many must agree.
    pub agree: usize,
    /// The newest block that enough of them know.
    pub head: Option<PinnedBlock>,
    /// Why there is none.
    pub no_head: Option<String>,
}

/// One endpoint, without its URL.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SurveyedEndpoint {
    /// What a gate would say of it.
    #[serde(rename = "is")]
    pub report: EndpointReport,
    /// The age of its newest block in seconds; negative in the future.
    pub head_age: Option<i64>,
    pub finalized: Option<u64>,
    /// Whether it refuses to answer for a block that does not exist.
    pub honours_hashes: Option<bool>,
    pub takes_batches: Option<bool>,
    pub state: Option<StateDepth>,
    pub latency_ms: Option<u64>,
    /// Its server's clock less this machine's, in seconds, by the HTTP header `Date`.
    pub clock_ahead: Option<i64>,
}

/// How much old state an endpoint has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateDepth {
    /// Of every block: an archive node.
    All,
    /// Of at least so many of the newest blocks.
    Blocks(u64),
}

/// Looks at all endpoints together.
pub async fn survey(target: &Target<'_>) -> Survey {
    let endpoints = Endpoints::new(target);
    let tag = BlockTag::Latest;
    let looked = look(&endpoints, target.network, target.network.block, Instant::now() + target.limits.round).await;
    let until = Instant::now() + target.limits.round;
    let more = together(endpoints.open.iter().zip(&looked.reports).map(|(endpoint, report)| async move {
        if report.head.is_none() {
            return SurveyedEndpoint { report: report.clone(), ..SurveyedEndpoint::default() };
        }
        let answers = endpoint.ask(&requests(tag), until).await;
        surveyed(endpoint, report.clone(), &answers, until).await
    }))
    .await;
    let refused = endpoints.refused.iter().cloned();
    let refused = refused.map(|report| SurveyedEndpoint { report, ..SurveyedEndpoint::default() });
    let head = looked.pinned.map(|pinned| pinned.block);
    Survey {
        endpoints: more.into_iter().chain(refused).collect(),
        agree: target.network.agree.max(1),
        no_head: head.as_ref().err().cloned(),
        head: head.ok(),
    }
}

/// `answers` are those to `requests`, the last two of which name a block that does not exist.
async fn surveyed(
    endpoint: &Endpoint,
    report: EndpointReport,
    answers: &[Result<Value, Trouble>],
    until: Instant,
) -> SurveyedEndpoint {
    let honours = answers.iter().rev().take(2).map(|answer| match answer {
        Ok(_) => Some(false),
        Err(Trouble::Rpc(error)) => Some(!error.is_revert()),
        Err(Trouble::Silent { .. }) => None,
    });
    let honours: Option<Vec<bool>> = honours.collect();
    let head = answers.get(3).and_then(|answer| read_block(answer.as_ref().ok()?));
    let now = jiff::Timestamp::now().as_second();
    let finalized = [Request::once("eth_getBlockByNumber", json!(["finalized", false]))];
    let finalized = endpoint.ask(&finalized, until).await.pop();
    let mut probes = Vec::new();
    for _ in 0..PROBES {
        probes.extend(endpoint.probe().await);
    }
    let head_number = head.map(|head| head.number).or(report.head);
    SurveyedEndpoint {
        report,
        head_age: head.and_then(|head| Some(now - i64::try_from(head.time).ok()?)),
        finalized: finalized.and_then(|block| Some(read_block(&block.ok()?)?.number)),
        honours_hashes: honours.map(|honours| honours.iter().all(|honours| *honours)),
        takes_batches: Some(endpoint.takes_batches()),
        state: match head_number {
            Some(head) => depth(endpoint, head, until).await,
            None => None,
        },
        latency_ms: probes.iter().map(|probe| milliseconds(probe.latency)).min(),
        clock_ahead: probes.iter().filter_map(|probe| probe.ahead).min_by_key(|ahead| ahead.abs()),
    }
}

/// The oldest state that it has, among a few depths.
async fn depth(endpoint: &Endpoint, head: u64, until: Instant) -> Option<StateDepth> {
    let depths: Vec<u64> = DEPTHS.into_iter().filter(|depth| *depth < head).collect();
    let balance = |number: u64| Request::once("eth_getBalance", json!([Address::zero(), format!("{number:#x}")]));
    let asked: Vec<Request> = std::iter::once(balance(head))
        .chain(depths.iter().map(|depth| balance(head - depth)))
        .chain([balance(head.min(1))])
        .collect();
    let answers = endpoint.ask(&asked, until).await;
    let (first, rest) = answers.split_first()?;
    first.as_ref().ok()?;
    let (oldest, between) = rest.split_last()?;
    if oldest.is_ok() {
        return Some(StateDepth::All);
    }
    let answered = between.iter().take_while(|answer| answer.is_ok()).count();
    Some(StateDepth::Blocks(answered.checked_sub(1).map_or(1, |last| depths[last])))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
