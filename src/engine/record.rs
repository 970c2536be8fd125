//! A gate's record: everything that its judgement rests on, in one file that can be judged again without the run, the
//! network or the machine it was made on.

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::inputs::Noted;
use super::signed_record::SignedRecord;
use crate::chain::{Reading, TransactionsAsk};
use crate::digest::sha256;
use crate::runbook::PhaseId;
use crate::verdict::{CheckResult, Verdict};

/// The format that is written and read.
const FORMAT: u32 = 3;

/// What stands between the record and its seal, the last member.
const SEAL: &str = ",\n  \"seal\": \"";

/// The record of one judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRecord {
    pub format: u32,
    /// The version of citadel that judged.
    pub citadel: String,
    pub judged: Timestamp,
    pub gate: PhaseId,
    pub run: String,
    pub network: String,
    pub chain_id: u64,
    /// The SHA-256 of `runbook`.
    pub runbook_sha256: String,
    /// The digest of the phase's definition.
    pub definition: String,
    pub verdict: Verdict,
    pub results: Vec<CheckResult>,
    /// The transactions that the chain was asked about.
    pub transactions: Vec<TransactionsAsk>,
    pub inputs: Noted,
    pub reading: Option<Reading>,
    /// What people signed, where they were asked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<SignedRecord>,
    /// The runbook as it was written.
    pub runbook: String,
}

impl GateRecord {
    /// The format of records that are written now.
    pub fn format() -> u32 {
        FORMAT
    }

    /// The bytes of the file. The seal is the SHA-256 of what the file would be without it.
    pub fn sealed(&self) -> anyhow::Result<Vec<u8>> {
        let text = serde_json::to_string_pretty(self)?;
        let seal = sha256(text.as_bytes());
        let body = text.strip_suffix("\n}").context("a record does not end as JSON does")?;
        Ok(format!("{body}{SEAL}{seal}\"\n}}\n").into_bytes())
    }

    /// Reads a file, and tells whether it is still what was sealed.
    ///
    /// # Errors
    /// It is no record of this format: one sentence.
    pub fn open(bytes: &[u8]) -> Result<(Self, bool), String> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let Format { format } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!("its format is {format}; this citadel judges format {FORMAT} again"));
        }
        let record = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let whole = text.rsplit_once(SEAL).is_some_and(|(body, seal)| {
            seal.strip_suffix("\"\n}\n") == Some(sha256(format!("{body}\n}}").as_bytes()).as_str())
        });
        Ok((record, whole))
    }
}
