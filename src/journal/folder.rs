//! Where a run is kept: the only file that knows file names.
//!
//! `HOME/RUNBOOK/NETWORK/RUN/` holds `journal.jsonl`, `logs/`, `artefacts/`, `gates/` and `sign-offs/`. Every folder is
//! readable by its owner alone.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Dir, DirEntry, Mode, OFlags};
use serde_json::Value;

use crate::error::Failure;

/// What the name of a suspending contingency's mark begins with.
const MARK: &str = "suspended.";

/// What the steps of a run meant when they ran.
const DEFINITIONS: &str = "definitions.json";

/// The name of a run: when it opened, in UTC.
const NAME: &str = "%Y-%m-%dT%H-%M-%SZ";

/// The folder that all runs of one runbook on one network live in.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    /// Without links, once it was asked for.
    real: OnceLock<PathBuf>,
}

impl Home {
    /// The home of `runbook` on `network` below the state folder.
    pub fn new(state: &Path, runbook: &str, network: &str) -> Self {
        Self { path: state.join(runbook).join(network) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder where it is missing.
    pub fn create(&self) -> anyhow::Result<()> {
        create(&self.path)
    }

    /// The lock file.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The folder where a dev chain's state is kept.
    pub fn dev_chain(&self) -> PathBuf {
        self.path.join("devchain")
    }

    /// Where contingencies are recorded, each in a folder of its own as runs are.
    #[must_use]
    pub fn contingencies(&self) -> Self {
        Self { path: self.path.join("contingencies") }
    }

    /// The lock of whoever records the contingency `id`.
    pub fn contingency_lock(&self, id: &str) -> PathBuf {
        self.contingencies().path.join(format!("{id}.lock"))
    }

    /// The mark by which the contingency `id` suspends every run here.
    pub fn mark(&self, id: &str) -> PathBuf {
        self.path.join(format!("{MARK}{id}"))
    }

    /// The contingencies that left a mark.
    pub fn marked(&self) -> Vec<String> {
        // Asked before every step: std would take 32 KiB each time for a few names.
        let folder = rustix::fs::open(&self.path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let entries = folder.and_then(Dir::new).into_iter().flatten().flatten();
        let id = |entry: DirEntry| Some(entry.file_name().to_str().ok()?.strip_prefix(MARK)?.to_owned());
        let mut ids: Vec<String> = entries.filter_map(id).collect();
        ids.sort();
        ids
    }

    /// The run called `run`.
    pub fn run(&self, run: &str) -> RunFolder {
        RunFolder::at(&self.path.join(run))
    }

    /// The names of all runs, oldest first.
    pub fn runs(&self) -> anyhow::Result<Vec<String>> {
        let mut runs = Vec::new();
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(runs),
            Err(error) => {
                let error = Err(error).context(format!("cannot read the folder `{}`", self.path.display()));
                return error.map_err(unusable);
            }
        };
        for entry in entries {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && self.run(&name).journal().is_file()
            {
                runs.push(name);
            }
        }
        runs.sort_by(|one, other| age(one).cmp(&age(other)));
        Ok(runs)
    }

    /// The name of a run that opens now: later than that of every other, whatever this machine's clock says.
    pub fn new_run(&self, now: Timestamp) -> String {
        let runs = self.runs().unwrap_or_default();
        let latest = runs.iter().filter_map(|run| opened(run)).max();
        let next = latest.and_then(|latest| latest.checked_add(SignedDuration::from_secs(1)).ok());
        next.map_or(now, |next| next.max(now)).strftime(NAME).to_string()
    }
}

/// What the names of runs are ordered by: the time that they begin with, then the number after it that older citadels gave
/// to runs of one second.
pub fn age(run: &str) -> (&str, u64, &str) {
    let (time, rest) = run.split_once('.').unwrap_or((run, ""));
    (time, rest.parse().unwrap_or_default(), rest)
}

/// The time in the name of a run; none where it is no such name.
fn opened(run: &str) -> Option<Timestamp> {
    Some(DateTime::strptime(NAME, age(run).0).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl RunFolder {
    /// A run's folder by its path, wherever it is.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), real: OnceLock::new() }
    }

    /// Makes the folder and those in it.
    pub fn create(&self) -> anyhow::Result<()> {
        create(&self.path)?;
        let folders = ["logs", "artefacts", "gates", "openings", "sign-offs", "shims"].map(|name| self.path.join(name));
        let new = folders.iter().any(|folder| !folder.exists());
        // Their names are made durable together.
        folders.iter().try_for_each(|folder| create_and(folder, |_| Ok(())))?;
        if new { sync(&self.path).context("cannot sync the run's folder").map_err(unusable) } else { Ok(()) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// A path inside, from one written relative to the folder.
    pub fn file(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    /// The folder of programs that stand first on the PATH of steps.
    pub fn shims(&self) -> PathBuf {
        self.path.join("shims")
    }

    /// The log of an attempt, relative to the folder.
    pub fn log(step: &str, attempt: u32) -> String {
        format!("logs/{step}.{attempt}.log")
    }

    /// The stdout of an attempt, relative to the folder.
    pub fn stdout(step: &str, attempt: u32) -> String {
        format!("logs/{step}.{attempt}.out")
    }

    /// What every process of an attempt carries in its environment, so that a later citadel knows it again.
    pub fn attempt_mark(&self, step: &str, attempt: u32) -> String {
        let real = self.real.get_or_init(|| self.path.canonicalize().unwrap_or_else(|_| self.path.clone()));
        format!("{}#{step}.{attempt}", real.display())
    }

    /// A kept artefact of an attempt, relative to the folder.
    pub fn artefact(step: &str, attempt: u32, name: &str) -> String {
        format!("artefacts/{step}.{attempt}.{name}")
    }

    /// The definitions of steps that were kept, by their digests; none where none were.
    pub fn definitions(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let path = self.path.join(DEFINITIONS);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("cannot read `{}`", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Keeps definitions, all of them in one file: a file each would have to be synced each.
    pub fn keep_definitions(&self, definitions: &BTreeMap<String, Value>) -> anyhow::Result<()> {
        let text = serde_json::to_string(definitions).context("cannot write definitions as JSON")?;
        write_file(&self.path.join(DEFINITIONS), text.as_bytes())
    }

    /// A gate's record, relative to the folder.
    pub fn gate(gate: &str, sequence: u64) -> String {
        format!("gates/{gate}.{sequence}.json")
    }

    /// Where people put what they hand in while a citadel works on the run, relative to the folder.
    pub fn handed_in() -> &'static str {
        "handed-in"
    }

    /// A copy of a file that was handed in for a step, relative to the folder.
    pub fn handed_in_file(step: &str, number: usize, name: &str) -> String {
        format!("artefacts/{step}.handed-in.{number}.{name}")
    }

    /// The folder of a request to the operator, relative to the folder.
    pub fn opening(nonce: &str) -> String {
        format!("openings/{nonce}")
    }

    /// The folder of a sign-off request, relative to the folder.
    pub fn sign_off(gate: &str, nonce: &str) -> String {
        format!("sign-offs/{gate}.{nonce}")
    }
}

/// Makes a folder and its parents, for the owner alone; what was made is there after a power cut, too.
pub fn create(path: &Path) -> anyhow::Result<()> {
    create_and(path, sync)
}

/// The same with what makes the names in a folder durable.
fn create_and(path: &Path, mut sync: impl FnMut(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    // A relative path's first parent is the current folder, whose name is empty.
    let parent_of = |path: &Path| path.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
    let new: Vec<&Path> =
        path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| new.into_iter().rev().filter_map(parent_of).try_for_each(|parent| sync(&parent)))
        .with_context(|| format!("cannot make the folder `{}`", path.display()))
        .map_err(unusable)
}

/// Makes the names in a folder durable.
pub fn sync(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// The error with what to do about a folder that cannot be used.
pub(super) fn unusable(source: anyhow::Error) -> anyhow::Error {
    const HINT: &str = "nothing more was started; make room or mend the permission, then run the same command again; or \
                        keep runs elsewhere: `citadel --state DIR …`";
    Failure::from(source).hint(HINT).into()
}

/// Everything below `folder` that is no folder, relative to it and sorted. Links are not followed.
pub fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(at) = left.pop() {
        let path = folder.join(&at);
        let unreadable = || format!("cannot read the folder `{}`", path.display());
        for entry in std::fs::read_dir(&path).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let into = if entry.file_type().with_context(unreadable)?.is_dir() { &mut left } else { &mut found };
            into.push(at.join(entry.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a whole file under a name that nothing has yet, and says whether it did; what is there stays as it is.
pub fn write_new_file(path: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    let folder = path.parent().context("the file has no folder")?;
    let write = || -> std::io::Result<bool> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            other => other.map_err(|error| error.error)?,
        };
        std::fs::File::open(folder)?.sync_all()?;
        Ok(true)
    };
    write().with_context(|| format!("cannot write `{}`", path.display())).map_err(unusable)
}

/// Writes a whole file: either all of it is there afterwards, under its name, or what was there before.
pub fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("the file has no folder")?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync(folder)
    };
    write().with_context(|| format!("cannot write `{}`", path.display())).map_err(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of the next run after those that are there.
    #[track_caller]
    fn check(there: &[&str], now: &str, expected: &str) {
        let state = tempfile::tempdir().unwrap();
        let home = Home::new(state.path(), "runbook", "net");
        for run in there {
            create(home.run(run).path()).unwrap();
            std::fs::write(home.run(run).journal(), "").unwrap();
        }
        let name = home.new_run(now.parse().unwrap());
        assert_eq!(name, expected);
        create(home.run(&name).path()).unwrap();
        std::fs::write(home.run(&name).journal(), "").unwrap();
        assert_eq!(home.runs().unwrap().pop().unwrap(), expected, "it is the latest");
    }

    #[test]
    fn a_new_run_is_later_than_every_other() {
        let now = "2026-11-22T20:00:00.7Z";
        check(&[], now, "2026-11-22T20-00-00Z");
        check(&["2026-11-22T19-00-00Z"], now, "2026-11-22T20-00-00Z");
        check(&["2026-11-22T20-00-00Z"], now, "2026-11-22T20-00-01Z");
        check(&["2026-11-22T20-00-00Z.2", "2026-11-22T20-00-00Z.10"], now, "2026-11-22T20-00-01Z");
        check(&["2026-11-23T20-00-59Z", "2026-11-22T20-00-00Z"], now, "2026-11-23T20-01-00Z");
        check(&["2026-11-23T20-00-59Z.shock"], now, "2026-11-23T20-01-00Z");
        check(&["2-not-a-run"], now, "2026-11-22T20-00-00Z");
    }

    #[test]
    fn every_folder_that_is_made_is_named_durably() {
        let root = tempfile::tempdir().unwrap();
        let check = |path: &str, expected: &[&str]| {
            let mut synced = Vec::new();
            let sync = |folder: &Path| {
                synced.push(folder.to_owned());
                sync(folder)
            };
            create_and(&root.path().join(path), sync).unwrap();
            let expected: Vec<PathBuf> = expected.iter().map(|folder| root.path().join(folder)).collect();
            assert_eq!(synced, expected, "{path}");
            assert!(root.path().join(path).is_dir());
        };
        check("a/b/c", &["", "a", "a/b"]);
        check("a/b/c", &[]);
        check("a/b/d", &["a/b"]);
    }

    #[test]
    fn runs_of_one_second_are_in_order() {
        let mut runs = ["2026-11-22T20-00-00Z.10", "2026-11-22T20-00-00Z.2", "2026-11-22T20-00-00Z"];
        runs.sort_by(|one, other| age(one).cmp(&age(other)));
        assert_eq!(runs, ["2026-11-22T20-00-00Z", "2026-11-22T20-00-00Z.2", "2026-11-22T20-00-00Z.10"]);
    }
}
