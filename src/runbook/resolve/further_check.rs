//! The kinds of checks about single words, proxies, roles, operations and transactions.

use std::collections::BTreeMap;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::Node;
use crate::runbook::{CheckKind, ContractKind, OperationState, Proxy, ProxyKind, Role, TransactionCheck, forms};

const PROXIES: &[(&str, ProxyKind)] = &[
    ("transparent", ProxyKind::Transparent),
    ("uups", ProxyKind::Uups),
    ("beacon", ProxyKind::Beacon),
    ("minimal", ProxyKind::Minimal),
];

const STATES: &[(&str, OperationState)] = &[
    ("unset", OperationState::Unset),
    ("waiting", OperationState::Waiting),
    ("ready", OperationState::Ready),
    ("done", OperationState::Done),
];

impl<'a> Resolve<'a> {
    pub(super) fn further_check(&self, kind: &str, inner: &mut Reader<'a>) -> Option<CheckKind> {
        match kind {
            "slot" => Some(self.slot(inner)),
            "reverts" => Some(self.reverts(inner)),
            "proxy" => Some(CheckKind::Proxy(self.proxy(inner))),
            "role" => Some(CheckKind::Role(self.role(inner))),
            "operation" => Some(self.operation(inner)),
            "transaction" => Some(CheckKind::Transaction(self.transaction(inner))),
            _ => None,
        }
    }

    fn slot(&self, inner: &mut Reader<'a>) -> CheckKind {
        let of = self.contract_of(inner, "of", &[]);
        let slot = inner.required("slot").and_then(|node| self.report.form(node, "slot", forms::hash));
        let rules = self.predicates(inner);
        self.demands_something(inner, &rules, "this `slot`");
        CheckKind::Slot { of, slot: slot.unwrap_or_default(), rules }
    }

    fn reverts(&self, inner: &mut Reader<'a>) -> CheckKind {
        let of = self.contract_of(inner, "of", &[]);
        let node = inner.required("function");
        let function = node.and_then(|node| self.report.form(node, "function", forms::function));
        let args = self.templates(inner, "args");
        if let Some(function) = function {
            self.arguments(inner, function.inputs, args.len());
        }
        let from = self.optional_account(inner, "from");
        let with = inner.required("with").and_then(|node| self.report.form(node, "with", forms::error));
        let signature = node.and_then(Node::as_text).unwrap_or_default().to_owned();
        CheckKind::Reverts { of, signature, args, from, with: with.unwrap_or_default() }
    }

    fn proxy(&self, inner: &mut Reader<'a>) -> Proxy {
        let of = self.contract_of(inner, "of", &[]);
        let kind = inner.required("kind").and_then(|node| self.report.choice(node, "kind", PROXIES));
        let kind = kind.unwrap_or(ProxyKind::Transparent);
        if kind != ProxyKind::Beacon && inner.has("beacon") {
            let diagnostic = Diagnostic::new(inner.key_place("beacon"), "only a proxy of kind `beacon` has a beacon");
            self.report.add(diagnostic.help("remove `beacon`, or write `kind = \"beacon\"`"));
        }
        Proxy {
            of,
            kind,
            implementation: self.optional_account(inner, "implementation"),
            admin: self.optional_account(inner, "admin"),
            beacon: self.optional_account(inner, "beacon"),
            hash: inner.optional("hash").and_then(|node| self.report.form(node, "hash", forms::hash)),
        }
    }

    fn role(&self, inner: &mut Reader<'a>) -> Role {
        let members = inner.has("members").then(|| self.accounts(inner, "members"));
        let role = Role {
            of: self.contract_of(inner, "of", &[]),
            role: inner
                .required("role")
                .and_then(|node| self.report.form(node, "role", forms::role))
                .unwrap_or_default(),
            has: self.accounts(inner, "has"),
            has_not: self.accounts(inner, "has_not"),
            members,
            admin: inner.optional("admin").and_then(|node| self.report.form(node, "admin", forms::role)),
            since: self.since(inner),
        };
        let demands =
            !role.has.is_empty() || !role.has_not.is_empty() || role.members.is_some() || role.admin.is_some();
        if !demands && !["has", "has_not", "members", "admin"].iter().any(|key| inner.has(key)) {
            let diagnostic = Diagnostic::new(inner.place, "this `role` demands nothing");
            self.report.add(diagnostic.help("add `has`, `has_not`, `members` or `admin`").absence());
        }
        role
    }

    fn operation(&self, inner: &mut Reader<'a>) -> CheckKind {
        let of = self.contract_of(inner, "of", &[ContractKind::Timelock]);
        let id = inner.required("id").and_then(|node| self.template_at(node, "id"));
        if inner.required("is").is_some_and(|node| node.as_list().is_some_and(<[Node]>::is_empty)) {
            let diagnostic = Diagnostic::new(inner.key_place("is"), "`is` is empty: no state would do");
            self.report.add(diagnostic.help("one or more of `unset`, `waiting`, `ready` and `done`"));
        }
        let states = inner.list("is").iter().filter_map(|node| self.report.choice(node, "is", STATES)).collect();
        CheckKind::Operation { of, id: id.unwrap_or_default(), is: states }
    }

    fn transaction(&self, inner: &mut Reader<'a>) -> TransactionCheck {
        TransactionCheck {
            of: self.artefact(inner, "of"),
            at: self.json_path(inner, "at"),
            min: inner.optional("min").and_then(|node| self.report.number(node, "min", 1)).unwrap_or(1),
            to: self.accounts(inner, "to"),
            safe: inner.optional("safe").and_then(|node| self.contract_at(node, "safe", &[ContractKind::Safe])),
        }
    }

    pub(super) fn optional_account(&self, inner: &mut Reader<'a>, key: &'static str) -> Option<String> {
        inner.optional(key).and_then(|node| self.account(node, key))
    }

    /// The first block of a contract: one for every network, or one for each.
    pub(super) fn since(&self, inner: &mut Reader<'a>) -> BTreeMap<String, u64> {
        let Some(node) = inner.optional("since") else { return BTreeMap::new() };
        if node.as_table().is_none() {
            let block = self.report.number(node, "since", 0);
            return block
                .into_iter()
                .flat_map(|block| self.names.networks.keys().map(move |name| (name.clone(), block)))
                .collect();
        }
        let Some(table) = Reader::of(self.report, node, "`since`") else { return BTreeMap::new() };
        let entries = table.entries().iter().filter_map(|entry| {
            self.network_name(&entry.key, entry.place);
            Some((entry.key.to_string(), self.report.number(&entry.node, "since", 0)?))
        });
        entries.collect()
    }

    pub(super) fn accounts(&self, inner: &mut Reader<'a>, key: &'static str) -> Vec<String> {
        inner.list(key).iter().filter_map(|node| self.account(node, key)).collect()
    }
}
