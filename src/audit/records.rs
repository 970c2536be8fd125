//! Whether every gate's record is consistent in itself and with the run before it, and says what the journal says of the
//! gate.

use super::{Notes, files};
use crate::chain::{PinnedBlock, Reading};
use crate::engine::replay::{Beside, Found, GateRecord, replay};
use crate::event::{Event, GateJudged};
use crate::journal::{Entry, RunFolder};
use crate::progress::Progress;

/// Judges all gate records again.
pub(super) async fn judge(folder: &RunFolder, entries: &[Entry], notes: &mut Notes) {
    let mut progress = Progress::default();
    for entry in entries {
        let before = matches!(entry.event, Event::GateJudged(_)).then(|| progress.clone());
        progress.apply(entry.seq, &entry.event);
        let (Event::GateJudged(judged), Some(progress)) = (&entry.event, before) else { continue };
        // What is wrong with the file as a file is said elsewhere.
        let Ok(bytes) = files::read(folder, &judged.record) else { continue };
        let beside = Beside { folder: folder.clone(), progress };
        let replay = match replay(&bytes, Some(&beside)).await {
            Ok(replay) => replay,
            Err(failure) => {
                notes.wrong_file(entry.seq, &judged.record, failure.to_string());
                continue;
            }
        };
        notes.looked_at("gates");
        if let Some(problem) = replay.first_problem() {
            notes.wrong_file(entry.seq, &judged.record, format!("is not consistent: {problem}"));
        }
        for what in differences(judged, &replay.record, entries) {
            notes.wrong_file(entry.seq, &judged.record, what);
        }
        let left = replay.found.iter().filter(|(_, found)| matches!(found, Found::NotJudged(_)));
        let left: Vec<&str> = left.map(|(id, _)| id.as_str()).filter(|id| *id != ENDPOINTS).collect();
        if !left.is_empty() {
            notes.noted.push(format!("gate {}: not judged again: {}", judged.gate, left.join(", ")));
        }
    }
}

/// The examination of each endpoint, of which no record holds the bytes (docs/gates.md).
const ENDPOINTS: &str = "endpoints";

/// Where the journal and the record say different things.
fn differences(judged: &GateJudged, record: &GateRecord, entries: &[Entry]) -> Vec<String> {
    let run = entries.iter().find_map(|entry| match &entry.event {
        Event::RunOpened(run) => Some(run),
        _ => None,
    });
    let differs = [
        ("gate", judged.gate == record.gate),
        ("network", judged.network == record.network),
        ("verdict", judged.verdict == record.verdict),
        ("definition", judged.definition == record.definition),
        ("results", judged.results == record.results),
        ("run", run.is_some_and(|run| run.run == record.run)),
    ];
    let mut problems: Vec<String> = differs
        .iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| format!("its `{name}` is not what the journal's record says"))
        .collect();
    if !runbooks(entries).contains(&record.runbook_sha256.as_str()) {
        problems.push("its runbook is not one that the run was opened or continued with".into());
    }
    let reading = record.reading.as_ref();
    let of = |read: fn(&Reading) -> Option<PinnedBlock>| {
        reading.and_then(read).map(|block| (block.number, format!("{:#x}", block.hash), block.time))
    };
    let blocks = [
        ("block", of(|reading| reading.block), &judged.block),
        ("finalized", of(|reading| reading.finalized), &judged.finalized),
    ];
    for (name, read, told) in blocks {
        if read != told.as_ref().map(|block| (block.number, block.hash.clone(), block.time)) {
            problems.push(format!("its `{name}` is not what the journal's record says"));
        }
    }
    problems
}

/// The SHA-256 of every runbook that the run was worked by.
fn runbooks(entries: &[Entry]) -> Vec<&str> {
    let of = entries.iter().filter_map(|entry| match &entry.event {
        Event::RunOpened(run) => Some(run.runbook_sha256.as_str()),
        Event::RunContinued(run) => Some(run.runbook_sha256.as_str()),
        _ => None,
    });
    of.collect()
}
