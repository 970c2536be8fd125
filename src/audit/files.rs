//! Whether the files of a run are the ones that its journal names: all there, regular, with the recorded SHA-256, and
//! none that nothing accounts for.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::Notes;
use crate::digest::Running;
use crate::event::{Artefact, Event, StepStarted};
use crate::journal::{Entry, RunFolder, files_below};
use crate::text::count;

/// What citadel itself keeps beside what the journal names: help for people, shims, and working files.
const OWN: [&str; 5] = ["journal.jsonl", "definitions.json", "shims/", "handed-in/", "lock"];

/// What the dev chain, which nobody else has, said.
const CHAIN_LOGS: [&str; 3] = ["logs/devchain.log", "logs/devchain-setup.log", "logs/dev-chain."];

/// What stands beside a statement for those who sign it.
const BESIDE: [&str; 2] = ["how-to-sign.txt", "statement.json"];

/// Looks at every file.
pub(super) fn look(folder: &RunFolder, entries: &[Entry], notes: &mut Notes) {
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
            match (hash_of(folder, &file), hash) {
                (Err(why), _) => notes.wrong_file(entry.seq, &file, why),
                (Ok(found), Some(hash)) if *hash != found => {
                    notes.wrong_file(entry.seq, &file, format!("its SHA-256 is {found}, the record says {hash}"));
                }
                (Ok(_), _) => {}
            }
            let is_log = file.starts_with("logs/");
            if (hash.is_some() || !is_log) && known.insert(file) {
                notes.looked_at(if is_log { "logs" } else { "files" });
            }
        }
        if let Event::StepStarted(StepStarted { step, attempt, .. }) = &entry.event {
            logs.extend([RunFolder::log(&step.0, *attempt), RunFolder::stdout(&step.0, *attempt)]);
        }
    }
    let unbound = logs.iter().filter(|log| !known.contains(*log) && folder.file(log).is_file()).count();
    if unbound > 0 {
        notes.noted.push(format!("{}: no record holds their SHA-256", count(unbound, "log")));
    }
    known.extend(logs);
    let last = entries.last().map_or(0, |entry| entry.seq);
    match strangers(folder.path(), &known) {
        Ok(files) => files.iter().for_each(|file| notes.wrong_file(last, file, "no record of the journal names it")),
        Err(why) => notes.wrong(last, format!("is not all that there is: {why:#}")),
    }
}

/// The bytes of a file in the run's folder, never through a link. `Err` is a sentence.
pub fn read(folder: &RunFolder, file: &str) -> Result<Vec<u8>, String> {
    fs::read(place(folder, file)?).map_err(unreadable)
}

/// The SHA-256 of such a file, however large it is.
fn hash_of(folder: &RunFolder, file: &str) -> Result<String, String> {
    let mut open = File::open(place(folder, file)?).map_err(unreadable)?;
    let (mut digest, mut piece) = (Running::default(), vec![0; 1 << 16]);
    loop {
        match open.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(digest.finish()),
            read => digest.push(&piece[..read]),
        }
    }
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
fn named(event: &Event) -> Vec<(String, Option<&String>)> {
    let of = |file: &String, hash| vec![(file.clone(), hash)];
    match event {
        Event::StepEnded(ended) => {
            let logs = ended.logs.iter().map(|log| (log.path.clone(), Some(&log.sha256)));
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

fn kept(artefacts: &[Artefact]) -> Vec<(String, Option<&String>)> {
    artefacts.iter().map(|artefact| (artefact.path.clone(), Some(&artefact.sha256))).collect()
}

/// Files that nothing accounts for.
fn strangers(folder: &Path, known: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let accounted = |file: &String| {
        let chain = CHAIN_LOGS.iter().any(|log| file.starts_with(log));
        let own = chain || OWN.iter().any(|own| file == own || own.ends_with('/') && file.starts_with(own));
        let beside = Path::new(file).file_name().is_some_and(|name| BESIDE.iter().any(|beside| name == *beside));
        let folder = Path::new(file).parent().map_or_else(String::new, |folder| format!("{}/", folder.display()));
        let requested = known.contains(&format!("{folder}statement.txt"));
        // An old file that a step had to write anew was moved aside under this name.
        let aside = file.starts_with("artefacts/") && file.contains(".before.");
        own || known.contains(file)
            || requested && (beside || Path::new(file).extension().is_some_and(|end| end == "sig"))
            || aside
    };
    Ok(all(folder)?.into_iter().filter(|file| !accounted(file)).collect())
}

/// Everything below `folder` that is no folder, relative to it, sorted.
///
/// # Errors
/// A folder in it cannot be read.
pub fn all(folder: &Path) -> anyhow::Result<Vec<String>> {
    Ok(files_below(folder)?.iter().map(|file| file.display().to_string()).collect())
}
