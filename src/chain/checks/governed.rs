//! `governed`: whether contracts obey one account and nobody else, and no handover is under way.

use ethers::types::Address;
use serde_json::{Map, Value, json};

use super::modules::modules;
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::ContractKind;

/// One getter, what it told, and what it must tell.
struct Told {
    of: Subject,
    getter: &'static str,
    value: Address,
    must_be: Address,
}

pub(super) async fn judge(view: &View<'_>, contracts: &[String], by: &str) -> Judged {
    let (governor, _) = view.contract(by)?;
    view.code(&governor).await?;
    let read = together(contracts.iter().map(|name| told(view, name, &governor))).await;
    let mut all = Vec::new();
    for told in read {
        all.extend(told?);
    }
    let mut observed: Map<String, Value> = Map::new();
    for told in &all {
        observed.insert(format!("{}.{}", told.of.name, told.getter), json!(checksum(told.value)));
    }
    let wrong: Vec<&Told> = all.iter().filter(|told| told.value != told.must_be).collect();
    let finding = match wrong.first() {
        None => Finding::passed(format!("{governor} governs {}", names(contracts))),
        Some(first) => {
            let words: Vec<String> = wrong.iter().map(|told| told.wrong(view)).collect();
            let asked = view.cast_get(&first.of, &format!("{}()(address)", first.getter));
            Finding::failed(words.join("; ")).asked(asked)
        }
    };
    Ok(finding.expected(format!("{} governed by {governor}", names(contracts))).observed(Value::Object(observed)))
}

fn names(contracts: &[String]) -> String {
    contracts.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Told {
    fn wrong(&self, view: &View<'_>) -> String {
        let Self { of, getter, value, must_be } = self;
        let value = view.who(*value);
        match *getter {
            "pendingOwner" => format!("ownership of {of} is being handed to {value}"),
            _ => format!("`{getter}()` of {of} is {value}, not {}", view.who(*must_be)),
        }
    }
}

/// Everything that says who governs the contract `name`.
async fn told(view: &View<'_>, name: &str, by: &Subject) -> Result<Vec<Told>, Finding> {
    let (of, kind) = view.contract(name)?;
    let getters: &[&'static str] = match kind {
        ContractKind::SystemPause | ContractKind::Governable => &["governance", "owner"],
        ContractKind::Ownable => &["owner"],
        ContractKind::Ownable2Step => &["owner", "pendingOwner"],
        ContractKind::Timelock | ContractKind::Safe | ContractKind::Plain => return Err(no_governor(&of)),
    };
    let values = together(getters.iter().map(|getter| view.address_of(&of, getter))).await;
    let mut all = Vec::new();
    for (getter, value) in getters.iter().copied().zip(values) {
        let must_be = if getter == "pendingOwner" { Address::zero() } else { by.address };
        all.push(Told { of: of.clone(), getter, value: value?, must_be });
    }
    if kind == ContractKind::SystemPause {
        all.extend(owned_modules(view, &of).await?);
    }
    Ok(all)
}

/// The owners of the eight modules, which must be the `SystemPause`.
async fn owned_modules(view: &View<'_>, pause: &Subject) -> Result<Vec<Told>, Finding> {
    let modules = modules(view, pause).await?;
    let owners = together(modules.iter().map(|module| view.address_of(module, "owner"))).await;
    let told = |(of, value): (Subject, Result<Address, Finding>)| {
        Ok(Told { of, getter: "owner", value: value?, must_be: pause.address })
    };
    modules.into_iter().zip(owners).map(told).collect()
}

fn no_governor(of: &Subject) -> Finding {
    Finding::unknown(format!("nothing tells who governs {of}: its kind has no owner"))
        .hint("use a `timelock`, `safe` or `call` check for it, or declare its kind in the runbook")
}
