//! The one door that facts go through: the journal first, then progress, then whoever watches.

use jiff::Timestamp;

use crate::error::Failure;
use crate::event::Event;
use crate::journal::{Entry, Journal};
use crate::process::Started;
use crate::progress::Progress;
use crate::runbook::StepId;

/// Watches a run. An observer cannot affect it: it returns nothing and sees only what is already recorded.
pub trait Observer {
    /// A fact was recorded.
    fn event(&mut self, entry: &Entry, progress: &Progress);

    /// A running step printed a line, already masked and safe for a terminal.
    fn line(&mut self, step: &StepId, line: &str);

    /// Something goes on that is not a fact, such as waiting for a block: one line, replaced by the next.
    fn activity(&mut self, text: &str);
}

/// Records events.
pub struct Recorder {
    journal: Journal,
    progress: Progress,
    observers: Vec<Box<dyn Observer>>,
}

impl Recorder {
    /// A recorder that goes on from `progress`, the replay of `journal`.
    pub fn new(journal: Journal, progress: Progress, observers: Vec<Box<dyn Observer>>) -> Self {
        Self { journal, progress, observers }
    }

    /// Records one event: durable when this returns, and only then visible to anyone.
    pub fn record(&mut self, event: Event) -> Result<(), Failure> {
        let entry = self.journal.append(event, Timestamp::now())?;
        self.tell(&entry);
        Ok(())
    }

    /// Records which process a step has: written when this returns, and synced with the next record. It is for a citadel
    /// that comes after a killed one; where the machine went down, the process did too.
    pub fn record_process(&mut self, step: StepId, attempt: u32, process: Started) -> Result<(), Failure> {
        let event = Event::StepSpawned { step, attempt, process };
        let entry = self.journal.append_unsynced(event, Timestamp::now())?;
        self.tell(&entry);
        Ok(())
    }

    fn tell(&mut self, entry: &Entry) {
        self.progress.apply(entry.seq, &entry.event);
        for observer in &mut self.observers {
            observer.event(entry, &self.progress);
        }
        #[cfg(feature = "kill-points")]
        crate::journal::kill_point::reached(entry.seq, "after-telling");
    }

    /// Tells observers about a line of output.
    pub fn line(&mut self, step: &StepId, line: &str) {
        for observer in &mut self.observers {
            observer.line(step, line);
        }
    }

    /// Tells observers what goes on.
    pub fn activity(&mut self, text: &str) {
        for observer in &mut self.observers {
            observer.activity(text);
        }
    }

    /// What the events add up to.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The hash and number of the last record.
    pub fn head(&self) -> (&str, u64) {
        (self.journal.head(), self.journal.sequence())
    }
}
