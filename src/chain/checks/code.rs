//! `code`: whether a contract stands at an address, and whether it is the very one.

use ethers::types::H256;
use ethers::utils::keccak256;
use serde_json::json;

use crate::chain::finding::{Finding, Judged, Repeat};
use crate::chain::view::View;

pub(super) async fn judge(view: &View<'_>, of: &str, hash: Option<H256>) -> Judged {
    let (subject, _) = view.contract(of)?;
    let code = view.code(&subject).await?;
    let is = H256(keccak256(&code));
    let finding = match hash {
        Some(must_be) if is != must_be => {
            let read = view.cast_code(&subject);
            let command = format!("cast keccak \"$({})\"", read.command);
            Finding::failed(format!("{subject} has other code than declared: its hash is {is:?}, not {must_be:?}"))
                .asked(Repeat { command, ..read })
        }
        Some(_) => Finding::passed(format!("{subject} has the declared code")),
        None => Finding::passed(format!("{subject} has code")),
    };
    let expected = hash.map_or_else(|| "a contract".to_owned(), |hash| format!("code with the hash {hash:?}"));
    Ok(finding.expected(expected).observed(json!({ "hash": is, "bytes": code.len() })))
}
