//! Judges a step whose effect is known to have happened although no citadel saw how its command came out: its evidence
//! decides. Runs nothing.

use std::time::{Instant, SystemTime};

use super::Engine;
use super::outcome::first_problem;
use crate::error::Failure;
use crate::event::{Event, StepEnded, StepOutcome};
use crate::journal;
use crate::process::Ended;
use crate::progress::StepProgress;
use crate::runbook::{Action, Network, Step};

impl Engine<'_> {
    /// Judges the evidence of an attempt whose effect happened, and records the outcome.
    pub(super) async fn verify(&mut self, step: &Step) -> Result<(), Failure> {
        let began = Instant::now();
        let Some(seen) = self.recorder.progress().steps.get(&step.id).cloned() else { return Ok(()) };
        self.recorder.activity(&format!("judging the evidence of {}", step.id));
        let network = self.view().network(self.phase_of(step)?).clone();
        let ended = match step.action {
            Action::Secrets { .. } => self.without_process(step, seen.attempt, &network).await,
            Action::Npm { .. }
            | Action::Make { .. }
            | Action::Run { .. }
            | Action::Shell { .. }
            | Action::Manual { .. } => self.judged_afterwards(step, seen, &network).await?,
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.recorder.record(Event::StepEnded(StepEnded { milliseconds, ..ended }))
    }

    async fn judged_afterwards(
        &self,
        step: &Step,
        seen: StepProgress,
        network: &Network,
    ) -> Result<StepEnded, Failure> {
        let since = self.intended_at(&seen)?;
        let (found, reached) = self.evidence(step, seen.attempt, since, network, &seen.started.inputs).await;
        let problem = first_problem(&found.results).map(|problem| format!("its effect happened, but {problem}"));
        let hashes = found.transactions.into_iter().flat_map(|found| found.hashes);
        Ok(StepEnded {
            // Never a reason to run it again: the effect is there.
            outcome: if problem.is_some() { StepOutcome::Failed } else { StepOutcome::Done },
            ended: seen.ended.map_or(Ended::Unseen, |ended| ended.ended),
            evidence: found.results,
            artefacts: found.artefacts,
            last_block: reached.last_block,
            finalized: reached.finalized,
            transactions: hashes.map(|hash| hash.to_lowercase()).collect(),
            reason: problem,
            ..StepEnded::done(step.id.clone(), seen.attempt)
        })
    }

    /// When the attempt was recorded as intended: what it must have written is younger.
    fn intended_at(&self, seen: &StepProgress) -> Result<SystemTime, Failure> {
        let entries = journal::read(&self.world.folder.journal())?.entries;
        let intent = entries
            .iter()
            .rfind(|entry| matches!(&entry.event, Event::StepStarted(started) if started.step == seen.started.step));
        Ok(intent.map_or_else(SystemTime::now, |entry| entry.time.into()))
    }
}
