//! `[network.N]`: the chains that a run can be about.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Entry, Node};
use crate::runbook::{BlockTag, DevChain, Network, forms, suggest};

const BLOCKS: &[(&str, BlockTag)] =
    &[("latest", BlockTag::Latest), ("safe", BlockTag::Safe), ("finalized", BlockTag::Finalized)];

impl<'a> Resolve<'a> {
    pub(super) fn networks(&self, root: &mut Reader<'a>) -> BTreeMap<String, Network> {
        let mut networks = BTreeMap::new();
        for (entry, reader) in self.members(root, "network") {
            networks.insert(entry.key.to_string(), self.network(entry, reader));
        }
        if root.lacks("network") {
            let diagnostic = Diagnostic::new(root.place, "the runbook declares no network");
            self.report.add(diagnostic.help("add `[network.NAME]` with `chain_id` and `rpc`").absence());
        }
        networks
    }

    fn network(&self, entry: &'a Entry<'a>, mut reader: Reader<'a>) -> Network {
        let chain_id = reader.required("chain_id").and_then(|node| self.report.number(node, "chain_id", 1));
        let genesis = reader.optional("genesis").and_then(|node| self.report.form(node, "genesis", forms::hash));
        let passed_as = reader.optional_text("passed_as").unwrap_or_else(|| entry.key.to_string());
        let rpc = self.rpc(&mut reader);
        let network = Network {
            name: entry.key.to_string(),
            chain_id: chain_id.unwrap_or_default(),
            genesis,
            passed_as,
            agree: self.agree(&mut reader, rpc.len()),
            rpc,
            key: self.variables(&mut reader, "key"),
            accounts: self.addresses_of(&mut reader, "accounts"),
            block: reader.optional("block").and_then(|node| self.block(node)).unwrap_or(BlockTag::Finalized),
            max_block_age: self.duration(&mut reader, "max_block_age"),
            settle: self.settle(&mut reader),
            confirm: reader.choice("confirm", &[("type-network-name", true)]).unwrap_or(false),
            operators: self.operators(&mut reader),
            dev_chain: reader.optional("dev_chain").and_then(|node| self.dev_chain(node)),
            place: entry.node.place,
        };
        reader.finish();
        network
    }

    fn rpc(&self, reader: &mut Reader<'a>) -> Vec<String> {
        if let Some(node) = reader.required("rpc")
            && node.as_list().is_some_and(<[Node]>::is_empty)
        {
            let diagnostic = Diagnostic::new(node.place, "a network needs at least one endpoint");
            self.report.add(diagnostic.help("name the environment variable that holds its URL"));
        }
        self.variables(reader, "rpc")
    }

    /// Names of environment variables, each once.
    pub(super) fn variables(&self, reader: &mut Reader<'a>, key: &'static str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut variables = Vec::new();
        for node in reader.list(key) {
            if self.report.form(node, key, forms::variable).is_none() {
                continue;
            }
            let name = node.as_text().unwrap_or_default().to_owned();
            if !seen.insert(name.clone()) {
                self.report.add(Diagnostic::new(node.place, format!("`{name}` stands twice in `{key}`")));
            }
            variables.push(name);
        }
        variables
    }

    fn agree(&self, reader: &mut Reader<'a>, endpoints: usize) -> usize {
        let Some(node) = reader.optional("agree") else {
            return endpoints;
        };
        let agree =
            self.report.number(node, "agree", 1).map_or(endpoints, |n| usize::try_from(n).unwrap_or(usize::MAX));
        if agree > endpoints && endpoints > 0 {
            let named = if endpoints == 1 { "only 1 is named".to_owned() } else { format!("{endpoints} are named") };
            let message = format!("{agree} endpoints cannot agree where {named}");
            self.report.add(Diagnostic::new(node.place, message).help("name more in `rpc`, or lower `agree`"));
        }
        agree
    }

    /// A tag, or `{ depth = 12 }`.
    fn block(&self, node: &'a Node<'a>) -> Option<BlockTag> {
        if node.as_table().is_none() {
            return self.report.choice(node, "block", BLOCKS);
        }
        let mut reader = Reader::of(self.report, node, "`block`")?;
        let depth = reader.required("depth").and_then(|node| self.report.number(node, "depth", 1));
        reader.finish();
        depth.map(BlockTag::Depth)
    }

    fn settle(&self, reader: &mut Reader<'a>) -> Duration {
        let node = reader.optional("settle");
        node.and_then(|node| self.report.duration(node, "settle", true)).unwrap_or_default()
    }

    /// People who may open a run; each must have a key in some group.
    fn operators(&self, reader: &mut Reader<'a>) -> Vec<String> {
        let people: BTreeSet<&str> = self.names.signers.values().flatten().map(String::as_str).collect();
        let operators = reader.texts("operators");
        for (node, who) in &operators {
            if !people.contains(who.as_str()) {
                let message = format!("the operator `{who}` has no key in `[signers]`");
                let help = suggest::help(who, people.iter().copied(), "people with keys");
                let help = help.or(Some("declare a group with their key: `[signers.GROUP]`".to_owned()));
                self.report.add(Diagnostic::new(node.place, message).maybe_help(help).absence());
            }
        }
        operators.into_iter().map(|(_, who)| who).collect()
    }

    fn dev_chain(&self, node: &'a Node<'a>) -> Option<DevChain> {
        let mut reader = Reader::of(self.report, node, "`dev_chain`")?;
        let dev_chain = DevChain {
            program: reader.text("program"),
            version: reader.text("version"),
            dir: self.path(&mut reader, "dir"),
            setup: reader.text("setup"),
            sign: reader.optional_text("sign"),
            deployment: self.path(&mut reader, "deployment"),
        };
        reader.finish();
        Some(dev_chain)
    }
}
