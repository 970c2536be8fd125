//! The TOML as written: values with their places, in the order of the file.
//!
//! Only `resolve` reads it. Knows TOML, nothing of runbooks.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::pieces;
use super::place::{Lines, Place};
use super::syntax::{self, Syntax};

/// A value and where it stands. Texts without escapes are those of the file.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) place: Place,
    pub(super) value: Value<'t>,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value<'t> {
    Text(Cow<'t, str>),
    /// `None`: an integer beyond 128 bits.
    Integer(Option<i128>),
    Float(f64),
    Bool(bool),
    Date,
    List(Vec<Node<'t>>),
    Table(Table<'t>),
}

/// The entries of a table in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Table<'t> {
    pub(super) entries: Vec<Entry<'t>>,
}

/// A key, its place, and its value.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: Cow<'t, str>,
    pub(super) place: Place,
    pub(super) node: Node<'t>,
}

impl<'t> Node<'t> {
    /// What the value is, for "expected a string, found …".
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Bool(_) => "a boolean",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        if let Value::List(list) = &self.value { Some(list) } else { None }
    }

    pub(super) fn as_table(&self) -> Option<&Table<'t>> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }
}

impl<'t> Table<'t> {
    pub(super) fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The text at `key`, where there is one.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// The tables of a list of tables at `key`; whatever else stands there is passed over.
    pub(super) fn tables(&self, key: &str) -> impl Iterator<Item = &Self> {
        self.get(key).and_then(Node::as_list).unwrap_or_default().iter().filter_map(Node::as_table)
    }

    /// The entries of a table at `key`; none if something else stands there.
    pub(super) fn members(&self, key: &str) -> &[Entry<'t>] {
        self.get(key).and_then(Node::as_table).map_or(&[], |table| &table.entries)
    }
}

/// Longer texts are read in pieces.
const LONG: usize = 128 * 1024;

/// Whether a text is long enough for its tree to matter.
pub(super) fn is_long(text: &str) -> bool {
    text.len() >= LONG
}

/// Reads TOML as far as it can be read, with every syntax error.
pub(super) fn parse<'t>(lines: &Lines<'t>) -> (Table<'t>, Syntax) {
    if let Some(table) = pieces::parse(lines) {
        return (table, Syntax::default());
    }
    let (table, errors) = DeTable::parse_recoverable(lines.text());
    let table = read_table(lines, 0, table.into_inner());
    let errors = errors.iter().map(|error| (error.message(), error.span())).collect();
    let syntax = syntax::judge(lines, &table, errors);
    (table, syntax)
}

/// Reads a table of a text that begins at the offset `from`.
pub(super) fn read_table<'t>(lines: &Lines<'t>, from: usize, table: DeTable<'t>) -> Table<'t> {
    let mut entries = Vec::with_capacity(table.len());
    entries.extend(table.into_iter().map(|(key, value)| Entry {
        place: place(lines, from, key.span()),
        key: key.into_inner(),
        node: read_node(lines, from, value),
    }));
    entries.sort_by_key(|entry| entry.place.start());
    Table { entries }
}

fn read_node<'t>(lines: &Lines<'t>, from: usize, node: Spanned<DeValue<'t>>) -> Node<'t> {
    let place = place(lines, from, node.span());
    let value = match node.into_inner() {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(number) => Value::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(is) => Value::Bool(is),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.into_iter().map(|node| read_node(lines, from, node)).collect()),
        DeValue::Table(table) => Value::Table(read_table(lines, from, table)),
    };
    Node { place, value }
}

fn place(lines: &Lines<'_>, from: usize, span: Range<usize>) -> Place {
    lines.place(span.start + from..span.end + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_the_places_of_the_file() {
        let text = "z = \"é\"\n[b.c]\na = [1, 0x10]\n";
        let lines = Lines::new(text);
        let (table, syntax) = parse(&lines);
        assert!(syntax.errors.is_empty());
        assert_eq!(table.entries.iter().map(|e| &*e.key).collect::<Vec<_>>(), ["z", "b"]);
        let list = table.get("b").unwrap().as_table().unwrap().get("c").unwrap();
        assert_eq!((list.place.line(), list.place.column()), (2, 1));
        let numbers = list.as_table().unwrap().get("a").unwrap().as_list().unwrap();
        assert!(matches!(numbers[1].value, Value::Integer(Some(16))));
        assert_eq!(&text[numbers[1].place.start()..numbers[1].place.end()], "0x10");
    }

    #[test]
    fn tells_every_syntax_error() {
        let text = "a = \nb = 1\nb = 2\nc = \"open\n";
        let (table, syntax) = parse(&Lines::new(text));
        assert_eq!(syntax.errors.len(), 3, "{:?}", syntax.errors);
        assert!(table.get("b").is_some());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let text = format!("a = {}", "[".repeat(100_000));
        assert!(!parse(&Lines::new(&text)).1.errors.is_empty());
    }
}
