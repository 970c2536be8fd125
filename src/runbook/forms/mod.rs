//! Texts that must have a form: durations, addresses, hashes, names, paths, function types.
//!
//! Each form is a pure function from text to a value, or to what is wrong with the text.

mod address;
mod duration;
mod function;
mod json_path;
mod name;
mod ssh;

use std::ops::Range;

use super::diagnostic::{Diagnostic, Report};
use super::document::Node;

pub(super) use address::{address, hash};
pub(super) use duration::age;
pub(super) use function::{called, error, function, role};
pub(super) use json_path::json_path;
pub(super) use name::{artefact, given_variable, id, relative, sha256, variable};
pub(super) use ssh::{Key, ssh_key};

/// What is wrong with a text, and where in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    message: String,
    part: Option<Range<usize>>,
    label: Option<String>,
    help: Option<String>,
    /// The text may be a secret: it is not shown.
    secret: bool,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub(super) fn message(self) -> String {
        self.message
    }

    fn part(mut self, part: Range<usize>) -> Self {
        self.part = Some(part);
        self
    }

    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl Report<'_> {
    /// Reads a text of some form; what is wrong with it is reported with a caret at the wrong part.
    pub(super) fn form<T>(&self, node: &Node, key: &str, read: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let text = self.text(node, key)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(node, text, wrong);
                None
            }
        }
    }

    fn wrong(&self, node: &Node, text: &str, wrong: Wrong) {
        let mut place = node.place;
        if let Some(part) = wrong.part {
            let whole = self.inside(node, text, 0);
            if whole != node.place {
                place = self.lines.place(whole.start() + part.start..whole.start() + part.end);
            }
        }
        let mut diagnostic = Diagnostic::new(place, wrong.message).maybe_help(wrong.help);
        diagnostic.label = wrong.label;
        if wrong.secret {
            diagnostic = diagnostic.secret();
        }
        self.add(diagnostic);
    }
}
