//! Telling on a terminal: the record scrolls above one region that shows what goes on now.
//!
//! The region is drawn by a timer from shared state, never by a line of output: a step that prints a million lines costs
//! no redraw. It exists only while something goes on, so that a person can be asked in between.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Style;
use super::lines::Teller;
use super::screen::{Screen, columns};
use crate::event::{Event, StepStarted};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::recorder::Observer;
use crate::runbook::StepId;
use crate::text::{self, cut, duration, width};

/// How often the region is drawn.
const TICK: Duration = Duration::from_millis(125);

/// Tells with a live region.
pub(super) struct Live {
    teller: Teller,
    screen: Screen,
    now: Arc<Mutex<Now>>,
    region: Option<ProgressBar>,
    target: Box<dyn Fn() -> ProgressDrawTarget>,
    columns: fn() -> usize,
    colour: bool,
}

/// What goes on.
#[derive(Default)]
struct Now {
    head: String,
    /// Set while a step runs.
    since: Option<Instant>,
    last: String,
}

impl Live {
    pub(super) fn on_stderr(style: &Style) -> Self {
        Self {
            teller: Teller::new(&style.folder, true),
            screen: Screen::stderr(style.colour),
            now: Arc::default(),
            region: None,
            target: Box::new(ProgressDrawTarget::stderr),
            columns: || columns(&std::io::stderr()),
            colour: style.colour,
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the region, if it does not show yet.
    fn open(&mut self) {
        if self.region.is_some() {
            return;
        }
        let (now, columns) = (Arc::clone(&self.now), self.columns);
        let draw = move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&now.lock().unwrap_or_else(PoisonError::into_inner).region(columns()));
        };
        let template = if self.colour { "{spinner:.cyan} {now}" } else { "{spinner} {now}" };
        // The template is right, or there is only the record.
        let Ok(style) = ProgressStyle::with_template(template) else { return };
        let region = ProgressBar::with_draw_target(None, (self.target)());
        region.set_style(style.with_key("now", draw));
        region.enable_steady_tick(TICK);
        self.region = Some(region);
    }

    fn close(&mut self) {
        *self.now() = Now::default();
        if let Some(region) = self.region.take() {
            region.finish_and_clear();
        }
    }

    fn step(&mut self, started: &StepStarted, progress: &Progress) {
        let head = head(started, progress);
        *self.now() = Now { head, since: Some(Instant::now()), last: String::new() };
        self.open();
    }
}

impl Now {
    /// One or two lines for a terminal of `columns`, beside the spinner.
    fn region(&self, columns: usize) -> String {
        // The spinner and a space stand before, and a line that fills the terminal would break.
        let room = columns.saturating_sub(3);
        let elapsed = self.since.map_or_else(String::new, |since| {
            let milliseconds = since.elapsed().as_millis();
            format!("  {}", duration(u64::try_from(milliseconds).unwrap_or(u64::MAX)))
        });
        let mut out = cut(&self.head, room.saturating_sub(width(&elapsed)));
        out.push_str(&elapsed);
        if !self.last.is_empty() {
            let _ = write!(out, "\n  {}", cut(&format!("│ {}", self.last), room));
        }
        out
    }
}

/// `Phase 1 · step 2 of 4 · 1.plan-safe  Emit the Safe transaction bundle`.
fn head(started: &StepStarted, progress: &Progress) -> String {
    let id = &started.step;
    let Some((phase, place)) = progress.place(id) else { return text::clean(&id.0) };
    let head = format!("Phase {} · step {} of {} · {id}", phase.id, place + 1, phase.steps.len());
    text::clean(&format!("{head}  {}", phase.steps[place].title))
}

impl Observer for Live {
    fn event(&mut self, entry: &Entry, progress: &Progress) {
        let lines = self.teller.tell(entry, progress);
        if !matches!(entry.event, Event::StepSpawned { .. } | Event::Interrupted { .. }) {
            self.close();
        }
        let screen = &mut self.screen;
        match &self.region {
            Some(region) => region.suspend(|| screen.show(&lines)),
            None => screen.show(&lines),
        }
        if let Event::StepStarted(started) = &entry.event {
            self.step(started, progress);
        }
    }

    fn line(&mut self, _: &StepId, line: &str) {
        let line = text::clean(line);
        if !line.trim().is_empty() {
            self.now().last = line;
        }
    }

    fn activity(&mut self, activity: &str) {
        let running = self.now().since.is_some();
        match (running, activity.is_empty()) {
            (true, _) => self.now().last = text::clean(activity),
            (false, true) => self.close(),
            (false, false) => {
                self.now().head = text::clean(activity);
                self.open();
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use indicatif::TermLike;
    use std::io;

    /// A terminal that keeps what is drawn, or is gone.
    #[derive(Debug, Clone, Default)]
    struct Terminal {
        drawn: Arc<Mutex<String>>,
        gone: bool,
    }

    impl Terminal {
        fn answer(&self, text: &str) -> io::Result<()> {
            if self.gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.drawn.lock().unwrap().push_str(text);
            Ok(())
        }

        fn drawn(&self) -> String {
            self.drawn.lock().unwrap().clone()
        }
    }

    impl io::Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.answer(&String::from_utf8_lossy(bytes)).map(|()| bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.answer("")
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.answer("<up>")
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.answer("<down>")
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.answer("")
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.answer("")
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.answer(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.answer(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.answer("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            self.answer("")
        }
    }

    fn live(terminal: &Terminal) -> Live {
        let drawn = terminal.clone();
        Live {
            teller: Teller::new(std::path::Path::new("/state/run"), true),
            screen: Screen::new(terminal.clone(), || 80),
            now: Arc::default(),
            region: None,
            target: Box::new(move || ProgressDrawTarget::term_like(Box::new(drawn.clone()))),
            columns: || 80,
            colour: false,
        }
    }

    fn feed(observer: &mut Live, count: usize) {
        let mut progress = Progress::default();
        for entry in fixture::entries(fixture::events()).into_iter().take(count) {
            progress.apply(entry.seq, &entry.event);
            observer.event(&entry, &progress);
        }
    }

    #[test]
    fn the_region_shows_the_step_and_the_record_its_end() {
        let terminal = Terminal::default();
        let mut observer = live(&terminal);
        feed(&mut observer, 4);
        assert!(observer.region.is_some());
        observer.region.as_ref().unwrap().force_draw();
        let drawn = terminal.drawn();
        assert!(drawn.contains("Phase 1 · step 1 of 2 · 1.atlas  Snapshot every governance surface"), "{drawn}");
        assert!(!drawn.contains("✔ 1.atlas"), "{drawn}");
        feed(&mut observer, 6);
        assert!(observer.region.is_none());
        assert!(terminal.drawn().contains("  ✔ 1.atlas      Snapshot"), "{}", terminal.drawn());
    }

    #[test]
    fn lines_of_output_are_not_drawn_one_by_one() {
        let terminal = Terminal::default();
        let mut observer = live(&terminal);
        feed(&mut observer, 5);
        // Stops the timer, so that whatever is drawn from here on is drawn by a line.
        observer.region.as_ref().unwrap().disable_steady_tick();
        let before = terminal.drawn().len();
        for number in 0..10_000 {
            observer.line(&fixture::step("1.atlas"), &format!("line {number} \u{1b}[2J"));
        }
        assert_eq!(terminal.drawn().len(), before);
        assert_eq!(observer.now().last, "line 9999 \\u{1b}[2J");
    }

    #[test]
    fn nothing_shows_while_nothing_goes_on() {
        let terminal = Terminal::default();
        let mut observer = live(&terminal);
        observer.activity("gate 1: reading the chain");
        assert!(observer.region.is_some());
        observer.activity("");
        assert!(observer.region.is_none());
    }

    #[test]
    fn the_region_fits_every_width() {
        let now = Now {
            head: "Phase 1 · step 2 of 4 · 1.plan-safe  Emit the 城 Safe transaction bundle".into(),
            since: Some(Instant::now()),
            last: "x".repeat(500),
        };
        for columns in 0..=200 {
            for line in now.region(columns).lines() {
                assert!(width(line) <= columns.max(10), "{columns}: {line}");
            }
        }
        assert!(now.region(40).starts_with("Phase 1 · step 2 of 4 · 1.plan…  0."));
    }

    #[test]
    fn a_terminal_that_is_gone_ends_nothing() {
        let mut observer = live(&Terminal { gone: true, ..Terminal::default() });
        feed(&mut observer, 23);
        observer.line(&fixture::step("1.atlas"), "still here");
        observer.activity("still here");
    }
}
