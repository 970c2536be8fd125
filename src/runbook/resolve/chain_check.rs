//! The kinds of checks that read a chain.

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Node, Value};
use crate::runbook::{CheckKind, ContractKind, PauseState, Predicate, Safe, SafeBundle, Timelock, forms};

const PAUSE_STATES: &[(&str, PauseState)] = &[("running", PauseState::Running), ("paused", PauseState::Paused)];

/// Kinds that say who governs them.
const GOVERNED: &[ContractKind] =
    &[ContractKind::SystemPause, ContractKind::Governable, ContractKind::Ownable, ContractKind::Ownable2Step];

/// Kinds that may have settlers.
pub(super) const SETTLED: &[ContractKind] =
    &[ContractKind::Governable, ContractKind::Ownable, ContractKind::Ownable2Step, ContractKind::Plain];

const ALLOWED: &[(&str, bool)] = &[("allowed", true), ("off", false)];

impl<'a> Resolve<'a> {
    pub(super) fn chain_check(&self, kind: &str, inner: &mut Reader<'a>) -> Option<CheckKind> {
        match kind {
            "pause" => Some(self.pause(inner)),
            "can_pause" => Some(CheckKind::CanPause {
                of: self.contract_of(inner, "of", &[ContractKind::SystemPause]),
                within: self.required_duration(inner, "within"),
            }),
            "settlers" => Some(CheckKind::Settlers {
                of: self.contract_of(inner, "of", SETTLED),
                allowed: inner
                    .required("are")
                    .and_then(|node| self.report.choice(node, "are", ALLOWED))
                    .unwrap_or(true),
            }),
            "governed" => Some(self.governed(inner)),
            "code" => Some(CheckKind::Code {
                of: self.contract_of(inner, "of", &[]),
                hash: inner.optional("hash").and_then(|node| self.report.form(node, "hash", forms::hash)),
            }),
            "call" => Some(self.call(inner)),
            "timelock" => Some(CheckKind::Timelock(self.timelock(inner))),
            "safe" => Some(CheckKind::Safe(self.safe(inner))),
            "slot" | "reverts" | "proxy" | "role" | "operation" | "transaction" => self.further_check(kind, inner),
            "safe_bundle" => Some(CheckKind::SafeBundle(self.safe_bundle(inner))),
            "safe_tx" => Some(CheckKind::SafeTx {
                of: self.artefact(inner, "of"),
                bundle: self.artefact(inner, "bundle"),
                safe: self.contract_of(inner, "safe", &[ContractKind::Safe]),
                service: inner.optional("service").and_then(|node| self.template_at(node, "service")),
                others: inner.optional("others").and_then(|node| self.path_template_at(node, "others")),
            }),
            _ => None,
        }
    }

    fn pause(&self, inner: &mut Reader<'a>) -> CheckKind {
        let of = self.contract_of(inner, "of", &[ContractKind::SystemPause]);
        let is = inner.required("is").and_then(|node| self.report.choice(node, "is", PAUSE_STATES));
        CheckKind::Pause { of, is: is.unwrap_or(PauseState::Running) }
    }

    fn governed(&self, inner: &mut Reader<'a>) -> CheckKind {
        let node = inner.required("contracts");
        let list = node.and_then(|node| self.report.list(node, "contracts")).unwrap_or_default();
        if node.is_some_and(|node| node.as_list().is_some_and(<[Node]>::is_empty)) {
            self.report
                .add(Diagnostic::new(inner.key_place("contracts"), "`contracts` is empty: nothing would be checked"));
        }
        let contracts = list.iter().filter_map(|node| self.contract_at(node, "contracts", GOVERNED)).collect();
        CheckKind::Governed { contracts, by: self.contract_of(inner, "by", &[]) }
    }

    fn call(&self, inner: &mut Reader<'a>) -> CheckKind {
        let of = self.contract_of(inner, "of", &[]);
        let node = inner.required("function");
        let function = node.and_then(|node| self.report.form(node, "function", forms::function));
        let args = self.templates(inner, "args");
        let from = inner.optional("from").and_then(|node| self.account(node, "from"));
        let rules = self.predicates(inner);
        if let Some(function) = function {
            self.arguments(inner, function.inputs, args.len());
            if function.outputs > 0 {
                self.demands_something(inner, &rules, "this `call`");
            } else if let Some(node) = node.filter(|_| !rules.is_empty()) {
                let diagnostic = Diagnostic::new(node.place, "nothing is returned that a predicate could judge");
                self.report.add(diagnostic.help("write the outputs, as in \"paused()(bool)\""));
            }
        }
        let signature = node.and_then(Node::as_text).unwrap_or_default().to_owned();
        CheckKind::Call { of, signature, args, from, rules }
    }

    pub(super) fn arguments(&self, inner: &Reader<'a>, expected: usize, found: usize) {
        // An argument that is no string was reported already, and is not counted.
        if expected != found && inner.len_of("args") == found {
            let message = format!("the function takes {expected} arguments, and `args` has {found}");
            self.report.add(Diagnostic::new(inner.key_place("args"), message));
        }
    }

    fn timelock(&self, inner: &mut Reader<'a>) -> Timelock {
        Timelock {
            of: self.contract_of(inner, "of", &[ContractKind::Timelock]),
            min_delay: inner.optional("min_delay").and_then(|node| self.report.duration(node, "min_delay", true)),
            proposer: self.optional_account(inner, "proposer"),
            executor: self.optional_account(inner, "executor"),
            open_executor: inner.flag("open_executor").unwrap_or(false),
            cancellers: self.accounts(inner, "cancellers"),
            pending: self.predicates_at(inner, "pending"),
            since: self.since(inner),
        }
    }

    fn safe(&self, inner: &mut Reader<'a>) -> Safe {
        let of = self.contract_of(inner, "of", &[ContractKind::Safe]);
        let threshold = inner.optional("threshold").and_then(|node| match node.value {
            Value::Integer(_) => {
                let diagnostic = Diagnostic::new(node.place, "`threshold` is a table of predicates");
                self.report.add(diagnostic.help("write `threshold = { ge = 2 }`"));
                None
            }
            _ => self.nested_predicates(node, "`threshold`"),
        });
        let modules = inner.has("modules").then(|| self.addresses_of(inner, "modules"));
        inner.optional("modules");
        Safe {
            of,
            version: inner.optional("version").and_then(|node| self.report.text(node, "version")).map(str::to_owned),
            singleton: self.optional_account(inner, "singleton"),
            threshold: threshold.unwrap_or_default(),
            share: self.predicates_at(inner, "share"),
            owners: self.predicates_at(inner, "owners"),
            nonce: self.predicates_at(inner, "nonce"),
            modules,
            guard: self.optional_account(inner, "guard"),
            module_guard: self.optional_account(inner, "module_guard"),
            fallback_handler: self.optional_account(inner, "fallback_handler"),
        }
    }

    fn safe_bundle(&self, inner: &mut Reader<'a>) -> SafeBundle {
        let value = inner.optional("value").and_then(|node| {
            let text = self.report.text(node, "value")?;
            if text.bytes().all(|digit| digit.is_ascii_digit()) {
                return Some(text.to_owned());
            }
            let diagnostic = Diagnostic::new(node.place, "`value` is no number of wei");
            self.report.add(diagnostic.help("digits in quotes, such as \"1000000000000000000\""));
            None
        });
        SafeBundle {
            of: self.artefact(inner, "of"),
            safe: self.contract_of(inner, "safe", &[ContractKind::Safe]),
            allow: self.functions(inner, "allow"),
            functions: self.functions(inner, "functions"),
            value,
        }
    }

    fn functions(&self, inner: &mut Reader<'a>, key: &'static str) -> Vec<String> {
        inner.list(key).iter().filter_map(|node| self.report.form(node, key, forms::called)).collect()
    }

    fn predicates_at(&self, inner: &mut Reader<'a>, key: &'static str) -> Vec<Predicate> {
        let node = inner.optional(key);
        node.and_then(|node| self.nested_predicates(node, &format!("`{key}`"))).unwrap_or_default()
    }

    pub(super) fn addresses_of(&self, inner: &mut Reader<'a>, key: &'static str) -> Vec<ethers::types::Address> {
        inner.list(key).iter().filter_map(|node| self.report.form(node, key, forms::address)).collect()
    }
}
