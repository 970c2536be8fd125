//! Passes what a process does on to the recorder: its birth as a fact, its lines as talk.

use crate::event::Event;
use crate::process::{Started, Watcher};
use crate::recorder::Recorder;
use crate::runbook::StepId;

pub(super) struct StepWatcher<'a> {
    pub(super) recorder: &'a mut Recorder,
    pub(super) step: &'a StepId,
    pub(super) attempt: u32,
}

impl Watcher for StepWatcher<'_> {
    fn started(&mut self, process: &Started) -> anyhow::Result<()> {
        self.recorder.record_process(self.step.clone(), self.attempt, process.clone())?;
        Ok(())
    }

    fn stopping(&mut self, signal: i32) -> anyhow::Result<()> {
        self.recorder.record(Event::Interrupted { signal })?;
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.recorder.line(self.step, line);
    }
}

/// A process that belongs to no step, such as the dev chain's setup: its lines show what goes on.
pub(super) struct ActivityWatcher<'a> {
    pub(super) recorder: &'a mut Recorder,
    pub(super) what: &'a str,
}

impl Watcher for ActivityWatcher<'_> {
    fn started(&mut self, _: &Started) -> anyhow::Result<()> {
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.recorder.activity(&format!("{}: {line}", self.what));
    }
}
