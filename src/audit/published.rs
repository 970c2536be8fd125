//! Whether the readable copies in a reports folder are those that a run's records speak of. Looks at the copies that the
//! records name; what else lies there is named, and nobody's fault.

use std::collections::BTreeMap;
use std::path::Path;

use super::files::all;
use super::{Audit, EXPORTED, Problem};
use crate::beneath::{self, MOST_OF_OURS};
use crate::digest::sha256;
use crate::error::Failure;
use crate::event::Event;
use crate::journal::{self, Entry, RunFolder};
use crate::progress::Progress;
use crate::report::{Report, markdown};
use crate::text::count;

/// How many files that nothing speaks of are named.
const NAMED: usize = 20;

/// Holds the copies in `folder` against the run that was exported to `run` and audited, and adds what is wrong.
///
/// # Errors
/// The journal cannot be read again.
pub fn published(folder: &Path, run: &Path, archive: &str, audit: &mut Audit) -> Result<(), Failure> {
    let entries = journal::read(&RunFolder::at(&run.join(EXPORTED)).journal())?.entries;
    let copies = copies(&entries);
    for (file, (record, sum)) in &copies {
        let problem = match beneath::read_up_to(MOST_OF_OURS, folder, file) {
            Ok(found) if sha256(&found.bytes) == **sum => None,
            Ok(_) => Some("the published copy is not what the record says".to_owned()),
            Err(why) => Some(format!("the published copy: {why:#}")),
        };
        audit.problems.extend(problem.map(|what| Problem { record: Some(*record), file: Some(file.clone()), what }));
    }
    report(folder, run, &entries, audit);
    audit.checked.insert("copies", copies.len() + 1);
    match all(folder) {
        Ok(files) => {
            let own = |file: &String| copies.contains_key(file) || file == markdown::FILE || file == archive;
            name_others(files.into_iter().filter(|file| !own(file)).collect(), audit);
        }
        Err(why) => audit.problems.push(Problem { record: None, file: None, what: format!("{why:#}") }),
    }
    audit.problems.sort_by_key(|problem| problem.record.unwrap_or(u64::MAX));
    Ok(())
}

/// The copies that a run's records name, each with its record and SHA-256: the deliverables, and each gate's newest record.
fn copies(entries: &[Entry]) -> BTreeMap<String, (u64, &str)> {
    let mut copies = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Published { files } => {
                copies.extend(files.iter().map(|file| (file.path.clone(), (entry.seq, file.sha256.as_str()))));
            }
            Event::GateJudged(judged) => {
                copies.insert(format!("gates/{}.json", judged.gate), (entry.seq, judged.record_sha256.as_str()));
            }
            _ => {}
        }
    }
    let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
    // What was published once and no longer is may have gone.
    let is_now = |file: &str| progress.published.iter().any(|now| now.path == file);
    copies.retain(|file, _| file.starts_with("gates/") || is_now(file));
    copies
}

/// The report is told again from the records. Another citadel may tell it in other words; then only its copy in the archive
/// says what it was.
fn report(folder: &Path, run: &Path, entries: &[Entry], audit: &mut Audit) {
    let (last, by) = (entries.last().map(|entry| entry.seq), written_by(entries));
    let mut wrong = |what: String| {
        audit.problems.push(Problem { record: last, file: Some(markdown::FILE.to_owned()), what });
    };
    let found = match beneath::read_up_to(MOST_OF_OURS, folder, markdown::FILE) {
        Ok(found) => found.bytes,
        Err(why) => return wrong(format!("the published report: {why:#}")),
    };
    if found == markdown::render(&Report::of(entries)).as_bytes() {
        return;
    }
    let is_ours = by == Some(env!("CARGO_PKG_VERSION"));
    match beneath::read_up_to(MOST_OF_OURS, run, "report.md") {
        Ok(archived) if !is_ours && archived.bytes == found => audit.noted.push(format!(
            "`{}`: written by citadel {}, and not told again by this one: it is the archive's copy",
            markdown::FILE,
            by.unwrap_or("unknown")
        )),
        _ => wrong("the published report is not what the records tell".to_owned()),
    }
}

/// The citadel that worked on the run last.
pub fn written_by(entries: &[Entry]) -> Option<&str> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::RunOpened(run) => Some(run.citadel.as_str()),
        Event::RunContinued(run) => Some(run.citadel.as_str()),
        Event::TakenOver(run) => Some(run.citadel.as_str()),
        _ => None,
    })
}

fn name_others(files: Vec<String>, audit: &mut Audit) {
    let left = files.len().saturating_sub(NAMED);
    let named = files.into_iter().take(NAMED);
    audit.noted.extend(named.map(|file| format!("`{file}`: no copy that this run's records name; not looked at")));
    if left > 0 {
        audit.noted.push(format!("and {} more", count(left, "such file")));
    }
}
