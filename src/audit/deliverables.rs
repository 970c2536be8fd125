//! Whether a complete run has all the deliverables that its runbook promises, each made of what was kept.

use super::Notes;
use super::runbooks::{Runbooks, Then};
use crate::journal::Entry;
use crate::progress::Progress;

pub(super) fn look(entries: &[Entry], progress: &Progress, runbooks: &Runbooks, notes: &mut Notes) {
    let of = |id: &str| progress.published.iter().filter(|file| file.deliverable.as_deref() == Some(id)).count();
    let mut then = Then::default();
    for entry in entries {
        then.apply(&entry.event);
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
