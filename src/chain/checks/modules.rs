//! The eight modules of a `SystemPause`, read from its getters. Judges only that they are there.

use ethers::abi::Token;
use ethers::types::Address;
use serde_json::{Value, json};

use crate::chain::abi::{Signature, strict};
use crate::chain::address::checksum;
use crate::chain::finding::Finding;
use crate::chain::together::{both, together};
use crate::chain::view::{Simulated, Subject, View};

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

/// What one module says of itself.
pub(super) struct State {
    pub(super) paused: bool,
    pub(super) owner: Result<Address, Finding>,
    pub(super) pauser: Result<Address, Finding>,
    /// Not every module has one.
    pub(super) manager: Result<Option<Address>, Finding>,
}

impl State {
    pub(super) fn observed(&self, of: &Subject) -> Value {
        let told = |who: &Result<Address, Finding>| who.as_ref().ok().map(|who| checksum(*who));
        let (owner, pauser) = (told(&self.owner), told(&self.pauser));
        let mut observed =
            json!({ "address": checksum(of.address), "paused": self.paused, "owner": owner, "pauser": pauser });
        if let Ok(Some(manager)) = &self.manager {
            observed["pauser_manager"] = json!(checksum(*manager));
        }
        observed
    }
}

/// Reads one module: whether it is paused, and who may pause it or say who may.
pub(super) async fn state(view: &View<'_>, module: &Subject) -> Result<State, Finding> {
    let masters = both(view.address_of(module, "owner"), view.address_of(module, "pauser"));
    let rest = both(view.flag(module, "paused()(bool)", &[]), manager(view, module));
    let ((owner, pauser), (is_paused, manager)) = both(masters, rest).await;
    Ok(State { paused: is_paused?, owner, pauser, manager })
}

/// `pauserManager()`, where the module has it: who may say who pauses.
async fn manager(view: &View<'_>, module: &Subject) -> Result<Option<Address>, Finding> {
    let ask = Signature::parse("pauserManager()(address)").map_err(Finding::unknown)?;
    match view.simulate(None, module, ask.encode(&[])).await? {
        Simulated::Reverted(_) => Ok(None),
        Simulated::Returned(bytes) if bytes.is_empty() => Ok(None),
        Simulated::Returned(bytes) => {
            let told = strict(&ask.outputs, &bytes)
                .map_err(|reason| Finding::unknown(format!("`pauserManager()` of {module}: {reason}")))?;
            Ok(told.into_iter().next().and_then(Token::into_address))
        }
    }
}

/// Names in backticks, in a list.
pub(super) fn list<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> String {
    subjects.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
