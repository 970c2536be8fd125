//! What is wrong with a runbook: every problem at once, each with its place, a caret and, where there is one, a remedy.
//!
//! Never decides that something is wrong; it only collects and shows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::place::{Lines, Place};
use super::syntax::Syntax;

/// How many problems are shown in full; the last line counts them all.
const SHOWN: usize = 100;

/// One thing that is wrong with a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub message: String,
    pub place: Place,
    pub label: Option<String>,
    pub help: Option<String>,
    /// It is about something that is not there, which broken syntax elsewhere may have swallowed.
    absence: bool,
    /// What stands there may be a secret: its lines are not shown, whatever else is wrong on them.
    secret: bool,
}

impl Diagnostic {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { message: message.into(), place, label: None, help: None, absence: false, secret: false }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(super) fn absence(mut self) -> Self {
        self.absence = true;
        self
    }

    pub(super) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// Collects diagnostics while a runbook is read.
pub(super) struct Report<'t> {
    pub(super) lines: Lines<'t>,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { lines: Lines::new(text), found: RefCell::default() }
    }

    pub(super) fn add(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Everything found, in the order of the file, each once; `None` if nothing was.
    ///
    /// Beside broken syntax only what is certain is told: nothing on the broken lines, nothing about what is missing.
    pub(super) fn problems(self, file: &str, syntax: Syntax) -> Option<Problems> {
        let mut found = self.found.into_inner();
        if !syntax.errors.is_empty() {
            let broken: BTreeSet<usize> = syntax.errors.iter().map(|d| d.place.line()).collect();
            let near = |line: usize| broken.range(line.saturating_sub(1)..=line + 1).next().is_some();
            found.retain(|d| !d.absence && !near(d.place.line()) && d.place.start() < syntax.swallowed);
        }
        found.extend(syntax.errors);
        found.sort_by_key(|diagnostic| (diagnostic.place.start(), diagnostic.place.end()));
        let mut list: Vec<Diagnostic> = Vec::with_capacity(found.len());
        for diagnostic in found {
            let again = |d: &&Diagnostic| d.place.start() == diagnostic.place.start();
            if !list.iter().rev().take_while(again).any(|d| d.message == diagnostic.message) {
                list.push(diagnostic);
            }
        }
        hide_secrets(&self.lines, &mut list);
        (!list.is_empty()).then(|| Problems { file: file.to_owned(), text: self.lines.text().to_owned(), list })
    }
}

/// Every problem of one runbook: the error inside the `Failure` that `load` returns for an invalid one.
///
/// A caller that finds it (`failure.source.downcast_ref::<Problems>()`) prints `render` as it is, without a prefix.
#[derive(Debug, Clone)]
pub struct Problems {
    file: String,
    text: String,
    list: Vec<Diagnostic>,
}

impl Problems {
    /// The problems in the order of the file.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// What an operator reads, with colours or without, ending with a line that counts and a line break.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let lines = Lines::new(&self.text);
        let mut out = String::new();
        for diagnostic in self.list.iter().take(SHOWN) {
            out.push_str(&render_one(&renderer, &self.file, &lines, diagnostic));
            out.push_str("\n\n");
        }
        if self.list.len() > SHOWN {
            let more = self.list.len() - SHOWN;
            out.push_str(&more.to_string());
            out.push_str(" more are not shown\n");
        }
        out.push_str(&count(self.list.len(), &self.file));
        out.push('\n');
        out
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count(self.list.len(), &self.file))
    }
}

impl std::error::Error for Problems {}

fn count(number: usize, file: &str) -> String {
    let noun = if number == 1 { "problem" } else { "problems" };
    format!("{number} {noun} in `{file}`")
}

/// Marks every problem that would show a line on which a secret may stand.
fn hide_secrets(lines: &Lines<'_>, list: &mut [Diagnostic]) {
    let secrets: Vec<Place> = list.iter().filter(|d| d.secret).map(|d| d.place).collect();
    for diagnostic in list.iter_mut().take(SHOWN) {
        let (offset, shown) = lines.around(diagnostic.place);
        let end = offset + shown.len();
        diagnostic.secret |= secrets.iter().any(|secret| secret.start() < end && offset < secret.end());
    }
}

fn render_one(renderer: &Renderer, file: &str, lines: &Lines<'_>, diagnostic: &Diagnostic) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(tame(&diagnostic.message)));
    group = if diagnostic.secret {
        let place = diagnostic.place;
        group.element(Origin::path(file).line(place.line()).char_column(place.column()))
    } else {
        group.element(snippet(file, lines, diagnostic))
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(tame(help)));
    }
    renderer.render(&[group])
}

fn snippet<'s>(file: &'s str, lines: &Lines<'s>, diagnostic: &Diagnostic) -> Snippet<'s, Annotation<'s>> {
    let place = diagnostic.place;
    let (offset, source) = lines.around(place);
    let start = (place.start() - offset).min(source.len());
    let end = (place.end() - offset).clamp(start, source.len());
    let annotation = AnnotationKind::Primary.span(start..end).label(diagnostic.label.as_deref().map(tame));
    Snippet::source(source).path(file).line_start(place.line()).annotation(annotation)
}

/// Text from a runbook must not drive the terminal.
fn tame(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, found: Vec<Diagnostic>, syntax: Vec<Diagnostic>) -> Problems {
        let report = Report::new(text);
        for diagnostic in found {
            report.add(diagnostic);
        }
        let syntax = Syntax { errors: syntax, swallowed: usize::MAX };
        report.problems("runbook.toml", syntax).unwrap()
    }

    fn at(text: &str, needle: &str, message: &str) -> Diagnostic {
        let start = text.find(needle).unwrap();
        Diagnostic::new(Lines::new(text).place(start..start + needle.len()), message)
    }

    #[test]
    fn shows_place_caret_label_and_help() {
        let text = "a = 1\ntimout = \"5m\"\n";
        let found = problems(text, vec![at(text, "timout", "unknown key `timout`").label("here").help("x")], vec![]);
        let expected = "\
error: unknown key `timout`
 --> runbook.toml:2:1
  |
2 | timout = \"5m\"
  | ^^^^^^ here
  |
  = help: x

1 problem in `runbook.toml`
";
        assert_eq!(found.render(false), expected);
    }

    #[test]
    fn sorts_by_place_and_tells_each_once() {
        let text = "a = 1\nb = 2\n";
        let found = problems(text, vec![at(text, "b", "two"), at(text, "a", "one"), at(text, "b", "two")], vec![]);
        let messages: Vec<_> = found.list().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, ["one", "two"]);
        assert!(found.render(false).ends_with("\n2 problems in `runbook.toml`\n"));
    }

    #[test]
    fn beside_broken_syntax_only_the_certain_is_told() {
        let text = "a = 1\n\nb = \n\nc = 3\nd = 4\n";
        let found = vec![at(text, "a", "missing").absence(), at(text, "c", "certain"), at(text, "b", "doubtful")];
        let found = problems(text, found, vec![at(text, "b = ", "syntax")]);
        let messages: Vec<_> = found.list().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, ["syntax", "certain"]);
    }

    #[test]
    fn a_runbook_cannot_drive_the_terminal() {
        let text = "a = 1\n";
        let found = problems(text, vec![at(text, "a", "unknown key `\u{1b}[2J`")], vec![]);
        assert!(!found.render(false).contains('\u{1b}'));
    }

    #[test]
    fn a_line_with_a_secret_is_never_shown() {
        let text = "rpc = [\"https://key\"]\nother = 1\n";
        let secret = at(text, "\"https://key\"", "a URL").secret();
        let found = problems(text, vec![secret, at(text, "rpc", "unknown"), at(text, "other", "other")], vec![]);
        assert!(!found.render(false).contains("https"), "{}", found.render(false));
        assert!(found.render(false).contains("--> runbook.toml:1:8"), "{}", found.render(false));
        assert!(found.render(false).contains("2 | other"));
    }

    #[test]
    fn many_problems_are_counted_but_not_all_shown() {
        let text = "abcdefghij".repeat(20);
        let lines = Lines::new(&text);
        let found = (0..150).map(|at| Diagnostic::new(lines.place(at..at + 1), "no")).collect();
        let found = problems(&text, found, vec![]);
        assert!(found.render(false).ends_with("50 more are not shown\n150 problems in `runbook.toml`\n"));
    }
}
