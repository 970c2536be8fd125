//! Whether what is called done is borne out: every declared evidence has a result, the exit was the expected one, logs are
//! bound, and the kept artefacts, judged again, still say what they said.

use std::collections::{BTreeMap, BTreeSet};

use super::Notes;
use super::runbooks::{Runbooks, Then};
use crate::engine::command;
use crate::event::{Artefact, Event, StepEnded, StepOutcome, StepStarted};
use crate::evidence::{self, Kept};
use crate::journal::{Entry, RunFolder};
use crate::process::Ended;
use crate::runbook::{Action, ExpectedExit, Runbook, Scope, Step, StepId};
use crate::verdict::Verdict;

/// What is known of attempts when their outcome is recorded.
#[derive(Default)]
struct Attempts<'a> {
    /// Those that had a process.
    spawned: BTreeSet<(&'a str, u32)>,
    /// Those of which a probe or a person said that their effect happened: whatever their process came to.
    decided: BTreeSet<(&'a str, u32)>,
    /// The outcome is of a citadel that binds logs.
    binds_logs: bool,
}

/// Judges every step that is done.
pub(super) fn judge(folder: &RunFolder, entries: &[Entry], runbooks: &Runbooks, notes: &mut Notes) {
    let mut then = Then::default();
    let mut artefacts = BTreeMap::new();
    let mut attempts = Attempts::default();
    let bound_from = binds_logs_from(entries);
    for entry in entries {
        attempts.binds_logs = entry.seq >= bound_from;
        then.apply(&entry.event);
        let ended = match &entry.event {
            Event::StepEnded(ended) => ended,
            Event::StepStarted(started) => {
                for what in commanded_otherwise(started, &then, runbooks) {
                    notes.wrong(entry.seq, what);
                }
                continue;
            }
            Event::StepSpawned { step, attempt, .. } => {
                attempts.spawned.insert((&step.0, *attempt));
                continue;
            }
            Event::StepDecided { step, attempt, happened: true, .. } => {
                attempts.decided.insert((&step.0, *attempt));
                continue;
            }
            _ => continue,
        };
        for artefact in &ended.artefacts {
            artefacts.insert(artefact.name.clone(), artefact.clone());
        }
        for (file, what) in told_otherwise(ended) {
            notes.wrong_file(entry.seq, &file, what);
        }
        if ended.outcome != StepOutcome::Done {
            continue;
        }
        let Some((_, step, scope)) = declared(&ended.step, &then, runbooks) else {
            if !ended.artefacts.is_empty() {
                notes.noted.push(format!(
                    "step {}: its evidence is not judged again: no gate record holds its runbook",
                    ended.step
                ));
            }
            continue;
        };
        for what in not_borne_out(step, ended, &scope, &attempts) {
            notes.wrong(entry.seq, format!("calls step {} done, {what}", ended.step));
        }
        let kept = Kept { folder: folder.clone(), artefacts: artefacts.clone(), scope };
        for artefact in &ended.artefacts {
            let again = step.evidence.iter().find_map(|evidence| {
                let mut problems = evidence::again(evidence, &artefact.name, &kept)?;
                let from = evidence::id(evidence, &kept.scope);
                if from.strip_prefix("file ").unwrap_or(&from) != artefact.source {
                    problems.push(format!("it came from `{}`, not from the {from}", artefact.source));
                }
                Some(problems)
            });
            notes.looked_at("evidence");
            let undeclared = || vec![format!("no evidence of it keeps `{}`", artefact.name)];
            for problem in again.unwrap_or_else(undeclared) {
                let what = format!("does not bear out step {}: {problem}", ended.step);
                notes.wrong_file(entry.seq, &artefact.path, what);
            }
        }
    }
}

/// The record with which the first citadel took up work that binds logs: an older one may have begun the run.
fn binds_logs_from(entries: &[Entry]) -> u64 {
    let binds = |entry: &Entry| matches!(&entry.event, Event::StepEnded(ended) if !ended.logs.is_empty());
    let begins = |entry: &&Entry| matches!(entry.event, Event::RunOpened(_) | Event::RunContinued(_));
    let Some(first) = entries.iter().position(binds) else { return u64::MAX };
    entries[..first].iter().rfind(begins).map_or(0, |entry| entry.seq)
}

/// The step as its runbook declared it then, and what names stood for; none where that runbook is not known.
fn declared<'r>(id: &StepId, then: &Then<'_>, runbooks: &'r Runbooks) -> Option<(&'r Runbook, &'r Step, Scope)> {
    let runbook = runbooks.then(then)?;
    let phase = runbook.phases.iter().find(|phase| phase.steps.iter().any(|step| step.id == *id))?;
    let step = phase.steps.iter().find(|step| step.id == *id)?;
    Some((runbook, step, then.scope(runbook, then.network(runbook, phase)?)))
}

/// A command, or a variable that it was given, other than its runbook says.
fn commanded_otherwise(started: &StepStarted, then: &Then<'_>, runbooks: &Runbooks) -> Vec<String> {
    let Some((runbook, step, scope)) = declared(&started.step, then, runbooks) else { return Vec::new() };
    let mut problems = Vec::new();
    let displayed = |scope: &Scope| {
        let argv = command::argv(&step.action, scope).ok()??;
        Some(command::display(step, &argv, scope))
    };
    let command = displayed(&scope);
    // What it says where nothing is known of the place is the same only where it names none.
    let is_known = || !then.somewhere || command == displayed(&nowhere(&scope));
    if command.as_ref().is_some_and(|command| *command != started.command) && is_known() {
        problems.push(format!("starts step {} by another command than its runbook's", step.id));
    }
    let granted = |name: &&String| {
        let by_need = |network| step.needs.iter().any(|need| runbook.granted(network, need).contains(*name));
        step.env.contains_key(*name) || runbook.networks.values().any(by_need)
    };
    let others = started.env.iter().filter(|name| !granted(name));
    problems.extend(others.map(|name| format!("gives step {} `{name}`, which its runbook does not", step.id)));
    problems
}

/// The names in templates without those of the place that a run is worked on at.
fn nowhere(scope: &Scope) -> Scope {
    let mut values = scope.values.clone();
    values.retain(|name, _| name != "workspace" && name != "reports");
    Scope { values }
}

/// What a step that is called done lacks, as the end of a sentence.
fn not_borne_out(step: &Step, ended: &StepEnded, scope: &Scope, attempts: &Attempts<'_>) -> Vec<String> {
    let attempt = (ended.step.0.as_str(), ended.attempt);
    let holds = |id: &String| {
        let found = ended.evidence.iter().find(|result| result.id == *id);
        found.is_some_and(|result| matches!(result.verdict, Verdict::Passed | Verdict::Waived))
    };
    let ids = step.evidence.iter().map(|evidence| evidence::id(evidence, scope));
    let mut lacks: Vec<String> =
        ids.filter(|id| !holds(id)).map(|id| format!("and has no result for its evidence `{id}`")).collect();
    let is_command = match step.action {
        Action::Npm { .. } | Action::Make { .. } | Action::Run { .. } | Action::Shell { .. } => true,
        Action::Manual { .. } | Action::Secrets { .. } => false,
    };
    if !is_command || attempts.decided.contains(&attempt) {
        return lacks;
    }
    let expected = match (&ended.ended, step.exit) {
        (Ended::Exited(_), ExpectedExit::Any) => true,
        (Ended::Exited(code), ExpectedExit::Code(expected)) => *code == expected,
        _ => false,
    };
    if !expected {
        lacks.push("although it did not exit as its runbook wants".into());
    }
    let log = RunFolder::log(&ended.step.0, ended.attempt);
    if attempts.binds_logs && attempts.spawned.contains(&attempt) && !ended.logs.iter().any(|one| one.path == log) {
        lacks.push("and does not bind its log".into());
    }
    lacks
}

/// Artefacts that are not what the evidence of their files observed.
fn told_otherwise(ended: &StepEnded) -> Vec<(String, String)> {
    let of = |artefact: &&Artefact| {
        let id = format!("file {}", artefact.source);
        let observed = ended.evidence.iter().find(|result| result.id == id).map(|result| &result.observed);
        observed.is_some_and(|observed| {
            let (sha256, bytes) = (&observed["sha256"], &observed["bytes"]);
            sha256.as_str() != Some(&artefact.sha256) || bytes.as_u64().is_some_and(|bytes| bytes != artefact.bytes)
        })
    };
    let told = ended.artefacts.iter().filter(of);
    told.map(|artefact| (artefact.path.clone(), "is not the file that the step's evidence observed".into())).collect()
}
