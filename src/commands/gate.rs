//! `citadel gate`: lists gates, and judges them again. Read-only: no step, no lock, no command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use super::context::Context;
use super::opening::{Existing, refuse};
use super::preconditions::supply;
use super::verdicts;
use crate::cli::Verify;
use crate::devchain;
use crate::engine::reading::telling_waits;
use crate::engine::time::Clock;
use crate::engine::world::{View, World};
use crate::engine::{accounts, dev_chain, gate_code, judge, rehearsed, signed, suspension};
use crate::error::{ExitCode, Failure};
use crate::event::{BlockRef, Event};
use crate::journal::RunFolder;
use crate::plan::Selection;
use crate::plan::selection::unknown;
use crate::process::Stop;
use crate::progress::Progress;
use crate::report::gates::{self, GateView};
use crate::runbook::{Check, CheckKind, Network, Phase, Runbook};
use crate::terminal;
use crate::verdict::{CheckResult, worst};
use crate::workspace::{self, Workspace};

/// What is said where no run was judged.
const NO_RUN: &str = "no run: the chain checks alone were judged; steps and sign-offs were not, and nothing is opened";

pub(super) fn list(context: &Context) -> ExitCode {
    let mut text = String::new();
    let checks = |checks: &[Check]| checks.iter().map(|check| check.id.clone()).collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "with every gate: {}", checks(&context.runbook.invariants));
    for phase in &context.runbook.phases {
        let on = phase.on.as_ref().map(|on| format!(" (on {on})")).unwrap_or_default();
        let _ = writeln!(text, "\ngate {}  {}{on}", phase.id, phase.gate.title);
        let _ = writeln!(
            text,
            "    steps   {}",
            phase.steps.iter().map(|step| step.id.0.clone()).collect::<Vec<_>>().join(", ")
        );
        if !phase.gate.checks.is_empty() {
            let _ = writeln!(text, "    checks  {}", checks(&phase.gate.checks));
        }
        if let Some(sign_off) = &phase.gate.sign_off {
            let _ = writeln!(
                text,
                "    people  {} of `{}`: {}",
                sign_off.threshold, sign_off.signers, sign_off.statement.0
            );
        }
    }
    terminal::data(&text);
    ExitCode::Ok
}

pub(super) async fn verify(context: &Context, args: &Verify) -> Result<ExitCode, Failure> {
    let existing = existing(context, args)?;
    let named = existing.as_ref().and_then(|run| run.progress.run.as_ref()).map(|run| run.network.clone());
    let network = context.network(named.as_deref().or(args.net.network.as_deref()))?;
    let phases = phases(context, args)?;
    let progress = match &existing {
        Some(existing) => existing.progress.clone(),
        None => progress_of_chain(context, network).await,
    };
    let mut world = world(context, args.workspace.as_deref(), network, existing.as_ref()).await?;
    world.at = args.at;
    let read = phases.iter().map(|phase| phase.on.as_deref().unwrap_or(&network.name));
    refuse(&unset(context, read, &world), "the gates can be judged", "nothing was judged")?;
    let view = View { runbook: &context.runbook, progress: &progress, world: &world };
    let mut views = Vec::new();
    let mut observer = terminal::observer(&context.style(world.folder.path()));
    for phase in phases {
        let judging =
            async { if existing.is_some() { judged(&view, phase).await } else { chain_only(&view, phase).await } };
        let tell = |activity: &str| observer.activity(activity);
        views.push(telling_waits(&world, &format!("gate {}", phase.id), tell, judging).await);
    }
    drop(observer);
    let older = args.at.map(|at| format!("read at block {at}, not at the newest: this opens nothing"));
    let note = if existing.is_some() { None } else { Some(NO_RUN.to_owned()) };
    let note = note.into_iter().chain(older).collect::<Vec<_>>().join("; ");
    verdicts::write(context, args.format, &views, &note)?;
    Ok(gate_code(gates::verdict(&views)))
}

/// A gate of a run, as it stands now.
pub(super) async fn judged(view: &View<'_>, phase: &Phase) -> GateView {
    let mut judgement = judge::judge(view, phase, &accounts::asks(view, phase)).await;
    let contracts = accounts::take(view, phase, &mut judgement);
    rehearsed::standing(view, phase, &mut judgement.results);
    if let Some(sign_off) = &phase.gate.sign_off {
        let signed = signed::standing(view, phase, sign_off, &judgement.results, &contracts, judgement.time);
        judgement.results.push(signed);
    }
    gate_view(view, phase, judgement)
}

/// A gate without a run: what the chain alone can say.
async fn chain_only(view: &View<'_>, phase: &Phase) -> GateView {
    let network = view.network(phase);
    let checks: Vec<&Check> = view.runbook.invariants.iter().chain(&phase.gate.checks).collect();
    let checks: Vec<&Check> = checks.into_iter().filter(|check| needs_no_run(&check.kind)).collect();
    let mut judgement = judge::checks_and(view, network, &checks, &[], view.kept(network), None).await;
    judgement.results.extend(suspension::results(view));
    gate_view(view, phase, judgement)
}

fn gate_view(view: &View<'_>, phase: &Phase, judgement: judge::Judgement) -> GateView {
    let block = judgement.reading.as_ref().and_then(|reading| reading.block.as_ref());
    GateView {
        id: phase.id.clone(),
        title: phase.gate.title.clone(),
        verdict: worst(judgement.results.iter().map(|result| result.verdict)),
        network: view.network(phase).name.clone(),
        block: block.map(|block| BlockRef {
            number: block.number,
            hash: format!("{:#x}", block.hash),
            time: block.time,
        }),
        lines: lines(view.runbook, phase, &judgement.results),
        notes: judgement.reading.map(|reading| reading.notes).unwrap_or_default(),
        results: judgement.results,
    }
}

/// Where each result of a gate is declared: what has no place of its own is the gate's.
fn lines(runbook: &Runbook, phase: &Phase, results: &[CheckResult]) -> BTreeMap<String, usize> {
    let checks = runbook.phases.iter().flat_map(|phase| &phase.gate.checks).chain(&runbook.invariants);
    let checks = checks.chain(&phase.gate.checks).map(|check| (check.id.clone(), check.place.line()));
    let steps = phase.steps.iter().map(|step| (format!("step {}", step.id), step.place.line()));
    let deliverables = runbook.deliverables.iter().map(|one| (format!("deliverable {}", one.id), one.place.line()));
    let people = phase.gate.sign_off.iter().map(|sign_off| ("sign-off".to_owned(), sign_off.place.line()));
    let known: BTreeMap<String, usize> = checks.chain(steps).chain(deliverables).chain(people).collect();
    let line = |id: &String| known.get(id).copied().unwrap_or(phase.gate.place.line());
    results.iter().map(|result| (result.id.clone(), line(&result.id))).collect()
}

/// Endpoints without a URL that can be used, where fewer than must agree have one.
pub(super) fn unset<'a>(
    context: &Context,
    networks: impl Iterator<Item = &'a str>,
    world: &World,
) -> Vec<(String, String)> {
    let names: BTreeSet<&str> = networks.collect();
    let read = names.iter().filter_map(|name| context.runbook.networks.get(*name));
    let short = read.filter(|network| {
        let usable = network.rpc.iter().filter(|name| matches!(world.endpoint(name), Some(Ok(_)))).count();
        network.dev_chain.is_none() && usable < network.agree.max(1)
    });
    let unset = short.flat_map(|network| {
        network.rpc.iter().filter_map(|name| {
            let why = world.endpoint(name).map_or_else(|| Some("is not set".to_owned()), Result::err)?;
            Some((format!("`{name}` {why}: the URL of an endpoint for {}", network.name), supply(name)))
        })
    });
    unset.collect()
}

/// Whether a check can be judged without what a run kept.
fn needs_no_run(kind: &CheckKind) -> bool {
    match kind {
        CheckKind::SafeBundle(_)
        | CheckKind::SafeTx { .. }
        | CheckKind::UnchangedSince { .. }
        | CheckKind::Transaction(_)
        | CheckKind::Json { .. }
        | CheckKind::Rehearsed(_) => false,
        CheckKind::Call { rules, .. } | CheckKind::Slot { rules, .. } => !format!("{rules:?}").contains("From {"),
        CheckKind::Pause { .. }
        | CheckKind::CanPause { .. }
        | CheckKind::Settlers { .. }
        | CheckKind::Governed { .. }
        | CheckKind::Code { .. }
        | CheckKind::Reverts { .. }
        | CheckKind::Proxy(_)
        | CheckKind::Role(_)
        | CheckKind::Timelock(_)
        | CheckKind::Operation { .. } => true,
        CheckKind::Safe(asked) => !format!("{asked:?}").contains("From {"),
    }
}

fn existing(context: &Context, args: &Verify) -> Result<Option<Existing>, Failure> {
    if let Some(folder) = &args.run {
        let folder = RunFolder::at(&context.here.join(folder));
        let name = folder.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Existing::read(name, folder).map(Some);
    }
    Existing::latest(&context.home(context.network(args.net.network.as_deref())?))
}

fn phases<'a>(context: &'a Context, args: &Verify) -> Result<Vec<&'a Phase>, Failure> {
    let all = &context.runbook.phases;
    if let Some(phase) = &args.phase {
        return Ok(all[Selection::phases(&context.runbook, phase)?.phases].iter().collect());
    }
    if args.gates.is_empty() {
        return Ok(all.iter().collect());
    }
    let find = |name: &String| {
        let found = all.iter().find(|phase| phase.id.0 == *name);
        found.ok_or_else(|| unknown("gate", name, all.iter().map(|phase| &*phase.id.0)))
    };
    args.gates.iter().map(find).collect()
}

/// Where there is no run: the dev chain that is kept up, so that its contracts are known.
pub(super) async fn progress_of_chain(context: &Context, network: &Network) -> Progress {
    let mut progress = Progress::default();
    let mut networks = context.runbook.networks.values();
    let dev =
        if network.dev_chain.is_some() { Some(network) } else { networks.find(|other| other.dev_chain.is_some()) };
    let Some(dev) = dev else { return progress };
    if let Some(kept) = devchain::find_kept(&context.home(dev).dev_chain()).await {
        let (url, process) = (kept.record.url, kept.record.process);
        progress
            .apply(1, &Event::DevChainStarted { url, pid: process.pid, start_time: process.start_time, kept: true });
        progress.apply(2, &Event::DevChainReady(dev_chain::deployment(&kept.deployment)));
    }
    progress
}

/// The world of a run that is looked at, not worked on.
pub(super) async fn world(
    context: &Context,
    workspace: Option<&Path>,
    network: &Network,
    existing: Option<&Existing>,
) -> Result<World, Failure> {
    let of_run = existing.and_then(|run| run.progress.run.as_ref());
    let dir = match (workspace, of_run) {
        (Some(dir), _) => context.here.join(dir),
        (None, Some(run)) => run.workspace.clone().into(),
        (None, None) => workspace::find(&context.runbook, None, &context.here, network.dev_chain.is_some())
            .unwrap_or_else(|_| context.here.clone()),
    };
    context.close_state(&dir);
    let workspace = Workspace::inspect(&context.runbook, dir, &context.child_environment()).await;
    let (_sender, stop) = tokio::sync::watch::channel(Stop::No);
    let home = context.home(network);
    let (name, folder) = match existing {
        Some(existing) => (existing.run.clone(), existing.folder.clone()),
        None => ("none".to_owned(), home.run("none")),
    };
    let mut world = context.world(network, workspace, &name, folder, stop)?;
    if let Some(existing) = existing {
        world.clock = Clock::after_records(&existing.entries);
    }
    if let Some(run) = of_run {
        world.reports = run.reports.clone().into();
    }
    Ok(world)
}
