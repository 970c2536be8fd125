//! Whether the records can have come about in this order: no step outside its phase and before the gates in front of
//! it, intent before outcome, nothing done on evidence that does not hold, no gate open that its results keep closed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Notes;
use crate::event::{Artefact, Event, GateJudged, PublishedFile, SignOffRequested, StepEnded, StepOutcome, StepStarted};
use crate::journal::{Entry, RunFolder};
use crate::progress::{Progress, StepState};
use crate::runbook::{PhaseId, StepId};
use crate::verdict::{Verdict, worst};

/// Checks every record against those before it; the state at the end.
pub(super) fn walk(entries: &[Entry], notes: &mut Notes) -> Progress {
    let mut walk = Walk { entries, progress: Progress::default(), attempts: BTreeMap::new(), early: Vec::new() };
    let mut latest = Timestamp::UNIX_EPOCH;
    for entry in entries {
        if entry.time < latest {
            notes.wrong(entry.seq, format!("is of {}, earlier than the record before it", entry.time));
        }
        latest = latest.max(entry.time);
        for what in walk.problems(entry) {
            notes.wrong(entry.seq, what);
        }
        walk.progress.apply(entry.seq, &entry.event);
    }
    notes.checked.insert("records", entries.len());
    for (seq, what) in walk.early {
        // Single steps may be tried by themselves, but such a run is never complete.
        if walk.progress.complete {
            notes.wrong(seq, what);
        } else {
            notes.noted.push(format!("record {seq}: {what}"));
        }
    }
    walk.progress
}

struct Walk<'a> {
    entries: &'a [Entry],
    /// Before the record in hand.
    progress: Progress,
    attempts: BTreeMap<StepId, u32>,
    /// Steps that started before a gate in front of them was open.
    early: Vec<(u64, String)>,
}

impl Walk<'_> {
    fn problems(&mut self, entry: &Entry) -> Vec<String> {
        let mut problems = match &entry.event {
            Event::RunOpened(_) if entry.seq != 1 => vec!["opens the run a second time".into()],
            Event::StepStarted(started) => self.started(entry.seq, started),
            Event::StepSpawned { step, attempt, .. } => self.in_hand(step, *attempt),
            Event::StepEnded(ended) => self.ended(ended),
            Event::StepDecided { step, attempt, .. } => self.decided(step, *attempt),
            Event::GateJudged(judged) => self.judged(judged),
            Event::SignOffRequested(request) => self.named(request.journal_sequence, &request.journal_hash, entry.seq),
            Event::OpeningRequested(request) => self.named(request.journal_sequence, &request.journal_hash, entry.seq),
            Event::SignOffAccepted { gate, nonce, who, .. } => self.accepted(entry, gate, nonce, who),
            Event::OpeningSigned { nonce, who, .. } => self.opened(entry, nonce, who),
            Event::Published { files } => self.published(files),
            Event::RunEnded { complete: true, .. } => self.complete(),
            Event::RunEnded { complete: false, secrets: 0 } => self.incomplete(),
            _ => Vec::new(),
        };
        if self.progress.handed_over.is_some() && !matches!(entry.event, Event::TakenOver(_)) {
            problems.push("follows the handover of the run".into());
        }
        if matches!(entry.event, Event::TakenOver(_)) && self.progress.handed_over.is_none() {
            problems.push("takes over a run that nobody handed over".into());
        }
        let acts = matches!(entry.event, Event::StepStarted(_) | Event::StepEnded(_) | Event::GateJudged(_));
        if acts && self.progress.closed.is_some() {
            problems.push("follows the end of the run".into());
        }
        problems
    }

    fn started(&mut self, seq: u64, started: &StepStarted) -> Vec<String> {
        let mut problems = Vec::new();
        let StepStarted { step, attempt, definition, log, .. } = started;
        let before = self.attempts.insert(step.clone(), *attempt).unwrap_or_default();
        if *attempt != before + 1 {
            problems.push(format!("is attempt {attempt} at step {step}, after attempt {before}"));
        }
        if *log != RunFolder::log(&step.0, *attempt) {
            problems.push(format!("keeps the log of attempt {attempt} at step {step} elsewhere"));
        }
        let running = self.progress.steps.values().find(|other| other.state == StepState::Started);
        if let Some(other) = running {
            problems.push(format!("starts step {step} while step {} runs", other.started.step));
        }
        if let Some(contingency) = self.progress.suspended.keys().next() {
            problems.push(format!("starts step {step} while the contingency `{contingency}` suspends the run"));
        }
        let phase = self.progress.phases.iter().position(|phase| phase.steps.iter().any(|other| other.id == *step));
        let Some(phase) = phase else {
            problems.push(format!("starts step {step}, which no phase of the run has"));
            return problems;
        };
        let outline = self.progress.phases[phase].steps.iter().find(|other| other.id == *step);
        if outline.is_some_and(|outline| outline.definition != *definition) {
            problems.push(format!("starts step {step} by another definition than the run's"));
        }
        let closed = self.progress.phases[..phase].iter().find(|phase| !self.progress.gate_passed(&phase.id));
        if let Some(closed) = closed {
            self.early.push((seq, format!("step {step} started before gate {} was open", closed.id)));
        }
        problems
    }

    /// The attempt must be the one that runs.
    fn in_hand(&self, step: &StepId, attempt: u32) -> Vec<String> {
        match self.progress.steps.get(step) {
            Some(seen) if seen.attempt == attempt && seen.state == StepState::Started => Vec::new(),
            Some(_) | None => vec![format!("is about attempt {attempt} at step {step}, which does not run")],
        }
    }

    fn ended(&self, ended: &StepEnded) -> Vec<String> {
        let StepEnded { step, attempt, outcome, evidence, .. } = ended;
        let mut problems = Vec::new();
        let open = self.progress.steps.get(step).is_some_and(|seen| {
            seen.attempt == *attempt && !matches!(seen.state, StepState::Done | StepState::NotHappened)
        });
        if !open {
            problems.push(format!("ends attempt {attempt} at step {step}, which was not begun or is over"));
        }
        let unmet = evidence.iter().find(|result| !result.verdict.goes_on());
        if let (StepOutcome::Done, Some(unmet)) = (outcome, unmet) {
            problems.push(format!("calls step {step} done although its evidence `{}` {}", unmet.id, unmet.verdict));
        }
        problems
    }

    fn decided(&self, step: &StepId, attempt: u32) -> Vec<String> {
        let seen = self.progress.steps.get(step);
        let open = |state| matches!(state, StepState::Started | StepState::Indeterminate | StepState::Failed);
        if seen.is_some_and(|seen| seen.attempt == attempt && open(seen.state)) {
            return Vec::new();
        }
        vec![format!("decides about attempt {attempt} at step {step}, about which nothing is open")]
    }

    fn judged(&self, judged: &GateJudged) -> Vec<String> {
        let GateJudged { gate, verdict, results, definition, block, .. } = judged;
        let mut problems = Vec::new();
        let says = worst(results.iter().map(|result| result.verdict));
        if says != *verdict {
            problems.push(format!("calls gate {gate} {verdict}; its results say {says}"));
        }
        let Some(phase) = self.progress.phases.iter().find(|phase| phase.id == *gate) else {
            problems.push(format!("judges gate {gate}, which the run does not have"));
            return problems;
        };
        if phase.digest != *definition {
            problems.push(format!("judges gate {gate} by another definition than the run's"));
        }
        if *verdict != Verdict::Passed {
            return problems;
        }
        for step in &phase.steps {
            let id = format!("step {}", step.id);
            let told = results.iter().any(|result| result.id == id);
            if !told || self.progress.step_state(&step.id) != Some(StepState::Done) {
                problems.push(format!("opens gate {gate} although step {} is not done", step.id));
            }
        }
        let reached = self.progress.last_block(phase.steps.iter().map(|step| step.id.clone()));
        if let (Some(block), Some(reached)) = (block, reached)
            && block.number < reached
        {
            problems.push(format!("opens gate {gate} at block {}, before block {reached} of its steps", block.number));
        }
        problems.extend(self.unsigned(judged));
        problems.extend(self.unpublished(judged));
        problems
    }

    /// Signatures that a gate counts and nobody recorded.
    fn unsigned(&self, judged: &GateJudged) -> Vec<String> {
        let result = judged.results.iter().find(|result| result.id == "sign-off");
        let counted = result.and_then(|result| result.observed["accepted"].as_array()).into_iter().flatten();
        let signed = self.progress.gates.get(&judged.gate).map(|gate| &gate.signed);
        let unknown = counted
            .filter_map(|one| one["who"].as_str())
            .filter(|who| !signed.is_some_and(|signed| signed.contains_key(*who)));
        unknown.map(|who| format!("counts a signature of `{who}` that no record before it accepts")).collect()
    }

    /// Deliverables that a gate found in place and nobody published.
    fn unpublished(&self, judged: &GateJudged) -> Vec<String> {
        let ids = judged.results.iter().filter_map(|result| result.id.strip_prefix("deliverable "));
        let there = |id: &&str| self.progress.published.iter().any(|file| file.deliverable.as_deref() == Some(*id));
        ids.filter(|id| !there(id)).map(|id| format!("finds the deliverable `{id}`, which was not published")).collect()
    }

    /// What is published is what was kept.
    fn published(&self, files: &[PublishedFile]) -> Vec<String> {
        let is_it = |kept: &Artefact, file: &PublishedFile| kept.sha256 == file.sha256 && kept.bytes == file.bytes;
        let kept = |file: &&PublishedFile| self.progress.artefacts.values().any(|kept| is_it(kept, file));
        let strangers = files.iter().filter(|file| file.deliverable.is_some() && !kept(file));
        strangers.map(|file| format!("publishes `{}`, which is nothing that was kept", file.path)).collect()
    }

    /// What people sign names a record, so that it cannot have been signed before.
    fn named(&self, sequence: u64, hash: &str, seq: u64) -> Vec<String> {
        let named = self.entries.iter().find(|entry| entry.seq == sequence && entry.seq < seq);
        if named.is_some_and(|entry| entry.hash == hash) {
            return Vec::new();
        }
        vec![format!("asks for a signature on record {sequence} `{hash}`, which the journal does not have before it")]
    }

    fn accepted(&self, entry: &Entry, gate: &PhaseId, nonce: &str, who: &str) -> Vec<String> {
        let request = self.progress.gates.get(gate).and_then(|gate| gate.request.as_ref());
        let Some(request) = request.filter(|request| request.nonce == nonce) else {
            return vec![format!("accepts a signature of `{who}` on a request that gate {gate} did not make")];
        };
        let SignOffRequested { signers, not, expires, .. } = request;
        let mut problems = late(entry, expires);
        if !signers.iter().any(|signer| signer == who) {
            problems.push(format!("accepts a signature of `{who}`, who was not asked"));
        }
        if not.iter().any(|other| other == who) {
            problems.push(format!("accepts a signature of `{who}`, who must not be counted"));
        }
        problems
    }

    fn opened(&self, entry: &Entry, nonce: &str, who: &str) -> Vec<String> {
        match &self.progress.opening.request {
            Some(request) if request.nonce == nonce && request.operator == who => late(entry, &request.expires),
            _ => vec![format!("accepts an opening by `{who}` that nobody was asked for")],
        }
    }

    fn complete(&self) -> Vec<String> {
        let closed = self.progress.phases.iter().filter(|phase| !self.progress.gate_passed(&phase.id));
        let closed: BTreeSet<&str> = closed.map(|phase| phase.id.0.as_str()).collect();
        closed.iter().map(|gate| format!("calls the run complete although gate {gate} is not open")).collect()
    }

    fn incomplete(&self) -> Vec<String> {
        let open = self.progress.phases.iter().all(|phase| self.progress.gate_passed(&phase.id));
        let stopped = self.progress.halt.is_some() || !self.progress.suspended.is_empty();
        let wrong = open && !stopped && !self.progress.phases.is_empty();
        wrong.then(|| "calls the run incomplete although every gate is open".to_owned()).into_iter().collect()
    }
}

/// A signature that came after its request had expired.
fn late(entry: &Entry, expires: &str) -> Vec<String> {
    match expires.parse::<Timestamp>() {
        Ok(expires) if entry.time <= expires => Vec::new(),
        _ => vec![format!("accepts a signature after its request expired ({expires})")],
    }
}
