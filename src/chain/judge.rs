//! The two questions that the engine asks: how do these checks stand at one block, and what is the newest block.

use tokio::time::{Instant, sleep};

use super::at::older;
use super::board::{Answers, Board, Work};
use super::checks;
use super::finding::Finding;
use super::pin::{Endpoints, Looked, Pinned, look};
use super::preflight::{look_again, tag_name};
use super::question::{Answer, Question};
use super::reader::Reader;
use super::reading::{EndpointReport, PinnedBlock, Reading};
use super::rpc::Endpoint;
use super::surroundings::{Surroundings, Target, TransactionsAsk, Wait};
use super::telling::{advise, expected, refused, said};
use super::view::View;
use crate::runbook::{BlockTag, Check, Network};
use crate::verdict::{CheckResult, Verdict};

/// Judges checks and transactions at one pinned block.
///
/// The block is at or past `at_least` and past every transaction asked about; `settle` of the network is how long to
/// wait for that. Checks of the kind `json` are not judged here and have no result.
pub async fn judge(
    target: &Target<'_>,
    checks: &[&Check],
    transactions: &[TransactionsAsk],
    around: &dyn Surroundings,
    at_least: Option<u64>,
) -> Reading {
    let endpoints = Endpoints::new(target).after(&around.seen());
    let until = Instant::now() + target.network.settle + target.limits.total;
    let mut waited = None;
    let (looked, pinned) = wait_for_block(target, &endpoints, transactions, around, at_least, until, &mut waited).await;
    let mut reading = Reading { chain_id: target.network.chain_id, ..Reading::default() };
    match pinned {
        Ok(pinned) => {
            let reader = reader(target, &endpoints, &pinned, until.min(Instant::now() + target.limits.total));
            read(target, &endpoints, reader, &pinned, checks, transactions, around, &mut reading, looked).await;
        }
        Err(reason) => {
            reading.endpoints = looked;
            reading.results = nothing_read(checks, transactions, &reason);
        }
    }
    for (report, endpoint) in reading.endpoints.iter_mut().zip(&endpoints.open) {
        report.happened = endpoint.happened();
    }
    reading.endpoints.extend(endpoints.refused);
    for result in reading.results.iter_mut().filter(|result| result.verdict != Verdict::Passed) {
        if reading.block.is_none() {
            result.said = refused(&reading.endpoints);
        }
        advise(result, target.network);
    }
    reading.notes = notes(&reading.endpoints);
    let counted = |endpoint: &&Endpoint| {
        let named = |report: &EndpointReport| report.trouble.is_some() && report.variable == endpoint.at.variable();
        !reading.endpoints.iter().any(named)
    };
    reading.notes.extend(endpoints.open.iter().filter(counted).filter_map(Endpoint::went_backwards));
    reading.notes.extend(waited.map(|first: Wait| format!("waited: {first}")));
    reading
}

/// The newest block that enough endpoints know, and the newest finalized one where they tell the same.
///
/// # Errors
/// Why none can be told.
pub async fn head(target: &Target<'_>) -> Result<(PinnedBlock, Option<PinnedBlock>), String> {
    let endpoints = Endpoints::new(target);
    let looked = look(&endpoints, target.network, BlockTag::Latest, Instant::now() + target.limits.round).await;
    looked.pinned.map(|pinned| (pinned.block, pinned.finalized))
}

/// Looks until the block is new enough or `settle` has passed.
async fn wait_for_block(
    target: &Target<'_>,
    endpoints: &Endpoints,
    transactions: &[TransactionsAsk],
    around: &dyn Surroundings,
    at_least: Option<u64>,
    until: Instant,
    waited: &mut Option<Wait>,
) -> (Vec<EndpointReport>, Result<Pinned, String>) {
    let network = target.network;
    let patience = Instant::now() + network.settle;
    let mut needed = None;
    loop {
        let round = until.min(Instant::now() + target.limits.round);
        let looked = look(endpoints, network, network.block, round).await;
        let Looked { reports, pinned } = match around.at() {
            Some(asked) => older(asked, endpoints, network, looked, round).await,
            None => looked,
        };
        let pause = look_again(network);
        let over = Instant::now() + pause > patience;
        let newest = match pinned {
            Ok(pinned) => {
                let mined = newest(target, endpoints, &pinned, transactions, round).await;
                let block = at_least.into_iter().chain(mined).max().unwrap_or_default();
                if pinned.block.number >= block {
                    return (reports, Ok(pinned));
                }
                if let Some(asked) = around.at() {
                    let last = "the last that this phase's steps changed";
                    return (reports, Err(format!("block {asked} is older than block {block}, {last}")));
                }
                if over {
                    return (reports, Err(too_old(network, pinned.block.number, block)));
                }
                needed = Some(block);
                Some(pinned.block.number)
            }
            // Once the endpoints served, in this judgement or before it, a moment without them does not end the wait.
            Err(reason) => {
                needed = needed.or(endpoints.behind(&reports));
                if needed.is_none() || over {
                    return (reports, Err(reason));
                }
                None
            }
        };
        let left = patience.saturating_duration_since(Instant::now());
        let wait = Wait { block: needed.unwrap_or_default(), newest, tag: tag_name(network.block), left };
        if !around.waits(&wait) {
            return (reports, Err(format!("citadel was asked to stop while it waited: {wait}")));
        }
        waited.get_or_insert(wait);
        sleep(pause).await;
    }
}

fn too_old(network: &Network, have: u64, needed: u64) -> String {
    let tag = tag_name(network.block);
    format!("the newest `{tag}` block of `{}` is {have}; block {needed} must be read", network.name)
}

/// The newest block among the transactions that are mined.
async fn newest(
    target: &Target<'_>,
    endpoints: &Endpoints,
    pinned: &Pinned,
    transactions: &[TransactionsAsk],
    until: Instant,
) -> Option<u64> {
    let hashes = transactions.iter().flat_map(|ask| &ask.hashes).filter_map(|hash| checks::transaction_hash(hash).ok());
    let questions: Vec<Question> = hashes.map(Question::Receipt).collect();
    if questions.is_empty() {
        return None;
    }
    let reader = reader(target, endpoints, pinned, until);
    let answers = reader.ask(&questions).await;
    let blocks = answers.into_iter().filter_map(|answer| match answer {
        Answer::Receipt(Some(mined)) => Some(mined.block_number),
        _ => None,
    });
    blocks.max()
}

fn reader<'a>(target: &Target<'_>, endpoints: &'a Endpoints, pinned: &Pinned, until: Instant) -> Reader<'a> {
    let live: Vec<&Endpoint> = pinned.live.iter().map(|at| &endpoints.open[*at]).collect();
    Reader::new(live, target.network.agree.max(1), pinned.block, target.limits, until)
}

/// Reads and judges everything at the pinned block.
#[expect(clippy::too_many_arguments, reason = "the one place where all of a judgement meets")]
async fn read(
    target: &Target<'_>,
    endpoints: &Endpoints,
    reader: Reader<'_>,
    pinned: &Pinned,
    checks: &[&Check],
    transactions: &[TransactionsAsk],
    around: &dyn Surroundings,
    reading: &mut Reading,
    reports: Vec<EndpointReport>,
) {
    let board = Board::default();
    let variable = endpoints.open[pinned.live[0]].at.variable().to_owned();
    let view = View::new(around, target.network, pinned.block, variable, &board);
    let found = findings(&view, checks, transactions, &reader).await;
    let questions: Vec<Option<Question>> = found.iter().map(|finding| finding.question().cloned()).collect();
    let mut results = named(found, checks, transactions, around);
    if let Err(reason) = reader.still_canonical().await {
        for result in &mut results {
            doubt(result, &reason);
        }
    }
    reading.block = Some(pinned.block);
    reading.finalized = pinned.finalized;
    reading.genesis = pinned.genesis;
    reading.results = results;
    reading.endpoints = reports;
    let (records, gone) = reader.finish();
    reading.reads = records;
    for (result, question) in reading.results.iter_mut().zip(questions) {
        if let (Some(question), true) = (question, result.verdict != Verdict::Passed) {
            result.said = said(&question, pinned.block, &reading.reads, &reading.endpoints);
        }
    }
    for (variable, reason) in gone {
        for report in reading.endpoints.iter_mut().filter(|report| report.variable == variable) {
            report.trouble = Some(format!("stopped answering: {reason}"));
        }
    }
}

/// What each check and each ask for transactions finds, from whoever answers.
pub(super) async fn findings(
    view: &View<'_>,
    checks: &[&Check],
    transactions: &[TransactionsAsk],
    chain: &impl Answers,
) -> Vec<Finding> {
    view.related.expect(checks.iter().copied());
    let work: Vec<Work<'_, Finding>> = checks
        .iter()
        .filter_map(|check| Some(telling_others(view, check, checks::work(view, check)?)))
        .chain(transactions.iter().map(|ask| checks::transactions(view, ask)))
        .collect();
    let found = view.board.run(work, chain).await;
    found.into_iter().map(|finding| finding.unwrap_or_else(unfinished)).collect()
}

/// The work with its finding told to the checks that are compared with it.
fn telling_others<'a>(view: &'a View<'a>, check: &'a Check, work: Work<'a, Finding>) -> Work<'a, Finding> {
    Box::pin(async move {
        let finding = work.await;
        view.related.found(check, &finding);
        finding
    })
}

/// The findings under their ids, with those that compare results with earlier ones.
pub(super) fn named(
    findings: Vec<Finding>,
    checks: &[&Check],
    transactions: &[TransactionsAsk],
    around: &dyn Surroundings,
) -> Vec<CheckResult> {
    let names = checks
        .iter()
        .filter(|check| checks::reads_chain(check))
        .map(|check| (check.id.as_str(), check.kind.name(), expected(&check.kind)))
        .chain(transactions.iter().map(|ask| (ask.id.as_str(), "transactions", String::new())));
    let mut results: Vec<CheckResult> = findings
        .into_iter()
        .zip(names)
        .map(|(finding, (id, kind, expected))| finding.or_expected(expected).named(id, kind))
        .collect();
    checks::compare_with_earlier(checks, &mut results, around);
    results
}

/// Nothing that was read at a block that is gone counts.
pub(super) fn doubt(result: &mut CheckResult, reason: &str) {
    result.verdict = Verdict::Unknown;
    reason.clone_into(&mut result.message);
    result.hint = Some("run it again".to_owned());
}

fn unfinished() -> Finding {
    Finding::unknown("citadel could not finish this check: a defect").hint("report it with the runbook's check")
}

/// Every result of a judgement without a block.
fn nothing_read(checks: &[&Check], transactions: &[TransactionsAsk], reason: &str) -> Vec<CheckResult> {
    let finding = || Finding::unknown(reason);
    let of_checks = checks
        .iter()
        .filter(|check| checks::reads_chain(check))
        .map(|check| finding().expected(expected(&check.kind)).named(&check.id, check.kind.name()));
    of_checks.chain(transactions.iter().map(|ask| finding().named(&ask.id, "transactions"))).collect()
}

fn notes(endpoints: &[EndpointReport]) -> Vec<String> {
    endpoints.iter().filter_map(EndpointReport::told).collect()
}
