//! What leaves the machine of a run: its folder without working files, the deliverables as they were published, the
//! report, attestations, and the SHA-256 of each. Every byte but a signature's comes from the run's folder.

use std::collections::BTreeMap;

use crate::audit::{DELIVERABLES, EXPORTED, REPORT, SUMS, files, sums};
use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::journal::{Entry, RunFolder};
use crate::progress::Progress;
use crate::report::{Report, markdown};
use crate::runbook::Runbook;

/// Files by their path, in its order.
#[derive(Debug)]
pub(super) struct Contents {
    files: BTreeMap<String, Vec<u8>>,
    pub(super) head: String,
    /// When the last record was written, in Unix seconds.
    pub(super) time: u64,
}

impl Contents {
    /// Gathers them.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn of(
        folder: &RunFolder,
        entries: &[Entry],
        progress: &Progress,
        attestations: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Failure> {
        let broken = |file: &str, why: String| Failure::new(ExitCode::EvidenceBroken, format!("`{file}` {why}"));
        let mut found = attestations;
        for file in files::leaving(folder.path(), entries)? {
            let bytes = files::read(folder, &file).map_err(|why| broken(&file, why))?;
            found.insert(format!("{EXPORTED}/{file}"), bytes);
        }
        for published in &progress.published {
            let kept = progress.artefacts.values().find(|kept| kept.sha256 == published.sha256);
            let Some(kept) = kept else { continue };
            let bytes = files::read(folder, &kept.path).map_err(|why| broken(&kept.path, why))?;
            found.insert(format!("{DELIVERABLES}/{}", published.path), bytes);
        }
        found.insert(REPORT.into(), markdown::render(&Report::of(entries)).into_bytes());
        let all = sums(found.iter().map(|(file, bytes)| (file, sha256(bytes))));
        found.insert(SUMS.into(), all.into_bytes());
        let last = entries.last();
        let head = last.map(|entry| entry.hash.clone()).unwrap_or_default();
        let time = last.and_then(|entry| u64::try_from(entry.time.as_second()).ok()).unwrap_or_default();
        Ok(Self { files: found, head, time })
    }

    /// All files, in the order of their paths.
    pub(super) fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }
}

/// The state of a run that has made all that its runbook promises.
///
/// # Errors
/// It is not complete, or lacks a deliverable.
pub(super) fn complete(runbook: &Runbook, entries: &[Entry]) -> Result<Progress, Failure> {
    let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
    missing(runbook, &progress)?;
    Ok(progress)
}

/// Refuses a run that has not made all that its runbook promises.
fn missing(runbook: &Runbook, progress: &Progress) -> Result<(), Failure> {
    let made = |id: &str| progress.published.iter().filter(|file| file.deliverable.as_deref() == Some(id)).count();
    let lacks = runbook.deliverables.iter().filter(|deliverable| made(&deliverable.id) < deliverable.of.len());
    let details: Vec<String> =
        lacks.map(|deliverable| format!("`{}` ({})", deliverable.path, deliverable.id)).collect();
    if details.is_empty() && progress.complete {
        return Ok(());
    }
    let what = match details.len() {
        0 => "the run is not complete: not every gate is open".to_owned(),
        many => format!("the run is not complete: {many} of {} deliverables are missing", runbook.deliverables.len()),
    };
    Err(Failure {
        details,
        ..Failure::new(ExitCode::Precondition, what).hint("`citadel status` says what is left to do")
    })
}
