//! The archive that `citadel verify` was pointed at: a file, or the one of the run that a published folder is about. Finds it,
//! unpacks it, and has its run looked through. Reads no copy as a fact: what a report says chooses among archives alone.

use std::path::{Path, PathBuf};

use super::archive::{Unpacked, unpack};
use crate::audit::{Audit, EXPORTED, Expected, Problem, audit, published, written_by};
use crate::beneath;
use crate::engine::{SUFFIX, name_of};
use crate::error::{ExitCode, Failure};
use crate::journal::{self, RunFolder, age};
use crate::report::markdown;
use crate::text::clean;

/// An archive, and the folder of readable copies that it stands in.
pub(super) struct Archived {
    folder: PathBuf,
    name: String,
    /// The copies are looked at, too.
    copies: bool,
}

impl Archived {
    /// Finds the archive that `path` is, or that a published folder holds; nothing where it is neither.
    ///
    /// # Errors
    /// A published folder has none of the run that it is about.
    pub(super) fn find(path: &Path) -> Result<Option<Self>, Failure> {
        if path.is_file() {
            // The person named it: a link to it is as good.
            let path = std::fs::canonicalize(path).map_err(anyhow::Error::from)?;
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let (Some(name), Some(folder)) = (name, path.parent()) else { return Ok(None) };
            return Ok(Some(Self { folder: folder.to_owned(), name, copies: false }));
        }
        let report = beneath::read(path, markdown::FILE).ok();
        let report = report.map(|found| String::from_utf8_lossy(&found.bytes).into_owned());
        let about = report.as_deref().and_then(markdown::run_of);
        let mut archives = archives(path);
        archives.sort_by(|(run, name), (other, than)| (age(run), name).cmp(&(age(other), than)));
        let newest = archives.last();
        let chosen = archives.iter().rev().find(|(run, _)| about.is_some_and(|about| run == about));
        match (chosen.or(newest), about) {
            // Copies of a run that goes on, over those of one that was complete.
            (Some((run, other)), Some(about)) if age(run) < age(about) => {
                let is_over = report.as_deref().is_some_and(markdown::says_complete);
                Err(if is_over { gone(path, about, other) } else { none_of(path, about) })
            }
            (Some((_, name)), _) => Ok(Some(Self { folder: path.to_owned(), name: name.clone(), copies: true })),
            (None, Some(about)) => Err(none_of(path, about)),
            (None, None) => Ok(None),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Looks through the run in it and, in a published folder, through the copies.
    ///
    /// # Errors
    /// With the code `EvidenceBroken` where it is no archive of a run, or the journal in it is broken.
    pub(super) async fn audit(&self, expected: &Expected<'_>) -> Result<Audit, Failure> {
        let unpacked = self.unpack().map_err(|why| self.broken(&format!("{why:#}")))?;
        let folder = unpacked.folder.path();
        if !RunFolder::at(&folder.join(EXPORTED)).journal().is_file() {
            return Err(self.broken(&format!("holds no `{EXPORTED}/journal.jsonl`")));
        }
        let mut audit = audit(folder, expected).await.map_err(|failure| {
            // Nobody finds the temporary folder any more.
            let what = failure.to_string().replace(&format!("{}/", folder.display()), "");
            Failure { hint: failure.hint, details: failure.details, ..self.broken(&what) }
        })?;
        let problems = self.identity(&unpacked, &audit)?;
        audit.problems.extend(problems.into_iter().map(|what| {
            let file = Some(self.name.clone());
            Problem { record: None, file, what }
        }));
        if self.copies {
            published(&self.folder, folder, &self.name, &mut audit)?;
        }
        Ok(audit)
    }

    fn unpack(&self) -> anyhow::Result<Unpacked> {
        unpack(&beneath::read_up_to(beneath::MOST_OF_OURS, &self.folder, &self.name)?.bytes)
    }

    /// Whether it is called what it is, and is what packing its files gives.
    fn identity(&self, unpacked: &Unpacked, audit: &Audit) -> Result<Vec<String>, Failure> {
        let mut problems = Vec::new();
        let named = self.name.strip_suffix(SUFFIX).unwrap_or(&self.name);
        let is = name_of(&audit.run);
        // A file that was handed on may be called anything; one that was published may not.
        if unpacked.name != is || self.copies && named != is {
            problems.push(format!("holds the run {} in the folder `{}`", clean(&is), clean(&unpacked.name)));
        }
        let entries = journal::read(&RunFolder::at(&unpacked.folder.path().join(EXPORTED)).journal())?.entries;
        let last = entries.last().and_then(|entry| u64::try_from(entry.time.as_second()).ok());
        if last != Some(unpacked.time) {
            problems.push("its files are not dated by the last record".to_owned());
        }
        let is_ours = written_by(&entries) == Some(env!("CARGO_PKG_VERSION"));
        if is_ours && !unpacked.is_as_packed {
            problems.push("holds its files, and is not compressed as this citadel compresses them".to_owned());
        }
        Ok(problems)
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::new(ExitCode::EvidenceBroken, format!("`{}` {}", clean(&self.name), clean(what)))
            .hint("keep the file as it is, and get another copy from whoever made it")
    }
}

/// The archives in a folder, each after its run.
fn archives(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| Some((run_in(name.strip_suffix(SUFFIX)?)?.to_owned(), name))).collect()
}

/// The run in an archive's name, after the runbook and the network: `2026-11-22T19-40-05Z`, or with `.2` after it.
fn run_in(name: &str) -> Option<&str> {
    let end = name.rfind('Z')? + 1;
    let from = end.checked_sub("2026-11-22T19-40-05Z".len())?;
    let run = name.get(from..).filter(|_| from > 0)?;
    let (time, number) = (run.get(..end - from)?, run.get(end - from..)?);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let numbered = number.is_empty() || number.strip_prefix('.').is_some_and(|n| n.parse::<u32>().is_ok());
    (shape == "0000-00-00T00-00-00Z" && numbered).then_some(run)
}

/// Others were published here, and the one of a run that is complete is not there.
fn gone(folder: &Path, run: &str, other: &str) -> Failure {
    let (folder, run, report) = (folder.display(), clean(run), markdown::FILE);
    let what = format!("`{report}` in `{folder}` says that the run `{run}` is complete, and no archive of it is there");
    Failure::new(ExitCode::EvidenceBroken, what).hint(format!(
        "`citadel archive` makes it again; `{}` is of an earlier run, and can be verified alone",
        clean(other)
    ))
}

fn none_of(folder: &Path, run: &str) -> Failure {
    let what = format!(
        "`{}` holds copies of the run `{}`, and no archive of it: a run publishes one when it is complete, where its \
         runbook says `archive = true`",
        folder.display(),
        clean(run)
    );
    Failure::new(ExitCode::Precondition, what).hint(
        "`citadel run` goes on with a run that is not complete; `citadel verify FOLDER` takes its own folder, which `citadel \
         status` names, and `citadel archive` packs it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_known_by_their_runs() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(run_in(name), expected, "{name}");
        check("astral-citadel-mainnet-2026-11-22T19-40-05Z", Some("2026-11-22T19-40-05Z"));
        check("a-Z-2026-11-22T19-40-05Z.12", Some("2026-11-22T19-40-05Z.12"));
        check("2026-11-22T19-40-05Z", None);
        check("a-2026-11-22T19-40-05Z.x", None);
        check("a-2026-11-22", None);
        check("Z", None);
        check("é2026-11-22T19-40-05Z", Some("2026-11-22T19-40-05Z"));
    }
}
