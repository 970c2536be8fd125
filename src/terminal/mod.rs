//! Tells people what goes on while it goes on. The only room that prints: talk goes to stderr, data to stdout.
//!
//! It cannot affect a run: whatever a terminal, a pipe or a full disk answers to a write is ignored.

mod lines;
mod live;
mod plain;
mod problem;
mod screen;

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};

pub use problem::{diagnostics, failure, note, warning};

use crate::recorder::Observer;

/// How a run is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// One region below the record that moves while something runs.
    pub live: bool,
    pub colour: bool,
    /// The run's folder, which paths in events are relative to.
    pub folder: PathBuf,
}

impl Style {
    /// What suits this stderr, given the variables `CI` and `TERM`. Colour follows `NO_COLOR`, `CLICOLOR` and
    /// `CLICOLOR_FORCE`.
    pub fn detect(ci: Option<&str>, term: Option<&str>, folder: PathBuf) -> Self {
        let in_ci = ci.is_some_and(|ci| !ci.is_empty() && ci != "false" && ci != "0");
        let live = std::io::stderr().is_terminal() && !in_ci && term != Some("dumb");
        Self { live, colour: colour_on_stderr(), folder }
    }
}

/// Whoever tells a run on stderr.
pub fn observer(style: &Style) -> Box<dyn Observer> {
    if style.live { Box::new(live::Live::on_stderr(style)) } else { Box::new(plain::Plain::on_stderr(style)) }
}

/// Whether stderr shows colours.
pub fn colour_on_stderr() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}

/// Whether stdout shows colours.
pub fn colour_on_stdout() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// How many columns data on stdout has.
pub fn columns_on_stdout() -> usize {
    screen::columns(&std::io::stdout())
}

/// Writes data to stdout as it is. A reader that has seen enough and left is no error; anything else is told on stderr.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => warning(&format!("cannot write to stdout: {error}")),
    }
}
