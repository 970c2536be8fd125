//! Whether a folder that was exported holds exactly what follows from its journal: the list of files, the deliverables that
//! were published, the report, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::files::{all, read, sha256_of};
use super::{ATTESTATIONS, EXPORTED, Notes, Problem, written_by};
use crate::digest::sha256;
use crate::journal::{Entry, RunFolder};
use crate::progress::Progress;
use crate::report::{Report, markdown};

/// The list of all other files, as `sha256sum --check` reads it.
pub const SUMS: &str = "SHA256SUMS";

/// Where the deliverables are.
pub const DELIVERABLES: &str = "deliverables";

/// The report, from the journal alone.
pub const REPORT: &str = "report.md";

/// The text of the list of `files`, given with their SHA-256.
pub fn sums<'a>(files: impl IntoIterator<Item = (&'a String, String)>) -> String {
    let mut text = String::new();
    for (file, sum) in files {
        let _ = writeln!(text, "{sum}  {file}");
    }
    text
}

pub(super) fn look(path: &Path, entries: &[Entry], progress: &Progress, notes: &mut Notes) {
    let folder = RunFolder::at(path);
    let mut problems = Vec::new();
    let mut wrong = |file: &str, what: String| {
        problems.push(Problem { record: None, file: Some(file.to_owned()), what });
    };
    let mut there = BTreeMap::new();
    for file in all(path).unwrap_or_default().into_iter().filter(|file| file != SUMS) {
        match sha256_of(&folder, &file) {
            Ok(sum) => drop(there.insert(file, sum)),
            Err(why) => wrong(&file, why),
        }
    }
    for (file, what) in unlisted(&folder, &there) {
        wrong(&file, what);
    }
    let published: BTreeMap<String, &str> =
        progress.published.iter().map(|one| (format!("{DELIVERABLES}/{}", one.path), one.sha256.as_str())).collect();
    for (file, sum) in published.iter().filter(|(file, sum)| there.get(*file).map(String::as_str) != Some(sum)) {
        wrong(file, format!("is not what the journal says was published: its SHA-256 is {sum}"));
    }
    // What is in the run's folder, and what attests it, is looked at by itself.
    let known = |file: &&String| {
        let inside = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        *file == REPORT || published.contains_key(*file) || inside(EXPORTED) || inside(ATTESTATIONS)
    };
    for file in there.keys().filter(|file| !known(file)) {
        wrong(file, "is nothing that leaves with a run".into());
    }
    let report = sha256(markdown::render(&Report::of(entries)).as_bytes());
    let same_report = there.get(REPORT) == Some(&report);
    // Another citadel may tell it in other words.
    let is_ours = written_by(entries) == Some(env!("CARGO_PKG_VERSION"));
    if !same_report && is_ours {
        wrong(REPORT, "is not the report that follows from the journal".into());
    } else if !same_report {
        notes.noted.push(format!("`{REPORT}` is not compared: another version of citadel wrote it"));
    }
    notes.problems.extend(problems);
}

/// What the list says of other files, or in other words, than are there.
fn unlisted(folder: &RunFolder, there: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let listed = match read(folder, SUMS) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(why) => return vec![(SUMS.to_owned(), why)],
    };
    let expected = sums(there.iter().map(|(file, sum)| (file, sum.clone())));
    let missing = |list: &str, of: &str| -> Vec<String> {
        let lines: BTreeSet<&str> = of.lines().collect();
        list.lines().filter(|line| !lines.contains(line)).map(str::to_owned).collect()
    };
    let (wrong, unsaid) = (missing(&listed, &expected), missing(&expected, &listed));
    let file = |line: &String| line.split_once("  ").map_or(SUMS, |(_, file)| file).to_owned();
    let mut found: Vec<(String, String)> =
        wrong.iter().map(|line| (file(line), format!("is not as `{SUMS}` lists it"))).collect();
    let said: BTreeSet<String> = wrong.iter().map(file).collect();
    let unsaid = unsaid.iter().map(file).filter(|file| !said.contains(file));
    found.extend(unsaid.map(|file| (file, format!("is not listed in `{SUMS}`"))));
    if found.is_empty() && listed != expected {
        found.push((SUMS.to_owned(), "is not the list of these files, each once, in their order".into()));
    }
    found
}
