//! What is known when a contingency begins: the contracts by the runbook alone, and, once the chain was read, how its
//! brake stands. Reads the newest block, since nobody waits for finality in an emergency.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::chain::{Call, Known, Operation, PinnedBlock, Surroundings};
use crate::commands::context::Context;
use crate::commands::opening::Existing;
use crate::devchain;
use crate::engine::world::View;
use crate::engine::{dev_chain, judge};
use crate::event::Event;
use crate::runbook::{
    BlockTag, Check, CheckKind, Contingency, ContractKind, Network, PauseState, Place, Predicate, Runbook,
};
use crate::verdict::CheckResult;

/// How long the chain may take to answer before the contingency goes on without it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The contracts of a brake, as the runbook declares them on one network.
pub(super) struct Brake {
    pub(super) pause: Known,
    /// Who governs it, where the runbook says so.
    pub(super) governor: Option<Known>,
    pub(super) safe: Option<Known>,
    /// Contracts with settlers, which no pause reaches.
    pub(super) settled: Vec<Known>,
    /// The longest delay that a `can_pause` of the runbook allows.
    pub(super) within: Option<Duration>,
}

/// A brake as the chain shows it.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) block: Option<PinnedBlock>,
    pub(super) governance: Option<String>,
    /// Seconds; none where governance is no timelock.
    pub(super) delay: Option<String>,
    pub(super) modules: Vec<Module>,
    /// Contracts that no pause reaches, with what is known of their settlers.
    pub(super) unreached: Vec<(String, Vec<Settler>)>,
    /// What could not be read, or is wrong.
    pub(super) problems: Vec<String>,
}

/// An account, and whether it may settle where that could be read.
pub(super) type Settler = (String, Option<bool>);

/// One of the eight.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) paused: bool,
    pub(super) pauser: Option<String>,
}

/// The facts about the dev chain that a contingency on it starts from: the kept one's, else those of the run on it.
pub(super) async fn chain_facts(context: &Context, network: &Network) -> Vec<Event> {
    if network.dev_chain.is_none() {
        return Vec::new();
    }
    let home = context.home(network);
    if let Some(kept) = devchain::find_kept(&home.dev_chain()).await {
        let (url, process) = (kept.record.url, kept.record.process);
        let started = Event::DevChainStarted { url, pid: process.pid, start_time: process.start_time, kept: true };
        return vec![started, Event::DevChainReady(dev_chain::deployment(&kept.deployment))];
    }
    let run = Existing::latest(&home).ok().flatten();
    let chain = run.and_then(|run| run.progress.dev_chain).filter(|chain| !chain.ended);
    let Some(chain) = chain else { return Vec::new() };
    let (url, pid, start_time, kept) = (chain.url, chain.pid, chain.start_time, chain.kept);
    let started = Event::DevChainStarted { url, pid, start_time, kept };
    std::iter::once(started).chain(chain.deployment.map(Event::DevChainReady)).collect()
}

/// The contract that must be paused for the contingency to be over.
pub(super) fn pauses(contingency: &Contingency) -> Option<&str> {
    contingency.done_when.iter().find_map(|check| match &check.kind {
        CheckKind::Pause { of, is: PauseState::Paused } => Some(of.as_str()),
        _ => None,
    })
}

impl Brake {
    /// The brake of the contract `name`, where it has an address on the network.
    pub(super) fn of(view: &View<'_>, declared: &Runbook, network: &Network, name: &str) -> Option<Self> {
        let around = view.around(network, view.kept(network));
        let known = around.contracts();
        let checks = || declared.invariants.iter().chain(declared.phases.iter().flat_map(|phase| &phase.gate.checks));
        let governor = checks().find_map(|check| match &check.kind {
            CheckKind::Governed { contracts, by } if contracts.iter().any(|of| of == name) => around.contract(by),
            _ => None,
        });
        let within = checks().find_map(|check| match &check.kind {
            CheckKind::CanPause { of, within } if of == name => Some(*within),
            _ => None,
        });
        Some(Self {
            pause: around.contract(name)?,
            governor,
            safe: known.iter().find(|known| known.kind == ContractKind::Safe).cloned(),
            settled: known.into_iter().filter(|known| !known.settlers.is_empty()).collect(),
            within,
        })
    }

    /// The timelock that must make the calls, by the chain's word or the runbook's.
    pub(super) fn timelock(&self, seen: &Seen) -> Option<Known> {
        let declared = self.governor.clone().filter(|known| known.kind == ContractKind::Timelock);
        match (&seen.governance, &seen.delay) {
            (Some(address), Some(_)) => {
                let (name, address) = ("governance".to_owned(), address.parse().ok()?);
                let told = Known { name, kind: ContractKind::Timelock, address, settlers: Vec::new() };
                Some(declared.filter(|known| known.address == told.address).unwrap_or(told))
            }
            (Some(_), None) => None,
            (None, _) => declared,
        }
    }

    /// What governance must call; what the chain shows done already is left out.
    pub(super) fn calls(&self, seen: &Seen) -> Vec<Call> {
        let running = || seen.modules.iter().filter(|module| !module.paused);
        let mut calls = Vec::new();
        if seen.modules.is_empty() || running().count() == seen.modules.len() {
            calls.push(Call::pause_all(self.pause.address));
        } else {
            let call = |module: &Module| {
                Some(Call::pause_module(self.pause.address, module.address.parse().ok()?, &module.name))
            };
            calls.extend(running().filter_map(call));
        }
        for engine in &self.settled {
            for settler in &engine.settlers {
                let is_off = seen.unreached.iter().any(|(name, settlers)| {
                    let off = |(who, may): &Settler| who.parse().ok() == Some(*settler) && *may == Some(false);
                    *name == engine.name && settlers.iter().any(off)
                });
                if !is_off {
                    calls.push(Call::settler_off(engine.address, *settler, &engine.name));
                }
            }
        }
        calls
    }

    /// Reads how it stands at the newest block.
    pub(super) async fn read(&self, view: &View<'_>, network: &Network) -> Seen {
        let (of, any) = (self.pause.name.clone(), Duration::from_secs(u64::MAX));
        let pause = made("modules", CheckKind::Pause { of: of.clone(), is: PauseState::Paused });
        let can = made("brake", CheckKind::CanPause { of, within: any });
        let checks = [&pause, &can];
        let (results, block) = results(view, network, &checks).await;
        let mut seen = Seen { block, ..Seen::default() };
        for result in &results {
            seen.take(result);
        }
        if seen.modules.is_empty() || seen.governance.is_none() {
            seen.problems.extend(results.iter().map(|result| result.message.clone()));
        }
        seen
    }
}

impl Seen {
    fn take(&mut self, result: &CheckResult) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let Some(observed) = result.observed.as_object() else { return };
        if result.kind == "pause" {
            let module = |(name, module): (&String, &Value)| {
                let (address, pauser) = (text(&module["address"])?, text(&module["pauser"]));
                Some(Module { name: name.clone(), address, paused: module["paused"].as_bool()?, pauser })
            };
            self.modules = observed.iter().filter_map(module).collect();
            return;
        }
        self.governance = observed.get("governance").and_then(text);
        self.delay = observed.get("delay").and_then(text);
        let unreached = observed.get("unreached").and_then(Value::as_object);
        let settlers = |of: &Value| -> Vec<Settler> {
            let settlers = of["settlers"].as_object().into_iter().flatten();
            settlers.map(|(who, may)| (who.clone(), may.as_bool())).collect()
        };
        self.unreached = unreached.into_iter().flatten().map(|(name, of)| (name.clone(), settlers(of))).collect();
    }
}

/// Where an operation stands at its timelock, in words; none where that could not be read.
pub(super) async fn operation(view: &View<'_>, network: &Network, at: &Known, of: &Operation) -> Option<String> {
    let kind = CheckKind::Call {
        of: at.name.clone(),
        signature: "getTimestamp(bytes32)(uint256)".to_owned(),
        args: vec![crate::runbook::Template(of.id())],
        from: None,
        rules: Vec::<Predicate>::new(),
    };
    let check = made("operation", kind);
    let (results, block) = results(view, network, &[&check]).await;
    let told: i64 = results.first()?.observed.as_str()?.parse().ok()?;
    let now = i64::try_from(block?.time).ok()?;
    Some(match told {
        0 => "not scheduled yet".to_owned(),
        1 => "executed".to_owned(),
        ready if ready <= now => "scheduled, and ready: execute it".to_owned(),
        ready => format!("scheduled; can be executed from {}", Timestamp::from_second(ready).ok()?),
    })
}

async fn results(view: &View<'_>, network: &Network, checks: &[&Check]) -> (Vec<CheckResult>, Option<PinnedBlock>) {
    let newest = Network { block: BlockTag::Latest, settle: Duration::ZERO, ..network.clone() };
    let judging = judge::checks_and(view, &newest, checks, &[], view.kept(&newest), None);
    let Ok(judged) = tokio::time::timeout(PATIENCE, judging).await else {
        return (vec![CheckResult::unknown("chain", "chain", "the chain did not answer in time")], None);
    };
    (judged.results, judged.reading.and_then(|reading| reading.block))
}

fn made(id: &str, kind: CheckKind) -> Check {
    Check { id: id.to_owned(), kind, waiver: None, place: Place::default() }
}
