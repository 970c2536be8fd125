//! What a judgement gives back: results and everything they rest on, ready to be kept as a gate's record.

use std::collections::BTreeMap;

use ethers::types::H256;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::verdict::{CheckResult, Verdict};

/// One judgement: every check's result at one pinned block, with what was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The block that every read was made at; none where enough endpoints could not agree on one.
    pub block: Option<PinnedBlock>,
    /// The newest finalized block then, where enough endpoints told the same: nothing here was recorded before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<PinnedBlock>,
    pub chain_id: u64,
    /// The hash of block 0, where enough endpoints told the same.
    pub genesis: Option<H256>,
    pub endpoints: Vec<EndpointReport>,
    pub results: Vec<CheckResult>,
    pub reads: Vec<ReadRecord>,
    /// What a reader should know besides, such as an endpoint that was not counted.
    pub notes: Vec<String>,
}

impl Reading {
    /// The worst verdict of all results; without results, *unknown*.
    pub fn verdict(&self) -> Verdict {
        crate::verdict::worst(self.results.iter().map(|result| result.verdict))
    }
}

/// A block that enough endpoints know under one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedBlock {
    pub number: u64,
    pub hash: H256,
    /// Its timestamp, seconds since 1970.
    pub time: u64,
}

/// What one endpoint said of itself, without its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointReport {
    /// The environment variable that holds its URL.
    pub variable: String,
    /// Empty where the variable holds no URL that can be used.
    pub host: String,
    /// Whether its answers were counted.
    pub counted: bool,
    pub chain_id: Option<u64>,
    pub genesis: Option<H256>,
    pub client: Option<String>,
    /// The number of its newest block.
    pub head: Option<u64>,
    /// Why it was not counted, or stopped being counted.
    pub trouble: Option<String>,
    /// What happened on the way: repetitions and their reasons, refused batches, a head that went backwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happened: Vec<String>,
}

impl EndpointReport {
    /// The endpoint's name in messages: its variable, and its host where it has one.
    pub(crate) fn label(&self) -> String {
        let Self { variable, host, .. } = self;
        if host.is_empty() { format!("`{variable}`") } else { format!("`{variable}` ({host})") }
    }

    /// Why it was not counted, as a sentence about it.
    pub(crate) fn told(&self) -> Option<String> {
        self.trouble.as_ref().map(|trouble| format!("{} {trouble}", self.label()))
    }
}

/// One question with the answer that was agreed on, and what each endpoint said, so that both can be judged again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadRecord {
    pub method: String,
    /// The parameters as sent, with the block's hash where the method takes one.
    pub params: Value,
    /// The raw answer as hex or JSON text; for a revert `reverted 0x…`; for no agreement `unknown: …`.
    pub answer: String,
    /// The variables of the endpoints that gave this answer.
    pub said_by: Vec<String>,
    /// What the others said, or why they said nothing, by their variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
    /// What was really said; endpoints that said the same share an entry.
    #[serde(default)]
    pub said: Vec<RawAnswer>,
}

/// What some endpoints said to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawAnswer {
    /// The variables of these endpoints.
    pub by: Vec<String>,
    pub said: Raw,
}

/// An endpoint's answer as it came, without the envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Raw {
    Result(Value),
    Error {
        code: i64,
        message: String,
        data: Option<Value>,
    },
    /// No usable answer, with the reason.
    Nothing(String),
}
