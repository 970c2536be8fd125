//! Chooses the one block that every read is made at: the newest under the tag that enough endpoints know by one hash.

use ethers::types::H256;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::preflight::{
    Examined, Tagged, examine, finalized_request, is_of_now, look_again, now, read_block, requests, tag_name,
};
use super::reading::{EndpointReport, PinnedBlock};
use super::rpc::{Endpoint, EndpointUrl, Poster, Request};
use super::surroundings::{Seen, Target};
use super::text::count;
use super::together::together;
use crate::runbook::{BlockTag, Network};

/// How often a block that not all endpoints know yet is looked for.
const LOOKS: u32 = 4;

/// The endpoints of a target, each party once; the others with the reason why not.
pub(crate) struct Endpoints {
    pub(crate) open: Vec<Endpoint>,
    pub(crate) refused: Vec<EndpointReport>,
    /// The newest block that was read before; whose head is below it does not count.
    read: u64,
}

/// What a look at all endpoints found.
pub(crate) struct Looked {
    /// One report for each open endpoint, in their order.
    pub(crate) reports: Vec<EndpointReport>,
    pub(crate) pinned: Result<Pinned, String>,
}

/// A block and the endpoints, by their place, that know it.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    pub(crate) block: PinnedBlock,
    pub(crate) genesis: Option<H256>,
    pub(crate) live: Vec<usize>,
    /// The newest finalized block that enough endpoints told, whatever the tag.
    pub(crate) finalized: Option<PinnedBlock>,
}

impl Endpoints {
    pub(crate) fn new(target: &Target<'_>) -> Self {
        let mut endpoints = Self { open: Vec::new(), refused: Vec::new(), read: 0 };
        let poster = Poster::new(target.limits, target.endpoints.iter().any(EndpointUrl::is_https));
        for at in &target.endpoints {
            match endpoints.take(at, poster.clone()) {
                Ok(endpoint) => endpoints.open.push(endpoint),
                Err(trouble) => endpoints.refused.push(refused(at, trouble)),
            }
        }
        let unusable = target.unusable.iter().map(|(variable, why)| EndpointReport {
            variable: variable.clone(),
            trouble: Some(why.clone()),
            ..EndpointReport::default()
        });
        endpoints.refused.extend(unusable);
        endpoints
    }

    /// The same with what earlier judgements saw, so that going back behind it is noticed.
    pub(crate) fn after(mut self, seen: &Seen) -> Self {
        for endpoint in &self.open {
            endpoint.saw_head(seen.heads.get(endpoint.at.variable()).copied());
        }
        self.read = seen.read;
        self
    }

    /// The block that was read before, where an endpoint's head is below it.
    pub(crate) fn behind(&self, reports: &[EndpointReport]) -> Option<u64> {
        reports.iter().any(|report| report.head.is_some_and(|head| head < self.read)).then_some(self.read)
    }

    /// An endpoint whose head is below what this run has read is set back, or is another node: it is not counted.
    fn leave_out(&self, examined: &mut Examined) {
        if let Some(head) = examined.report.head.filter(|head| *head < self.read && examined.tagged.is_some()) {
            let trouble =
                format!("went backwards: its newest block is {head}, and this run has read block {}", self.read);
            examined.report.trouble = Some(trouble);
            examined.report.counted = false;
            examined.tagged = None;
        }
    }

    fn take(&self, at: &EndpointUrl, poster: Result<Poster, String>) -> Result<Endpoint, String> {
        match self.open.iter().find(|other| other.at.party() == at.party()) {
            Some(other) => Err(format!("is at the same host as `{}`: counted once", other.at.variable())),
            None => Ok(Endpoint::new(at.clone(), poster?)),
        }
    }
}

fn refused(at: &EndpointUrl, trouble: String) -> EndpointReport {
    EndpointReport {
        variable: at.variable().to_owned(),
        host: at.host(),
        trouble: Some(trouble),
        ..EndpointReport::default()
    }
}

/// Examines every endpoint and chooses the block.
pub(crate) async fn look(endpoints: &Endpoints, network: &Network, tag: BlockTag, until: Instant) -> Looked {
    let mut asked = requests(tag);
    let examination = asked.len();
    asked.extend(finalized_request(tag));
    let mut answers = together(endpoints.open.iter().map(|endpoint| endpoint.ask(&asked, until))).await;
    let beside: Vec<Option<PinnedBlock>> = answers
        .iter_mut()
        .map(|answers| answers.drain(examination.min(answers.len())..).next()?.ok().as_ref().and_then(read_block))
        .collect();
    let now = now();
    let mut examined: Vec<Examined> = endpoints
        .open
        .iter()
        .zip(answers)
        .map(|(endpoint, answers)| examine(&endpoint.at, network, tag, answers, now))
        .collect();
    for (endpoint, one) in endpoints.open.iter().zip(&mut examined) {
        endpoint.saw_head(one.report.head);
        endpoints.leave_out(one);
    }
    let mut reports: Vec<EndpointReport> = examined.iter().map(|one| one.report.clone()).collect();
    let pinned = choose(endpoints, network, tag, &examined, &mut reports, until).await;
    let pinned = pinned.and_then(|pinned| {
        // Each endpoint's own block was fresh; one that lags, or says it does, can have drawn the choice back.
        let fresh = is_of_now(network, pinned.block, now);
        fresh.map_err(|how| format!("the block that enough endpoints know, {how}"))?;
        Ok(Pinned { finalized: finalized(tag, &examined, &beside, network.agree.max(1)), ..pinned })
    });
    Looked { reports, pinned }
}

/// The newest finalized block that enough of the counted endpoints tell alike.
fn finalized(
    tag: BlockTag,
    examined: &[Examined],
    beside: &[Option<PinnedBlock>],
    agree: usize,
) -> Option<PinnedBlock> {
    let told: Vec<PinnedBlock> = examined
        .iter()
        .zip(beside)
        .filter_map(|(one, beside)| {
            let tagged = one.tagged?;
            if tag == BlockTag::Finalized { tagged.block } else { *beside }
        })
        .collect();
    let known_by = |block: &PinnedBlock| told.iter().filter(|other| *other == block).count();
    told.iter().filter(|block| known_by(block) >= agree).max_by_key(|block| block.number).copied()
}

async fn choose(
    endpoints: &Endpoints,
    network: &Network,
    tag: BlockTag,
    examined: &[Examined],
    reports: &mut [EndpointReport],
    until: Instant,
) -> Result<Pinned, String> {
    let fit: Vec<(usize, Tagged)> =
        examined.iter().enumerate().filter_map(|(at, one)| Some((at, one.tagged?))).collect();
    let agree = network.agree.max(1);
    if fit.len() < agree {
        return Err(too_few(network, reports, &endpoints.refused, fit.len()));
    }
    let genesis = genesis(&fit, reports)?;
    if let Some(block) = one_block(&fit) {
        return Ok(Pinned { block, genesis, live: fit.iter().map(|(at, _)| *at).collect(), finalized: None });
    }
    let mut numbers: Vec<u64> = fit.iter().map(|(_, block)| block.number).collect();
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    let number = numbers[agree - 1];
    let mut problem = String::new();
    for look in 0..LOOKS {
        if look > 0 {
            let pause = look_again(network).min(std::time::Duration::from_secs(1));
            if Instant::now() + pause >= until {
                break;
            }
            sleep(pause).await;
        }
        match known_by(endpoints, network, tag, &fit, number, until).await {
            Ok((block, live)) => {
                for (at, _) in fit.iter().filter(|(at, _)| !live.contains(at)) {
                    reports[*at].counted = false;
                    reports[*at].trouble = Some(format!("does not know block {number} yet"));
                }
                return Ok(Pinned { block, genesis, live, finalized: None });
            }
            Err(reason) => problem = reason,
        }
    }
    Err(problem)
}

/// The block that all have under the tag, if it is the same.
fn one_block(fit: &[(usize, Tagged)]) -> Option<PinnedBlock> {
    let first = fit.first()?.1;
    first.block.filter(|_| fit.iter().all(|(_, tagged)| *tagged == first))
}

/// Who knows the block of that number, where enough do and none tells another.
async fn known_by(
    endpoints: &Endpoints,
    network: &Network,
    tag: BlockTag,
    fit: &[(usize, Tagged)],
    number: u64,
    until: Instant,
) -> Result<(PinnedBlock, Vec<usize>), String> {
    let request = [Request::once("eth_getBlockByNumber", json!([format!("{number:#x}"), false]))];
    let answers = together(fit.iter().map(|(at, _)| endpoints.open[*at].ask(&request, until))).await;
    let told: Vec<(usize, PinnedBlock)> = fit
        .iter()
        .zip(answers)
        .filter_map(|((at, _), answers)| Some((*at, read_block(answers.first()?.as_ref().ok()?)?)))
        .filter(|(_, block)| block.number == number)
        .collect();
    let agree = network.agree.max(1);
    match told.first() {
        Some((_, block)) if told.iter().any(|(_, other)| other != block) => {
            let said =
                told.iter().map(|(at, block)| format!("{} says {:?}", endpoints.open[*at].at.label(), block.hash));
            Err(format!("the endpoints disagree on block {number}: {}", said.collect::<Vec<_>>().join(", ")))
        }
        Some((_, block)) if told.len() >= agree => Ok((*block, told.iter().map(|(at, _)| *at).collect())),
        _ => Err(format!(
            "only {} of the {} needed know block {number} (`{}`)",
            told.len(),
            count(agree, "endpoint"),
            tag_name(tag)
        )),
    }
}

/// The one hash of block 0 among those who tell it.
fn genesis(fit: &[(usize, Tagged)], reports: &[EndpointReport]) -> Result<Option<H256>, String> {
    let told: Vec<(usize, H256)> = fit.iter().filter_map(|(at, _)| Some((*at, reports[*at].genesis?))).collect();
    match told.first() {
        Some((_, first)) if told.iter().any(|(_, other)| other != first) => {
            let said = told.iter().map(|(at, hash)| format!("`{}` says {hash:?}", reports[*at].variable));
            Err(format!("the endpoints are on different chains: of block 0 {}", said.collect::<Vec<_>>().join(", ")))
        }
        first => Ok(first.map(|(_, hash)| *hash)),
    }
}

fn too_few(network: &Network, reports: &[EndpointReport], refused: &[EndpointReport], fit: usize) -> String {
    let troubles = reports.iter().chain(refused).filter_map(EndpointReport::told);
    let set = |name: &String| reports.iter().chain(refused).any(|report| report.variable == *name);
    let unset = network.rpc.iter().filter(|name| !set(name)).map(|name| format!("`{name}` is not set"));
    let reasons: Vec<String> = troubles.chain(unset).collect();
    let agree = count(network.agree.max(1), "endpoint");
    format!("only {fit} of the {agree} that `{}` needs can be used: {}", network.name, reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64, fork: u64) -> PinnedBlock {
        PinnedBlock { number, hash: H256::from_low_u64_be(number * 10 + fork), time: number }
    }

    /// What is finalized by the word of endpoints, each with its block under the tag, if it counts, and what it says beside.
    #[track_caller]
    fn check(tag: BlockTag, told: &[(Option<PinnedBlock>, Option<PinnedBlock>)], agree: usize, expected: Option<u64>) {
        let examined = |tagged: Option<PinnedBlock>| Examined {
            report: EndpointReport::default(),
            tagged: tagged.map(|block| Tagged { number: block.number, block: Some(block) }),
        };
        let (examined, beside): (Vec<_>, Vec<_>) =
            told.iter().map(|(tagged, beside)| (examined(*tagged), *beside)).unzip();
        assert_eq!(finalized(tag, &examined, &beside, agree).map(|block| block.number), expected);
    }

    #[test]
    fn only_what_enough_counted_endpoints_tell_alike_is_finalized() {
        let (latest, old, new, lie) = (Some(block(100, 0)), Some(block(36, 0)), Some(block(68, 0)), Some(block(68, 1)));
        check(BlockTag::Latest, &[(latest, new), (latest, new)], 2, Some(68));
        check(BlockTag::Latest, &[(latest, new), (latest, old)], 2, None);
        check(BlockTag::Latest, &[(latest, new), (latest, old), (latest, old)], 2, Some(36));
        check(BlockTag::Latest, &[(latest, new), (latest, lie)], 2, None);
        check(BlockTag::Latest, &[(latest, new), (None, new)], 2, None);
        check(BlockTag::Latest, &[(latest, new), (latest, None)], 2, None);
        check(BlockTag::Latest, &[(latest, new), (latest, None)], 1, Some(68));
        check(BlockTag::Safe, &[(latest, new), (latest, old), (latest, new), (latest, old)], 2, Some(68));
        check(BlockTag::Finalized, &[(new, None), (new, None)], 2, Some(68));
        check(BlockTag::Finalized, &[(new, None), (lie, None)], 2, None);
        check(BlockTag::Latest, &[], 1, None);
    }
}
