//! Reads the file: the official dialect of the Safe Transaction Builder, and the one that ethers scripts write (a numeric
//! chain id, an ISO time, descriptions). Unknown keys are refused: a key that a reader ignores may be one that a signer
//! obeys.

use ethers::types::Address;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::checksum;
use super::method::Method;
use crate::chain::abi::Signature;
use crate::chain::address;
use crate::chain::text::{brief, unhex};

/// A bundle whose calls are what their descriptions claim.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) chain_id: u64,
    /// The Safe that it names as its own, where it does.
    pub(crate) safe: Option<Address>,
    pub(crate) transactions: Vec<Transaction>,
}

/// One call without value.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) to: Address,
    pub(crate) data: Vec<u8>,
    /// `setMaxJobReward(1000)`.
    pub(crate) words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    version: String,
    chain_id: Value,
    created_at: Value,
    meta: Meta,
    transactions: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "keys that are known, and no more")]
struct Meta {
    name: Option<String>,
    description: Option<String>,
    tx_builder_version: Option<String>,
    created_from_safe_address: Option<String>,
    created_from_owner_address: Option<String>,
    checksum: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    to: String,
    value: Value,
    data: Option<String>,
    #[expect(dead_code, reason = "a key that is known; what it says is judged by nobody")]
    description: Option<String>,
    contract_method: Option<Method>,
    contract_inputs_values: Option<Map<String, Value>>,
}

impl Bundle {
    /// Reads and checks a file; the error is a sentence about it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        let file: File = serde_json::from_slice(bytes).map_err(|error| format!("it is no Safe bundle: {error}"))?;
        if file.version != "1.0" {
            return Err(format!("its version is `{}`, not `1.0`", file.version));
        }
        if !(file.created_at.is_string() || file.created_at.is_number()) {
            return Err("its `createdAt` is no time".to_owned());
        }
        if let Some(claimed) = &file.meta.checksum
            && !checksum::holds(&value, claimed)
        {
            return Err("its checksum does not match: it was changed after it was made".to_owned());
        }
        let chain_id = whole(&file.chain_id).ok_or("its `chainId` is no number")?;
        let safe = file.meta.created_from_safe_address.filter(|text| !text.is_empty());
        let safe = safe.map(|text| address::lenient(&text)).transpose()?;
        let transactions = file.transactions.into_iter().enumerate();
        let transactions =
            transactions.map(|(at, entry)| entry.read().map_err(|reason| format!("transaction {}: {reason}", at + 1)));
        Ok(Self { chain_id, safe, transactions: transactions.collect::<Result<_, _>>()? })
    }
}

impl Entry {
    fn read(self) -> Result<Transaction, String> {
        let to = address::lenient(&self.to)?;
        if whole(&self.value) != Some(0) {
            return Err(format!("it sends value: {}", self.value));
        }
        let given = self.data.map(|text| unhex(&text).ok_or("its data is not hex")).transpose()?;
        match (self.contract_method, given) {
            (Some(method), given) => {
                let values = self.contract_inputs_values.unwrap_or_default();
                let (data, words) = method.encode(&values)?;
                match given {
                    Some(given) if given != data => Err(format!("its data is not `{words}`: {}", brief(&given))),
                    _ => Ok(Transaction { to, data, words }),
                }
            }
            (None, Some(data)) if !data.is_empty() => {
                if self.contract_inputs_values.is_some_and(|values| !values.is_empty()) {
                    return Err("it has input values but no method".to_owned());
                }
                let words = known_words(&data).ok_or("it has data without a method, which nobody can review")?;
                Ok(Transaction { to, data, words })
            }
            (None, _) => Err("it calls nothing".to_owned()),
        }
    }
}

/// Data without a method is readable only where citadel itself can open it.
fn known_words(data: &[u8]) -> Option<String> {
    let signature = super::unwrap::wrapper(data)?;
    Some(Signature::parse(signature).ok()?.name)
}

/// A whole number, as JSON number or decimal string.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|digit| digit.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
