//! `[[contingency]]` and `[[deliverable]]`.

use super::{Resolve, Unique, take_id};
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::{Contingency, Deliverable};

impl<'a> Resolve<'a> {
    pub(super) fn contingencies(&mut self, root: &mut Reader<'a>) -> Vec<Contingency> {
        self.parts.noun = "contingency";
        let mut contingencies = Vec::new();
        for (node, mut reader) in self.tables(root, "contingency", "`[[contingency]]`") {
            let id = take_id(&mut reader, &mut self.parts);
            let title = reader.text("title");
            let when = reader.text("when");
            let steps = self.steps(&mut reader, &id, "contingency");
            let mut ids = Unique::new("check");
            let done_when = self.checks(&mut reader, "done_when", "`[[contingency.done_when]]`", &mut ids);
            self.relations(&done_when, false);
            reader.finish();
            contingencies.push(Contingency { id, title, when, steps, done_when, place: node.place });
        }
        contingencies
    }

    pub(super) fn deliverables(&self, root: &mut Reader<'a>) -> Vec<Deliverable> {
        let mut ids = Unique::new("deliverable");
        let mut paths = Unique::new("deliverable with the path");
        let mut deliverables = Vec::new();
        for (node, mut reader) in self.tables(root, "deliverable", "`[[deliverable]]`") {
            let id = take_id(&mut reader, &mut ids);
            let title = reader.text("title");
            let path = self.path(&mut reader, "path");
            if !path.is_empty() {
                paths.check(self.report, path.clone(), reader.key_place("path"));
            }
            let of = self.artefacts_of(&mut reader, &path);
            reader.finish();
            deliverables.push(Deliverable { id, title, path, of, place: node.place });
        }
        deliverables
    }

    fn artefacts_of(&self, reader: &mut Reader<'a>, path: &str) -> Vec<String> {
        let Some(node) = reader.required("of") else {
            return Vec::new();
        };
        let list = self.report.list(node, "of").unwrap_or_default();
        if node.as_list().is_some() && list.is_empty() {
            self.report
                .add(Diagnostic::new(node.place, "a deliverable of nothing").help("name the artefacts it is made of"));
        }
        if list.len() > 1 && !path.is_empty() && !path.ends_with('/') {
            let message = format!("{} artefacts cannot be one file", list.len());
            self.report.add(Diagnostic::new(node.place, message).help(format!("name a folder: `path = \"{path}/\"`")));
        }
        list.iter().filter_map(|node| self.artefact_at(node, "of")).collect()
    }
}
