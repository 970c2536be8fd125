//! Readable copies under the reports folder: the deliverables as they were kept, and citadel's own report. What is
//! published is a copy; nothing is ever read back from it as a fact.

use std::path::Path;

use super::Engine;
use super::world::World;
use crate::beneath::{self, InTheWay};
use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::event::{Event, PublishedFile, RunOpened};
use crate::journal;
use crate::progress::Progress;
use crate::report::{Report, markdown};
use crate::runbook::PhaseId;

/// How archives' names end.
pub const SUFFIX: &str = ".tar.zst";

/// What the archive of a run is called, without its end, and the one folder in it.
pub fn name_of(run: &RunOpened) -> String {
    format!("{}-{}-{}", run.runbook, run.network, run.run)
}

/// A run in one file.
#[derive(Debug)]
pub struct Packed {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Engine<'_> {
    /// Publishes every deliverable whose artefacts are all kept.
    pub(super) fn publish(&mut self) -> Result<(), Failure> {
        let view = self.view();
        let kept = view.kept(&self.runbook.networks[&self.world.network]);
        let mut files = Vec::new();
        for deliverable in &self.runbook.deliverables {
            for name in &deliverable.of {
                // A changed artefact is not published; the gate says why.
                let Ok(bytes) = kept.read(name) else { continue };
                let path = deliverable.file_of(name);
                write_file_in(&self.world, &path, &bytes)?;
                let (sha256, bytes) = (sha256(&bytes), bytes.len() as u64);
                files.push(PublishedFile { path, sha256, bytes, deliverable: Some(deliverable.id.clone()) });
            }
        }
        if files == self.recorder.progress().published {
            return Ok(());
        }
        self.recorder.record(Event::Published { files })
    }
}

/// Writes citadel's own report, from the journal alone.
pub(super) fn report(world: &World) -> Result<(), Failure> {
    let entries = journal::read(&world.folder.journal())?.entries;
    let text = markdown::render(&Report::of(&entries));
    write_file_in(world, markdown::FILE, text.as_bytes())?;
    Ok(())
}

/// Takes the archive of a run that goes on away again: it is of what the run was when it was complete, and the copies
/// change.
pub(super) fn take_back(world: &World, progress: &Progress) -> Result<(), Failure> {
    let Some(run) = &progress.run else { return Ok(()) };
    let (folder, archive) = place(world, &(name_of(run) + SUFFIX));
    if beneath::remove(folder, &archive).map_err(in_the_way)? {
        report(world)?;
    }
    Ok(())
}

/// Puts a complete run's archive beside the copies, and says what it is called. One of an earlier run stays.
pub(super) fn archive(world: &World, progress: &Progress, packed: Result<Packed, Failure>) -> Result<String, Failure> {
    let Packed { name, bytes } = packed?;
    // Another machine may have judged some of the gates, before the run was handed over.
    for (gate, judged) in progress.gates.iter().filter_map(|(gate, of)| Some((gate, of.judged.as_ref()?))) {
        let record = beneath::read_up_to(beneath::MOST_OF_OURS, world.folder.path(), &judged.record)?.bytes;
        gate_record(world, gate, &record)?;
    }
    write_file_in(world, &name, &bytes).map_err(|why| match why.code {
        // The same command again would open another run on a dev chain.
        ExitCode::Precondition => why.hint("a step may have put it there: look at it and remove it"),
        _ => why,
    })?;
    Ok(name)
}

/// Publishes a gate's newest record, unless it holds a secret: the run's folder has it anyway.
pub(super) fn gate_record(world: &World, gate: &PhaseId, record: &[u8]) -> Result<(), Failure> {
    if world.mask.found(record).is_empty() {
        write_file_in(world, &format!("gates/{gate}.json"), record)?;
    }
    Ok(())
}

fn write_file_in(world: &World, relative: &str, bytes: &[u8]) -> Result<(), Failure> {
    let (folder, relative) = place(world, relative);
    beneath::write(folder, &relative, bytes).map_err(in_the_way)
}

/// Where a copy goes: a folder that is trusted, and the way from there.
fn place<'w>(world: &'w World, relative: &str) -> (&'w Path, String) {
    let (base, reports) = (&world.base, &world.reports);
    match reports.strip_prefix(base) {
        Ok(below) => (base, below.join(relative).display().to_string()),
        Err(_) => (reports, relative.to_owned()),
    }
}

/// What nobody should have put there is a person's to look at.
pub(super) fn in_the_way(error: anyhow::Error) -> Failure {
    match error.downcast::<InTheWay>() {
        Ok(planted) => Failure::new(ExitCode::Precondition, planted.to_string())
            .hint("a step may have put it there: look at it, remove it, then run the same command again"),
        Err(other) => other.into(),
    }
}
