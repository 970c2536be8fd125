//! `citadel step complete`: a person says that a step by hand was done, and hands in what shows it. It is recorded with
//! their name, and judged by whoever goes on with the run.

use std::path::Path;

use jiff::Timestamp;

use super::context::Context;
use super::contingency::records::{open_one, owner};
use super::opening::Existing;
use crate::beneath;
use crate::cli::Complete;
use crate::digest::sha256;
use crate::engine::handed_in;
use crate::error::{ExitCode, Failure};
use crate::event::{Artefact, Event, HandedIn};
use crate::journal::{Lock, RunFolder, write_new_file};
use crate::plan::Selection;
use crate::runbook::{Action, Step};
use crate::secrets::Mask;
use crate::terminal;

pub(super) fn complete(context: &Context, args: &Complete) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let (step, contingency) = find(context, &args.step)?;
    if !matches!(step.action, Action::Manual { .. }) {
        return Err(Failure::new(ExitCode::Usage, format!("{} is not done by hand: a command does it", step.id))
            .hint(format!("`citadel decide {} …` says whether its effect happened", step.id)));
    }
    let home = context.home(network);
    let again = contingency.map_or_else(
        || format!("`citadel run --network {}`", network.name),
        |id| format!("`citadel contingency run {id} --network {}`", network.name),
    );
    let see = || {
        let run = match contingency {
            Some(id) => open_one(&home, id),
            None => Existing::open(&home)?,
        };
        let Some(run) = run else {
            let what = format!("nothing that has {} is open on {}", step.id, network.name);
            return Err(Failure::new(ExitCode::Usage, what).hint(format!("{again} begins it")));
        };
        run.refuse_handed_over()?;
        Ok(run)
    };
    let lock = contingency.map_or_else(|| home.lock(), |id| home.contingency_lock(id));
    match Lock::take_and_see(&lock, &owner(context, &format!("citadel step complete {}", step.id)), see) {
        Ok((_lock, run)) => {
            let handed_in = read(context, step, &run, &args.evidence)?;
            let mut journal = run.journal(context)?;
            journal.append(Event::HandedIn(handed_in), Timestamp::now())?;
            terminal::data(&format!("recorded for {}; {again} judges it\n", step.id));
        }
        Err(failure) if failure.code == ExitCode::Locked => {
            // Whoever holds the lock says what becomes of it; a run that was handed over is no such one.
            let run = see()?;
            handed_in::leave(&run.folder, &read(context, step, &run, &args.evidence)?)?;
            terminal::data(&format!("handed in for {}; the citadel that works on it takes it in\n", step.id));
        }
        Err(failure) => return Err(failure),
    }
    Ok(ExitCode::Ok)
}

/// The step, and the contingency that it belongs to where it is one's.
fn find<'a>(context: &'a Context, name: &str) -> Result<(&'a Step, Option<&'a str>), Failure> {
    for contingency in &context.runbook.contingencies {
        if let Some(step) = contingency.steps.iter().find(|step| step.id.0 == name) {
            return Ok((step, Some(&contingency.id)));
        }
    }
    let id = Selection::step(&context.runbook, name)?.step;
    let found = context.runbook.phases.iter().flat_map(|phase| &phase.steps).find(|step| Some(&step.id) == id.as_ref());
    found.map(|step| (step, None)).ok_or_else(|| Failure::new(ExitCode::Usage, "name a step"))
}

fn read(context: &Context, step: &Step, run: &Existing, evidence: &[String]) -> Result<HandedIn, Failure> {
    let mask = run.mask(context)?;
    let (mut words, mut transactions, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for text in evidence {
        let path = context.here.join(text);
        if is_hash(text) {
            refuse_secrets("what was given as a transaction", text.as_bytes(), &mask)?;
            transactions.push(text.to_lowercase());
        } else if path.symlink_metadata().is_ok_and(|about| !about.is_dir()) {
            files.push(keep(step, run, &path, &mask)?);
        } else {
            words.push(mask.clean(text));
        }
    }
    let text = (!words.is_empty()).then(|| words.join("; "));
    Ok(HandedIn { step: step.id.clone(), by: context.operator(), text, transactions, files })
}

/// A copy of the file in the run's folder, under a name that no other has: of the same name, or handed in meanwhile.
fn keep(step: &Step, run: &Existing, path: &Path, mask: &Mask) -> Result<Artefact, Failure> {
    let unfit = |why: &str| {
        Failure::new(ExitCode::Usage, format!("`{}` cannot be handed in: {why}", path.display()))
            .hint("name a regular file, not a link to one")
    };
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| unfit("its name is no text"))?;
    let folder = path.parent().unwrap_or(path);
    let bytes = beneath::read(folder, name).map_err(|error| unfit(&format!("{error:#}")))?.bytes;
    refuse_secrets(&format!("`{}`", path.display()), &bytes, mask)?;
    refuse_secrets("the name of a file", name.as_bytes(), mask)?;
    let mut number = run.progress.handed_in.get(&step.id).map_or(0, Vec::len);
    let relative = loop {
        let relative = RunFolder::handed_in_file(&step.id.0, number, name);
        if write_new_file(&run.folder.file(&relative), &bytes)? {
            break relative;
        }
        number += 1;
    };
    let (name, source) = (name.to_owned(), path.display().to_string());
    Ok(Artefact { name, path: relative, sha256: sha256(&bytes), bytes: bytes.len() as u64, source })
}

/// What is handed in leaves with the run.
fn refuse_secrets(what: &str, bytes: &[u8], mask: &Mask) -> Result<(), Failure> {
    let Some(found) = mask.problems(bytes).into_iter().next() else { return Ok(()) };
    let what = mask.clean(what);
    Err(Failure::new(ExitCode::SecretFound, format!("{what} holds {found}, and is not kept"))
        .hint("take the secret out, and rotate it"))
}

fn is_hash(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
