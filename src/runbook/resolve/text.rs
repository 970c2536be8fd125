//! Texts with a form, read for a runbook: templates, paths, durations.

use std::time::Duration;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::template::{Hole, NAMES, holes};
use crate::runbook::{Template, forms, suggest};

/// What the `reports` folder may depend on: a run is looked for in it, so it cannot depend on the run.
const REPORTS_NAMES: &[&str] = &["network", "net", "chain_id"];

impl<'a> Resolve<'a> {
    pub(super) fn duration(&self, reader: &mut Reader<'a>, key: &'static str) -> Option<Duration> {
        self.report.duration(reader.optional(key)?, key, false)
    }

    pub(super) fn required_duration(&self, reader: &mut Reader<'a>, key: &'static str) -> Duration {
        reader.required(key).and_then(|node| self.report.duration(node, key, false)).unwrap_or_default()
    }

    /// A path that must be there.
    pub(super) fn path(&self, reader: &mut Reader<'a>, key: &'static str) -> String {
        let node = reader.required(key);
        node.and_then(|node| self.path_at(node, key)).unwrap_or_default()
    }

    /// Several paths.
    pub(super) fn paths(&self, reader: &mut Reader<'a>, key: &'static str) -> Vec<String> {
        reader.list(key).iter().filter_map(|node| self.path_at(node, key)).collect()
    }

    fn path_at(&self, node: &Node, key: &str) -> Option<String> {
        self.report.form(node, key, forms::relative)?;
        node.as_text().map(str::to_owned)
    }

    /// A template that must be there.
    pub(super) fn template(&self, reader: &mut Reader<'a>, key: &'static str) -> Template {
        let node = reader.required(key);
        node.and_then(|node| self.template_at(node, key)).unwrap_or_default()
    }

    /// A path with holes that must be there.
    pub(super) fn path_template(&self, reader: &mut Reader<'a>, key: &'static str) -> Template {
        let node = reader.required(key);
        node.and_then(|node| self.path_template_at(node, key)).unwrap_or_default()
    }

    pub(super) fn path_template_at(&self, node: &Node, key: &str) -> Option<Template> {
        self.path_at(node, key)?;
        self.template_at(node, key)
    }

    /// Several templates.
    pub(super) fn templates(&self, reader: &mut Reader<'a>, key: &'static str) -> Vec<Template> {
        reader.list(key).iter().filter_map(|node| self.template_at(node, key)).collect()
    }

    /// A text whose holes have names that exist.
    pub(super) fn template_at(&self, node: &Node, key: &str) -> Option<Template> {
        let text = node.as_text();
        if text.is_none() {
            self.report.wrong_type(node, &format!("`{key}`"), "a string");
        }
        self.check_holes(node, text?, |hole| self.hole_problem(hole));
        Some(Template(text?.to_owned()))
    }

    pub(super) fn reports(&self, reader: &mut Reader<'a>) -> Template {
        let Some(node) = reader.required("reports") else {
            return Template::default();
        };
        let Some(path) = self.path_at(node, "reports") else {
            return Template::default();
        };
        self.check_holes(node, &path, |name| {
            let known = REPORTS_NAMES.contains(&name);
            (!known).then(|| {
                (
                    format!("`reports` cannot depend on `{name}`"),
                    suggest::help(name, REPORTS_NAMES.iter().copied(), "it may depend on"),
                )
            })
        });
        Template(path)
    }

    fn check_holes(&self, node: &Node, text: &str, problem: impl Fn(&str) -> Option<(String, Option<String>)>) {
        let mut from = 0;
        let found = match holes(text) {
            Ok(found) => found,
            Err(at) => return self.unclosed(node, &text[at..]),
        };
        for Hole { range, name } in found {
            let place = self.report.inside(node, &text[range], from);
            from = if place == node.place { from } else { place.end() };
            if let Some((message, help)) = problem(name) {
                self.report.add(Diagnostic::new(place, message).label("not a name here").maybe_help(help));
            }
        }
    }

    fn unclosed(&self, node: &Node, rest: &str) {
        let line = rest.lines().next().unwrap_or(rest);
        let place = self.report.inside(node, line, 0);
        let diagnostic = Diagnostic::new(place, "`{{` without `}}`").label("opened here");
        self.report.add(diagnostic.help("a hole is written `{{ name }}`"));
    }

    /// What is wrong with the name of a hole, and help.
    fn hole_problem(&self, name: &str) -> Option<(String, Option<String>)> {
        if NAMES.contains(&name) {
            return None;
        }
        let problem = match name.split_once('.') {
            Some(("contract", of)) if self.names.contracts.contains_key(of) => return None,
            Some(("var", of)) if self.names.vars.contains(of) => return None,
            Some(("contract", of)) => {
                let known = self.names.contracts.keys().map(String::as_str);
                let help = suggest::help(of, known, "declared contracts");
                (format!("no contract `{of}` is declared"), help.or(Some(format!("declare it: `[contract.{of}]`"))))
            }
            Some(("var", of)) => {
                let known = self.names.vars.iter().map(String::as_str);
                let help = suggest::help(of, known, "declared variables");
                (
                    format!("no variable `{of}` is declared"),
                    help.or(Some(format!("declare it in `[var]`: `{of} = \"…\"`"))),
                )
            }
            _ => (format!("`{name}` is not a name that fills a hole"), Some(self.hole_help(name))),
        };
        Some(problem)
    }

    fn hole_help(&self, name: &str) -> String {
        let dotted = |prefix: &str, names: Vec<&String>| names.iter().map(|name| format!("{prefix}.{name}")).collect();
        let mut known: Vec<String> = dotted("contract", self.names.contracts.keys().collect());
        known.extend::<Vec<String>>(dotted("var", self.names.vars.iter().collect()));
        let bare = known.iter().find(|known| known.split_once('.').is_some_and(|(_, last)| last == name));
        let nearest = || suggest::nearest(name, NAMES.iter().copied().chain(known.iter().map(String::as_str)));
        match bare.map(String::as_str).or_else(nearest) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("one of {}, `contract.NAME`, `var.NAME`", suggest::names(NAMES.iter().copied())),
        }
    }
}
