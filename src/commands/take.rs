//! `citadel take`: takes over a run that was handed over. Verified offline first, then its open gates are judged again by
//! this machine's endpoints; nothing is imported before all of it holds.

use std::path::Path;

use jiff::Timestamp;

use super::context::Context;
use super::contingency::records::{host, owner};
use super::handed_over::{self, Manifest, PUBLISHED, RUN};
use super::opening::{Existing, refuse};
use super::taken::{offline, refuse_other_place, refuse_other_work};
use super::{gate, verdicts};
use crate::cli::{Take, VerdictFormat};
use crate::engine::gate_code;
use crate::engine::suspension;
use crate::engine::world::{View, World};
use crate::error::{ExitCode, Failure};
use crate::event::{BlockRef, Event, TakenOver};
use crate::journal::{Home, Journal, Lock, RunFolder, sync_folder};
use crate::report::gates;
use crate::runbook::{Network, PhaseId};
use crate::terminal;
use crate::verdict::Verdict;
use crate::workspace;

/// What was handed over, read and not yet believed.
pub(super) struct Offered {
    pub(super) manifest: Manifest,
    pub(super) run: Existing,
}

pub(super) async fn take(context: &Context, args: &Take) -> Result<ExitCode, Failure> {
    let folder = context.here.join(&args.folder);
    let manifest = Manifest::read(&folder)?;
    let network = network(context, &manifest)?;
    let run = Existing::read(manifest.run.clone(), RunFolder::at(&folder.join(RUN)))?;
    let offered = Offered { manifest, run };
    let home = context.home(network);
    home.create()?;
    let _lock = Lock::take(&home.lock(), &owner(context, "citadel take"))?;
    refuse_other_work(&home, &offered)?;
    let dir = workspace::find(&context.runbook, args.workspace.as_deref(), &context.here, false);
    let dir = dir.map_err(|why| {
        Failure::new(ExitCode::Precondition, format!("no workspace: {why}")).hint("name it: `--workspace DIR`")
    })?;
    let mut world = gate::world(context, Some(&dir), network, Some(&offered.run)).await?;
    world.reports = folder.join(PUBLISHED);
    let view = View { runbook: &context.runbook, progress: &offered.run.progress, world: &world };
    offline(&offered, &view, &folder).await?;
    refuse_other_place(&offered, &view)?;
    let gates = judge_again(context, &view).await?;
    import(&home, &offered, &folder)?;
    finish(context, &home, &offered, (&world, &folder, &context.reports(network)), gates)
}

/// The network of the run, where this operator may take it over.
fn network<'a>(context: &'a Context, manifest: &Manifest) -> Result<&'a Network, Failure> {
    let me = context.operator();
    let refused = |what: String, hint: &str| Err(Failure::new(ExitCode::Precondition, what).hint(hint));
    if manifest.runbook != context.runbook.id {
        let what = format!("the run is of the runbook `{}`, this is `{}`", manifest.runbook, context.runbook.id);
        return refused(what, "name the right one: `citadel --runbook FILE take …`");
    }
    let network = context.network(Some(&manifest.network))?;
    if manifest.to != me {
        let what = format!("the run was handed over to {}, and you are {me}", manifest.to);
        return refused(what, "nothing was imported; say who you are: `export CITADEL_OPERATOR=NAME`");
    }
    if !network.operators.is_empty() && !network.operators.contains(&me) {
        let what = format!("`{me}` is no operator of {}", network.name);
        return refused(what, "nothing was imported; only they go on with runs there");
    }
    Ok(network)
}

/// Judges every gate that had passed, now and by this machine's endpoints; all must pass again.
async fn judge_again(context: &Context, view: &View<'_>) -> Result<Vec<(PhaseId, Option<BlockRef>)>, Failure> {
    let open = context.runbook.phases.iter().filter(|phase| view.progress.gate_passed(&phase.id));
    let read = open.clone().map(|phase| phase.on.as_deref().unwrap_or(&view.world.network));
    let unset = gate::unset(context, read, view.world);
    refuse(&unset, "its open gates can be judged here", "nothing was imported")?;
    let mut views = Vec::new();
    for phase in open {
        views.push(gate::judged(view, phase).await);
    }
    if let Some(bad) = views.iter().find(|view| view.verdict != Verdict::Passed) {
        verdicts::write(context, VerdictFormat::Human, &views, "")?;
        let what = format!("gate {} had passed, and is {} by the endpoints of this machine", bad.id, bad.verdict);
        return Err(Failure::new(gate_code(gates::verdict(&views)), what)
            .hint("nothing was imported; mend the cause, or the endpoints, then run the same command again"));
    }
    Ok(views.into_iter().map(|view| (view.id, view.block)).collect())
}

/// Puts the run's folder where this machine keeps runs. One that is there is the beginning of it, and goes.
fn import(home: &Home, offered: &Offered, folder: &Path) -> Result<(), Failure> {
    let target = home.run(&offered.run.run);
    let (fresh, old) = (home.path().join("take.new"), home.path().join("take.old"));
    for left in [&fresh, &old] {
        if left.exists() {
            std::fs::remove_dir_all(left).map_err(anyhow::Error::from)?;
        }
    }
    handed_over::copy(&folder.join(RUN), &fresh, |_| false)?;
    if target.path().exists() {
        std::fs::rename(target.path(), &old).map_err(anyhow::Error::from)?;
    }
    std::fs::rename(&fresh, target.path()).map_err(anyhow::Error::from)?;
    sync_folder(home.path()).map_err(anyhow::Error::from)?;
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(anyhow::Error::from)?;
    }
    Ok(target.create()?)
}

/// Publishes the copies here, records who took the run over, and says what comes next.
fn finish(
    context: &Context,
    home: &Home,
    offered: &Offered,
    (world, folder, reports): (&World, &Path, &Path),
    gates: Vec<(PhaseId, Option<BlockRef>)>,
) -> Result<ExitCode, Failure> {
    let published = folder.join(PUBLISHED);
    if published.is_dir() {
        std::fs::create_dir_all(reports).map_err(anyhow::Error::from)?;
        handed_over::copy(&published, reports, |_| false)?;
    }
    for (id, of) in &offered.run.progress.suspended {
        suspension::mark(home, id, of)?;
    }
    let target = home.run(&offered.run.run);
    let (mut journal, _) = Journal::open(&target.journal(), &world.mask)?;
    let names: Vec<String> = gates.iter().map(|(gate, _)| gate.to_string()).collect();
    let event = TakenOver {
        citadel: env!("CARGO_PKG_VERSION").to_owned(),
        by: context.operator(),
        from: offered.manifest.by.clone(),
        host: host(),
        workspace: world.workspace.dir.display().to_string(),
        reports: reports.display().to_string(),
        folder: target.path().display().to_string(),
        gates,
    };
    journal.append(Event::TakenOver(event), Timestamp::now())?;
    let (run, from, network) = (&offered.run.run, &offered.manifest.by, &world.network);
    let again = match names.as_slice() {
        [] => "no gate had passed".to_owned(),
        names => format!("passed again by the endpoints of this machine: gate {}", names.join(", gate ")),
    };
    terminal::data(&format!(
        "run {run} is taken over from {from}; {again}\nhead    {} {}\nnext: `citadel run --network {network}`\n",
        journal.sequence(),
        journal.head()
    ));
    Ok(ExitCode::Ok)
}
