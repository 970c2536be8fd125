//! `slot`: the word in a storage slot of a contract, held against the runbook's rules. Reads the code and that slot.

use ethers::types::H256;
use serde_json::json;

use super::rules::hold;
use crate::chain::finding::{Finding, Judged};
use crate::chain::view::View;
use crate::runbook::Predicate;

pub(super) async fn judge(view: &View<'_>, of: &str, slot: H256, rules: &[Predicate]) -> Judged {
    let (subject, _) = view.contract(of)?;
    let word = view.slot(&subject, slot).await?;
    let observed = json!(format!("{word:?}"));
    let what = format!("slot {slot:?} of {subject}");
    match hold(rules, &what, &observed, view).await {
        Ok(()) => Ok(Finding::passed(format!("{what} is {word:?}")).observed(observed)),
        Err(finding) => Err(finding.observed(observed).asked(view.cast_slot(&subject, slot))),
    }
}
