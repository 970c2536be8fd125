//! Whether the files of a run are the ones that its journal names: all there, regular, with the recorded digest, and
//! none that nothing accounts for.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use super::Notes;
use crate::digest::Digest;
use crate::event::{Artefact, Event, StepStarted};
use crate::hashed::{blake3_in, sha256_in};
use crate::journal::{Entry, RunFolder, files_below};
use crate::text::count;

/// What citadel itself keeps beside what the journal names.
const OWN: [&str; 2] = ["journal.jsonl", "definitions.json"];

/// Working files, which mean nothing elsewhere and leave with no run; those that end in `/` are folders.
const WORKING: [&str; 3] = ["shims/", "handed-in/", "lock"];

/// What the dev chain, which nobody else has, said.
const CHAIN_LOGS: [&str; 3] = ["logs/devchain.log", "logs/devchain-setup.log", "logs/dev-chain."];

/// What stands beside a statement for those who sign it.
const BESIDE: [&str; 2] = ["how-to-sign.txt", "statement.json"];

/// Looks at every file; what was exported holds no working files.
pub(super) fn look(folder: &RunFolder, entries: &[Entry], is_exported: bool, notes: &mut Notes) {
    let (mut known, mut logs) = (BTreeSet::new(), BTreeSet::new());
    let ended = entries.iter().filter_map(|entry| match &entry.event {
        Event::StepEnded(ended) => Some(&ended.logs),
        _ => None,
    });
    let bound: BTreeSet<&str> = ended.flatten().map(|log| log.path.as_str()).collect();
    for entry in entries {
        // What the outcome binds is not missed at the beginning already.
        for (file, hash) in
            named(&entry.event).into_iter().filter(|(file, hash)| hash.is_some() || !bound.contains(&**file))
        {
            let bound = hash.is_some();
            if let Err(why) = compare(folder, &file, hash) {
                notes.wrong_file(entry.seq, &file, why);
            }
            let is_log = file.starts_with("logs/");
            if (bound || !is_log) && known.insert(file) {
                notes.looked_at(if is_log { "logs" } else { "files" });
            }
        }
        if let Event::StepEnded(ended) = &entry.event {
            for log in
                ended.logs.iter().filter(|log| folder.file(&log.path).metadata().is_ok_and(|at| at.len() != log.bytes))
            {
                notes.wrong_file(entry.seq, &log.path, format!("has not the {} bytes that the record says", log.bytes));
            }
        }
        if let Event::StepStarted(StepStarted { step, attempt, .. }) = &entry.event {
            logs.extend([RunFolder::log(&step.0, *attempt), RunFolder::stdout(&step.0, *attempt)]);
        }
    }
    let unbound = logs.iter().filter(|log| !known.contains(*log) && folder.file(log).is_file()).count();
    if unbound > 0 {
        notes.noted.push(format!("{}: no record holds their digest", count(unbound, "log")));
    }
    known.extend(logs);
    let last = entries.last().map_or(0, |entry| entry.seq);
    match strangers(folder.path(), &known) {
        Ok(files) => {
            let (empty, strange): (Vec<_>, Vec<_>) = files
                .iter()
                .filter(|file| is_exported || !is_working(file))
                .partition(|file| is_empty_log(folder, file));
            if !empty.is_empty() {
                notes.noted.push(format!("{} that no record names", count(empty.len(), "empty log")));
            }
            for file in strange {
                notes.wrong_file(last, file, "no record of the journal names it");
            }
        }
        Err(why) => notes.wrong(last, format!("is not all that there is: {why:#}")),
    }
}

/// Whether it is what an attempt leaves whose intent never came to the disk: its log is opened meanwhile.
fn is_empty_log(folder: &RunFolder, file: &str) -> bool {
    file.starts_with("logs/")
        && place(folder, file).is_ok_and(|path| path.metadata().is_ok_and(|about| about.len() == 0))
}

/// The bytes of a file in the run's folder, never through a link. `Err` is a sentence.
pub fn read(folder: &RunFolder, file: &str) -> Result<Vec<u8>, String> {
    fs::read(place(folder, file)?).map_err(unreadable)
}

/// Whether such a file is there, however large it is, with the digest that a record gives it.
fn compare(folder: &RunFolder, file: &str, recorded: Option<Digest>) -> Result<(), String> {
    let open = File::open(place(folder, file)?).map_err(unreadable)?;
    let Some(recorded) = recorded else { return Ok(()) };
    let found = match &recorded {
        Digest::Sha256(_) => sha256_in(open).map(Digest::Sha256),
        Digest::Blake3(_) => blake3_in(open),
    };
    let found = found.map_err(unreadable)?;
    let ((algorithm, found), (_, expected)) = (found.parts(), recorded.parts());
    if found == expected { Ok(()) } else { Err(format!("its {algorithm} is {found}, the record says {expected}")) }
}

/// The SHA-256 of such a file.
pub(super) fn sha256_of(folder: &RunFolder, file: &str) -> Result<String, String> {
    File::open(place(folder, file)?).and_then(sha256_in).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unreadable(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

/// Where a regular file of the folder is, where no link leads to it.
fn place(folder: &RunFolder, file: &str) -> Result<PathBuf, String> {
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err("lies outside the run's folder".into());
    }
    let mut path = folder.path().to_owned();
    for part in Path::new(file).components() {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Err(error) => return Err(unreadable(error)),
            Ok(about) if about.is_symlink() => return Err("is reached through a symbolic link".into()),
            Ok(_) => {}
        }
    }
    if !path.is_file() {
        return Err("is not a regular file".into());
    }
    Ok(path)
}

/// The files that a record names, with the hash that it gives them.
fn named(event: &Event) -> Vec<(String, Option<Digest>)> {
    let of = |file: &String, hash: Option<&String>| vec![(file.clone(), hash.cloned().map(Digest::Sha256))];
    match event {
        Event::StepEnded(ended) => {
            let logs = ended.logs.iter().map(|log| (log.path.clone(), Some(log.digest.clone())));
            kept(&ended.artefacts).into_iter().chain(logs).collect()
        }
        Event::HandedIn(handed_in) => kept(&handed_in.files),
        Event::GateJudged(judged) => of(&judged.record, Some(&judged.record_sha256)),
        Event::SignOffRequested(request) => of(&request.statement, Some(&request.sha256)),
        Event::OpeningRequested(request) => of(&request.statement, Some(&request.sha256)),
        Event::SignOffAccepted { signature, .. } | Event::OpeningSigned { signature, .. } => of(signature, None),
        // A step by hand, or one that was refused, has no process and no log.
        Event::StepSpawned { step, attempt, .. } => vec![(RunFolder::log(&step.0, *attempt), None)],
        _ => Vec::new(),
    }
}

fn kept(artefacts: &[Artefact]) -> Vec<(String, Option<Digest>)> {
    let of = |artefact: &Artefact| (artefact.path.clone(), Some(Digest::Sha256(artefact.sha256.clone())));
    artefacts.iter().map(of).collect()
}

/// Files that nothing accounts for.
fn strangers(folder: &Path, known: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let accounted = |file: &String| {
        let chain = CHAIN_LOGS.iter().any(|log| file.starts_with(log));
        let own = chain || OWN.contains(&file.as_str());
        let beside = Path::new(file).file_name().is_some_and(|name| BESIDE.iter().any(|beside| name == *beside));
        let folder = Path::new(file).parent().map_or_else(String::new, |folder| format!("{}/", folder.display()));
        let requested = known.contains(&format!("{folder}statement.txt"));
        own || known.contains(file)
            || requested && (beside || Path::new(file).extension().is_some_and(|end| end == "sig"))
    };
    Ok(all(folder)?.into_iter().filter(|file| !accounted(file)).collect())
}

/// The files of a run's folder that leave with it: all but working files, and whatever the journal names.
///
/// # Errors
/// A folder in it cannot be read.
pub fn leaving(folder: &Path, entries: &[Entry]) -> anyhow::Result<Vec<String>> {
    let named: BTreeSet<String> = entries.iter().flat_map(|entry| named(&entry.event)).map(|(file, _)| file).collect();
    Ok(all(folder)?.into_iter().filter(|file| named.contains(file) || !is_working(file)).collect())
}

/// Whether a file that the journal does not name is of use to the run alone. An old file that a step had to write anew
/// was moved aside under such a name too.
fn is_working(file: &str) -> bool {
    let aside = file.starts_with("artefacts/") && file.contains(".before.");
    aside || WORKING.iter().any(|one| file == *one || one.ends_with('/') && file.starts_with(one))
}

/// Everything below `folder` that is no folder, relative to it, sorted.
///
/// # Errors
/// A folder in it cannot be read.
pub fn all(folder: &Path) -> anyhow::Result<Vec<String>> {
    Ok(files_below(folder)?.iter().map(|file| file.display().to_string()).collect())
}
