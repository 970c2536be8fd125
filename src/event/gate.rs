//! Facts about gates, and what people were asked to sign.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BlockRef;
use crate::runbook::PhaseId;
use crate::verdict::{CheckResult, Verdict};

/// A gate's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateJudged {
    pub gate: PhaseId,
    pub verdict: Verdict,
    pub network: String,
    pub block: Option<BlockRef>,
    /// The newest finalized block then, where enough endpoints told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<BlockRef>,
    pub results: Vec<CheckResult>,
    /// The record with everything needed to judge again, relative to the run's folder, and its SHA-256.
    pub record: String,
    pub record_sha256: String,
    /// The digest of the phase's definition that was judged.
    pub definition: String,
    /// The newest block that each counted endpoint told, by its variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub heads: BTreeMap<String, u64>,
    /// What to know besides, such as an endpoint that was not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// People were asked to sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignOffRequested {
    pub gate: PhaseId,
    pub nonce: String,
    /// The exact bytes to sign, relative to the run's folder, and their SHA-256.
    pub statement: String,
    pub sha256: String,
    /// RFC 3339, UTC.
    pub expires: String,
    pub threshold: u32,
    pub signers: Vec<String>,
    /// The record that the statement names, so that it cannot have been signed before.
    pub journal_sequence: u64,
    pub journal_hash: String,
    /// The block that was judged at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockRef>,
    /// The sentence that people put their names to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// Names and SHA-256 of the artefacts that it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<(String, String)>,
    /// Who must not be counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// What each signer who was asked can sign with: `ssh` or `ethereum`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ways: BTreeMap<String, Vec<String>>,
    /// Why the request before this one is void: what is no longer as it said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voids: Vec<String>,
}

/// The operator was asked to sign that they open the run, or take it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningRequested {
    pub operator: String,
    pub nonce: String,
    /// The exact bytes to sign, relative to the run's folder, and their SHA-256.
    pub statement: String,
    pub sha256: String,
    /// RFC 3339, UTC.
    pub expires: String,
    /// What the operator can sign with, as in `SignOffRequested`.
    pub ways: Vec<String>,
    /// The record that the statement names, so that it cannot have been signed before.
    pub journal_sequence: u64,
    pub journal_hash: String,
}
