//! Files that lie beside an exported Safe transaction: further signatures of it, and other transactions at its nonce. Only
//! their shape is read, and hashes are computed anew: nothing in them is believed.

use ethers::types::H256;
use serde_json::Value;

use super::exported::{Confirmation, Exported, confirmations, number};
use crate::chain::question::hash;

/// What every exported transaction has, and hardly anything else.
pub const MARK: &str = "safeTxHash";

/// What a file says about a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// These signed it.
    Same(Vec<Confirmation>),
    /// Another one, with this hash, has the same nonce at the same Safe.
    Rival(H256),
}

/// What the text of a file says about the transaction `own` that has the hash `hash`; the error is a sentence about
/// something that may be a rival and cannot be read.
pub(crate) fn beside(text: &str, own: &Exported, hash: H256, chain_id: u64) -> Result<Vec<Beside>, String> {
    let document: Value = serde_json::from_str(text).map_err(|_| "it is not JSON".to_owned())?;
    let list = document.as_array().or_else(|| document["results"].as_array());
    let all: Vec<&Value> = list.map_or_else(|| vec![&document], |list| list.iter().collect());
    let one = |value: &&Value| one(value, own, hash, chain_id).transpose();
    all.iter().filter(|value| value.get(MARK).is_some()).filter_map(one).collect()
}

fn one(value: &Value, own: &Exported, hash: H256, chain_id: u64) -> Result<Option<Beside>, String> {
    let other = match Exported::parse(value) {
        Ok(other) => other,
        Err(reason) => return in_part(value, own, hash, reason),
    };
    if other.safe != own.safe || other.transaction.nonce != own.transaction.nonce {
        return Ok(None);
    }
    let found = other.transaction.hash(chain_id, other.safe);
    Ok(Some(if found == hash { Beside::Same(other.confirmations) } else { Beside::Rival(found) }))
}

/// What is no whole transaction, for this `reason`: signatures of this one alone, or something at another nonce.
fn in_part(value: &Value, own: &Exported, own_hash: H256, reason: String) -> Result<Option<Beside>, String> {
    if hash(&value[MARK]) == Some(own_hash) {
        return confirmations(value).map(|further| Some(Beside::Same(further))).map_err(|_| reason);
    }
    match value.get("nonce").and_then(|nonce| number("nonce", nonce).ok()) {
        Some(nonce) if nonce != own.transaction.nonce => Ok(None),
        _ => Err(reason),
    }
}

#[cfg(test)]
mod tests {
    use ethers::types::Address;
    use serde_json::json;

    use super::*;

    fn transaction(nonce: u64, data: &str) -> Value {
        let account = |byte: u8| format!("{:?}", Address::repeat_byte(byte));
        json!({
            "safe": account(1), "to": account(2), "value": "0", "data": data, "operation": 0, "safeTxGas": 0, "baseGas": "0",
            "gasPrice": "0", "gasToken": account(0), "refundReceiver": account(0), "nonce": nonce,
            "safeTxHash": H256::zero(), "confirmations": [{ "owner": account(3), "signature": "0x00" }],
        })
    }

    #[track_caller]
    fn check(document: &Value, expected: &str) {
        let own = Exported::parse(&transaction(7, "0x")).unwrap();
        let hash = own.transaction.hash(1, own.safe);
        let text = document.to_string().replace("OWN", &format!("{hash:?}"));
        let said = match beside(&text, &own, hash, 1) {
            Ok(found) => found
                .iter()
                .map(|one| match one {
                    Beside::Same(further) => format!("{} more", further.len()),
                    Beside::Rival(_) => "rival".to_owned(),
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(reason) => reason,
        };
        assert_eq!(said, expected, "{document}");
    }

    #[test]
    fn files_are_signatures_rivals_or_nothing_of_this() {
        check(&transaction(7, "0x"), "1 more");
        check(&transaction(7, "0x01"), "rival");
        check(&transaction(8, "0x01"), "");
        check(&json!([transaction(7, "0x"), transaction(7, "0x02"), transaction(6, "0x")]), "1 more, rival");
        check(&json!({ "count": 1, "results": [transaction(7, "0x03")] }), "rival");
        check(&json!({ "jobs": [] }), "");
        check(&json!("safeTxHash"), "");
        check(&json!({ "safeTxHash": "OWN", "confirmations": [] }), "0 more");
        check(&json!({ "safeTxHash": "OWN" }), "it has no `operation`");
        check(&json!({ "safeTxHash": H256::zero(), "nonce": 6 }), "");
        check(&json!({ "safeTxHash": H256::zero(), "nonce": 7 }), "it has no `operation`");
        check(&json!({ "safeTxHash": H256::zero() }), "it has no `operation`");
        let mut elsewhere = transaction(7, "0x01");
        elsewhere["safe"] = json!(Address::repeat_byte(9));
        check(&elsewhere, "");
        // What it claims to be changes nothing of what it is.
        let mut claims = transaction(7, "0x01");
        claims["safeTxHash"] = json!("OWN");
        check(&claims, "rival");
    }
}
