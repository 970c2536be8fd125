//! What a step does: exactly one of `npm`, `make`, `run`, `shell`, `manual`, `secrets`.

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::{Action, Template, forms};

const KINDS: &[&str] = &["npm", "make", "run", "shell", "manual", "secrets"];

impl<'a> Resolve<'a> {
    pub(super) fn action(&self, reader: &mut Reader<'a>) -> Option<Action> {
        let kind = reader.one_of(KINDS, "action");
        let dir = reader.optional("dir").and_then(|node| self.path_template_at(node, "dir"));
        let args = self.templates(reader, "args");
        let kind = kind?;
        self.belongs(reader, "dir", kind, &["make"]);
        self.belongs(reader, "args", kind, &["npm", "make"]);
        for key in ["env", "exit", "timeout", "silence", "isolation"] {
            self.belongs(reader, key, kind, &["npm", "make", "run", "shell"]);
        }
        match kind {
            "npm" => Some(Action::Npm { script: self.filled(reader, "npm"), args }),
            "make" => Some(Action::Make { target: self.filled(reader, "make"), dir, args }),
            "run" => Some(Action::Run { argv: self.argv(reader) }),
            "shell" => Some(Action::Shell { script: self.filled(reader, "shell") }),
            "manual" => Some(Action::Manual { instructions: self.filled(reader, "manual") }),
            _ => reader.required("secrets").and_then(|node| self.secrets(node)),
        }
    }

    /// A template that is not empty.
    fn filled(&self, reader: &mut Reader<'a>, key: &'static str) -> Template {
        let node = reader.required(key).filter(|node| self.report.text(node, key).is_some());
        node.and_then(|node| self.template_at(node, key)).unwrap_or_default()
    }

    fn argv(&self, reader: &mut Reader<'a>) -> Vec<Template> {
        let node = reader.required("run");
        if let Some(node) = node
            && node.as_text().is_some()
        {
            let diagnostic = Diagnostic::new(node.place, "`run` must be a list: the program and its arguments");
            self.report.add(diagnostic.help("split it into words, as in [\"git\", \"status\"], or use `shell`"));
            return Vec::new();
        }
        if let Some(node) = node.filter(|node| node.as_list().is_some_and(<[Node]>::is_empty)) {
            self.report.add(Diagnostic::new(node.place, "`run` names no program"));
        }
        self.templates(reader, "run")
    }

    /// Reports a key that another kind of step has.
    fn belongs(&self, reader: &Reader<'a>, key: &str, kind: &str, kinds: &[&str]) {
        if !reader.has(key) || kinds.contains(&kind) {
            return;
        }
        let diagnostic = Diagnostic::new(reader.key_place(key), format!("`{key}` does not go with `{kind}`"));
        let help = match (key, kind) {
            ("args", "run") => "the arguments stand in `run` itself, after the program".to_owned(),
            (_, "manual" | "secrets") => format!("`{kind}` runs no command"),
            _ => format!("it goes with {}", crate::runbook::suggest::names(kinds.iter().copied())),
        };
        self.report.add(diagnostic.help(help));
    }

    fn secrets(&self, node: &'a Node<'a>) -> Option<Action> {
        let mut reader = Reader::of(self.report, node, "`secrets`")?;
        let template = self.path_template(&mut reader, "template");
        let file = self.path_template(&mut reader, "file");
        let requires = reader.list("requires").iter().filter_map(|node| self.required_variable(node)).collect();
        reader.finish();
        Some(Action::Secrets { template, file, requires })
    }

    /// The name of a variable, which may have holes.
    fn required_variable(&self, node: &Node) -> Option<Template> {
        let text = node.as_text().unwrap_or_default();
        if !text.contains("{{") {
            self.report.form(node, "requires", forms::variable)?;
        }
        self.template_at(node, "requires")
    }
}
