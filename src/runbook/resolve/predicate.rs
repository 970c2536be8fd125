//! Predicates and JSON rules: `{ at = "$.jobs", len = { ge = 1 } }`.

use serde_json::Value as Json;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Node, Value};
use crate::runbook::predicate::is_integer;
use crate::runbook::{JsonRule, Operand, Predicate, forms};

/// Makes a predicate of an operand.
type Make = fn(Operand) -> Predicate;

/// A list of operands: `in` and `set_eq`.
type MakeList = fn(Vec<Operand>) -> Predicate;

/// Predicates of one operand, and whether it must be a number.
const SINGLE: &[(&str, Make, bool)] = &[
    ("eq", Predicate::Eq, false),
    ("ne", Predicate::Ne, false),
    ("lt", Predicate::Lt, true),
    ("le", Predicate::Le, true),
    ("gt", Predicate::Gt, true),
    ("ge", Predicate::Ge, true),
    ("has", Predicate::Has, false),
];

const LISTS: &[(&str, MakeList)] = &[("in", Predicate::In), ("set_eq", Predicate::SetEq)];

impl<'a> Resolve<'a> {
    /// The rules at `key`.
    pub(super) fn rules(&self, reader: &mut Reader<'a>, key: &'static str) -> Vec<JsonRule> {
        self.tables(reader, key, "a rule").map(|(_, reader)| self.rule(reader)).collect()
    }

    fn rule(&self, mut reader: Reader<'a>) -> JsonRule {
        let at = self.json_path(&mut reader, "at");
        let all = self.predicates(&mut reader);
        self.no_relations(&all);
        self.demands_something(&reader, &all, "this rule");
        reader.finish();
        JsonRule { at, all }
    }

    pub(super) fn json_path(&self, reader: &mut Reader<'a>, key: &'static str) -> String {
        let node = reader.required(key);
        let node = node.filter(|node| self.report.form(node, key, forms::json_path).is_some());
        node.and_then(Node::as_text).unwrap_or_default().to_owned()
    }

    /// Reports a place for predicates where none stands.
    pub(super) fn demands_something(&self, reader: &Reader<'a>, found: &[Predicate], what: &str) {
        if !found.is_empty() || PREDICATES.iter().any(|key| reader.has(key)) || reader.has_unknown() {
            return;
        }
        let diagnostic = Diagnostic::new(reader.place, format!("{what} demands nothing"));
        let help = "add a predicate: `eq`, `ne`, `lt`, `le`, `gt`, `ge`, `in`, `has`, `len` or `set_eq`";
        self.report.add(diagnostic.help(help).absence());
    }

    /// The predicates among the keys of a table.
    pub(super) fn predicates(&self, reader: &mut Reader<'a>) -> Vec<Predicate> {
        let mut found = Vec::new();
        for (key, make, number) in SINGLE {
            let operand = reader.optional(key).and_then(|node| self.operand(node, key, *number));
            found.extend(operand.map(make));
        }
        for (key, make) in LISTS {
            found.extend(reader.optional(key).and_then(|node| self.operands(node, key)).map(make));
        }
        found.extend(reader.optional("len").and_then(|node| self.length(node)).map(Predicate::Len));
        found
    }

    /// `len = 3` or `len = { ge = 1 }`.
    fn length(&self, node: &'a Node<'a>) -> Option<Vec<Predicate>> {
        if let Value::Integer(_) = node.value {
            let number = self.report.number(node, "len", 0)?;
            return Some(vec![Predicate::Eq(Operand::Literal(number.into()))]);
        }
        self.nested_predicates(node, "`len`")
    }

    /// A table of predicates alone.
    pub(super) fn nested_predicates(&self, node: &'a Node<'a>, what: &str) -> Option<Vec<Predicate>> {
        let mut reader = Reader::of(self.report, node, what)?;
        let found = self.predicates(&mut reader);
        self.demands_something(&reader, &found, what);
        reader.finish();
        Some(found)
    }

    /// A list of operands, or one that stands for the items of a list in an artefact.
    fn operands(&self, node: &'a Node<'a>, key: &str) -> Option<Vec<Operand>> {
        if node.as_table().is_some() {
            return Some(vec![self.operand(node, key, false)?]);
        }
        let list = self.report.list(node, key)?;
        Some(list.iter().filter_map(|node| self.operand(node, key, false)).collect())
    }

    fn operand(&self, node: &'a Node<'a>, key: &str, number: bool) -> Option<Operand> {
        if node.as_table().is_some() {
            let mut reader = Reader::of(self.report, node, "an operand")?;
            if reader.has("check") {
                let check = reader.text("check");
                let operand = Operand::Observed { check, at: self.json_path(&mut reader, "at"), place: node.place };
                reader.finish();
                return Some(operand);
            }
            let operand = Operand::From { of: self.artefact(&mut reader, "of"), at: self.json_path(&mut reader, "at") };
            reader.finish();
            return Some(operand);
        }
        if number && !is_number(node) {
            let diagnostic = Diagnostic::new(node.place, format!("`{key}` compares numbers, and this is none"));
            self.report.add(diagnostic.help("write a number; one beyond 64 bits as a string"));
            return None;
        }
        if node.as_text().is_some() {
            return self.template_at(node, key).map(Operand::Text);
        }
        self.literal(node, key).map(Operand::Literal)
    }

    fn literal(&self, node: &Node, key: &str) -> Option<Json> {
        match &node.value {
            Value::Text(_) => self.template_at(node, key).map(|template| Json::String(template.0)),
            Value::Integer(Some(number)) => Some(integer(*number)),
            Value::Float(number) if number.is_finite() => Some(Json::from(*number)),
            Value::Bool(is) => Some(Json::Bool(*is)),
            Value::List(list) => list.iter().map(|node| self.literal(node, key)).collect(),
            Value::Integer(None) => {
                let diagnostic = Diagnostic::new(node.place, format!("`{key}` has a number that cannot be read"));
                self.report.add(diagnostic.help("write a number beyond 128 bits as a string"));
                None
            }
            Value::Float(_) | Value::Date | Value::Table(_) => {
                let diagnostic = Diagnostic::new(node.place, format!("`{key}` cannot compare with {}", node.kind()));
                self.report.add(diagnostic.help("write a string, a number, true, false, or a list of them"));
                None
            }
        }
    }
}

/// Every predicate's key.
const PREDICATES: &[&str] = &["eq", "ne", "lt", "le", "gt", "ge", "in", "has", "len", "set_eq"];

/// A number, written as one or as a string; what a template gives is seen later.
fn is_number(node: &Node) -> bool {
    match &node.value {
        Value::Integer(_) | Value::Float(_) => true,
        Value::Text(text) => text.contains("{{") || is_integer(text),
        _ => false,
    }
}

/// JSON numbers beyond 64 bits would become floats, so such a number travels as a string.
fn integer(number: i128) -> Json {
    let small = i64::try_from(number).map(Json::from).or_else(|_| u64::try_from(number).map(Json::from));
    small.unwrap_or_else(|_| Json::String(number.to_string()))
}
