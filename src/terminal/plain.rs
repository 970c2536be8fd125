//! Telling where nothing can move, such as a log: one line a change, and a sign of life while a step runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Style;
use super::lines::Teller;
use super::screen::Screen;
use crate::event::Event;
use crate::journal::Entry;
use crate::progress::Progress;
use crate::recorder::Observer;
use crate::runbook::StepId;
use crate::text::{Line, duration};

/// How long a running step says nothing before citadel does.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// Tells by lines alone.
pub(super) struct Plain {
    teller: Teller,
    shared: Arc<Shared>,
    heart: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    every: Duration,
}

struct State {
    screen: Screen,
    running: Option<Running>,
    activity: String,
    ended: bool,
}

struct Running {
    step: StepId,
    since: Instant,
    /// When the next sign of life is due.
    due: Instant,
    last: String,
}

impl Plain {
    pub(super) fn on_stderr(style: &Style) -> Self {
        Self::new(style, Screen::stderr(style.colour), HEARTBEAT)
    }

    fn new(style: &Style, screen: Screen, every: Duration) -> Self {
        let state = State { screen, running: None, activity: String::new(), ended: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), ended: Condvar::new(), every });
        let heart = Arc::clone(&shared);
        let heart = std::thread::Builder::new().name("heartbeat".into()).spawn(move || heart.beat()).ok();
        Self { teller: Teller::new(&style.folder, false), shared, heart }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until the observer is dropped. Nobody wakes it for a step that begins: no sign of life can be due before it
    /// looks by itself.
    fn beat(&self) {
        let mut state = self.lock();
        while !state.ended {
            let now = Instant::now();
            let due = state.running.as_ref().map_or(now + self.every, |running| running.due);
            if due > now {
                let waited = self.ended.wait_timeout(state, due - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state.sign_of_life(now, self.every);
            }
        }
    }
}

impl State {
    fn sign_of_life(&mut self, now: Instant, every: Duration) {
        let Some(running) = &mut self.running else { return };
        running.due = now + every;
        let elapsed = u64::try_from((now - running.since).as_millis()).unwrap_or(u64::MAX);
        let line = Line::new(2).quiet(format!("… {} runs since {}", running.step, duration(elapsed)));
        let line = if running.last.is_empty() { line } else { line.quiet(": ").plain(&running.last) };
        self.screen.show(&[line.cut()]);
    }
}

impl Observer for Plain {
    fn event(&mut self, entry: &Entry, progress: &Progress) {
        let lines = self.teller.tell(entry, progress);
        let mut state = self.shared.lock();
        state.activity.clear();
        if let Event::StepStarted(started) = &entry.event {
            let since = Instant::now();
            let (step, due) = (started.step.clone(), since + self.shared.every);
            state.running = Some(Running { step, since, due, last: String::new() });
        } else if !matches!(entry.event, Event::StepSpawned { .. } | Event::Interrupted { .. }) {
            state.running = None;
        }
        state.screen.show(&lines);
    }

    fn line(&mut self, _: &StepId, line: &str) {
        if let Some(running) = &mut self.shared.lock().running {
            line.clone_into(&mut running.last);
        }
    }

    fn activity(&mut self, text: &str) {
        // Only what it is about is told: `gate 1: reading the chain` once, not each line of a setup.
        let about = text.split(':').next().unwrap_or_default();
        let mut state = self.shared.lock();
        if about.is_empty() || state.activity == about {
            return;
        }
        about.clone_into(&mut state.activity);
        state.screen.show(&[Line::new(2).quiet(format!("… {text}")).cut()]);
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.ended.notify_one();
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use std::io::Write;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Sends what is written to the test.
    struct Wire(Sender<String>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A terminal that is gone.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }

    fn style() -> Style {
        Style { live: false, colour: false, folder: "/state/run".into() }
    }

    fn plain(every: Duration) -> (Plain, Receiver<String>) {
        let (sender, receiver) = channel();
        (Plain::new(&style(), Screen::new(Wire(sender), || 80), every), receiver)
    }

    fn feed(observer: &mut dyn Observer, count: usize) {
        let mut progress = Progress::default();
        for entry in fixture::entries(fixture::events()).into_iter().take(count) {
            progress.apply(entry.seq, &entry.event);
            observer.event(&entry, &progress);
        }
    }

    #[test]
    fn a_running_step_shows_signs_of_life_until_it_ends() {
        let (mut observer, lines) = plain(Duration::from_millis(1));
        feed(&mut observer, 5);
        observer.line(&fixture::step("1.atlas"), "reading module 3");
        let alive = |line: &String| line.contains("… 1.atlas runs since 0.0s: reading module 3");
        assert!(lines.iter().any(|line| alive(&line)), "the channel ended");
        drop(observer);
        assert!(lines.iter().count() < 100_000, "the heart goes on after its observer is gone");
    }

    #[test]
    fn nothing_is_repeated_while_nothing_runs() {
        let (mut observer, lines) = plain(Duration::from_hours(1));
        observer.activity("anvil: line 1");
        observer.activity("anvil: line 2");
        observer.activity("gate 1: reading the chain");
        drop(observer);
        let all: String = lines.iter().collect();
        assert_eq!(all, "  … anvil: line 1\n  … gate 1: reading the chain\n");
    }

    #[test]
    fn a_terminal_that_is_gone_ends_nothing() {
        let mut observer = Plain::new(&style(), Screen::new(Gone, || 80), Duration::from_millis(1));
        feed(&mut observer, 23);
        observer.line(&fixture::step("1.atlas"), "still here");
        observer.activity("still here");
    }
}
