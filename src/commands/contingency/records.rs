//! Where a contingency is recorded: a journal of its own with a lock of its own, so that no run's journal ever has two
//! writers. Where the state folder cannot be written, a temporary folder; where nothing can, memory.

use jiff::Timestamp;

use crate::commands::context::Context;
use crate::commands::opening::Existing;
use crate::commands::{outline, resume};
use crate::engine::suspension;
use crate::engine::world::{View, World};
use crate::error::{ExitCode, Failure};
use crate::event::{Event, Guards, RunContinued, RunOpened};
use crate::journal::{Home, Journal, Lock, Owner, RunFolder};
use crate::process::fence;
use crate::progress::{Progress, Suspension};
use crate::recorder::Recorder;
use crate::runbook::{Network, Runbook};
use crate::terminal;

/// A contingency's records, and what keeps others from them.
pub(super) struct Records {
    pub(super) recorder: Recorder,
    /// Another citadel goes through the steps.
    pub(super) elsewhere: bool,
    /// Freed when dropped.
    pub(super) held: (Option<Lock>, Option<tempfile::TempDir>),
}

/// The contingency `id` that is open on the network, if there is one.
pub(in crate::commands) fn open_one(home: &Home, id: &str) -> Option<Existing> {
    let all = home.contingencies();
    let names = all.runs().ok()?.into_iter().rev().filter(|name| name.ends_with(&format!(".{id}")));
    let mut found = names.filter_map(|name| Existing::read(name.clone(), all.run(&name)).ok());
    found.find(|existing| existing.progress.closed.is_none())
}

impl Records {
    /// Opens the records, or takes them up again; sets the place of `world` to theirs.
    pub(super) fn open(context: &Context, alone: &Runbook, world: &mut World, facts: Vec<Event>) -> Self {
        let network = &alone.networks[&world.network];
        let home = context.home(network);
        let id = alone.phases[0].id.0.clone();
        let lock = home.contingencies().create().map_err(Failure::from).and_then(|()| {
            let owner = owner(context, &format!("citadel contingency run {id}"));
            Lock::take(&home.contingency_lock(&id), &owner)
        });
        // What stands there under the lock, or beside whoever has it.
        let existing = open_one(&home, &id);
        let name = existing.as_ref().map_or_else(
            || format!("{}.{id}", home.contingencies().new_run(Timestamp::now())),
            |existing| existing.run.clone(),
        );
        world.run.clone_from(&name);
        world.folder = home.contingencies().run(&name);
        world.reports = world.reports.join("contingencies").join(&name);
        let locked = match lock {
            Ok(lock) => Ok(lock),
            Err(failure) if failure.code == ExitCode::Locked => {
                terminal::warning(&format!("{failure}; that one goes through the steps, this one only watches"));
                return Self::unrecorded(context, alone, world, facts, true);
            }
            Err(failure) => Err(failure),
        };
        match locked.and_then(|lock| Ok((kept(context, alone, world, existing, facts.clone())?, lock))) {
            Ok((recorder, lock)) => Self { recorder, elsewhere: false, held: (Some(lock), None) },
            Err(failure) => {
                terminal::warning(&format!("the contingency cannot be recorded where it belongs: {failure}"));
                Self::unrecorded(context, alone, world, facts, false)
            }
        }
    }

    fn unrecorded(context: &Context, alone: &Runbook, world: &mut World, facts: Vec<Event>, elsewhere: bool) -> Self {
        let temporary = tempfile::Builder::new().prefix("citadel-contingency-").tempdir().ok();
        if let Some(temporary) = &temporary {
            world.folder = RunFolder::at(temporary.path());
        }
        if !elsewhere && temporary.is_some() {
            match kept(context, alone, world, None, facts.clone()) {
                Ok(recorder) => {
                    // The records stay for whoever wants to keep them.
                    let path = temporary.map(tempfile::TempDir::keep).unwrap_or_default();
                    terminal::note(&format!("recorded in `{}` instead: keep it", path.display()));
                    return Self { recorder, elsewhere, held: (None, None) };
                }
                Err(failure) => terminal::warning(&format!("nothing is recorded: {failure}; the contingency goes on")),
            }
        }
        let mut recorder =
            Recorder::in_emergency(None, &world.mask, Progress::default(), vec![observer(context, world)]);
        let opening = opened(context, alone, world);
        for event in std::iter::once(opening).chain(facts) {
            // In memory alone nothing can fail.
            let _ = recorder.record(event);
        }
        Self { recorder, elsewhere, held: (None, temporary) }
    }
}

/// A recorder with a journal in the folder of `world`; the first records are surely on disk.
fn kept(
    context: &Context,
    alone: &Runbook,
    world: &World,
    existing: Option<Existing>,
    facts: Vec<Event>,
) -> Result<Recorder, Failure> {
    world.folder.create()?;
    // A later look says field by field what changed since; without it, only that something did.
    let _ = outline::keep(outline::with_definitions(alone, &world.workspace, &scope(alone, world)).1, &world.folder);
    crate::process::shims::write(&world.folder.shims(), &world.path())?;
    let existing = existing.filter(|existing| existing.progress.run.is_some());
    let (mut journal, mut progress, opening) = if let Some(existing) = existing {
        if let Err(failure) = resume::refuse_survivors(&existing.progress, &existing.folder) {
            terminal::warning(&format!("a step of an earlier citadel still runs: {}", failure.details.join("; ")));
        }
        let (journal, _) = Journal::open(&existing.folder.journal(), &world.mask)?;
        (journal, existing.progress, continued(context, alone, world))
    } else {
        let path = world.folder.journal();
        // One that a citadel left before its first record is taken.
        let journal = {
            let open = |_| Journal::open(&path, &world.mask).map(|(journal, _)| journal);
            Journal::create(&path, &world.mask).or_else(open)?
        };
        (journal, Progress::default(), opened(context, alone, world))
    };
    // A journal that takes nothing is no journal: found out now, while another place can be chosen.
    let entry = journal.append(opening, Timestamp::now())?;
    progress.apply(entry.seq, &entry.event);
    let mut observer = observer(context, world);
    observer.event(&entry, &progress);
    let mut recorder = Recorder::in_emergency(Some(journal), &world.mask, progress, vec![observer]);
    for fact in facts {
        recorder.record(fact)?;
    }
    Ok(recorder)
}

fn observer(context: &Context, world: &World) -> Box<dyn crate::recorder::Observer> {
    terminal::observer(&context.style(world.folder.path()))
}

fn outlines(alone: &Runbook, world: &World) -> Vec<crate::event::PhaseOutline> {
    outline::phases(alone, &world.workspace, &scope(alone, world))
}

fn scope(alone: &Runbook, world: &World) -> crate::runbook::Scope {
    View { runbook: alone, progress: &Progress::default(), world }.scope(&alone.networks[&world.network])
}

fn opened(context: &Context, alone: &Runbook, world: &World) -> Event {
    let network = &alone.networks[&world.network];
    Event::RunOpened(RunOpened {
        run: world.run.clone(),
        citadel: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: alone.id.clone(),
        title: format!("Contingency {}: {}", alone.phases[0].id, alone.phases[0].title),
        runbook_sha256: alone.sha256.clone(),
        network: network.name.clone(),
        chain_id: network.chain_id,
        workspace: world.workspace.dir.display().to_string(),
        reports: world.reports.display().to_string(),
        folder: world.folder.path().display().to_string(),
        practice: world.workspace.practice,
        commit: world.workspace.commit.clone(),
        // Nothing that takes time is asked.
        tools: std::collections::BTreeMap::new(),
        operator: context.operator(),
        host: host(),
        phases: outlines(alone, world),
        contingencies: std::collections::BTreeMap::new(),
        guards: Guards { fence: Some(fence()), programs: std::collections::BTreeMap::new() },
    })
}

fn continued(context: &Context, alone: &Runbook, world: &World) -> Event {
    Event::RunContinued(RunContinued {
        citadel: env!("CARGO_PKG_VERSION").to_owned(),
        operator: context.operator(),
        host: host(),
        runbook_sha256: alone.sha256.clone(),
        commit: world.workspace.commit.clone(),
        workspace: world.workspace.dir.display().to_string(),
        reports: world.reports.display().to_string(),
        tools: std::collections::BTreeMap::new(),
        phases: outlines(alone, world),
        contingencies: std::collections::BTreeMap::new(),
        guards: Guards { fence: Some(fence()), programs: std::collections::BTreeMap::new() },
    })
}

/// Suspends the runs of the network: the mark first, then, where nobody else writes it, the open run's journal.
pub(super) fn suspend(context: &Context, network: &Network, id: &str, world: &World) {
    let home = context.home(network);
    let folder = world.folder.path().display().to_string();
    let fresh = Suspension { by: context.operator(), since: format!("{:.0}", Timestamp::now()), folder };
    let known = suspension::suspensions(Some(&home), &Progress::default()).remove(id);
    let of = known.unwrap_or(fresh);
    if !home.marked().iter().any(|marked| marked == id)
        && let Err(error) = suspension::mark(&home, id, &of)
    {
        terminal::warning(&format!(
            "no mark can be left in `{}`: {error}; end a running citadel yourself",
            home.path().display()
        ));
    }
    match Lock::take(&home.lock(), &owner(context, &format!("citadel contingency run {id}"))) {
        Ok(_lock) => {
            if let Err(failure) = record(context, &home, id, of) {
                terminal::warning(&format!("the run does not record its suspension yet: {failure}"));
            }
        }
        Err(_) => {
            if let Some(Owner { who, pid, part, .. }) = Lock::holder(&home.lock()) {
                let part = part.map(|part| format!(" ({part})")).unwrap_or_default();
                terminal::note(&format!(
                    "the citadel of {who}{part} starts nothing new from here on; a step that it runs is not ended: \
                     `kill -TERM {pid}` ends it"
                ));
            }
        }
    }
}

fn record(context: &Context, home: &Home, contingency: &str, of: Suspension) -> Result<(), Failure> {
    let Some(run) = Existing::open(home)? else { return Ok(()) };
    if run.progress.suspended.contains_key(contingency) || run.progress.handed_over.is_some() {
        return Ok(());
    }
    let (contingency, Suspension { by, since, folder }) = (contingency.to_owned(), of);
    let mut journal = run.journal(context)?;
    journal.append(Event::Suspended { contingency, by, since, folder }, Timestamp::now())?;
    Ok(())
}

/// Who holds a lock for `command`.
pub(in crate::commands) fn owner(context: &Context, command: &str) -> Owner {
    let (who, host) = (context.operator(), host());
    let (pid, since) = (std::process::id(), Timestamp::now());
    Owner { who, host, pid, since, command: command.to_owned(), part: None }
}

/// The name of this machine.
pub(in crate::commands) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
