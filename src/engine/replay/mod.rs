//! Judges a gate's record again, offline: with today's checks, from the bytes that it holds. It never says *passed*: what
//! follows is only consistent, and what cannot be judged again is named.

mod beside;
mod people;

use std::collections::BTreeMap;
use std::path::Path;

use super::accounts;
use super::inputs::{Content, Documents, Noted};
use super::judge::{local_check, with_compared};
pub use super::record::GateRecord;
use super::rehearsed::Rehearsals;
use super::signed;
use super::waiver::waive;
use crate::chain::{self, Known, Seen, Surroundings, Wait, checksum};
use crate::error::{ExitCode, Failure};
use crate::runbook::{self, Check, ContractAddress, Network, Phase, PhaseId, Rehearsed, Runbook, Scope};
use crate::verdict::{CheckResult, Verdict, worst};
pub use beside::Beside;

/// What became of judging a record again.
#[derive(Debug)]
pub struct Replay {
    pub record: GateRecord,
    /// The gate's title in the record's runbook.
    pub title: String,
    /// Every result of the record, in its order, with what was found.
    pub found: Vec<(String, Found)>,
    /// What does not fit beside the checks.
    pub problems: Vec<String>,
}

/// What was found of one result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Verdict and observed value follow from the recorded bytes.
    Follows,
    /// They do not, with the reason.
    Differs(String),
    /// It rests on something that is not there: why, as the end of `not judged again, because`.
    NotJudged(String),
}

impl Replay {
    /// The first thing that does not follow, checks first.
    pub fn first_problem(&self) -> Option<String> {
        let differs = |(id, found): &(String, Found)| match found {
            Found::Differs(why) => Some(format!("`{id}` {why}")),
            Found::Follows | Found::NotJudged(_) => None,
        };
        // A statement names every result: whatever is wrong with one of them is said of that one.
        let people = |(id, _): &&(String, Found)| id == signed::ID;
        let checks = self.found.iter().filter(|found| !people(found)).find_map(differs);
        checks.or_else(|| self.found.iter().find_map(differs)).or_else(|| self.problems.first().cloned())
    }
}

/// Judges the record in `bytes` again; `beside` is the run that it lies in.
///
/// # Errors
/// With the code `EvidenceBroken` where it cannot even be read.
pub async fn replay(bytes: &[u8], beside: Option<&Beside>) -> Result<Replay, Failure> {
    let (record, whole) = GateRecord::open(bytes).map_err(broken)?;
    let parsed = runbook::parse(&record.runbook, Path::new("runbook.toml"));
    let runbook = parsed.map_err(|_| broken("the runbook in it is not valid"))?;
    let network = runbook.networks.get(&record.network);
    let network = network.ok_or_else(|| broken("its runbook does not declare its network"))?;
    let phase = runbook.phases.iter().find(|phase| phase.id == record.gate);
    let phase = phase.ok_or_else(|| broken("its runbook does not declare its gate"))?;
    let around = Recorded::new(&record.inputs, &runbook, &network.name);
    let mut problems = around.moved(&runbook, network);
    let (mut judged, more) = judge_again(&record, &runbook, network, phase, &around).await;
    waive(runbook.invariants.iter().chain(&phase.gate.checks), &mut judged, record.judged);
    problems.extend(more);
    let (own, more) = beside::transactions(&record, phase, &around);
    judged.extend(own);
    problems.extend(more);
    if let Some(beside) = beside {
        judged.extend(beside.results(&record, &runbook, phase));
        problems.extend(beside.problems(&record, phase));
    }
    let contracts = phase.gate.sign_off.as_ref().map(|sign_off| {
        let candidates = people::candidates(&record, &runbook, network, phase);
        accounts::take_from(&mut judged, sign_off, candidates)
    });
    let signed = people::again(&record, &runbook, network, phase, &judged, &contracts.unwrap_or_default());
    let mut broken_off = None;
    match signed {
        Some(Ok(result)) => judged.push(result),
        Some(Err(why)) => broken_off = Some(why),
        None => {}
    }
    let operators = people::operators(&record, &runbook, network, phase, &judged, beside);
    let mut found = compare(&record, &mut judged, broken_off.as_deref());
    found.extend(operators);
    if record.reading.as_ref().is_some_and(|reading| reading.block.is_some()) {
        found.push(("endpoints".to_owned(), Found::NotJudged(OUTCOME_ALONE.to_owned())));
    }
    found.extend(missing(&record, phase, judged));
    problems.extend(about_the_whole(&record, &runbook, network, whole));
    Ok(Replay { title: phase.gate.title.clone(), record, found, problems })
}

fn broken(why: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::EvidenceBroken, format!("this is no gate record that can be judged again: {why}"))
        .hint("a record is `gates/GATE.N.json` in a run's folder, or `gates/GATE.json` beside its report")
}

/// Every check of the gate, as the recorded bytes say.
async fn judge_again(
    record: &GateRecord,
    runbook: &Runbook,
    network: &Network,
    phase: &Phase,
    around: &Recorded<'_>,
) -> (Vec<CheckResult>, Vec<String>) {
    let checks: Vec<&Check> = runbook.invariants.iter().chain(&phase.gate.checks).collect();
    let (local, on_chain): (Vec<&Check>, Vec<&Check>) = checks.into_iter().partition(|check| !check.kind.reads_chain());
    let mut judged: Vec<CheckResult> = local.iter().map(|check| local_check(check, around)).collect();
    let sign_off = phase.gate.sign_off.as_ref();
    let owners = sign_off.and_then(|sign_off| accounts::owners_check(runbook, phase, sign_off));
    let candidates = people::candidates(record, runbook, network, phase);
    let more = owners.iter().chain(candidates.iter().map(|candidate| &candidate.check));
    let on_chain = with_compared(runbook, on_chain.into_iter().chain(more).collect());
    let asks = &record.transactions;
    let Some(reading) = &record.reading else {
        let problem = (!on_chain.is_empty() || !asks.is_empty()).then(|| "the record holds no reading".to_owned());
        return (judged, problem.into_iter().collect());
    };
    let Some(block) = reading.block else {
        // Without a block nothing was read, and nothing can be known.
        let ids = on_chain.iter().map(|check| (check.id.as_str(), check.kind.name()));
        let ids = ids.chain(asks.iter().map(|ask| (ask.id.as_str(), "transactions")));
        judged.extend(ids.map(|(id, kind)| CheckResult::unknown(id, kind, NO_BLOCK)));
        return (judged, Vec::new());
    };
    let again = chain::replay(network, reading, block, &on_chain, asks, around).await;
    judged.extend(again.results);
    (judged, again.problems)
}

/// Each recorded result against the one that follows, which is taken from `judged`.
fn compare(record: &GateRecord, judged: &mut Vec<CheckResult>, broken_off: Option<&str>) -> Vec<(String, Found)> {
    let mut found = Vec::new();
    for result in &record.results {
        let again = judged.iter().position(|other| other.id == result.id && other.kind == result.kind);
        let of = match again.map(|at| judged.remove(at)) {
            Some(again) => follows(record, result, &again),
            None => match (not_judged(result), broken_off) {
                (_, Some(why)) if result.kind == signed::ID => Found::Differs(why.to_owned()),
                (Some(why), _) => Found::NotJudged(why.to_owned()),
                _ if result.kind == signed::ID => {
                    Found::Differs("rests on signatures that the record does not hold".to_owned())
                }
                (None, _) => Found::Differs("is no check of this gate".to_owned()),
            },
        };
        found.push((result.id.clone(), of));
    }
    found
}

fn follows(record: &GateRecord, recorded: &CheckResult, again: &CheckResult) -> Found {
    if recorded.verdict != again.verdict {
        let (was, is) = (recorded.verdict, again.verdict);
        return Found::Differs(format!("was recorded as {was}; the recorded bytes say {is}: {}", again.message));
    }
    if recorded.observed != again.observed {
        let (was, is) = (&recorded.observed, &again.observed);
        return Found::Differs(format!("was recorded as having observed {was}; the recorded bytes say {is}"));
    }
    let unread = record.reading.as_ref().is_some_and(|reading| reading.block.is_none());
    if unread && again.message == NO_BLOCK {
        return Found::NotJudged(OUTCOME_ALONE.to_owned());
    }
    Found::Follows
}

/// What is said of a check where no block was read.
const NO_BLOCK: &str = "no block was read";
const OUTCOME_ALONE: &str = "of the examination of each endpoint the record holds the outcome, not the bytes";

/// Why a result without a second judgement may be without one: it rests on something else than what the record holds.
fn not_judged(result: &CheckResult) -> Option<&'static str> {
    match (result.kind.as_str(), result.verdict) {
        ("step" | "deliverable", _) => {
            Some("it rests on the run's journal, which is not beside this file; name the record in the run's folder")
        }
        ("contingency", Verdict::Failed) => {
            Some("it rests on a mark that a contingency leaves on the machine; it can only keep a gate shut")
        }
        (signed::ID, Verdict::Unknown) => {
            Some("it says that nobody knows who operates the run, which rests on the run's journal")
        }
        _ => None,
    }
}

/// What the gate asks and the record does not answer.
fn missing(record: &GateRecord, phase: &Phase, left: Vec<CheckResult>) -> Vec<(String, Found)> {
    let has = |id: &str| record.results.iter().any(|result| result.id == id);
    let steps = phase.steps.iter().map(|step| format!("step {}", step.id)).filter(|id| !has(id));
    let people = phase.gate.sign_off.is_some() && record.verdict == Verdict::Passed && !has("sign-off");
    let ids = left.into_iter().map(|result| result.id).chain(steps).chain(people.then(|| "sign-off".to_owned()));
    ids.map(|id| (id, Found::Differs("has no result in the record".to_owned()))).collect()
}

fn about_the_whole(record: &GateRecord, runbook: &Runbook, network: &Network, whole: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let worst = worst(record.results.iter().map(|result| result.verdict));
    if worst != record.verdict {
        problems.push(format!("the gate was recorded as {}; its results say {worst}", record.verdict));
    }
    if runbook.sha256 != record.runbook_sha256 {
        problems.push("the runbook in the record is not the one that the record names".to_owned());
    }
    if network.chain_id != record.chain_id {
        problems.push(format!("the record is of chain {}, its network is {}", record.chain_id, network.chain_id));
    }
    if !whole {
        problems.push("the file is not what was sealed: something in it was changed after it was written".to_owned());
    }
    problems
}

/// What the record says that the checks looked at.
struct Recorded<'a> {
    inputs: &'a Noted,
    known: Vec<Known>,
    scope: Scope,
}

impl<'a> Recorded<'a> {
    fn new(inputs: &'a Noted, runbook: &Runbook, network: &str) -> Self {
        let known = |(name, address): (&String, &String)| {
            let contract = runbook.contracts.get(name)?;
            let settlers = contract.settlers.get(network).cloned().unwrap_or_default();
            Some(Known { name: name.clone(), kind: contract.kind, address: address.parse().ok()?, settlers })
        };
        let known = inputs.contracts.iter().filter_map(known).collect();
        Self { inputs, known, scope: Scope { values: inputs.names.clone() } }
    }

    /// Contracts whose recorded address is not the one that the runbook declares.
    fn moved(&self, runbook: &Runbook, network: &Network) -> Vec<String> {
        let moved = |known: &&Known| match runbook.contracts[&known.name].address.get(&network.name) {
            Some(ContractAddress::Fixed(address)) => *address != known.address,
            Some(ContractAddress::DevChain(_)) => false,
            None => true,
        };
        let told = |known: &Known| format!("`{}` is not at {} by the runbook", known.name, checksum(known.address));
        self.known.iter().filter(moved).map(told).collect()
    }
}

fn content(of: &BTreeMap<String, Content>, name: &str) -> Result<Vec<u8>, String> {
    of.get(name).ok_or_else(|| format!("the record does not hold `{name}`"))?.bytes()
}

impl Surroundings for Recorded<'_> {
    fn contracts(&self) -> Vec<Known> {
        self.known.clone()
    }

    fn artefact(&self, name: &str) -> Result<Vec<u8>, String> {
        // No artefact's name has a slash, so that nothing gathered can stand for what a run's journal names.
        content(if name.contains('/') { &self.inputs.gathered } else { &self.inputs.artefacts }, name)
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<serde_json::Value> {
        let same = |earlier: &&super::inputs::Earlier| earlier.gate == *gate && earlier.check == check;
        self.inputs.earlier.iter().find(same)?.observed.clone()
    }

    fn seen(&self) -> Seen {
        Seen::default()
    }

    fn waits(&self, _: &Wait) -> bool {
        false
    }
}

impl Documents for Recorded<'_> {
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        content(&self.inputs.files, path)
    }

    fn rehearsals(&self, asked: &Rehearsed) -> Rehearsals {
        let same = |noted: &&Rehearsals| noted.phase == asked.phase && noted.on == asked.on;
        self.inputs.rehearsals.iter().find(same).cloned().unwrap_or_default()
    }
}
