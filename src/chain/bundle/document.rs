//! Reads the file: the official dialect of the Safe Transaction Builder, and the one that ethers scripts write (a numeric
//! chain id, an ISO time, descriptions). Unknown keys are refused: a key that a reader ignores may be one that a signer
//! obeys.

use ethers::types::{Address, U256};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::checksum;
use super::method::Method;
use crate::chain::abi::Signature;
use crate::chain::address;
use crate::chain::text::{brief, hex, unhex};

/// A bundle whose calls are what their descriptions claim.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) chain_id: u64,
    /// The Safe that it names as its own, where it does.
    pub(crate) safe: Option<Address>,
    pub(crate) transactions: Vec<Transaction>,
}

/// One call, or one delegatecall.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
    /// 0: a call; 1: a delegatecall.
    pub(crate) operation: u8,
    /// `setMaxJobReward(1000)`.
    pub(crate) words: String,
    /// The function that it shows its readers, where it shows one.
    pub(crate) signature: Option<Signature>,
}

/// Why a file is no bundle, and a command that shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: String,
    pub(crate) command: Option<String>,
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self { reason, command: None }
    }
}

impl From<&str> for Refused {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

/// What `cast` makes of calldata.
pub(crate) fn cast_decode(signature: &str, data: &[u8]) -> String {
    format!("cast decode-calldata \"{signature}\" {}", hex(data))
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
    operation: Option<Value>,
    data: Option<String>,
    #[expect(dead_code, reason = "a key that is known; what it says is judged by nobody")]
    description: Option<String>,
    contract_method: Option<Method>,
    contract_inputs_values: Option<Map<String, Value>>,
}

impl Bundle {
    /// Reads and checks a file; the error is a sentence about it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        let file: File = serde_json::from_slice(bytes).map_err(|error| format!("it is no Safe bundle: {error}"))?;
        if file.version != "1.0" {
            return Err(format!("its version is `{}`, not `1.0`", file.version).into());
        }
        if !(file.created_at.is_string() || file.created_at.is_number()) {
            return Err("its `createdAt` is no time".into());
        }
        if let Some(claimed) = &file.meta.checksum
            && !checksum::holds(&value, claimed)
        {
            return Err("its checksum does not match: it was changed after it was made".into());
        }
        let chain_id = whole(&file.chain_id).ok_or("its `chainId` is no number")?;
        let safe = file.meta.created_from_safe_address.filter(|text| !text.is_empty());
        let safe = safe.map(|text| address::lenient(&text)).transpose()?;
        let transactions = file.transactions.into_iter().enumerate();
        let placed = |at: usize, refused: Refused| Refused {
            reason: format!("transaction {}: {}", at + 1, refused.reason),
            ..refused
        };
        let transactions = transactions.map(|(at, entry)| entry.read().map_err(|refused| placed(at, refused)));
        Ok(Self { chain_id, safe, transactions: transactions.collect::<Result<_, _>>()? })
    }
}

impl Entry {
    fn read(self) -> Result<Transaction, Refused> {
        let to = address::lenient(&self.to)?;
        let value = amount(&self.value).ok_or_else(|| format!("its `value` is no number: {}", self.value))?;
        let operation = match self.operation.as_ref().map_or(Some(0), whole) {
            Some(0) => 0,
            Some(1) => 1,
            _ => return Err("its `operation` is neither 0 nor 1".into()),
        };
        let signature = self.contract_method.as_ref().and_then(|method| method.signature().ok());
        let transaction = |data, words| Transaction { to, value, data, operation, words, signature };
        let given = self.data.map(|text| unhex(&text).ok_or("its data is not hex")).transpose()?;
        match (self.contract_method, given) {
            (Some(method), given) => {
                let values = self.contract_inputs_values.unwrap_or_default();
                let (data, words) = method.encode(&values)?;
                match given {
                    Some(given) if given != data => {
                        let differs = method.difference(&values, &given).unwrap_or_else(|| brief(&given));
                        let command = method.signature().ok().map(|signature| cast_decode(&signature.short(), &given));
                        Err(Refused { reason: format!("its data is not `{words}`: {differs}"), command })
                    }
                    _ => Ok(transaction(data, words)),
                }
            }
            (None, Some(data)) if !data.is_empty() => {
                if self.contract_inputs_values.is_some_and(|values| !values.is_empty()) {
                    return Err("it has input values but no method".into());
                }
                let words = known_words(&data).ok_or("it has data without a method, which nobody can review")?;
                Ok(transaction(data, words))
            }
            (None, _) if !value.is_zero() => Ok(transaction(Vec::new(), "nothing".to_owned())),
            (None, _) => Err("it calls nothing".into()),
        }
    }
}

/// Data without a method is readable only where citadel itself can open it.
fn known_words(data: &[u8]) -> Option<String> {
    let signature = super::unwrap::wrapper(data)?;
    Some(Signature::parse(signature).ok()?.name)
}

/// An amount of wei.
fn amount(value: &Value) -> Option<U256> {
    match value {
        Value::String(text) if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) => {
            U256::from_dec_str(text).ok()
        }
        other => whole(other).map(U256::from),
    }
}

/// A whole number, as JSON number or decimal string.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|digit| digit.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
