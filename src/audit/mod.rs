//! What a stranger can check of a run, offline, from its folder alone: that the journal is whole and in order, that
//! every file is the one it names, and that verdicts follow from what was kept. It asks no chain and no clock, runs
//! nothing, changes nothing, and never says *passed*: what it finds is consistent or not.

mod attested;
mod bracket;
mod deliverables;
mod derived;
mod evidence;
mod exported;
pub mod files;
mod opened;
mod order;
mod published;
mod records;
mod runbooks;
mod signatures;

pub use attested::{ATTESTATIONS, SIGNER, attestation_file};
pub use bracket::{Bracket, Named, Signed};
pub use exported::{DELIVERABLES, REPORT, SUMS, sums};
pub use published::{published, written_by};

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::attest::Key;
use crate::error::Failure;
use crate::event::{Event, RunOpened};
use crate::journal::{self, Entry, RunFolder};
use crate::progress::Progress;

/// What an audit came to.
#[derive(Debug, Serialize)]
pub struct Audit {
    pub run: RunOpened,
    pub records: u64,
    /// The hash of the last record.
    pub head: String,
    pub end: End,
    pub bracket: Bracket,
    /// The fingerprint of the key that signed every attestation.
    pub attested_by: Option<String>,
    /// In the order of the records that they are about.
    pub problems: Vec<Problem>,
    /// How much was looked at, by what it is.
    pub checked: BTreeMap<&'static str, usize>,
    /// What nothing here can judge again, and what is unusual and may be so.
    pub noted: Vec<String>,
}

/// What is known of a run from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// A head that people noted down: the journal must have it.
    pub head: Option<&'a str>,
    /// The key that must have signed the attestations.
    pub signer: Option<&'a Key>,
    /// The run need not be over.
    pub unfinished: bool,
}

/// How a run stands at its journal's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Every gate passed.
    Complete,
    /// What was asked for was done, and more is left.
    Partial,
    /// A person gave it up, or its chain is gone.
    Closed,
    /// It stopped, and can go on.
    Open,
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The journal's record that it is about; none: the folder as a whole.
    pub record: Option<u64>,
    /// Relative to the run's folder.
    pub file: Option<String>,
    pub what: String,
}

impl Audit {
    /// Whether everything fits.
    pub fn is_consistent(&self) -> bool {
        self.problems.is_empty()
    }
}

/// What is collected on the way.
#[derive(Debug, Default)]
struct Notes {
    problems: Vec<Problem>,
    checked: BTreeMap<&'static str, usize>,
    noted: Vec<String>,
}

impl Notes {
    /// Something is wrong with record `seq`.
    fn wrong(&mut self, seq: u64, what: impl Into<String>) {
        self.problems.push(Problem { record: Some(seq), file: None, what: what.into() });
    }

    /// Something is wrong with a file that record `seq` names.
    fn wrong_file(&mut self, seq: u64, file: &str, what: impl Into<String>) {
        self.problems.push(Problem { record: Some(seq), file: Some(file.to_owned()), what: what.into() });
    }

    fn looked_at(&mut self, what: &'static str) {
        *self.checked.entry(what).or_default() += 1;
    }
}

/// Where a run's own folder is in one that was exported.
pub const EXPORTED: &str = "run";

/// Looks through the run in `path`: its folder, or one that was exported.
///
/// # Errors
/// With the code `EvidenceBroken` where the journal itself is not what citadel wrote.
pub async fn audit(path: &Path, expected: &Expected<'_>) -> Result<Audit, Failure> {
    let exported = RunFolder::at(&path.join(EXPORTED));
    let is_exported = exported.journal().is_file();
    let folder = if is_exported { exported } else { RunFolder::at(path) };
    let contents = journal::read(&folder.journal())?;
    let mut notes = Notes::default();
    let entries = &contents.entries;
    let Some((Event::RunOpened(run), last)) = entries.first().map(|entry| &entry.event).zip(entries.last()) else {
        return Err(broken("its first record does not open a run"));
    };
    if contents.torn > 0 {
        let what = format!("is followed by {} bytes of an unfinished line", contents.torn);
        notes.wrong(last.seq, what);
    }
    let progress = order::walk(entries, &mut notes);
    files::look(&folder, entries, is_exported, &mut notes);
    derived::look(&folder, entries, &mut notes);
    records::judge(&folder, entries, &mut notes).await;
    let runbooks = runbooks::Runbooks::of(&folder, entries);
    opened::look(entries, &runbooks, &mut notes);
    signatures::verify(&folder, entries, &runbooks, &mut notes);
    evidence::judge(&folder, entries, &runbooks, &mut notes);
    deliverables::look(entries, &progress, &runbooks, &mut notes);
    let mut attested_by = None;
    if is_exported {
        exported::look(path, entries, &progress, &mut notes);
        attested_by = attested::look(path, entries, expected.signer, &mut notes).map(|key| key.id());
    } else if expected.signer.is_some() {
        notes.wrong(
            last.seq,
            "is attested by nobody here: attestations are in what `citadel export` and `archive` make",
        );
    }
    let noted_down = expected.head.and_then(|head| entries.iter().find(|entry| is_head(entry, head)));
    let bracket = bracket::of(run, entries, noted_down.map(|entry| entry.seq), &mut notes);
    let end = end(&progress, entries);
    notes.problems.extend(tail_problems(expected, entries, end));
    notes.problems.sort_by_key(|problem| problem.record.unwrap_or(u64::MAX));
    notes.problems.dedup();
    notes.noted.dedup();
    let Notes { problems, checked, noted } = notes;
    let (run, records, head) = (run.clone(), last.seq, last.hash.clone());
    Ok(Audit { run, records, head, end, bracket, attested_by, problems, checked, noted })
}

/// What a journal that was cut, or sealed anew, does not have.
fn tail_problems(expected: &Expected<'_>, entries: &[Entry], end: End) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |what: String| problems.push(Problem { record: None, file: None, what });
    if end == End::Open && !expected.unfinished {
        wrong("the journal ends before the run does: its tail is missing, or the run is not over".into());
    }
    if let Some(head) = expected.head.filter(|head| !entries.iter().any(|entry| is_head(entry, head))) {
        wrong(format!("no record has the hash `{}` that was noted down", crate::text::clean(head)));
    }
    problems
}

/// Whether people noted down this record's hash, or enough of its beginning.
fn is_head(entry: &Entry, noted: &str) -> bool {
    const ENOUGH: usize = 16;
    noted.len() >= ENOUGH && entry.hash.starts_with(&noted.to_lowercase())
}

fn end(progress: &Progress, entries: &[Entry]) -> End {
    let ended = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::RunEnded { .. } => Some(true),
        Event::RunClosed { .. } | Event::DevChainEnded | Event::HandedOver { .. } | Event::TakenOver(_) => None,
        _ => Some(false),
    });
    match (progress.complete, &progress.closed, ended) {
        (true, ..) => End::Complete,
        (false, Some(_), _) => End::Closed,
        (false, None, Some(true)) => End::Partial,
        (false, None, _) => End::Open,
    }
}

fn broken(what: &str) -> Failure {
    Failure::new(crate::error::ExitCode::EvidenceBroken, format!("the journal is not a run's: {what}"))
        .hint("name a run's folder, as `citadel status` shows it")
}
