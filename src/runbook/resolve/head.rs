//! The tables at the head of a runbook: `format`, `[runbook]`, `[workspace]`, `[default]`, `[[tool]]`, `[var]`.

use std::collections::BTreeMap;

use super::{Resolve, Unique, take_id};
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Node, Value};
use crate::runbook::{PerNetwork, Practice, Source, Template, Tool, Workspace, forms};

/// What `[runbook]` says.
#[derive(Default)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) reports: Template,
    pub(super) source: Option<Source>,
    pub(super) archive: bool,
}

impl<'a> Resolve<'a> {
    pub(super) fn format(&self, root: &mut Reader<'a>) {
        let Some(node) = root.required("format") else {
            return;
        };
        match node.value {
            Value::Integer(Some(1)) => {}
            Value::Integer(_) => {
                let diagnostic = Diagnostic::new(node.place, "this citadel does not know that format");
                self.report.add(diagnostic.help("it reads `format = 1`"));
            }
            _ => self.report.wrong_type(node, "`format`", "a whole number"),
        }
    }

    pub(super) fn head(&self, root: &mut Reader<'a>) -> Head {
        let Some(mut reader) = root.required("runbook").and_then(|n| Reader::of(self.report, n, "`[runbook]`")) else {
            return Head::default();
        };
        let id = take_id(&mut reader, &mut Unique::new("runbook"));
        let title = reader.text("title");
        let reports = self.reports(&mut reader);
        let source = reader.optional("source").and_then(|node| self.source(node));
        let archive = reader.flag("archive").unwrap_or(false);
        reader.finish();
        Head { id, title, reports, source, archive }
    }

    fn source(&self, node: &'a Node<'a>) -> Option<Source> {
        let mut reader = Reader::of(self.report, node, "`source`")?;
        let file = reader.text("file");
        let sha256 = reader.required("sha256");
        let sha256 = sha256.filter(|node| self.report.form(node, "sha256", forms::sha256).is_some());
        reader.finish();
        Some(Source { file, sha256: sha256?.as_text()?.to_owned() })
    }

    pub(super) fn workspace(&self, root: &mut Reader<'a>) -> Workspace {
        let empty = || Workspace { marker: String::new(), path: vec![], tracked_changes: vec![], practice: None };
        let node = root.required("workspace");
        let Some(mut reader) = node.and_then(|node| Reader::of(self.report, node, "`[workspace]`")) else {
            return empty();
        };
        let marker = self.path(&mut reader, "marker");
        let path = self.paths(&mut reader, "path");
        let tracked_changes = self.paths(&mut reader, "tracked_changes");
        let practice = reader.optional("practice").and_then(|node| self.practice(node));
        reader.finish();
        Workspace { marker, path, tracked_changes, practice }
    }

    fn practice(&self, node: &'a Node<'a>) -> Option<Practice> {
        let mut reader = Reader::of(self.report, node, "`practice`")?;
        let practice = Practice { dir: self.path(&mut reader, "dir"), marker: self.path(&mut reader, "marker") };
        reader.finish();
        Some(practice)
    }

    pub(super) fn defaults(&mut self, root: &mut Reader<'a>) {
        let Some(mut reader) = root.optional("default").and_then(|n| Reader::of(self.report, n, "`[default]`")) else {
            return;
        };
        self.timeout = self.duration(&mut reader, "timeout").unwrap_or(self.timeout);
        self.silence = self.duration(&mut reader, "silence").unwrap_or(self.silence);
        self.limits.grace = self.duration(&mut reader, "grace").unwrap_or(self.limits.grace);
        self.limits.drain = self.duration(&mut reader, "drain").unwrap_or(self.limits.drain);
        self.limits.run = self.duration(&mut reader, "run");
        reader.finish();
    }

    pub(super) fn tools(&self, root: &mut Reader<'a>) -> Vec<Tool> {
        let mut seen = Unique::new("tool");
        let mut tools = Vec::new();
        for (node, mut reader) in self.tables(root, "tool", "`[[tool]]`") {
            let name = reader.text("name");
            if !name.is_empty() {
                seen.check(self.report, name.clone(), reader.key_place("name"));
            }
            tools.push(Tool { name, version_file: self.path(&mut reader, "version_file"), place: node.place });
            reader.finish();
        }
        tools
    }

    pub(super) fn vars(&self, root: &mut Reader<'a>) -> BTreeMap<String, PerNetwork> {
        let Some(table) = root.optional("var").and_then(|node| Reader::of(self.report, node, "`[var]`")) else {
            return BTreeMap::new();
        };
        let mut vars = BTreeMap::new();
        for entry in table.entries() {
            self.name(entry);
            vars.extend(self.var(&entry.key, &entry.node).map(|var| (entry.key.to_string(), var)));
        }
        vars
    }

    fn var(&self, name: &str, node: &'a Node<'a>) -> Option<PerNetwork> {
        match &node.value {
            Value::Text(text) => Some(PerNetwork::Everywhere(self.plain(node, text))),
            Value::Table(table) => {
                if table.entries.is_empty() {
                    self.report.add(Diagnostic::new(node.place, format!("the variable `{name}` has no value")));
                }
                let mut each = BTreeMap::new();
                for entry in &table.entries {
                    self.network_name(&entry.key, entry.place);
                    match entry.node.as_text() {
                        Some(text) => drop(each.insert(entry.key.to_string(), self.plain(&entry.node, text))),
                        None => self.report.wrong_type(&entry.node, "a variable's value", "a string"),
                    }
                }
                Some(PerNetwork::Each(each))
            }
            _ => {
                self.report.wrong_type(
                    node,
                    &format!("the variable `{name}`"),
                    "a string, or a table with a string for each network",
                );
                None
            }
        }
    }

    /// The text of a variable, which fills holes and has none.
    fn plain(&self, node: &Node, text: &str) -> String {
        if text.contains("{{") {
            let place = self.report.inside(node, "{{", 0);
            let diagnostic = Diagnostic::new(place, "a variable cannot have holes of its own");
            self.report.add(diagnostic.label("would stay as it is").help("write the hole where the variable is used"));
        }
        text.to_owned()
    }
}
