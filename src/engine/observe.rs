//! Observes everything that the runbook's checks look at on a chain, at one block. Judges nothing: what is demanded of a
//! value is left out, so that a snapshot tells what is, whether it may be or not.

use std::collections::BTreeMap;

use super::judge::checks_and;
use super::world::View;
use crate::chain::{Reading, Surroundings as _, checksum};
use crate::error::{ExitCode, Failure};
use crate::report::snapshot::{FORMAT, Observed, Snapshot, SnapshotBlock};
use crate::runbook::{Check, CheckKind, EvidenceKind, Network, PauseState, Runbook, Safe, Step};
use crate::verdict::{CheckResult, Verdict};

/// Observes at one block of `network`, the newest or the one that the world names.
///
/// # Errors
/// Where no block could be read.
pub async fn observe(view: &View<'_>, network: &Network) -> Result<Snapshot, Failure> {
    let all = observed_on(view.runbook, network);
    // Ids are unique in a gate, not in a runbook.
    let numbered = all.iter().enumerate();
    let checks: Vec<Check> = numbered.map(|(at, (_, check))| Check { id: at.to_string(), ..check.clone() }).collect();
    let judged = checks_and(view, network, &checks.iter().collect::<Vec<_>>(), &[], view.kept(network), None).await;
    let reading = judged.reading.unwrap_or_default();
    let Some(block) = reading.block else { return Err(no_block(network, &reading, judged.results.first())) };
    let find = |at: usize| judged.results.iter().find(|result| result.id == at.to_string());
    let observed = all.iter().enumerate().map(|(at, (of, check))| one(of, check, find(at))).collect();
    let contracts = view.around(network, view.kept(network)).contracts();
    let counted = reading.endpoints.iter().filter(|report| report.counted);
    Ok(Snapshot {
        format: FORMAT,
        citadel: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: view.runbook.id.clone(),
        runbook_sha256: view.runbook.sha256.clone(),
        network: network.name.clone(),
        chain_id: network.chain_id,
        genesis: reading.genesis.map(|genesis| format!("{genesis:?}")),
        block: SnapshotBlock { number: block.number, hash: format!("{:?}", block.hash), time: block.time },
        endpoints: counted.map(|report| (report.variable.clone(), report.host.clone())).collect::<BTreeMap<_, _>>(),
        contracts: contracts.into_iter().map(|known| (known.name, checksum(known.address))).collect(),
        observed,
    })
}

fn no_block(network: &Network, reading: &Reading, first: Option<&CheckResult>) -> Failure {
    let why = first.map_or_else(|| "no check reads the chain".to_owned(), |result| result.message.clone());
    let why = std::iter::once(why).chain(reading.notes.iter().cloned()).collect::<Vec<_>>().join("; ");
    Failure::new(ExitCode::GateUnknown, format!("nothing could be observed on `{}`: {why}", network.name))
        .hint(format!("`citadel doctor --network {}` shows what is wrong with which endpoint", network.name))
}

fn one(of: &str, check: &Check, result: Option<&CheckResult>) -> Observed {
    let mut one = Observed {
        of: of.to_owned(),
        check: check.id.clone(),
        kind: check.kind.name().to_owned(),
        observed: serde_json::Value::Null,
        nothing: None,
        unknown: None,
    };
    match result {
        None => one.unknown = Some("it was not judged".to_owned()),
        Some(result) if !result.observed.is_null() => one.observed = result.observed.clone(),
        Some(result) if result.verdict == Verdict::Unknown => one.unknown = Some(result.message.clone()),
        Some(result) if result.verdict == Verdict::Failed => one.nothing = Some(result.message.clone()),
        Some(_) => {}
    }
    one
}

/// Every check that reads this network's chain and nothing that a run keeps, with what it belongs to.
fn observed_on(runbook: &Runbook, network: &Network) -> Vec<(String, Check)> {
    let invariants = runbook.invariants.iter().map(|check| ("invariant".to_owned(), check));
    let here = |on: &Option<String>| on.as_ref().is_none_or(|on| *on == network.name);
    let phases = runbook.phases.iter().filter(|phase| here(&phase.on));
    let gates = phases.clone().flat_map(|phase| {
        let of = format!("gate {}", phase.id);
        phase.gate.checks.iter().map(move |check| (of.clone(), check))
    });
    let steps = phases.flat_map(|phase| &phase.steps);
    let contingencies = runbook.contingencies.iter().flat_map(|contingency| {
        let of = format!("contingency {}", contingency.id);
        contingency.done_when.iter().map(move |check| (of.clone(), check))
    });
    let steps = steps.chain(runbook.contingencies.iter().flat_map(|contingency| &contingency.steps));
    let steps = steps.filter(|step| !step.own_chain).flat_map(of_step);
    let all = invariants.chain(gates).chain(contingencies).chain(steps);
    let mut seen: Vec<String> = Vec::new();
    let mut observed = Vec::new();
    for (of, check) in all {
        let Some(kind) = observing(&check.kind) else { continue };
        // What two places ask the same is observed once, where it is asked first.
        let asked = serde_json::to_string(&kind).unwrap_or_default();
        if !seen.contains(&asked) {
            seen.push(asked);
            observed.push((of, Check { kind, ..check.clone() }));
        }
    }
    observed
}

fn of_step(step: &Step) -> impl Iterator<Item = (String, &Check)> {
    let chain = step.evidence.iter().filter_map(|evidence| match &evidence.kind {
        EvidenceKind::Chain(check) => Some(check),
        EvidenceKind::File(_) | EvidenceKind::Output(_) | EvidenceKind::Transactions(_) => None,
    });
    let of = format!("step {}", step.id);
    chain.chain(&step.before).chain(step.probe.as_deref()).map(move |check| (of.clone(), check))
}

/// The kind without its demands on values; none where it looks at what a run keeps.
fn observing(kind: &CheckKind) -> Option<CheckKind> {
    let mut kind = kind.clone();
    match &mut kind {
        CheckKind::Call { rules, .. } | CheckKind::Slot { rules, .. } => rules.clear(),
        CheckKind::Safe(safe) => {
            let Safe { threshold, share, owners, nonce, .. } = safe;
            [threshold, share, owners, nonce].into_iter().for_each(Vec::clear);
        }
        CheckKind::SafeBundle(_)
        | CheckKind::SafeTx { .. }
        | CheckKind::UnchangedSince { .. }
        | CheckKind::Transaction(_)
        | CheckKind::Json { .. }
        | CheckKind::Rehearsed(_) => return None,
        CheckKind::Pause { is, .. } => *is = PauseState::Running,
        CheckKind::Settlers { allowed, .. } => *allowed = true,
        CheckKind::Timelock(timelock) => timelock.pending.clear(),
        CheckKind::CanPause { .. }
        | CheckKind::Governed { .. }
        | CheckKind::Code { .. }
        | CheckKind::Reverts { .. }
        | CheckKind::Proxy(_)
        | CheckKind::Role(_)
        | CheckKind::Operation { .. } => {}
    }
    Some(kind)
}
