//! Whether a run that was handed over is what it says, by its own files alone, and whether it can go on here. Reads
//! only, and asks no chain.

use std::path::Path;

use super::handed_over::broken;
use super::opening::Existing;
use super::outline;
use super::sign_off::{BY_CONTRACT, verified};
use super::take::Offered;
use super::verify::told;
use crate::audit::{Expected, audit};
use crate::engine::rehearsed::{Defined, changes};
use crate::engine::world::View;
use crate::error::{ExitCode, Failure};
use crate::event::{Event, PhaseOutline};
use crate::journal::{Entry, Home, age};

/// Refuses a copy that is older than what is here, one that went on elsewhere than the run here did, and a run beside
/// another that is open.
pub(super) fn refuse_other_work(home: &Home, offered: &Offered) -> Result<(), Failure> {
    let run = &offered.run.run;
    for name in home.runs()? {
        let here = Existing::read(name.clone(), home.run(&name))?;
        if name == *run {
            refuse_diverged(&here, &offered.run)?;
        } else if here.progress.closed.is_none() && here.progress.handed_over.is_none() {
            let what = format!("run {name} is open here, and a network has one open run");
            return Err(Failure::new(ExitCode::Precondition, what)
                .hint("nothing was imported; finish it, or hand it over: `citadel handover --to PERSON`"));
        } else if age(&name) > age(run) {
            let what = format!("run {name} was opened here after run {run}");
            return Err(Failure::new(ExitCode::Precondition, what).hint(
                "nothing was imported; take the run over with another state folder: `citadel --state DIR take …`",
            ));
        }
    }
    Ok(())
}

fn refuse_diverged(here: &Existing, offered: &Existing) -> Result<(), Failure> {
    let same = here.entries.iter().zip(&offered.entries).take_while(|(a, b)| a.hash == b.hash).count();
    let heads = |failure: Failure| {
        let head = |of: &[Entry]| {
            of.last().map_or_else(String::new, |last| format!("{} {} of {}", last.seq, last.hash, last.time))
        };
        let details = vec![
            format!("here    record {}", head(&here.entries)),
            format!("offered record {}", head(&offered.entries)),
            format!("the same up to record {same}"),
        ];
        Failure { details, ..failure }
    };
    if same == here.entries.len() {
        return Ok(());
    }
    if same == offered.entries.len() {
        return Err(heads(
            Failure::new(ExitCode::Changed, format!("this is a stale copy: run {} went on here since", here.run))
                .hint("nothing was imported; what is here is newer"),
        ));
    }
    Err(heads(
        Failure::new(ExitCode::EvidenceBroken, format!("run {} went on in two places: its journals part", here.run))
            .hint(
                "nothing was imported; keep both folders, find out who went on with a copy, then `citadel run --new`",
            ),
    ))
}

/// Verifies journal, kept evidence, gate records and signatures, from the files alone.
pub(super) async fn offline(offered: &Offered, view: &View<'_>, folder: &Path) -> Result<(), Failure> {
    let Offered { manifest, run } = offered;
    let mut problems = Vec::new();
    let last = run.entries.last();
    let head = last.map_or((0, ""), |last| (last.seq, last.hash.as_str()));
    if head != (manifest.records, manifest.head.as_str()) || run.torn > 0 {
        problems.push(format!("its journal ends with record {} {}, not {}", head.0, head.1, manifest.head));
    }
    let is = |event: &Event| {
        matches!(event, Event::HandedOver { by, to, nonce }
            if (by, to, nonce) == (&manifest.by, &manifest.to, &manifest.nonce))
    };
    if last.is_none_or(|last| !is(&last.event)) {
        problems.push(format!("its journal does not end with the handover to {}", manifest.to));
    }
    let opened = run.progress.run.as_ref();
    if opened.is_none_or(|opened| (&opened.run, &opened.network) != (&manifest.run, &manifest.network)) {
        problems.push("its journal is of another run".into());
    }
    let expected = Expected { head: Some(&manifest.head), unfinished: true, ..Expected::default() };
    let audit = audit(run.folder.path(), &expected).await?;
    problems.extend(audit.problems.iter().map(told));
    for (what, answer) in verified(view, &run.entries) {
        // By the keys of the runbook here. What only a contract can judge is judged with its gate, by the chain.
        let why = answer.err().filter(|why| !why.starts_with(BY_CONTRACT));
        problems.extend(why.map(|why| format!("{what}: {why}")));
    }
    if problems.is_empty() { Ok(()) } else { Err(broken(folder, problems)) }
}

/// Refuses where runbook, workspace or scripts are not those that the run works by, field by field.
pub(super) fn refuse_other_place(offered: &Offered, view: &View<'_>) -> Result<(), Failure> {
    let run = &offered.run;
    let mut details = Vec::new();
    let (mut sha, mut commit) = (None, None);
    for entry in &run.entries {
        match &entry.event {
            Event::RunOpened(opened) => (sha, commit) = (Some(&opened.runbook_sha256), opened.commit.as_deref()),
            Event::RunContinued(on) => (sha, commit) = (Some(&on.runbook_sha256), on.commit.as_deref()),
            _ => {}
        }
    }
    if sha != Some(&view.runbook.sha256) {
        let was = sha.map_or("none", String::as_str);
        details.push(format!("runbook {was} → {}", view.runbook.sha256));
    }
    // What steps changed there since is no commit, and not here.
    let base = |commit: Option<&str>| commit.and_then(|commit| commit.split(' ').next().map(str::to_owned));
    let (then, here) = (base(commit), base(view.world.workspace.commit.as_deref()));
    if then != here {
        let word = |commit: Option<String>| commit.unwrap_or_else(|| "none".into());
        details.push(format!("workspace commit {} → {}", word(then), word(here)));
    }
    details.extend(definitions(view));
    if details.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(ExitCode::Changed, "this is not the runbook and the workspace that the run works by");
    Err(Failure {
        details,
        ..failure.hint("nothing was imported; check out the same commit here, then run the same command again")
    })
}

fn definitions(view: &View<'_>) -> Vec<String> {
    let network = &view.runbook.networks[&view.world.network];
    let (workspace, scope) = (&view.world.workspace, view.scope(network));
    let (today, after) = outline::with_definitions(view.runbook, workspace, &scope);
    let before = view.world.folder.definitions().unwrap_or_default();
    let changed = |outline: &PhaseOutline| {
        let then = view.progress.phases.iter().find(|then| then.id == outline.id);
        match then {
            None => vec![format!("phase {} is new", outline.id)],
            Some(then) if then.digest == outline.digest => Vec::new(),
            Some(then) => changes(&Defined { outline: then, kept: &before }, &Defined { outline, kept: &after }),
        }
    };
    today.iter().flat_map(changed).collect()
}
