//! The eight modules of a `SystemPause`, read from its getters. Judges only that they are there.

use ethers::types::Address;

use crate::chain::finding::Finding;
use crate::chain::together::together;
use crate::chain::view::{Subject, View};

/// The getters, in the contract's order.
const MODULES: [&str; 8] = [
    "jobRegistry",
    "stakeManager",
    "validationModule",
    "disputeModule",
    "platformRegistry",
    "feePool",
    "reputationEngine",
    "arbitratorCommittee",
];

/// The modules of a `SystemPause`: set, and eight different ones.
pub(crate) async fn modules(view: &View<'_>, pause: &Subject) -> Result<Vec<Subject>, Finding> {
    let read = together(MODULES.iter().map(|name| view.address_of(pause, name))).await;
    let mut modules: Vec<Subject> = Vec::with_capacity(MODULES.len());
    for (name, address) in MODULES.iter().zip(read) {
        modules.push(module(view, pause, name, address?, &modules)?);
    }
    Ok(modules)
}

fn module(
    view: &View<'_>,
    pause: &Subject,
    name: &str,
    address: Address,
    others: &[Subject],
) -> Result<Subject, Finding> {
    let asked = || view.cast_get(pause, &format!("{name}()(address)"));
    if address.is_zero() {
        return Err(Finding::failed(format!("{pause} has no `{name}`: the zero address")).asked(asked()));
    }
    if let Some(twin) = others.iter().find(|other| other.address == address) {
        let message = format!("{pause} has one address as `{}` and as `{name}`: {}", twin.name, view.who(address));
        return Err(Finding::failed(message).asked(asked()));
    }
    view.fit(name, address).map_err(|finding| finding.asked(asked()))
}

/// Names in backticks, in a list.
pub(super) fn list<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> String {
    subjects.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
