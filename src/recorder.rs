//! The one door that facts go through: the journal first, then progress, then whoever watches.
//!
//! Only in an emergency may it go on without a journal: what cannot be written is told, and no reason to stop.

use std::cell::RefCell;

use jiff::Timestamp;

use crate::error::Failure;
use crate::event::Event;
use crate::journal::{Entry, GENESIS, Journal};
use crate::process::Started;
use crate::progress::Progress;
use crate::runbook::StepId;
use crate::secrets::Mask;

/// Watches a run. An observer cannot affect it: it returns nothing and sees only what is already recorded.
pub trait Observer {
    /// A fact was recorded.
    fn event(&mut self, entry: &Entry, progress: &Progress);

    /// A running step printed a line, already masked and safe for a terminal.
    fn line(&mut self, step: &StepId, line: &str);

    /// Something goes on that is not a fact, such as waiting for a block: one line, replaced by the next.
    fn activity(&mut self, text: &str);
}

/// A fact that is recorded, and that nobody was told yet.
#[must_use]
pub struct Untold(Entry);

/// Records events.
pub struct Recorder {
    journal: Option<Journal>,
    progress: Progress,
    /// Shared, so that what goes on can be told while progress is looked at.
    observers: RefCell<Vec<Box<dyn Observer>>>,
    /// In an emergency, a journal that fails is given up.
    emergency: bool,
    /// For what no journal takes: a journal masks by itself.
    mask: Mask,
    /// Why nothing is recorded any more.
    unrecorded: Option<String>,
    /// The head: of the journal, or of what would stand in it.
    sequence: u64,
    head: String,
}

impl Recorder {
    /// A recorder that goes on from `progress`, the replay of `journal`.
    pub fn new(journal: Journal, progress: Progress, observers: Vec<Box<dyn Observer>>) -> Self {
        let (sequence, head) = (journal.sequence(), journal.head().to_owned());
        let (observers, mask) = (RefCell::new(observers), journal.mask().clone());
        let (journal, emergency) = (Some(journal), false);
        Self { journal, progress, observers, emergency, mask, unrecorded: None, sequence, head }
    }

    /// The same in an emergency: where there is no journal, or it fails, facts are told and kept in memory alone.
    pub fn in_emergency(
        journal: Option<Journal>,
        mask: &Mask,
        progress: Progress,
        observers: Vec<Box<dyn Observer>>,
    ) -> Self {
        if let Some(journal) = journal {
            return Self { emergency: true, ..Self::new(journal, progress, observers) };
        }
        let (sequence, head, observers) = (0, GENESIS.to_owned(), RefCell::new(observers));
        let mask = mask.clone();
        Self { journal: None, progress, observers, emergency: true, mask, unrecorded: None, sequence, head }
    }

    /// Why nothing is recorded any more, once.
    pub fn lost(&mut self) -> Option<String> {
        self.unrecorded.take()
    }

    fn entry(&mut self, mut event: Event, synced: bool) -> Result<Entry, Failure> {
        let now = Timestamp::now();
        if let Some(journal) = &mut self.journal {
            let append = if synced { Journal::append } else { Journal::append_unsynced };
            if !self.emergency {
                return append(journal, event, now);
            }
            match append(journal, event.clone(), now) {
                Ok(entry) => return Ok(entry),
                Err(failure) => self.unrecorded = Some(failure.to_string()),
            }
        }
        self.journal = None;
        event.retell(&|text| self.mask.clean(text));
        Ok(Entry::unkept(self.sequence + 1, now, event))
    }

    /// Records one event: durable when this returns, and only then visible to anyone.
    pub fn record(&mut self, event: Event) -> Result<(), Failure> {
        let last = self.record_untold(event)?;
        self.tell(&last);
        Ok(())
    }

    /// The same for a fact that is told after what follows from it: it is durable, and counts, when this returns.
    pub fn record_untold(&mut self, event: Event) -> Result<Untold, Failure> {
        let entry = self.entry(event, true)?;
        Ok(self.count(entry))
    }

    /// Records which process a step has: written when this returns, and synced with the next record. It is for a citadel
    /// that comes after a killed one; where the machine went down, the process did too.
    pub fn record_process(&mut self, step: StepId, attempt: u32, process: Started) -> Result<(), Failure> {
        let entry = self.entry(Event::StepSpawned { step, attempt, process }, false)?;
        let spawned = self.count(entry);
        self.tell(&spawned);
        Ok(())
    }

    fn count(&mut self, entry: Entry) -> Untold {
        self.sequence = entry.seq;
        self.head.clone_from(&entry.hash);
        self.progress.apply(entry.seq, &entry.event);
        Untold(entry)
    }

    /// Tells observers about a fact.
    pub fn tell(&mut self, Untold(entry): &Untold) {
        for observer in self.observers.get_mut() {
            observer.event(entry, &self.progress);
        }
        #[cfg(feature = "kill-points")]
        crate::journal::kill_point::reached(entry.seq, "after-telling");
    }

    /// Tells observers about a line of output.
    pub fn line(&mut self, step: &StepId, line: &str) {
        for observer in self.observers.get_mut() {
            observer.line(step, line);
        }
    }

    /// Tells observers what goes on.
    pub fn activity(&self, text: &str) {
        for observer in self.observers.borrow_mut().iter_mut() {
            observer.activity(text);
        }
    }

    /// What the events add up to.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The hash and number of the last record.
    pub fn head(&self) -> (&str, u64) {
        (&self.head, self.sequence)
    }
}
