//! Whether a complete run has all the deliverables that its runbook promises, each where it belongs and made of what was
//! kept.

use super::Notes;
use super::runbooks::{Runbooks, Then};
use crate::event::{Event, PublishedFile};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::runbook::Deliverable;

pub(super) fn look(entries: &[Entry], progress: &Progress, runbooks: &Runbooks, notes: &mut Notes) {
    let of = |id: &str| progress.published.iter().filter(|file| file.deliverable.as_deref() == Some(id)).count();
    let mut then = Then::default();
    for entry in entries {
        then.apply(&entry.event);
        let (Event::Published { files }, Some(runbook)) = (&entry.event, runbooks.then(&then)) else { continue };
        for file in files.iter().filter(|file| !is_declared(file, &runbook.deliverables)) {
            notes.wrong_file(entry.seq, &file.path, "was published, and no deliverable of the runbook is there");
        }
    }
    let last = entries.last().map_or(0, |entry| entry.seq);
    let declared = runbooks.then(&then).map(|runbook| runbook.deliverables.as_slice()).unwrap_or_default();
    for deliverable in declared {
        if of(&deliverable.id) >= deliverable.of.len() {
            notes.looked_at("deliverables");
        } else if progress.complete {
            let what = format!("the run is called complete although the deliverable `{}` is missing", deliverable.id);
            notes.wrong_file(last, &deliverable.path, what);
        }
    }
}

/// Whether a deliverable belongs where the file was published.
fn is_declared(file: &PublishedFile, deliverables: &[Deliverable]) -> bool {
    let declared = deliverables.iter().find(|one| Some(one.id.as_str()) == file.deliverable.as_deref());
    declared.is_some_and(|declared| declared.of.iter().any(|name| declared.file_of(name) == file.path))
}
