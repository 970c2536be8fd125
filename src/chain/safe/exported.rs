//! A Safe transaction with its confirmations, as the Safe Transaction Service tells it, in a file or by its service. Only its
//! shape is read here: nothing in it is believed.

use ethers::types::{Address, H256, U256};
use serde_json::Value;

use super::transaction::SafeTransaction;
use crate::chain::address::lenient;
use crate::chain::question::hash;
use crate::chain::text::{tame, unhex};

/// What somebody exported.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) safe: Address,
    pub(crate) transaction: SafeTransaction,
    /// The hash that it says it has.
    pub(crate) claimed: H256,
    pub(crate) confirmations: Vec<Confirmation>,
    /// The transaction that is said to have executed it.
    pub(crate) executed_in: Option<H256>,
}

/// A signature and who is said to have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) owner: Address,
    pub(crate) signature: Vec<u8>,
}

impl Exported {
    /// Reads it; the error is a sentence about it.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let at = |key: &str| value.get(key).ok_or_else(|| format!("it has no `{key}`"));
        let account = |key: &str| address(key, at(key)?);
        let amount = |key: &str| number(key, at(key)?);
        let operation = match amount("operation")? {
            call if call.is_zero() => 0,
            delegate if delegate == U256::one() => 1,
            _ => return Err("its operation is neither 0 nor 1".to_owned()),
        };
        let transaction = SafeTransaction {
            to: account("to")?,
            value: amount("value")?,
            data: data(at("data")?)?,
            operation,
            safe_tx_gas: amount("safeTxGas")?,
            base_gas: amount("baseGas")?,
            gas_price: amount("gasPrice")?,
            gas_token: account("gasToken")?,
            refund_receiver: account("refundReceiver")?,
            nonce: amount("nonce")?,
        };
        let claimed = hash(at("safeTxHash")?).ok_or("its `safeTxHash` is no hash")?;
        let executed_in = value.get("transactionHash").and_then(hash).filter(|hash| !hash.is_zero());
        Ok(Self { safe: account("safe")?, transaction, claimed, confirmations: confirmations(value)?, executed_in })
    }
}

/// Its list of confirmations.
pub(super) fn confirmations(value: &Value) -> Result<Vec<Confirmation>, String> {
    let list = value.get("confirmations").ok_or("it has no `confirmations`")?;
    list.as_array().ok_or("its `confirmations` are no list")?.iter().map(confirmation).collect()
}

/// The hashes of other transactions at `nonce` in a page of the service's list; a page that is not the last is refused.
pub(crate) fn competing(page: &Value, own: H256, nonce: U256) -> Result<Vec<H256>, String> {
    let list = page["results"].as_array().ok_or("it has no `results`")?;
    if !page["next"].is_null() {
        return Err("it has further pages, which no honest list for one nonce has".to_owned());
    }
    let mut others = Vec::new();
    for one in list {
        let at = number("nonce", one.get("nonce").ok_or("a transaction has no `nonce`")?)?;
        let found = one.get("safeTxHash").and_then(hash).ok_or("a transaction has no `safeTxHash`")?;
        if at == nonce && found != own {
            others.push(found);
        }
    }
    Ok(others)
}

fn confirmation(value: &Value) -> Result<Confirmation, String> {
    let owner = address("owner", value.get("owner").ok_or("a confirmation has no `owner`")?)?;
    let signature = value.get("signature").and_then(Value::as_str).and_then(unhex);
    Ok(Confirmation { owner, signature: signature.ok_or("a confirmation has no `signature` in hex")? })
}

fn address(key: &str, value: &Value) -> Result<Address, String> {
    value.as_str().ok_or_else(|| format!("its `{key}` is no address")).and_then(lenient)
}

/// A number as one or as digits in a text.
pub(super) fn number(key: &str, value: &Value) -> Result<U256, String> {
    let text = match value {
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()));
    digits
        .and_then(|text| U256::from_dec_str(&text).ok())
        .ok_or_else(|| format!("its `{key}` is no number: {}", tame(&value.to_string())))
}

fn data(value: &Value) -> Result<Vec<u8>, String> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    value.as_str().and_then(unhex).ok_or_else(|| "its `data` is not hex".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn others_at_the_nonce_are_found() {
        let own = H256::repeat_byte(1);
        let one = |byte: u8, nonce: Value| json!({ "safeTxHash": H256::repeat_byte(byte), "nonce": nonce });
        let check = |results: Value, expected: &[u8]| {
            let found = competing(&json!({ "next": null, "results": results }), own, 7.into()).unwrap();
            assert_eq!(found, expected.iter().map(|byte| H256::repeat_byte(*byte)).collect::<Vec<_>>());
        };
        check(json!([]), &[]);
        check(json!([one(1, json!("7"))]), &[]);
        check(json!([one(1, json!(7)), one(2, json!("7")), one(3, json!(8))]), &[2]);
        assert!(competing(&json!({ "next": "https://x", "results": [] }), own, 7.into()).is_err());
        assert!(competing(&json!({ "next": null, "results": [{}] }), own, 7.into()).is_err());
        assert!(competing(&json!([]), own, 7.into()).is_err());
    }
}
