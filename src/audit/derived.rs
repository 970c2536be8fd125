//! Whether what stands beside the records still follows from them: definitions by their digests, and statements as wallets
//! show them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Notes, files};
use crate::event::{Event, PhaseOutline};
use crate::journal::{Entry, RunFolder};
use crate::runbook::digest::of_definition;
use crate::signoff;

/// Looks at both.
pub(super) fn look(folder: &RunFolder, entries: &[Entry], notes: &mut Notes) {
    definitions(folder, entries, notes);
    for entry in entries {
        let statement = match &entry.event {
            Event::SignOffRequested(request) => &request.statement,
            Event::OpeningRequested(request) => &request.statement,
            _ => continue,
        };
        let shown = statement.replace("statement.txt", signoff::TYPED_DATA);
        if !folder.file(&shown).exists() {
            continue;
        }
        // What is wrong with the statement itself is said elsewhere.
        let Ok(signed) = files::read(folder, statement) else { continue };
        let read = files::read(folder, &shown)
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).map_err(|error| format!("is not JSON: {error}")));
        match read {
            Ok(read) if signoff::typed_data(&signed).is_ok_and(|typed| typed == read) => {}
            Ok(_) => notes.wrong_file(entry.seq, &shown, "shows wallets something else than the statement"),
            Err(why) => notes.wrong_file(entry.seq, &shown, why),
        }
    }
}

/// Each step's definition is the one of its digest, and that of every step that was begun is there. A phase's digest covers
/// more than what is kept of it.
fn definitions(folder: &RunFolder, entries: &[Entry], notes: &mut Notes) {
    let kept = match folder.definitions() {
        Ok(kept) => kept,
        Err(error) => return notes.wrong_file(1, "definitions.json", format!("{error:#}")),
    };
    let mut steps = BTreeMap::new();
    for (seq, phase) in entries.iter().flat_map(outlines) {
        for step in &phase.steps {
            steps.entry(step.definition.as_str()).or_insert((seq, step));
        }
    }
    for entry in entries {
        let Event::StepStarted(started) = &entry.event else { continue };
        if steps.contains_key(started.definition.as_str()) && !kept.contains_key(&started.definition) {
            let what = format!("lacks the definition that step {} was begun by", started.step);
            notes.wrong_file(entry.seq, "definitions.json", what);
        }
    }
    for (digest, definition) in &kept {
        let Some((seq, step)) = steps.get(digest.as_str()) else { continue };
        if of_definition(definition) != *digest {
            let what = format!("holds another definition of step {} than its digest says", step.id);
            notes.wrong_file(*seq, "definitions.json", what);
        }
    }
}

fn outlines(entry: &Entry) -> Vec<(u64, &PhaseOutline)> {
    let phases = match &entry.event {
        Event::RunOpened(run) => &run.phases,
        Event::RunContinued(run) => &run.phases,
        _ => return Vec::new(),
    };
    phases.iter().map(|phase| (entry.seq, phase)).collect()
}
