//! `rehearsed`: which phase must have passed, where, and how long ago at most.

use super::{Resolve, Stage};
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::{PhaseId, Rehearsed, forms, suggest};

impl<'a> Resolve<'a> {
    pub(super) fn rehearsed(&self, inner: &mut Reader<'a>) -> Rehearsed {
        let node = inner.required("on");
        let on = node.and_then(|node| self.report.list(node, "on")).unwrap_or_default();
        if let Some(node) = node.filter(|_| on.is_empty()) {
            let diagnostic = Diagnostic::new(node.place, "`on` is empty: no rehearsal would do");
            self.report.add(diagnostic.help("name networks, such as `on = [\"local\"]`").absence());
        }
        let network = |node: &Node| {
            let name = self.report.text(node, "on")?;
            self.network_name(name, node.place);
            Some(name.to_owned())
        };
        let on = on.iter().filter_map(network).collect();
        let max_age = inner.required("max_age").and_then(|node| self.report.form(node, "max_age", forms::age));
        Rehearsed { phase: self.rehearsed_phase(inner), on, max_age: max_age.unwrap_or_default() }
    }

    /// The phase that is named, else the one that the check stands in.
    fn rehearsed_phase(&self, inner: &mut Reader<'a>) -> PhaseId {
        let gates = &self.names.gates;
        let Some(node) = inner.optional("phase") else {
            let own = match self.stage {
                Stage::Phase(index) => gates.get(index),
                Stage::Invariant | Stage::After => None,
            };
            if own.is_none() {
                let diagnostic = Diagnostic::new(inner.place, "nothing says which phase must have been rehearsed");
                self.report.add(diagnostic.help("add `phase = \"…\"`").absence());
            }
            return PhaseId(own.map(|gate| gate.id.clone()).unwrap_or_default());
        };
        let id = self.report.text(node, "phase").unwrap_or_default();
        if !id.is_empty() && !gates.iter().any(|gate| gate.id == id) {
            let known = gates.iter().map(|gate| gate.id.as_str());
            self.unknown("phase", id, node.place, suggest::help(id, known, "declared phases"));
        }
        PhaseId(id.to_owned())
    }
}
