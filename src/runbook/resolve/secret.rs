//! `[secret.CLASS]`: further classes of secrets, beside the `rpc` and `key` of each network. Reads names of variables, never
//! values.

use std::collections::BTreeMap;

use super::Resolve;
use crate::runbook::Network;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Entry, Node};

/// The classes that every network has.
pub(super) const OF_NETWORKS: [&str; 2] = ["rpc", "key"];

impl<'a> Resolve<'a> {
    pub(super) fn classes(
        &self,
        root: &mut Reader<'a>,
        networks: &BTreeMap<String, Network>,
    ) -> BTreeMap<String, Vec<String>> {
        let mut classes = BTreeMap::new();
        for (entry, mut reader) in self.members(root, "secret") {
            self.own_name(entry);
            if let Some(node) = reader.required("variables")
                && node.as_list().is_some_and(<[Node]>::is_empty)
            {
                let diagnostic = Diagnostic::new(node.place, format!("no variable is in the class `{}`", entry.key));
                self.report.add(diagnostic.help("name the environment variables that hold its values"));
            }
            let variables = self.variables(&mut reader, "variables");
            for node in reader.list("variables") {
                let name = node.as_text().unwrap_or_default();
                if let Some(other) = class_of(name, networks, &classes) {
                    let diagnostic = Diagnostic::new(node.place, format!("`{name}` is already in {other}"));
                    // Else a step would be given it that was granted the other class alone.
                    self.report.add(diagnostic.help("a variable belongs to one class of secrets"));
                }
            }
            classes.insert(entry.key.to_string(), variables);
            reader.finish();
        }
        classes
    }

    fn own_name(&self, entry: &Entry) {
        if OF_NETWORKS.contains(&&*entry.key) {
            let message = format!("`{}` is a class that every network has", entry.key);
            let diagnostic = Diagnostic::new(entry.place, message).label("needs a name of its own");
            self.report
                .add(diagnostic.help(format!("give it another name; `{}` stands in `[network.NAME]`", entry.key)));
        }
    }
}

fn class_of(
    name: &str,
    networks: &BTreeMap<String, Network>,
    classes: &BTreeMap<String, Vec<String>>,
) -> Option<String> {
    let has = |variables: &Vec<String>| variables.iter().any(|variable| variable == name);
    let of_network = networks.values().find_map(|network| {
        let class = if has(&network.rpc) { "rpc" } else { "key" };
        (has(&network.rpc) || has(&network.key)).then(|| format!("`{class}` of `[network.{}]`", network.name))
    });
    let other = || classes.iter().find(|(_, variables)| has(variables)).map(|(class, _)| format!("`[secret.{class}]`"));
    of_network.or_else(other)
}
