//! Whether the evidence of steps still says what it said, judged again from the artefacts that were kept.

use std::collections::BTreeMap;

use super::Notes;
use super::runbooks::{Runbooks, Then};
use crate::event::{Artefact, Event, StepEnded, StepOutcome};
use crate::evidence::{self, Kept};
use crate::journal::{Entry, RunFolder};
use crate::runbook::Scope;

/// Judges the kept artefacts of every step that is done.
pub(super) fn judge(folder: &RunFolder, entries: &[Entry], runbooks: &Runbooks, notes: &mut Notes) {
    let mut then = Then::default();
    let mut artefacts = BTreeMap::new();
    for entry in entries {
        then.apply(&entry.event);
        let Event::StepEnded(ended) = &entry.event else { continue };
        for artefact in &ended.artefacts {
            artefacts.insert(artefact.name.clone(), artefact.clone());
        }
        for (file, what) in told_otherwise(ended) {
            notes.wrong_file(entry.seq, &file, what);
        }
        if ended.outcome != StepOutcome::Done || ended.artefacts.is_empty() {
            continue;
        }
        let kept = Kept { folder: folder.clone(), artefacts: artefacts.clone(), scope: Scope::default() };
        match again(ended, &then, runbooks, kept) {
            Some(found) => {
                for (file, problems) in found {
                    notes.looked_at("evidence");
                    for problem in problems {
                        notes.wrong_file(entry.seq, &file, format!("does not bear out step {}: {problem}", ended.step));
                    }
                }
            }
            None => notes.noted.push(format!(
                "step {}: its evidence is not judged again: no gate record holds its runbook",
                ended.step
            )),
        }
    }
}

/// Artefacts that are not what the evidence of their files observed.
fn told_otherwise(ended: &StepEnded) -> Vec<(String, String)> {
    let of = |artefact: &&Artefact| {
        let id = format!("file {}", artefact.source);
        let observed = ended.evidence.iter().find(|result| result.id == id).map(|result| &result.observed["sha256"]);
        observed.is_some_and(|observed| observed.as_str() != Some(&artefact.sha256))
    };
    let told = ended.artefacts.iter().filter(of);
    told.map(|artefact| (artefact.path.clone(), "is not the file that the step's evidence observed".into())).collect()
}

/// The artefacts of an attempt with what they break; none where the runbook is not known.
fn again(
    ended: &StepEnded,
    then: &Then<'_>,
    runbooks: &Runbooks,
    mut kept: Kept,
) -> Option<Vec<(String, Vec<String>)>> {
    let runbook = runbooks.then(then)?;
    let phase = runbook.phases.iter().find(|phase| phase.steps.iter().any(|step| step.id == ended.step))?;
    let step = phase.steps.iter().find(|step| step.id == ended.step)?;
    kept.scope = then.scope(runbook, then.network(runbook, phase)?);
    let judged = ended.artefacts.iter().filter_map(|artefact| {
        let problems = step.evidence.iter().find_map(|evidence| evidence::again(evidence, &artefact.name, &kept))?;
        Some((artefact.path.clone(), problems))
    });
    Some(judged.collect())
}
