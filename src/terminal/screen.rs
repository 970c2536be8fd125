//! Where lines go and how wide it is.

use std::io::{IsTerminal as _, Write};
use std::os::fd::AsFd;

use crate::text::Line;

/// What is assumed where there is no terminal to ask.
const DEFAULT: usize = 100;

/// The columns of the terminal behind `stream`.
pub(super) fn columns(stream: &impl AsFd) -> usize {
    match rustix::termios::tcgetwinsize(stream) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        Ok(_) | Err(_) => DEFAULT,
    }
}

/// A place to write lines to.
pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    columns: fn() -> usize,
    colour: bool,
}

impl Screen {
    pub(super) fn stderr(colour: bool) -> Self {
        // What is no terminal does not become one.
        let columns = if std::io::stderr().is_terminal() { || columns(&std::io::stderr()) } else { || DEFAULT };
        Self { out: Box::new(std::io::stderr()), columns, colour }
    }

    #[cfg(test)]
    pub(super) fn new(out: impl Write + Send + 'static, columns: fn() -> usize) -> Self {
        Self { out: Box::new(out), columns, colour: false }
    }

    /// Writes whole lines at once. Nobody is told when it fails: a lost terminal must not end a run.
    pub(super) fn show(&mut self, lines: &[Line]) {
        if lines.is_empty() {
            return;
        }
        let columns = (self.columns)();
        let text: String = lines.iter().map(|line| line.render(columns, self.colour) + "\n").collect();
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}
