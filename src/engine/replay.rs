//! Judges a gate's record again, offline: with today's checks, from the bytes that it holds. It never says *passed*: what
//! follows is only consistent.

use std::collections::BTreeMap;
use std::path::Path;

use super::inputs::{Content, Documents, Noted};
use super::judge::{local_check, with_compared};
pub use super::record::GateRecord;
use super::rehearsed::Rehearsals;
use super::waiver::waive;
use crate::chain::{self, Known, Surroundings, checksum};
use crate::error::{ExitCode, Failure};
use crate::runbook::{self, Check, ContractAddress, Network, Phase, PhaseId, Rehearsed, Runbook, Scope};
use crate::verdict::{CheckResult, Verdict, worst};

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
    /// It rests on the run's journal, which the record does not hold.
    NotJudged,
}

impl Replay {
    /// The first thing that does not follow, checks first.
    pub fn first_problem(&self) -> Option<String> {
        let differs = |(id, found): &(String, Found)| match found {
            Found::Differs(why) => Some(format!("`{id}` {why}")),
            Found::Follows | Found::NotJudged => None,
        };
        self.found.iter().find_map(differs).or_else(|| self.problems.first().cloned())
    }
}

/// Judges the record in `bytes` again.
///
/// # Errors
/// With the code `EvidenceBroken` where it cannot even be read.
pub async fn replay(bytes: &[u8]) -> Result<Replay, Failure> {
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
    let mut found = compare(&record, &mut judged);
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
    let on_chain = with_compared(runbook, on_chain);
    let asks = &record.transactions;
    let Some(reading) = &record.reading else {
        let problem = (!on_chain.is_empty() || !asks.is_empty()).then(|| "the record holds no reading".to_owned());
        return (judged, problem.into_iter().collect());
    };
    let Some(block) = reading.block else {
        // Without a block nothing was read, and nothing can be known.
        let ids = on_chain.iter().map(|check| (check.id.as_str(), check.kind.name()));
        let ids = ids.chain(asks.iter().map(|ask| (ask.id.as_str(), "transactions")));
        judged.extend(ids.map(|(id, kind)| CheckResult::unknown(id, kind, "no block was read")));
        return (judged, Vec::new());
    };
    let again = chain::replay(network, reading, block, &on_chain, asks, around).await;
    judged.extend(again.results);
    (judged, again.problems)
}

/// Each recorded result against the one that follows, which is taken from `judged`.
fn compare(record: &GateRecord, judged: &mut Vec<CheckResult>) -> Vec<(String, Found)> {
    let mut found = Vec::new();
    for result in &record.results {
        let again = judged.iter().position(|other| other.id == result.id && other.kind == result.kind);
        let of = match again.map(|at| judged.remove(at)) {
            Some(again) => follows(result, &again),
            None if rests_on_the_journal(result) => Found::NotJudged,
            None => Found::Differs("is no check of this gate".to_owned()),
        };
        found.push((result.id.clone(), of));
    }
    found
}

fn follows(recorded: &CheckResult, again: &CheckResult) -> Found {
    if recorded.verdict != again.verdict {
        let (was, is) = (recorded.verdict, again.verdict);
        return Found::Differs(format!("was recorded as {was}; the recorded bytes say {is}: {}", again.message));
    }
    if recorded.observed != again.observed {
        let (was, is) = (&recorded.observed, &again.observed);
        return Found::Differs(format!("was recorded as having observed {was}; the recorded bytes say {is}"));
    }
    Found::Follows
}

/// Results about steps and people: facts of the journal, no bytes of a chain or a file.
fn rests_on_the_journal(result: &CheckResult) -> bool {
    matches!(result.kind.as_str(), "step" | "deliverable" | "sign-off" | "transactions" | "contingency" | "safe_owners")
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
        content(&self.inputs.artefacts, name)
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<serde_json::Value> {
        let same = |earlier: &&super::inputs::Earlier| earlier.gate == *gate && earlier.check == check;
        self.inputs.earlier.iter().find(same)?.observed.clone()
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
