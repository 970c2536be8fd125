//! `[contract.C]`: what checks speak of, and where it lives on each network.

use std::collections::BTreeMap;

use ethers::types::Address;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Entry, Value};
use crate::runbook::{Contract, ContractAddress, ContractKind, forms};

/// The kinds of contracts as a runbook spells them.
pub(super) const KINDS: &[(&str, ContractKind)] = &[
    ("system-pause", ContractKind::SystemPause),
    ("timelock", ContractKind::Timelock),
    ("safe", ContractKind::Safe),
    ("governable", ContractKind::Governable),
    ("ownable", ContractKind::Ownable),
    ("ownable2step", ContractKind::Ownable2Step),
    ("plain", ContractKind::Plain),
];

impl<'a> Resolve<'a> {
    pub(super) fn contracts(&self, root: &mut Reader<'a>) -> BTreeMap<String, Contract> {
        let mut contracts = BTreeMap::new();
        for (entry, mut reader) in self.members(root, "contract") {
            let kind = reader.required("kind").and_then(|node| self.report.choice(node, "kind", KINDS));
            let address = self.addresses(&mut reader);
            let settlers = self.settlers(&mut reader);
            let contract = Contract {
                name: entry.key.to_string(),
                kind: kind.unwrap_or(ContractKind::Plain),
                address,
                settlers,
                place: entry.place,
            };
            contracts.insert(entry.key.to_string(), contract);
            reader.finish();
        }
        contracts
    }

    fn addresses(&self, reader: &mut Reader<'a>) -> BTreeMap<String, ContractAddress> {
        let Some(node) = reader.required("address") else {
            return BTreeMap::new();
        };
        if let Value::Text(text) = &node.value {
            let network = self.names.networks.keys().next().map_or("NETWORK", String::as_str);
            let diagnostic = Diagnostic::new(node.place, "an address must name its network");
            self.report.add(diagnostic.help(format!("write `address = {{ {network} = \"{text}\" }}`")));
            return BTreeMap::new();
        }
        let Some(table) = Reader::of(self.report, node, "`address`") else {
            return BTreeMap::new();
        };
        let entries = table.entries().iter();
        entries.filter_map(|entry| Some((entry.key.to_string(), self.address(entry)?))).collect()
    }

    fn settlers(&self, reader: &mut Reader<'a>) -> BTreeMap<String, Vec<Address>> {
        let Some(table) = reader.optional("settlers").and_then(|node| Reader::of(self.report, node, "`settlers`"))
        else {
            return BTreeMap::new();
        };
        let entries = table.entries().iter().map(|entry| {
            self.network_name(&entry.key, entry.place);
            let list = self.report.list(&entry.node, "settlers").unwrap_or_default();
            let addresses = list.iter().filter_map(|node| self.report.form(node, "settlers", forms::address));
            (entry.key.to_string(), addresses.collect())
        });
        entries.collect()
    }

    fn address(&self, entry: &'a Entry<'a>) -> Option<ContractAddress> {
        self.network_name(&entry.key, entry.place);
        let node = &entry.node;
        if node.as_table().is_none() {
            return self.report.form(node, "address", forms::address).map(ContractAddress::Fixed);
        }
        let mut reader = Reader::of(self.report, node, "an address")?;
        let name = reader.text("dev_chain");
        if self.names.networks.get(&*entry.key) == Some(&false) {
            let message = format!("the network `{}` has no dev chain that could deploy this", entry.key);
            let diagnostic = Diagnostic::new(node.place, message);
            self.report.add(diagnostic.help(format!("write its address, or `dev_chain` in `[network.{}]`", entry.key)));
        }
        reader.finish();
        Some(ContractAddress::DevChain(name))
    }
}
