//! One question to a chain, how it is asked, and how an answer is read. Malformed answers are no answers.

use ethers::types::{Address, H256, U256};
use serde_json::{Value, json};

use super::events::{self, Event};
use super::reading::Raw;
use super::rpc::{Request, RpcError, Trouble};
use super::sequence::{self, Ran, Sequence};
use super::text::{hex, unhex};

/// What can be asked of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    Code(Address),
    Slot(Address, H256),
    Call {
        from: Option<Address>,
        to: Address,
        /// In wei.
        value: U256,
        data: Vec<u8>,
    },
    /// Calls one after the other, each of which sees what the ones before it did.
    Sequence(Sequence),
    /// The receipt of a transaction.
    Receipt(H256),
    /// The hash of the canonical block of that number.
    BlockHash(u64),
    /// Every event of a contract with one of these first topics, from one block to another, both included.
    Events {
        of: Address,
        topics: Vec<H256>,
        from: u64,
        to: u64,
    },
    /// The code at an older block, which nodes that are no archive forget.
    CodeAt(Address, u64),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Bytes(Vec<u8>),
    /// The call reverted; with its data where the node tells it.
    Reverted(Option<Vec<u8>>),
    /// What became of each call of a sequence.
    Ran(Vec<Ran>),
    /// The node does not have the method.
    Unsupported,
    Receipt(Option<Box<Mined>>),
    BlockHash(Option<H256>),
    /// In the order of the chain.
    Events(Vec<Event>),
    /// Not known, with the reason.
    Unknown(String),
}

/// The part of a transaction's receipt that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mined {
    pub(crate) hash: H256,
    pub(crate) succeeded: bool,
    pub(crate) block_hash: H256,
    pub(crate) block_number: u64,
    pub(crate) to: Option<Address>,
    pub(crate) logs: Vec<Logged>,
}

/// A log of a transaction, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) by: Address,
    /// Which event it is.
    pub(crate) topic: Option<H256>,
    /// Its first argument, indexed or not.
    pub(crate) first: Option<H256>,
}

impl Question {
    /// The request, pinned to a block where the method takes one (EIP-1898).
    pub(crate) fn request(&self, block: H256) -> Request {
        let at = json!({ "blockHash": block, "requireCanonical": true });
        let (method, params) = match self {
            Self::Code(address) => ("eth_getCode", json!([address, at])),
            Self::Slot(address, slot) => ("eth_getStorageAt", json!([address, slot, at])),
            Self::Call { from, to, value, data } => {
                let mut call = json!({ "to": to, "data": hex(data) });
                if let Some(from) = from {
                    call["from"] = json!(from);
                }
                if !value.is_zero() {
                    call["value"] = json!(format!("{value:#x}"));
                }
                ("eth_call", json!([call, at]))
            }
            Self::Sequence(sequence) => (sequence::METHOD, sequence.params(block)),
            Self::Receipt(hash) => ("eth_getTransactionReceipt", json!([hash])),
            Self::BlockHash(number) => ("eth_getBlockByNumber", json!([format!("{number:#x}"), false])),
            Self::Events { of, topics, from, to } => (events::METHOD, events::params(*of, topics, *from, *to)),
            Self::CodeAt(address, number) => {
                return Request::once("eth_getCode", json!([address, format!("{number:#x}")]));
            }
        };
        Request::patient(method, params)
    }

    /// What of an endpoint's answer is kept, so that it can be read again: of a block or a simulation, what is read of it.
    pub(crate) fn kept(&self, answer: &Result<Value, Trouble>) -> Raw {
        match (self, answer) {
            (Self::BlockHash(_), Ok(block)) if block.is_object() => {
                let part = |key: &str| (key.to_owned(), block[key].clone());
                Raw::Result(["number", "hash", "timestamp"].map(part).into_iter().collect())
            }
            (Self::Sequence(_), Ok(value)) => Raw::Result(sequence::kept(value)),
            (_, Ok(value)) => Raw::Result(value.clone()),
            (_, Err(Trouble::Rpc(RpcError { code, message, data }))) => {
                Raw::Error { code: *code, message: message.clone(), data: data.clone() }
            }
            (_, Err(Trouble::Silent { reason, .. })) => Raw::Nothing(reason.clone()),
        }
    }

    /// Reads an answer that was kept.
    pub(crate) fn read_kept(&self, kept: &Raw) -> Result<Answer, String> {
        self.read(match kept.clone() {
            Raw::Result(value) => Ok(value),
            Raw::Error { code, message, data } => Err(Trouble::Rpc(RpcError { code, message, data })),
            Raw::Nothing(reason) => Err(Trouble::lasting(reason)),
        })
    }

    /// Reads one endpoint's answer; the error says why it is none.
    pub(crate) fn read(&self, answer: Result<Value, Trouble>) -> Result<Answer, String> {
        match (self, answer) {
            (Self::Call { .. }, Err(Trouble::Rpc(error))) if error.is_revert() => {
                Ok(Answer::Reverted(error.revert_data()))
            }
            (Self::Sequence(_), Err(Trouble::Rpc(error))) if sequence::is_unsupported(&error) => {
                Ok(Answer::Unsupported)
            }
            (_, Err(trouble)) => Err(trouble.to_string()),
            (Self::Code(_) | Self::CodeAt(..) | Self::Call { .. }, Ok(value)) => bytes(&value).map(Answer::Bytes),
            (Self::Sequence(asked), Ok(value)) => sequence::read(&value, asked.calls.len()),
            (Self::Slot(..), Ok(value)) => match bytes(&value)? {
                word if word.len() == 32 => Ok(Answer::Bytes(word)),
                other => Err(format!("malformed answer: a storage slot of {} bytes", other.len())),
            },
            (Self::Receipt(hash), Ok(value)) => {
                receipt(*hash, &value).map(|mined| Answer::Receipt(mined.map(Box::new)))
            }
            (Self::BlockHash(number), Ok(value)) => block_hash(*number, &value).map(Answer::BlockHash),
            (Self::Events { of, topics, from, to }, Ok(value)) => {
                events::read(&value, *of, topics, *from, *to).map(Answer::Events)
            }
        }
    }
}

/// Bytes of any length.
pub(crate) fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    value.as_str().and_then(unhex).ok_or_else(|| "malformed answer: not hex bytes".to_owned())
}

fn receipt(asked: H256, value: &Value) -> Result<Option<Mined>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let mined = mined(value).ok_or("malformed answer: not a transaction receipt")?;
    if mined.hash == asked {
        Ok(Some(mined))
    } else {
        Err("malformed answer: the receipt of another transaction".to_owned())
    }
}

fn mined(value: &Value) -> Option<Mined> {
    let logs = value["logs"].as_array()?.iter().map(logged);
    Some(Mined {
        hash: hash(&value["transactionHash"])?,
        succeeded: match number(&value["status"])? {
            0 => false,
            1 => true,
            _ => return None,
        },
        block_hash: hash(&value["blockHash"])?,
        block_number: number(&value["blockNumber"])?,
        to: if value["to"].is_null() { None } else { Some(address(&value["to"])?) },
        logs: logs.collect::<Option<_>>()?,
    })
}

fn logged(log: &Value) -> Option<Logged> {
    let topics: Vec<H256> = log["topics"].as_array()?.iter().map(hash).collect::<Option<_>>()?;
    let data = bytes(&log["data"]).ok().filter(|data| data.len() >= 32);
    let first = topics.get(1).copied().or_else(|| data.map(|data| H256::from_slice(&data[..32])));
    Some(Logged { by: address(&log["address"])?, topic: topics.first().copied(), first })
}

fn block_hash(asked: u64, value: &Value) -> Result<Option<H256>, String> {
    if value.is_null() {
        return Ok(None);
    }
    match (number(&value["number"]), hash(&value["hash"])) {
        (Some(number), Some(hash)) if number == asked => Ok(Some(hash)),
        _ => Err("malformed answer: not the block that was asked for".to_owned()),
    }
}

/// A JSON-RPC quantity.
pub(crate) fn number(value: &Value) -> Option<u64> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    if digits.starts_with('+') { None } else { u64::from_str_radix(digits, 16).ok() }
}

/// 32 bytes.
pub(crate) fn hash(value: &Value) -> Option<H256> {
    value.as_str().and_then(unhex).filter(|bytes| bytes.len() == 32).map(|bytes| H256::from_slice(&bytes))
}

/// 20 bytes.
pub(crate) fn address(value: &Value) -> Option<Address> {
    value.as_str().and_then(unhex).filter(|bytes| bytes.len() == 20).map(|bytes| Address::from_slice(&bytes))
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
            Self::Reverted(Some(data)) => write!(f, "reverted {}", hex(data)),
            Self::Reverted(None) => f.write_str("reverted"),
            Self::Ran(ran) => f.write_str(&sequence::words(ran)),
            Self::Unsupported => f.write_str("unsupported"),
            Self::Receipt(None) | Self::BlockHash(None) => f.write_str("null"),
            Self::Receipt(Some(mined)) => {
                write!(f, "status {}, block {} {:?}", u8::from(mined.succeeded), mined.block_number, mined.block_hash)
            }
            Self::BlockHash(Some(hash)) => write!(f, "{hash:?}"),
            Self::Events(found) => f.write_str(&events::words(found)),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}
