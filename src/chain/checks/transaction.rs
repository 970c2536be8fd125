//! `transaction`: whether transactions named in an artefact succeeded and, for a Safe, executed what was signed: a mined
//! transaction with status 1 may have failed inside. Reads receipts and the canonical hash of their blocks.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::transactions;
use crate::chain::finding::{Finding, Judged};
use crate::chain::surroundings::TransactionsAsk;
use crate::chain::view::View;
use crate::runbook::TransactionCheck;

pub(super) async fn judge(view: &View<'_>, asked: &TransactionCheck) -> Judged {
    let bytes =
        view.around.artefact(&asked.of).map_err(|why| Finding::unknown(format!("artefact `{}`: {why}", asked.of)))?;
    let document: Value =
        serde_json::from_slice(&bytes).map_err(|_| Finding::unknown(format!("artefact `{}` is not JSON", asked.of)))?;
    let path =
        JsonPath::parse(&asked.at).map_err(|why| Finding::unknown(format!("`{}` is no JSON path: {why}", asked.at)))?;
    let hashes: Vec<String> = path
        .query(&document)
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    let to: Result<Vec<_>, Finding> =
        asked.to.iter().map(|name| view.contract(name).map(|(to, _)| to.address)).collect();
    let safe = asked.safe.as_ref().map(|name| view.contract(name)).transpose()?.map(|(safe, _)| safe.address);
    let ask = TransactionsAsk { id: String::new(), hashes, min: asked.min, to: to?, after_block: 0 };
    transactions::judge_executed(view, &ask, safe).await
}
