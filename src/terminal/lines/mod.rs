//! What each event looks like: pure functions from an event and the progress after it to lines, one a kind.

mod gate;
mod run;
mod step;

use std::path::Path;

use crate::event::{Event, PhaseOutline};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::runbook::{PhaseId, StepId};
use crate::text::{Line, Tone};

/// Turns events into lines. It remembers only which phase it told of last.
pub(super) struct Teller {
    folder: String,
    /// A live region shows what runs, so that only outcomes become lines.
    live: bool,
    phase: Option<PhaseId>,
    /// How wide the ids of a phase are, of the last one that was asked for.
    column: Option<(PhaseId, usize)>,
}

impl Teller {
    pub(super) fn new(folder: &Path, live: bool) -> Self {
        Self { folder: folder.display().to_string(), live, phase: None, column: None }
    }

    /// The lines of one event.
    pub(super) fn tell(&mut self, entry: &Entry, progress: &Progress) -> Vec<Line> {
        let folder = self.folder.as_str();
        match &entry.event {
            Event::RunOpened(opened) => {
                self.column = None;
                run::opened(opened, folder)
            }
            Event::RunContinued(continued) => {
                self.column = None;
                self.phase = None;
                run::continued(continued, progress, &self.folder)
            }
            Event::PlanTaken { digest, .. } => run::plan_taken(digest),
            Event::HandedOver { by, to, .. } => run::handed_over(by, to),
            Event::TakenOver(taken) => run::taken_over(taken),
            Event::DevChainStarted { url, pid, kept, .. } => run::chain_started(url, *pid, *kept),
            Event::DevChainReady(deployment) => run::chain_ready(deployment),
            Event::DevChainEnded => run::chain_ended(),
            Event::StepStarted(started) => {
                let mut lines = self.heading_of_step(progress, &started.step);
                if !self.live {
                    lines.push(step::started(started, progress, self.column(progress, &started.step)));
                }
                lines
            }
            Event::StepSpawned { .. } | Event::AnotherTry { .. } => Vec::new(),
            Event::StepEnded(ended) => {
                let column = self.column(progress, &ended.step);
                step::ended(ended, progress, &self.folder, column)
            }
            Event::StepDecided { step, happened, by, reason, .. } => step::decided(step, *happened, by, reason),
            Event::GateJudged(judged) => {
                let phase = progress.phases.iter().find(|phase| phase.id == judged.gate);
                let title = phase.map_or("", |phase| phase.gate.as_str());
                let gate = gate::judged(entry, judged, title, progress, folder);
                let mut lines = phase.map_or_else(Vec::new, |phase| self.heading(phase));
                lines.extend(gate);
                lines
            }
            Event::OpeningRequested(request) => gate::opening_requested(request, progress, folder),
            Event::OpeningSigned { who, key, .. } => gate::opening_signed(who, key),
            Event::SignOffRequested(request) => gate::sign_off_requested(request),
            Event::SignOffAccepted { gate, who, key, .. } => gate::sign_off_accepted(gate, who, key, progress),
            Event::Published { files } => run::published(files, progress),
            Event::HandedIn(handed_in) => step::handed_in(handed_in),
            Event::Suspended { contingency, by, since, .. } => run::suspended(contingency, by, since),
            Event::SuspensionEnded { contingency, by, reason } => run::suspension_ended(contingency, by, reason),
            Event::Interrupted { signal } => run::interrupted(*signal),
            Event::RunEnded { .. } => run::ended(progress),
            Event::RunClosed { by, reason } => run::closed(by, reason),
        }
    }

    fn heading_of_step(&mut self, progress: &Progress, step: &StepId) -> Vec<Line> {
        progress.place(step).map_or_else(Vec::new, |(phase, _)| self.heading(phase))
    }

    fn column(&mut self, progress: &Progress, step: &StepId) -> usize {
        let Some((phase, _)) = progress.place(step) else { return 0 };
        match &self.column {
            Some((of, column)) if *of == phase.id => *column,
            _ => {
                let column = step::column(phase);
                self.column = Some((phase.id.clone(), column));
                column
            }
        }
    }

    /// The phase's heading, when it was not told last.
    fn heading(&mut self, phase: &PhaseOutline) -> Vec<Line> {
        if self.phase.as_ref() == Some(&phase.id) {
            return Vec::new();
        }
        self.phase = Some(phase.id.clone());
        let line = Line::new(0).add(Tone::Accent, format!("Phase {}", phase.id)).plain("  ");
        vec![Line::new(0), line.add(Tone::Strong, &phase.title).cut()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// Everything that is told of a run.
    fn told(events: Vec<Event>, live: bool, columns: usize) -> String {
        let mut teller = Teller::new(Path::new("/state/run"), live);
        let mut progress = Progress::default();
        let mut text = String::new();
        for entry in fixture::entries(events) {
            progress.apply(entry.seq, &entry.event);
            text.extend(teller.tell(&entry, &progress).iter().map(|line| line.render(columns, false) + "\n"));
        }
        text
    }

    #[test]
    fn a_whole_run_in_a_log() {
        let expected = include_str!("run.txt");
        let text = told(fixture::events(), false, 100);
        assert_eq!(text, expected, "{text}");
    }

    #[test]
    fn live_the_region_shows_what_starts() {
        let events = fixture::events();
        let text = told(events[..6].to_vec(), true, 80);
        assert!(!text.contains('▸'), "{text}");
        assert!(text.contains("  ✔ 1.atlas"), "{text}");
    }

    #[test]
    fn narrow_and_wide_terminals_lose_no_words_of_reasons() {
        for columns in 40..=200 {
            let text = told(fixture::events(), false, columns);
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "its evidence does not hold: owner-safe-bundle.json",
                "1 of 8 modules is paused: fee_pool",
                "/state/run/logs/1.plan-safe.1.log",
                "PASSED",
                "no transaction of the deployer",
            ] {
                assert!(flat.contains(part), "{columns}: {part}\n{text}");
            }
            assert!(!text.contains('\u{1b}'));
        }
    }
}
