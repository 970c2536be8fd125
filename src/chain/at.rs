//! An older block instead of the newest one: found by number or hash, and only where the endpoints still have its state.

use std::fmt;
use std::str::FromStr;

use ethers::types::{Address, H256};
use serde_json::json;
use tokio::time::Instant;

use super::pin::{Endpoints, Looked, Pinned};
use super::preflight::{read_block, tag_name};
use super::reading::{EndpointReport, PinnedBlock};
use super::rpc::{Request, Trouble};
use super::text::{count, unhex};
use super::together::together;
use crate::runbook::Network;

/// A block that a person named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockChoice {
    Number(u64),
    Hash(H256),
}

impl FromStr for BlockChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hash = unhex(text).filter(|bytes| bytes.len() == 32).map(|bytes| Self::Hash(H256::from_slice(&bytes)));
        let digits = text.bytes().all(|digit| digit.is_ascii_digit());
        let number = || text.parse().ok().filter(|_| digits).map(Self::Number);
        hash.or_else(number).ok_or_else(|| "neither a block number nor a block hash (0x and 64 hex digits)".to_owned())
    }
}

impl fmt::Display for BlockChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Hash(hash) => write!(f, "{hash:?}"),
        }
    }
}

impl BlockChoice {
    fn request(self) -> Request {
        match self {
            Self::Number(number) => Request::once("eth_getBlockByNumber", json!([format!("{number:#x}"), false])),
            Self::Hash(hash) => Request::once("eth_getBlockByHash", json!([hash, false])),
        }
    }

    fn is(self, block: &PinnedBlock) -> bool {
        match self {
            Self::Number(number) => block.number == number,
            Self::Hash(hash) => block.hash == hash,
        }
    }
}

/// Takes `asked` in the place of the block that was looked up, from the endpoints that were fit.
pub(super) async fn older(
    asked: BlockChoice,
    endpoints: &Endpoints,
    network: &Network,
    looked: Looked,
    until: Instant,
) -> Looked {
    let Looked { mut reports, pinned } = looked;
    let pinned = match pinned {
        Ok(pinned) => find(asked, endpoints, network, pinned, &mut reports, until).await,
        Err(reason) => Err(reason),
    };
    Looked { reports, pinned }
}

async fn find(
    asked: BlockChoice,
    endpoints: &Endpoints,
    network: &Network,
    newest: Pinned,
    reports: &mut [EndpointReport],
    until: Instant,
) -> Result<Pinned, String> {
    let request = [asked.request()];
    let answers = together(newest.live.iter().map(|at| endpoints.open[*at].ask(&request, until))).await;
    let mut told: Vec<(usize, PinnedBlock)> = Vec::new();
    for (at, answers) in newest.live.iter().zip(answers) {
        match answers.into_iter().next() {
            Some(Ok(block)) if block.is_null() => doubt(&mut reports[*at], format!("does not know block {asked}")),
            Some(Ok(block)) => match read_block(&block).filter(|block| asked.is(block)) {
                Some(block) => told.push((*at, block)),
                None => doubt(&mut reports[*at], format!("answers with another block than {asked}")),
            },
            Some(Err(trouble)) => doubt(&mut reports[*at], format!("does not tell block {asked}: {trouble}")),
            None => doubt(&mut reports[*at], "was not asked".to_owned()),
        }
    }
    let Some((_, block)) = told.first().copied() else { return Err(lacking(asked, network, reports, 0)) };
    if told.iter().any(|(_, other)| *other != block) {
        let said = told.iter().map(|(at, block)| format!("{} says {:?}", endpoints.open[*at].at.label(), block.hash));
        return Err(format!("the endpoints disagree on block {asked}: {}", said.collect::<Vec<_>>().join(", ")));
    }
    if block.number > newest.block.number {
        let (have, tag) = (newest.block.number, tag_name(network.block));
        return Err(format!("block {} is newer than the `{tag}` block of `{}`, {have}", block.number, network.name));
    }
    let known: Vec<usize> = told.into_iter().map(|(at, _)| at).collect();
    let live = with_state(endpoints, block, known, reports, until).await;
    if live.len() < network.agree.max(1) {
        return Err(lacking(asked, network, reports, live.len()));
    }
    Ok(Pinned { block, live, ..newest })
}

/// Those of `known` that still have the block's state: nodes that are no archive forget it after a while.
async fn with_state(
    endpoints: &Endpoints,
    block: PinnedBlock,
    known: Vec<usize>,
    reports: &mut [EndpointReport],
    until: Instant,
) -> Vec<usize> {
    let at = json!({ "blockHash": block.hash, "requireCanonical": true });
    let request = [Request::once("eth_getBalance", json!([Address::zero(), at]))];
    let answers = together(known.iter().map(|at| endpoints.open[*at].ask(&request, until))).await;
    let mut live = Vec::new();
    for (at, answers) in known.into_iter().zip(answers) {
        match answers.into_iter().next() {
            Some(Ok(_)) => live.push(at),
            Some(Err(Trouble::Rpc(error))) if !error.is_limit() => doubt(
                &mut reports[at],
                format!("no longer has the state of block {} ({})", block.number, Trouble::Rpc(error)),
            ),
            Some(Err(trouble)) => doubt(&mut reports[at], trouble.to_string()),
            None => doubt(&mut reports[at], "was not asked".to_owned()),
        }
    }
    live
}

fn doubt(report: &mut EndpointReport, trouble: String) {
    report.counted = false;
    report.trouble = Some(trouble);
}

fn lacking(asked: BlockChoice, network: &Network, reports: &[EndpointReport], have: usize) -> String {
    let why = reports.iter().filter_map(EndpointReport::told).collect::<Vec<_>>().join("; ");
    let forgot =
        reports.iter().any(|report| report.trouble.as_ref().is_some_and(|trouble| trouble.contains("state of")));
    let archive = if forgot { "; an archive node, which keeps the state of every block, is needed" } else { "" };
    let agree = count(network.agree.max(1), "endpoint");
    format!("only {have} of the {agree} that `{}` needs can be read at block {asked}: {why}{archive}", network.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_number_or_a_hash() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<BlockChoice>().ok().map(|block| block.to_string()).as_deref(), expected, "{text}");
        };
        let hash = format!("0x{}", "ab".repeat(32));
        check("57", Some("57"));
        check(&hash, Some(&hash));
        check("0x39", None);
        check("+57", None);
        check("-1", None);
        check("latest", None);
        check("", None);
    }
}
