//! After a failure, with a person at the terminal or their answers by flag: what they may choose, and what becomes of it.

use super::Engine;
use crate::error::Failure;
use crate::event::{Event, StepOutcome};
use crate::operator::{self, Choice, Question};
use crate::plan;
use crate::process::Stop;
use crate::progress::{Halt, StepState};
use crate::runbook::Effects;
use crate::verdict::Verdict;

impl Engine<'_> {
    /// Asks the person at the terminal, where there is one, unless answers were given beforehand. `true`: go on, something
    /// was decided.
    pub(super) async fn asked(&mut self) -> Result<bool, Failure> {
        if *self.world.stop.borrow() != Stop::No {
            return Ok(false);
        }
        if let Some(Halt::Gate { gate, verdict: Verdict::Waiting }) = self.recorder.progress().halt.clone() {
            return if self.guided { self.waited_for_people(&gate).await } else { Ok(false) };
        }
        if !self.guided && self.answers.is_none() {
            return Ok(false);
        }
        let Some(question) = self.question() else { return Ok(false) };
        self.recorder.activity("");
        loop {
            let choice = match &mut self.answers {
                Some(answers) => operator::given(&question, answers),
                None => operator::ask(&question, self.world.stop.clone()).await,
            };
            match choice {
                Choice::Abort => return Ok(false),
                Choice::Retry => {
                    self.recorder.record(Event::AnotherTry { by: self.world.operator.clone() })?;
                    return Ok(true);
                }
                Choice::Log => self.show_log(),
                Choice::Contingency(id) => {
                    self.chosen = Some(id);
                    return Ok(false);
                }
            }
        }
    }

    fn question(&self) -> Option<Question> {
        let progress = self.recorder.progress();
        let contingencies = self.runbook.contingencies.iter();
        let contingencies =
            contingencies.map(|contingency| (contingency.id.clone(), contingency.title.clone())).collect();
        Some(match progress.halt.as_ref()? {
            Halt::Signal { .. } => return None,
            Halt::Gate { gate, verdict } => {
                Question { what: format!("gate {gate} {verdict}"), retry: true, log: false, contingencies }
            }
            Halt::Step { step, outcome } => {
                let harmless =
                    self.step(step).ok().is_some_and(|step| step.effects != Effects::Chain || step.idempotent);
                let settled = progress.step_state(step) == Some(StepState::NotHappened);
                let retry = *outcome != StepOutcome::Done && (harmless || settled);
                Question { what: format!("step {step} stopped the run"), retry, log: true, contingencies }
            }
        })
    }

    fn show_log(&self) {
        let Some(Halt::Step { step, .. }) = self.recorder.progress().halt.clone() else { return };
        let log = self.recorder.progress().steps.get(&step).map(|seen| seen.started.log.clone());
        let Some(log) = log.map(|log| self.world.folder.file(&log)) else { return };
        operator::show(&log.display().to_string());
        let tail = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = tail.lines().collect();
        for line in &lines[lines.len().saturating_sub(60)..] {
            operator::show(&format!("  {}", crate::process::plain(line)));
        }
    }

    /// Waits before a declared retry, longer each time; a stop ends the wait.
    pub(super) async fn back_off(&mut self, of: &crate::runbook::Step) {
        if self.time.allowed(of).is_nothing() {
            return;
        }
        let progress = self.recorder.progress();
        let tries = progress.tries.get(&of.id).copied().unwrap_or(0);
        let Some(retry) = of.retry.filter(|_| tries > 0 && plan::retries_left(of, progress) > 0) else { return };
        let wait = retry.backoff.saturating_mul(1 << (tries - 1).min(10));
        let text = format!("retry {tries} of {} of {} in {:.1} s", retry.max, of.id, wait.as_secs_f64());
        self.recorder.activity(&text);
        let mut stop = self.world.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
    }
}
