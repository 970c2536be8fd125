//! Whether a contingency holds the run up: what the run's journal says of it, and the marks that contingencies leave
//! beside the runs. A mark is a file whose name alone says enough, so that a full disk does not keep it away.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::Engine;
use super::world::View;
use crate::error::Failure;
use crate::event::Event;
use crate::journal::Home;
use crate::progress::{Progress, Suspension};
use crate::verdict::CheckResult;

/// Leaves the mark of the contingency `id`. What cannot be written of it is left out; its name says enough.
pub fn mark(home: &Home, id: &str, suspension: &Suspension) -> anyhow::Result<()> {
    let path = home.mark(id);
    home.create()?;
    std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
    let text = serde_json::to_string(suspension).unwrap_or_default();
    // An empty mark stays one: the file is there already.
    let _ = std::fs::write(&path, text);
    Ok(())
}

/// Every contingency that holds up the runs of `home`, or one run of it by its journal.
pub fn suspensions(home: Option<&Home>, progress: &Progress) -> BTreeMap<String, Suspension> {
    let mut all = progress.suspended.clone();
    let marked = home.into_iter().flat_map(|home| home.marked().into_iter().map(|id| (home.mark(&id), id)));
    for (path, id) in marked {
        all.entry(id).or_insert_with(|| read(&path));
    }
    all
}

fn read(path: &Path) -> Suspension {
    let told = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    told.unwrap_or_else(|| {
        let made = std::fs::metadata(path).and_then(|about| about.modified()).ok();
        let since = made.and_then(|made| Timestamp::try_from(made).ok()).map(|since| since.to_string());
        let unknown = || "unknown".to_owned();
        Suspension { by: unknown(), since: since.unwrap_or_else(unknown), folder: unknown() }
    })
}

/// What a gate says of it.
pub fn results(view: &View<'_>) -> Vec<CheckResult> {
    let all = suspensions(view.world.marks.as_ref(), view.progress);
    let told = |(id, by): (&String, &Suspension)| {
        CheckResult::failed("suspended", "contingency", sentence(id, by))
            .expected("no contingency is open")
            .hint(way_out(id, &view.world.network))
    };
    all.iter().map(told).collect()
}

/// Which contingency suspends the run, since when and by whom.
pub fn sentence(id: &str, of: &Suspension) -> String {
    format!("suspended by contingency {id} since {} ({}): no gate opens until it is closed", of.since, of.by)
}

/// The command that ends a suspension.
pub fn way_out(id: &str, network: &str) -> String {
    format!("once it is over: `citadel contingency close {id} --reason \"…\" --network {network}`")
}

impl Engine<'_> {
    /// Whether a contingency holds the run up; one that began since is recorded first.
    pub(super) fn suspended(&mut self) -> Result<bool, Failure> {
        for (contingency, of) in suspensions(self.world.marks.as_ref(), self.recorder.progress()) {
            if !self.recorder.progress().suspended.contains_key(&contingency) {
                let Suspension { by, since, folder } = of;
                self.recorder.record(Event::Suspended { contingency, by, since, folder })?;
            }
        }
        Ok(!self.recorder.progress().suspended.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_an_empty_one_still_counts() {
        let state = tempfile::tempdir().unwrap();
        let home = Home::new(state.path(), "runbook", "net");
        let of = Suspension { by: "ann".into(), since: "2026-11-22T20:00:00Z".into(), folder: "/x".into() };
        mark(&home, "runaway", &of).unwrap();
        std::fs::write(home.mark("shock"), "").unwrap();
        let all = suspensions(Some(&home), &Progress::default());
        assert_eq!(all["runaway"], of);
        assert_eq!(all["shock"].by, "unknown");
        assert!(all["shock"].since.parse::<Timestamp>().is_ok());
        assert_eq!(suspensions(None, &Progress::default()).len(), 0);
    }
}
