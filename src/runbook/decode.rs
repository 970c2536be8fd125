//! A small reader over a table as written: takes a key with a type, remembers what was taken, and at the end reports
//! keys that nobody asked for. Problems are reported and reading goes on.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::diagnostic::{Diagnostic, Report};
use super::document::{Entry, Node, Table, Value};
use super::place::Place;
use super::suggest;

/// How many keys most tables know at most.
const KEYS: usize = 32;

/// Reads one table.
pub(super) struct Reader<'a> {
    pub(super) report: &'a Report<'a>,
    table: &'a Table<'a>,
    /// Where the table begins: what "missing" points at.
    pub(super) place: Place,
    /// What the table is, as an operator would name it: `` `[network.mainnet]` ``.
    what: Rc<str>,
    known: Vec<&'static str>,
    /// Required keys that are not there, told at the end: a misspelt one is told once, as an unknown key.
    missing: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(report: &'a Report<'a>, table: &'a Table<'a>, place: Place, what: impl Into<Rc<str>>) -> Self {
        Self { report, table, place, what: what.into(), known: Vec::with_capacity(KEYS), missing: Vec::new() }
    }

    /// A reader of a value that must be a table.
    pub(super) fn of(report: &'a Report<'a>, node: &'a Node<'a>, what: impl Into<Rc<str>>) -> Option<Self> {
        let what = what.into();
        let table = node.as_table();
        if table.is_none() {
            report.wrong_type(node, &what, "a table");
        }
        Some(Self::new(report, table?, node.place, what))
    }

    /// All entries, for tables whose keys are names.
    pub(super) fn entries(&self) -> &'a [Entry<'a>] {
        &self.table.entries
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Whether a key is there that was not taken yet: it may be a misspelt one.
    pub(super) fn has_unknown(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// Whether nothing stands at a key, or an empty list or table does.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.table.get(key).is_none_or(|node| match &node.value {
            Value::List(list) => list.is_empty(),
            Value::Table(table) => table.entries.is_empty(),
            _ => false,
        })
    }

    /// How many items the list at a key has; none if it is not there.
    pub(super) fn len_of(&self, key: &str) -> usize {
        self.table.get(key).and_then(Node::as_list).map_or(0, <[Node]>::len)
    }

    /// The place of a key, or of the table where it is not there.
    pub(super) fn key_place(&self, key: &str) -> Place {
        self.table.entry(key).map_or(self.place, |entry| entry.place)
    }

    /// Takes a key that may be there.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<&'a Node<'a>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// Takes keys that are judged elsewhere.
    pub(super) fn take(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Takes a key that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Option<&'a Node<'a>> {
        let node = self.optional(key);
        if node.is_none() {
            self.missing.push(key);
        }
        node
    }

    /// Takes a text that must be there; nothing said here means it was.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        let node = self.required(key);
        node.and_then(|node| self.report.text(node, key)).unwrap_or_default().to_owned()
    }

    /// Takes a text that may be there.
    pub(super) fn optional_text(&mut self, key: &'static str) -> Option<String> {
        let node = self.optional(key)?;
        self.report.text(node, key).map(str::to_owned)
    }

    /// Takes a list of texts; nothing where the key is not there.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<(&'a Node<'a>, String)> {
        let list = self.list(key).iter();
        list.filter_map(|node| Some((node, self.report.text(node, key)?.to_owned()))).collect()
    }

    /// Takes a list; empty where the key is not there.
    pub(super) fn list(&mut self, key: &'static str) -> &'a [Node<'a>] {
        let node = self.optional(key);
        node.and_then(|node| self.report.list(node, key)).unwrap_or_default()
    }

    /// Takes a boolean; false where the key is not there.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.optional(key)?;
        let Value::Bool(is) = node.value else {
            self.report.wrong_type(node, &format!("`{key}`"), "true or false");
            return None;
        };
        Some(is)
    }

    /// Takes a whole number from `least` up.
    pub(super) fn number(&mut self, key: &'static str, least: u64) -> Option<u64> {
        let node = self.optional(key)?;
        self.report.number(node, key, least)
    }

    /// Takes one of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let node = self.optional(key)?;
        self.report.choice(node, key, words)
    }

    /// Which of several keys is there, where exactly one must be; `kinds` are all taken.
    pub(super) fn one_of(&mut self, kinds: &[&'static str], noun: &str) -> Option<&'static str> {
        self.known.extend(kinds);
        let mut there = self.table.entries.iter().filter_map(|e| Some((e, *kinds.iter().find(|k| **k == e.key)?)));
        let Some((_, kind)) = there.next() else {
            self.no_kind(kinds, noun);
            return None;
        };
        for (entry, other) in there {
            let message = format!("{} has two kinds of {noun}: `{kind}` and `{other}`", self.what);
            let diagnostic = Diagnostic::new(entry.place, message).label(format!("`{kind}` stands already"));
            self.report.add(diagnostic.help(format!("exactly one of {}", suggest::names(kinds.iter().copied()))));
        }
        Some(kind)
    }

    fn no_kind(&mut self, kinds: &[&'static str], noun: &str) {
        // A misspelt kind is told once, as an unknown key with the right spelling.
        if self.unknown().any(|entry| suggest::nearest(&entry.key, kinds.iter().copied()).is_some()) {
            return;
        }
        let diagnostic = Diagnostic::new(self.place, format!("{} has no kind of {noun}", self.what));
        let help = format!("exactly one of {}", suggest::names(kinds.iter().copied()));
        self.report.add(diagnostic.help(help).absence());
    }

    /// Reports every key that was not taken, and every required key that is not there.
    pub(super) fn finish(self) {
        if self.missing.is_empty() && !self.has_unknown() {
            return;
        }
        let left: Vec<&str> = self.known.iter().copied().filter(|key| !self.has(key)).collect();
        let known = || {
            let mut seen = BTreeSet::new();
            self.known.iter().copied().filter(move |key| seen.insert(*key))
        };
        let mut misspelt = Vec::new();
        for entry in self.unknown() {
            let meant = suggest::nearest(&entry.key, left.iter().copied());
            misspelt.extend(meant);
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            let help = help.or_else(|| suggest::help("", known(), "known here"));
            let message = format!("unknown key `{}` in {}", entry.key, self.what);
            self.report.add(Diagnostic::new(entry.place, message).label("not a key here").maybe_help(help));
        }
        for key in self.missing.iter().filter(|key| !misspelt.contains(key)) {
            let message = format!("{} has no `{key}`", self.what);
            self.report.add(Diagnostic::new(self.place, message).label(format!("`{key}` is missing")).absence());
        }
    }

    fn unknown(&self) -> impl Iterator<Item = &'a Entry<'a>> {
        self.table.entries.iter().filter(|entry| !self.known.contains(&&*entry.key))
    }
}

impl Report<'_> {
    pub(super) fn wrong_type(&self, node: &Node, what: &str, expected: &str) {
        let message = format!("{what} must be {expected}, not {}", node.kind());
        let diagnostic = Diagnostic::new(node.place, message).label(format!("expected {expected}"));
        let diagnostic = diagnostic.maybe_help(self.right_type(node, expected));
        // A table in the place of a list comes from a `[[header]]` that is broken, too.
        self.add(if expected == "a list" && node.as_table().is_some() { diagnostic.absence() } else { diagnostic });
    }

    /// How the same value would be written with the right type.
    fn right_type(&self, node: &Node, expected: &str) -> Option<String> {
        let written = &self.lines.text()[node.place.start()..node.place.end()];
        match (&node.value, expected) {
            (Value::Text(text), "a whole number") if text.parse::<i128>().is_ok() => {
                Some(format!("write it without quotes: {text}"))
            }
            (Value::Text(_), "a list") if !written.contains('\n') => Some(format!("write [{written}]")),
            (Value::Integer(_) | Value::Float(_) | Value::Bool(_), "a string") => Some(format!("write \"{written}\"")),
            (Value::Table(_), "a list") if written.starts_with('[') => {
                Some(format!("it may stand several times, so write [{written}]"))
            }
            _ => None,
        }
    }

    /// A text that is not empty.
    pub(super) fn text<'n>(&self, node: &'n Node, key: &str) -> Option<&'n str> {
        let Some(text) = node.as_text() else {
            self.wrong_type(node, &format!("`{key}`"), "a string");
            return None;
        };
        if text.trim().is_empty() {
            self.add(Diagnostic::new(node.place, format!("`{key}` is empty")));
            return None;
        }
        Some(text)
    }

    pub(super) fn list<'n>(&self, node: &'n Node<'n>, key: &str) -> Option<&'n [Node<'n>]> {
        if node.as_list().is_none() {
            self.wrong_type(node, &format!("`{key}`"), "a list");
        }
        node.as_list()
    }

    pub(super) fn number(&self, node: &Node, key: &str, least: u64) -> Option<u64> {
        let Value::Integer(number) = node.value else {
            self.wrong_type(node, &format!("`{key}`"), "a whole number");
            return None;
        };
        let fits = number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number >= least);
        if fits.is_none() {
            self.add(Diagnostic::new(node.place, format!("`{key}` must be a whole number from {least} up")));
        }
        fits
    }

    pub(super) fn choice<T: Copy>(&self, node: &Node, key: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.text(node, key)?;
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(known, _)| *known);
            let diagnostic = Diagnostic::new(node.place, format!("`{key}` cannot be `{word}`"));
            self.add(diagnostic.maybe_help(suggest::help(word, known, "one of")));
        }
        found
    }

    /// The place of a part of a text as it stands in the file; the whole text where escapes hide it.
    pub(super) fn inside(&self, node: &Node, part: &str, from: usize) -> Place {
        let from = from.max(node.place.start());
        let source = self.lines.text().get(from..node.place.end()).unwrap_or_default();
        source.find(part).filter(|_| !part.is_empty()).map_or(node.place, |at| {
            let start = from + at;
            self.lines.place(start..start + part.len())
        })
    }
}
