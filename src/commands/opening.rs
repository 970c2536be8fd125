//! Takes a run up again, or opens a new one: which of the two, and what must be there first.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::context::Context;
use super::contingency::rehearsals;
use super::preconditions;
use crate::cli::Part;
use crate::devchain;
use crate::digest::sha256;
use crate::engine::world::World;
use crate::error::{ExitCode, Failure};
use crate::event::{Event, Guards, PhaseOutline, RunContinued, RunOpened};
use crate::journal::{self, Contents, Entry, Home, Journal, RunFolder};
use crate::plan::Selection;
use crate::process;
use crate::progress::Progress;
use crate::runbook::{Network, PhaseId};
use crate::secrets::Mask;
use crate::workspace::{self, Workspace};

/// A run as it stands on disk.
pub(super) struct Existing {
    pub(super) run: String,
    pub(super) folder: RunFolder,
    pub(super) entries: Vec<Entry>,
    /// Bytes of an unfinished last record.
    pub(super) torn: usize,
    pub(super) progress: Progress,
}

/// What `run` and `plan` work on, before anything is written.
pub(super) struct Prospect<'a> {
    pub(super) network: &'a Network,
    pub(super) selection: Selection,
    pub(super) workspace: Workspace,
    /// The run that goes on; `None`: a new one opens.
    pub(super) existing: Option<Existing>,
    /// Given up by `--new`, or because its dev chain is gone.
    pub(super) given_up: Option<(Existing, String)>,
    /// What is missing, each with how to supply it.
    pub(super) missing: Vec<(String, String)>,
}

impl Existing {
    /// Reads a run; anything wrong with its journal is an error.
    pub(super) fn read(run: String, folder: RunFolder) -> Result<Self, Failure> {
        let Contents { entries, torn } = journal::read(&folder.journal())?;
        let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
        Ok(Self { run, folder, entries, torn, progress })
    }

    /// Its journal, to append to: what it was given in secret stays out of it.
    pub(super) fn journal(&self, context: &Context) -> Result<Journal, Failure> {
        Ok(Journal::open(&self.folder.journal(), &self.mask(context)?)?.0)
    }

    /// Knows what must not be recorded of it, nor passed on.
    pub(super) fn mask(&self, context: &Context) -> Result<Mask, Failure> {
        let workspace = self.progress.run.as_ref().map(|run| run.workspace.clone()).unwrap_or_default();
        context.mask(Path::new(&workspace))
    }

    /// Refuses to go on with a run that another citadel goes on with.
    pub(super) fn refuse_handed_over(&self) -> Result<(), Failure> {
        let Some(to) = &self.progress.handed_over else { return Ok(()) };
        let last = self.entries.last();
        let head = last.map_or_else(String::new, |entry| format!(" after record {} ({})", entry.seq, entry.hash));
        Err(Failure::new(ExitCode::Locked, format!("run {} was handed over to {to}{head}", self.run)).hint(format!(
            "nothing was started; {to} goes on with it, and hands it back with `citadel handover`; `citadel handover --to \
             {to}` writes the folder again; `citadel run --new` starts over"
        )))
    }

    /// The latest run of `home`, if there is one; one that is open rather than one that was closed, whose name may be of a
    /// clock that was ahead.
    pub(super) fn latest(home: &Home) -> Result<Option<Self>, Failure> {
        let mut names = home.runs()?.into_iter().rev();
        let Some(run) = names.next() else { return Ok(None) };
        let latest = Self::read(run.clone(), home.run(&run))?;
        if latest.progress.closed.is_none() {
            return Ok(Some(latest));
        }
        // What cannot be read, and what was handed over, was given up for a later run without being closed.
        let mut others = names.filter_map(|run| Self::read(run.clone(), home.run(&run)).ok());
        let open = others.find(|run| run.progress.closed.is_none() && run.progress.handed_over.is_none());
        Ok(Some(open.unwrap_or(latest)))
    }

    /// The run of `home` that is not closed, if there is one.
    pub(super) fn open(home: &Home) -> Result<Option<Self>, Failure> {
        Ok(Self::latest(home)?.filter(|run| run.progress.closed.is_none()))
    }
}

impl<'a> Prospect<'a> {
    /// Looks at everything and changes nothing.
    pub(super) async fn look(context: &'a Context, part: &Part) -> Result<Self, Failure> {
        let mut prospect = Self::glance(context, part).await?;
        prospect.workspace.ask_git(&context.child_environment()).await;
        Ok(prospect)
    }

    /// The same without the commit, which nothing may be missing for.
    pub(super) async fn glance(context: &'a Context, part: &Part) -> Result<Self, Failure> {
        if part.net.network.is_none() && !part.net.local {
            let names: Vec<&str> = context.runbook.networks.keys().map(String::as_str).collect();
            return Err(Failure::new(ExitCode::Usage, "no network was named")
                .hint(format!("`--network NET` with one of {}, or `--local`", names.join(", "))));
        }
        let network = context.network(part.net.network.as_deref())?;
        let dev = network.dev_chain.is_some();
        let selection = selection(context, part, dev)?;
        let mut missing = Vec::new();
        let dir = match workspace::find(&context.runbook, part.workspace.as_deref(), &context.here, dev) {
            Ok(dir) => dir,
            Err(why) => {
                missing.push((format!("no workspace: {why}"), WORKSPACE_HINT.to_owned()));
                context.here.clone()
            }
        };
        context.close_state(&dir);
        let workspace = Workspace::glance(&context.runbook, dir, &context.child_environment());
        let latest = match Existing::latest(&context.home(network)) {
            // What is not citadel's work any more cannot be closed either; it stays as it is.
            Err(failure) if part.new && failure.code == ExitCode::EvidenceBroken => None,
            other => other?,
        };
        let chain = devchain::find_kept(&context.home(network).dev_chain()).await.map(|kept| kept.record);
        let (existing, given_up) = match latest {
            None => (None, None),
            Some(run) if run.progress.closed.is_some() => (None, None),
            Some(run) => {
                match reason_for_new(&run.progress, part.new, dev, &selection, chain.as_ref(), &workspace.dir) {
                    Some(reason) => (None, Some((run, reason))),
                    None => (Some(run), None),
                }
            }
        };
        let mut prospect = Self { network, selection, workspace, existing, given_up, missing };
        let missing = preconditions::missing(context, &prospect).await;
        prospect.missing.extend(missing);
        Ok(prospect)
    }

    /// The name and folder of the run: the one that goes on, or a new one.
    pub(super) fn place(&self, context: &Context) -> (String, RunFolder) {
        if let Some(existing) = &self.existing {
            return (existing.run.clone(), existing.folder.clone());
        }
        let home = context.home(self.network);
        let name = home.new_run(Timestamp::now());
        let folder = home.run(&name);
        (name, folder)
    }

    /// The progress that a plan starts from.
    pub(super) fn progress(&self) -> Progress {
        self.existing.as_ref().map(|existing| existing.progress.clone()).unwrap_or_default()
    }

    /// The record that opens the run, or that takes it up again, by `phases`; and the journal that it goes into.
    pub(super) fn open(
        &self,
        context: &Context,
        world: &World,
        tools: BTreeMap<String, String>,
        phases: Vec<PhaseOutline>,
    ) -> Result<(Journal, Event, Progress), Failure> {
        // What was handed over is closed by whoever goes on with it.
        if let Some((old, reason)) = self.given_up.as_ref().filter(|(old, _)| old.progress.handed_over.is_none()) {
            let mut journal = old.journal(context)?;
            let closed = Event::RunClosed { by: context.operator(), reason: reason.clone() };
            journal.append(closed, Timestamp::now())?;
        }
        let progress = self.progress();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let citadel = env!("CARGO_PKG_VERSION").to_owned();
        let (operator, commit) = (context.operator(), self.workspace.commit.clone());
        let (workspace, reports) = (self.workspace.dir.display().to_string(), world.reports.display().to_string());
        let runbook_sha256 = context.runbook.sha256.clone();
        let contingencies = rehearsals::all(context, &self.workspace.dir);
        let guards = Guards { fence: Some(process::fence()), programs: self.workspace.programs.hashed() };
        if let Some(existing) = self.existing.as_ref().filter(|existing| existing.progress.run.is_some()) {
            let (journal, _) = Journal::open(&existing.folder.journal(), &world.mask)?;
            let event = RunContinued {
                citadel,
                operator,
                host,
                runbook_sha256,
                commit,
                workspace,
                reports,
                tools,
                phases,
                contingencies,
                guards,
            };
            return Ok((journal, Event::RunContinued(event), progress));
        }
        world.folder.create()?;
        // A citadel that died before its first record left a journal that says nothing: the run opens there.
        let journal = match &self.existing {
            Some(empty) => Journal::open(&empty.folder.journal(), &world.mask)?.0,
            None => Journal::create(&world.folder.journal(), &world.mask)?,
        };
        let event = RunOpened {
            run: world.run.clone(),
            citadel,
            runbook: context.runbook.id.clone(),
            title: context.runbook.title.clone(),
            runbook_sha256,
            network: self.network.name.clone(),
            chain_id: self.network.chain_id,
            workspace,
            reports,
            folder: world.folder.path().display().to_string(),
            practice: self.workspace.practice,
            commit,
            operator,
            host,
            tools,
            phases,
            contingencies,
            guards,
        };
        Ok((journal, Event::RunOpened(event), progress))
    }

    /// Whether the workspace holds another prose than the one that the runbook transcribes.
    pub(super) fn other_prose(&self, context: &Context) -> Option<String> {
        let source = context.runbook.source.as_ref().filter(|_| !self.workspace.practice)?;
        let bytes = workspace::read_file(&self.workspace.dir, &source.file).ok()?;
        (sha256(&bytes) != source.sha256).then(|| {
            format!(
                "`{}` of this workspace is not the prose that this runbook transcribes; compare the two",
                source.file
            )
        })
    }

    /// Gates before the selection that have not passed by today's definition.
    pub(super) fn closed_gates(&self, context: &Context) -> Vec<PhaseId> {
        if self.selection.step.is_some() && self.network.dev_chain.is_some() {
            return Vec::new();
        }
        let progress = self.progress();
        let before = &context.runbook.phases[..self.selection.phases.start];
        before.iter().map(|phase| &phase.id).filter(|id| !progress.gate_passed(id)).cloned().collect()
    }
}

const WORKSPACE_HINT: &str = "run in an AGI Jobs checkout, or name it with `--workspace DIR`";

fn selection(context: &Context, part: &Part, dev: bool) -> Result<Selection, Failure> {
    match (&part.phase, &part.step) {
        (_, Some(step)) => Ok(Selection { again: part.again, ..Selection::step(&context.runbook, step)? }),
        (Some(phases), None) => {
            let mut selection = Selection::phases(&context.runbook, phases)?;
            if dev {
                selection.phases.start = 0;
            }
            Ok(selection)
        }
        (None, None) => Ok(Selection::all(&context.runbook)),
    }
}

/// Why the latest run does not go on. On a dev chain a run lives as long as its chain.
fn reason_for_new(
    progress: &Progress,
    new: bool,
    dev: bool,
    selection: &Selection,
    kept: Option<&devchain::Record>,
    workspace: &Path,
) -> Option<String> {
    if new {
        return Some("given up with `--new`".into());
    }
    if !dev {
        return None;
    }
    let chain = progress.dev_chain.as_ref();
    let same = chain.zip(kept).is_some_and(|(chain, kept)| {
        chain.kept && (chain.pid, chain.start_time) == (kept.process.pid, kept.process.start_time)
    });
    if chain.is_some() && !same {
        return Some("its dev chain is gone".into());
    }
    if progress.run.as_ref().is_some_and(|run| Path::new(&run.workspace) != workspace) {
        return Some("another workspace was asked for".into());
    }
    if chain.is_none() && kept.is_none() {
        return Some("a local run without a kept chain is one invocation".into());
    }
    (progress.complete && selection.step.is_none()).then(|| "it was complete".into())
}

/// Fails with everything that is missing before `what`, and says that `nothing` was done.
pub(super) fn refuse(missing: &[(String, String)], what: &str, nothing: &str) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let count = missing.len();
    let things = if count == 1 { "thing is" } else { "things are" };
    let mut failure =
        Failure::new(ExitCode::Precondition, format!("{count} {things} missing before {what}; {nothing}"));
    failure.details = missing.iter().map(|(what, how)| format!("{what}\n  {how}")).collect();
    Err(failure)
}
