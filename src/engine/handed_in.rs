//! What people hand in for steps by hand while a citadel works on the run: it lies in the run's folder, and whoever
//! holds the run records it with the person's name. Judges nothing.

use super::Engine;
use crate::error::Failure;
use crate::event::{Event, HandedIn};
use crate::journal::{RunFolder, create_folder, write_file};
use crate::runbook::{Action, Step};
use crate::verdict::Verdict;

/// Leaves `handed_in` in the folder of a run that somebody works on.
pub fn leave(folder: &RunFolder, handed_in: &HandedIn) -> anyhow::Result<()> {
    let place = folder.file(RunFolder::handed_in());
    create_folder(&place)?;
    let number = std::fs::read_dir(&place)?.count();
    let name = format!("{number:04}.{}.{}.json", handed_in.step, std::process::id());
    write_file(&place.join(name), &serde_json::to_vec_pretty(handed_in)?)
}

impl Engine<'_> {
    /// Records what was handed in since.
    pub(super) fn take_in_handed(&mut self) -> Result<(), Failure> {
        let place = self.world.folder.file(RunFolder::handed_in());
        let mut files: Vec<_> =
            std::fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let read = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<HandedIn>(&bytes).ok());
            // As it will be recorded, so that it is known again.
            let mask = &self.world.mask;
            let clean = |text: Option<String>| text.map(|text| mask.clean(&text));
            let read = read.map(|read| HandedIn { text: clean(read.text), ..read });
            let known = |handed_in: &HandedIn| {
                let known = self.recorder.progress().handed_in.get(&handed_in.step);
                known.is_some_and(|known| known.contains(handed_in))
            };
            if let Some(handed_in) = read.filter(|handed_in| !known(handed_in)) {
                self.recorder.record(Event::HandedIn(handed_in))?;
            }
        }
        Ok(())
    }

    /// Whether a step by hand is done by now: its evidence holds, or it has none and a person handed something in.
    pub(super) async fn is_done_by_hand(&self, step: &Step, attempt: u32) -> bool {
        let Action::Manual { instructions } = &step.action else { return false };
        let Ok(phase) = self.phase_of(step) else { return false };
        let network = self.view().network(phase).clone();
        let ended = self.by_hand(step, attempt, instructions, &network).await;
        ended.evidence.iter().all(|result| result.verdict == Verdict::Passed) && ended.reason.is_none()
    }
}
