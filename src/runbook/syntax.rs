//! Syntax errors in the words of an operator: the parser's list without what follows from something else in it.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::document::{Node, Table, Value};
use super::place::Lines;

/// What is wrong with the syntax.
pub(super) struct Syntax {
    pub(super) errors: Vec<Diagnostic>,
    /// From here on all is inside something that is never closed, and means nothing.
    pub(super) swallowed: usize,
}

impl Default for Syntax {
    /// Nothing is wrong.
    fn default() -> Self {
        Self { errors: Vec::new(), swallowed: usize::MAX }
    }
}

/// Diagnostics for what the parser complains of: its message, and where.
pub(super) fn judge(lines: &Lines<'_>, table: &Table, errors: Vec<(&str, Option<Range<usize>>)>) -> Syntax {
    let end = lines.text().len();
    let mut open = Vec::new();
    if !errors.is_empty() {
        table.entries.iter().for_each(|entry| find_open(lines, &entry.node, &mut open));
    }
    let swallowed = open.iter().map(|range| range.start).min().unwrap_or(usize::MAX);
    let mut found: Vec<Diagnostic> = open.iter().map(|range| never_closed(lines, range)).collect();
    let mut repeated: Range<usize> = 0..0;
    for (message, span) in errors {
        let span = span.unwrap_or(end..end);
        if swallowed <= span.start {
            continue;
        }
        if message == "duplicate key" {
            // A table that is declared again repeats its keys too.
            if repeated.contains(&span.start) {
                continue;
            }
            repeated = body_of_table(lines, &span);
        }
        found.push(one(lines, message, span));
    }
    Syntax { errors: found, swallowed }
}

/// The outermost lists and inline tables that are never closed: they swallow all that follows.
fn find_open(lines: &Lines<'_>, node: &Node, open: &mut Vec<Range<usize>>) {
    let written = &lines.text()[node.place.start()..node.place.end()];
    let unclosed = match &node.value {
        Value::List(_) => written.starts_with('[') && !written.ends_with(']'),
        Value::Table(_) => written.starts_with('{') && !written.ends_with('}'),
        _ => false,
    };
    if unclosed {
        return open.push(node.place.start()..node.place.end());
    }
    match &node.value {
        Value::List(list) => list.iter().for_each(|node| find_open(lines, node, open)),
        Value::Table(table) => table.entries.iter().for_each(|entry| find_open(lines, &entry.node, open)),
        _ => {}
    }
}

fn never_closed(lines: &Lines<'_>, range: &Range<usize>) -> Diagnostic {
    let bracket = &lines.text()[range.start..=range.start];
    let (noun, close) = if bracket == "[" { ("a list", "]") } else { ("an inline table", "}") };
    let place = lines.place(range.start..range.start + 1);
    let diagnostic = Diagnostic::new(place, format!("syntax error: {noun} is never closed")).label("opened here");
    diagnostic.help(format!("close it with `{close}`"))
}

/// From a key in a table's header to the next header; nothing if the key is in no header.
fn body_of_table(lines: &Lines<'_>, key: &Range<usize>) -> Range<usize> {
    let text = lines.text();
    let line = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
    if !text[line..].starts_with('[') {
        return 0..0;
    }
    let end = text[key.end..].find("\n[").map_or(text.len(), |at| key.end + at);
    key.end..end
}

fn one(lines: &Lines<'_>, message: &str, span: Range<usize>) -> Diagnostic {
    let written = lines.text().get(span.clone()).unwrap_or_default().to_owned();
    let place = lines.place(span);
    let error = |message: &str| Diagnostic::new(place, format!("syntax error: {message}"));
    let message = message.lines().next().unwrap_or("not TOML");
    match message {
        "duplicate key" => {
            let diagnostic = error(&format!("`{written}` is declared twice")).label("declared before");
            diagnostic.help("a key or a table stands once; merge the two")
        }
        _ if message.starts_with("string values must be quoted") => match written.trim() {
            "" => error("a value is missing"),
            word => error("text must stand in quotes").help(format!("write \"{word}\"")),
        },
        _ if message.starts_with("invalid basic string, expected `\"`") => {
            error("a string is never closed, expected `\"`")
        }
        _ => error(message),
    }
}
