//! What no pause reaches: contracts that somebody governs and that are none of the eight modules, with the settlers that
//! the runbook declares for them.

use ethers::abi::Token;
use ethers::types::Address;
use serde_json::{Map, Value, json};

use crate::chain::abi::Signature;
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::surroundings::Known;
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::ContractKind;

/// Every such contract, by the runbook's names, with each declared settler and whether it may settle; `null` where that
/// could not be read.
pub(super) async fn unreached(view: &View<'_>, modules: &[Subject]) -> Map<String, Value> {
    let is_governed = |known: &Known| {
        matches!(known.kind, ContractKind::Governable | ContractKind::Ownable | ContractKind::Ownable2Step)
    };
    let out = view.around.contracts().into_iter().filter(|known| is_governed(known));
    let out: Vec<Known> = out.filter(|known| modules.iter().all(|module| module.address != known.address)).collect();
    let told = together(out.iter().map(|known| settlers(view, known))).await;
    let told = out.iter().zip(told).map(|(known, settlers)| {
        let settlers: Map<String, Value> =
            settlers.into_iter().map(|(who, may)| (checksum(who), may.ok().map_or(Value::Null, Value::Bool))).collect();
        (known.name.clone(), json!({ "address": checksum(known.address), "settlers": settlers }))
    });
    told.collect()
}

async fn settlers(view: &View<'_>, of: &Known) -> Vec<(Address, Result<bool, Finding>)> {
    let subject = Subject { name: of.name.clone(), address: of.address };
    let ask = async |settler: &Address| {
        (*settler, view.flag(&subject, "settlers(address)(bool)", &[Token::Address(*settler)]).await)
    };
    together(of.settlers.iter().map(ask)).await
}

/// `settlers`: whether every declared settler may settle, or none of them.
pub(super) async fn judge(view: &View<'_>, of: &str, allowed: bool) -> Judged {
    let (subject, _) = view.contract(of)?;
    let known = view.around.contract(of).map(|known| known.settlers).unwrap_or_default();
    if known.is_empty() {
        let network = &view.network.name;
        return Err(Finding::failed(format!("no settler of {subject} is declared on `{network}`"))
            .hint(format!("set `settlers.{network}` of `[contract.{of}]` in the runbook")));
    }
    let known = Known { name: of.to_owned(), kind: ContractKind::Plain, address: subject.address, settlers: known };
    let (mut observed, mut stray) = (Map::new(), Vec::new());
    for (settler, may) in settlers(view, &known).await {
        let may = may?;
        observed.insert(checksum(settler), json!(may));
        if may != allowed {
            stray.push(view.who(settler));
        }
    }
    let (all, strays) = if allowed { ("allowed", "off") } else { ("off", "still allowed") };
    let finding = Finding::if_true(
        stray.is_empty(),
        format!("every declared settler of {subject} is {all}"),
        format!("{strays} as settlers of {subject}: {}", stray.join(", ")),
    );
    let finding = finding.expected(format!("every declared settler is {all}")).observed(Value::Object(observed));
    let first = known.settlers.first().copied().unwrap_or_default();
    let signature = Signature::parse("settlers(address)(bool)").map_err(Finding::unknown)?;
    Ok(finding.or_asked(view.cast_call(None, subject.address, &signature, &[Token::Address(first)])))
}
