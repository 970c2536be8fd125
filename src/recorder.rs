//! The one door that facts go through: the journal first, then progress, then whoever watches. What is begun counts while the
//! disk takes it, and is told once it is there.
//!
//! Only in an emergency may it go on without a journal: what cannot be written is told, and no reason to stop.

use std::cell::RefCell;

use jiff::Timestamp;

use crate::error::{ExitCode, Failure};
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

type Append = fn(&mut Journal, Event, Timestamp) -> Result<Entry, Failure>;

/// Records events.
pub struct Recorder {
    journal: Option<Journal>,
    progress: Progress,
    /// What was begun, and is not settled.
    begun: Option<Untold>,
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
        Self { journal, progress, begun: None, observers, emergency, mask, unrecorded: None, sequence, head }
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
        Self {
            journal: None,
            progress,
            begun: None,
            observers,
            emergency: true,
            mask,
            unrecorded: None,
            sequence,
            head,
        }
    }

    /// Why nothing is recorded any more, once.
    pub fn lost(&mut self) -> Option<String> {
        self.unrecorded.take()
    }

    fn entry(&mut self, mut event: Event, append: Append) -> Result<Entry, Failure> {
        let now = Timestamp::now();
        if let Some(journal) = &mut self.journal {
            if !self.emergency {
                return append(journal, event, now);
            }
            match append(journal, event.clone(), now) {
                Ok(entry) => return Ok(entry),
                Err(failure) => self.unrecorded = Some(failure.to_string()),
            }
        }
        self.journal = None;
        if !self.emergency {
            return Err(Failure::new(
                ExitCode::Internal,
                "nothing is recorded any more: the journal could not be synced",
            ));
        }
        event.retell(&|text| self.mask.clean(text));
        Ok(Entry::unkept(self.sequence + 1, now, event))
    }

    /// Records one event, which the disk begins to take while what comes next is got ready. It counts when this returns; nobody
    /// is told, and nothing may be done because of it, before [`Recorder::settle`].
    pub fn begin(&mut self, event: Event) -> Result<(), Failure> {
        self.settle()?;
        let entry = self.entry(event, Journal::begin)?;
        self.begun = Some(self.count(entry));
        Ok(())
    }

    /// Waits until what was begun is durable, and tells it.
    pub fn settle(&mut self) -> Result<(), Failure> {
        if let Some(Err(failure)) = self.journal.as_mut().map(Journal::settle) {
            // It counts already, and the journal does not have it: nothing more goes there.
            self.journal = None;
            if !self.emergency {
                self.begun = None;
                return Err(failure);
            }
            self.unrecorded = Some(failure.to_string());
        }
        if let Some(begun) = self.begun.take() {
            self.tell(&begun);
        }
        Ok(())
    }

    /// Records one event: durable when this returns, and only then visible to anyone.
    pub fn record(&mut self, event: Event) -> Result<(), Failure> {
        let last = self.record_untold(event)?;
        self.tell(&last);
        Ok(())
    }

    /// The same for a fact that is told after what follows from it: it is durable, and counts, when this returns.
    pub fn record_untold(&mut self, event: Event) -> Result<Untold, Failure> {
        self.settle()?;
        let entry = self.entry(event, Journal::append)?;
        Ok(self.count(entry))
    }

    /// Records which process a step has: written when this returns, and synced with the next record. It is for a citadel
    /// that comes after a killed one; where the machine went down, the process did too.
    pub fn record_process(&mut self, step: StepId, attempt: u32, process: Started) -> Result<(), Failure> {
        self.settle()?;
        let entry = self.entry(Event::StepSpawned { step, attempt, process }, Journal::append_unsynced)?;
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    /// Notes the number of each record that it is told.
    struct Notes(Rc<RefCell<Vec<u64>>>);

    impl Observer for Notes {
        fn event(&mut self, entry: &Entry, _: &Progress) {
            self.0.borrow_mut().push(entry.seq);
        }

        fn line(&mut self, _: &StepId, _: &str) {}

        fn activity(&mut self, _: &str) {}
    }

    struct Site {
        folder: tempfile::TempDir,
        told: Rc<RefCell<Vec<u64>>>,
    }

    impl Site {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), told: Rc::default() }
        }

        fn journal(&self) -> Journal {
            Journal::create(&self.folder.path().join("journal.jsonl"), &Mask::none()).unwrap()
        }

        fn notes(&self) -> Vec<Box<dyn Observer>> {
            vec![Box::new(Notes(Rc::clone(&self.told)))]
        }

        fn check(&self, told: &[u64], written: usize) {
            assert_eq!(*self.told.borrow(), told);
            let entries = crate::journal::read(&self.folder.path().join("journal.jsonl")).unwrap().entries;
            assert_eq!(entries.len(), written);
        }
    }

    const EVENT: Event = Event::Interrupted { signal: 2 };

    #[test]
    fn what_was_begun_is_told_when_it_is_settled_and_before_anything_else() {
        let site = Site::new();
        let mut recorder = Recorder::new(site.journal(), Progress::default(), site.notes());
        recorder.begin(EVENT).unwrap();
        assert!(recorder.progress().halt.is_some());
        site.check(&[], 1);
        recorder.settle().unwrap();
        recorder.settle().unwrap();
        site.check(&[1], 1);
        recorder.begin(EVENT).unwrap();
        recorder.begin(EVENT).unwrap();
        site.check(&[1, 2], 3);
        recorder.record(EVENT).unwrap();
        site.check(&[1, 2, 3, 4], 4);
    }

    #[test]
    fn what_the_disk_does_not_take_is_never_told_and_nothing_is_recorded_after_it() {
        let site = Site::new();
        let mut journal = site.journal();
        journal.append(EVENT, Timestamp::now()).unwrap();
        journal.fail_to_sync();
        let mut recorder = Recorder::new(journal, Progress::default(), site.notes());
        recorder.begin(EVENT).unwrap();
        let failure = recorder.record(EVENT).unwrap_err();
        assert!(failure.to_string().starts_with("cannot write the journal"), "{failure}");
        assert!(recorder.record(EVENT).unwrap_err().to_string().starts_with("nothing is recorded any more"));
        assert!(recorder.begin(EVENT).is_err());
        site.check(&[], 1);
    }

    #[test]
    fn in_an_emergency_it_is_told_all_the_same() {
        let site = Site::new();
        let mut journal = site.journal();
        journal.fail_to_sync();
        let mut recorder = Recorder::in_emergency(Some(journal), &Mask::none(), Progress::default(), site.notes());
        recorder.begin(EVENT).unwrap();
        recorder.record(EVENT).unwrap();
        assert!(recorder.lost().unwrap().starts_with("cannot write the journal"));
        site.check(&[1, 2], 0);
    }
}
