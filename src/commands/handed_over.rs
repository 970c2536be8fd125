//! The folder by which a run goes from one machine to another: what is in it, and whether it is what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::journal::{create_folder, files_below, write_file};

const FORMAT: u32 = 1;

/// The file that lists all others.
const MANIFEST: &str = "handover.json";

/// The run's folder in it, and the published copies.
pub(super) const RUN: &str = "run";
pub(super) const PUBLISHED: &str = "published";

/// What a handover is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) citadel: String,
    pub(super) runbook: String,
    pub(super) network: String,
    pub(super) run: String,
    pub(super) by: String,
    pub(super) to: String,
    pub(super) nonce: String,
    /// The journal's last record: its number and its hash.
    pub(super) records: u64,
    pub(super) head: String,
    /// Every other file in the folder, by its SHA-256.
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn format() -> u32 {
        FORMAT
    }

    /// Lists the files of `folder` and writes the manifest beside them.
    pub(super) fn write(mut self, folder: &Path) -> Result<(), Failure> {
        for file in files(folder)? {
            let bytes = std::fs::read(folder.join(&file)).with_context(|| format!("cannot read `{file}`"))?;
            self.files.insert(file, sha256(&bytes));
        }
        let text = serde_json::to_string_pretty(&self).map_err(anyhow::Error::from)? + "\n";
        Ok(write_file(&folder.join(MANIFEST), text.as_bytes())?)
    }

    /// Reads it, and checks every file that it lists; there must be no other.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(MANIFEST);
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()));
        let bytes = bytes.map_err(|error| {
            Failure { code: ExitCode::Usage, ..Failure::from(error) }
                .hint("name the folder that `citadel handover --to PERSON` wrote")
        })?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| broken(folder, vec![error.to_string()]))?;
        if manifest.format != FORMAT {
            let why = format!("its format is {}, this citadel reads {FORMAT}", manifest.format);
            return Err(broken(folder, vec![why]));
        }
        let there: BTreeSet<String> = files(folder)?.into_iter().filter(|file| file != MANIFEST).collect();
        let mut problems: Vec<String> = there
            .iter()
            .filter(|file| !manifest.files.contains_key(*file))
            .map(|file| format!("`{file}` is not listed"))
            .collect();
        for (file, expected) in &manifest.files {
            if !there.contains(file) {
                problems.push(format!("`{file}` is missing"));
                continue;
            }
            let bytes = std::fs::read(folder.join(file)).with_context(|| format!("cannot read `{file}`"))?;
            if sha256(&bytes) != *expected {
                problems.push(format!("`{file}` is not what was handed over"));
            }
        }
        if problems.is_empty() { Ok(manifest) } else { Err(broken(folder, problems)) }
    }
}

/// It does not verify, for these reasons.
pub(super) fn broken(folder: &Path, details: Vec<String>) -> Failure {
    let what = format!("`{}` is not what citadel handed over; nothing was imported", folder.display());
    let hint = "bring the folder over again, whole, or have it written again: `citadel handover --to PERSON`";
    Failure { details, ..Failure::new(ExitCode::EvidenceBroken, what).hint(hint) }
}

/// Every file below `folder`, relative to it. Anything that is neither a file nor a folder is an error.
fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let regular = |path: &PathBuf| std::fs::symlink_metadata(folder.join(path)).is_ok_and(|about| about.is_file());
    let found = files_below(folder)?;
    if let Some(other) = found.iter().find(|path| !regular(path)) {
        return Err(broken(folder, vec![format!("`{}` is neither a file nor a folder", other.display())]));
    }
    let names = found.iter().map(|path| path.to_str().map(str::to_owned).context("a file's name is not UTF-8"));
    Ok(names.collect::<anyhow::Result<_>>()?)
}

/// Copies all files below `from` to the same places below `to`, for the owner alone; those that `skip` names are left.
pub(super) fn copy(from: &Path, to: &Path, skip: impl Fn(&str) -> bool) -> Result<(), Failure> {
    create_folder(to)?;
    for file in files(from)?.into_iter().filter(|file| !skip(file)) {
        copy_file(&from.join(&file), to, &file)?;
    }
    Ok(())
}

/// Copies one file to `relative` below `to`, which it cannot leave.
pub(super) fn copy_file(from: &Path, to: &Path, relative: &str) -> Result<(), Failure> {
    write(to, relative, &std::fs::read(from).with_context(|| format!("cannot read `{}`", from.display()))?)
}

/// Writes one file to `relative` below `to`, which it cannot leave.
pub(super) fn write(to: &Path, relative: &str, bytes: &[u8]) -> Result<(), Failure> {
    let inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(Failure::new(ExitCode::EvidenceBroken, format!("`{relative}` leaves its folder")));
    }
    let target = to.join(relative);
    create_folder(target.parent().context("a file has a folder")?)?;
    Ok(write_file(&target, bytes)?)
}
