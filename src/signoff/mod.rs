//! Binds a person's key to exactly what they saw: the statement's bytes, the signatures on them, the people who count.
//!
//! Holds no keys and signs nothing. People are counted, never keys or files.

pub mod allowed_signers;
mod commands;
mod ethereum;
mod fields;
mod folder;
mod opening;
mod public_key;
mod ssh;
mod statement;
mod typed_data;
mod verified;
mod void;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use commands::{HOW_TO, TYPED_DATA, commands, how_to, ways};
pub use ethereum::is_hex;
pub use fields::{Fields, fields};
pub use folder::{file_name, read as read_signature, signatures};
pub use opening::Opening;
pub use ssh::{NAMESPACE, verify_ssh};
pub use statement::{CoveredArtefact, JournalPoint, Statement, Witnessed};
pub(crate) use typed_data::hash as typed_hash;
pub use typed_data::typed_data;
pub use verified::{Refused, Verified, verify};
pub use void::differences;

use crate::event::{OpeningRequested, SignOffRequested};
use crate::runbook::SignerKey;
use crate::text;

/// What people were asked to sign, and who counts.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    pub statement: &'a [u8],
    /// The SHA-256 of the statement, as the journal has it.
    pub sha256: &'a str,
    /// RFC 3339, UTC.
    pub expires: &'a str,
    pub threshold: u32,
    pub signers: &'a [String],
    /// Who does not count, and why.
    pub excluded: &'a BTreeMap<String, String>,
    /// What the chain said of files that contracts must judge (ERC-1271), by the file's name.
    pub contracts: &'a BTreeMap<String, Result<Verified, String>>,
}

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    pub who: String,
    /// An SSH key's SHA-256 fingerprint, as `ssh-keygen -l` shows it, or an account.
    pub key: String,
    /// The signature's file name in the request's folder.
    pub file: String,
}

/// What the signatures in a request's folder add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// One a person, in the order of the file names.
    pub accepted: Vec<Accepted>,
    /// The file and why it does not count.
    pub refused: Vec<(String, String)>,
    /// How many more people must sign.
    pub missing: u32,
}

impl Tally {
    /// Whether enough people signed.
    pub fn complete(&self) -> bool {
        self.missing == 0
    }
}

/// Nobody: no exclusions.
pub fn nobody() -> &'static BTreeMap<String, String> {
    static NOBODY: BTreeMap<String, String> = BTreeMap::new();
    &NOBODY
}

/// Nothing that a contract judged.
pub fn no_contracts() -> &'static BTreeMap<String, Result<Verified, String>> {
    static NONE: BTreeMap<String, Result<Verified, String>> = BTreeMap::new();
    &NONE
}

impl<'a> Asked<'a> {
    /// What a gate's request asks for.
    pub fn sign_off(
        request: &'a SignOffRequested,
        statement: &'a [u8],
        excluded: &'a BTreeMap<String, String>,
    ) -> Self {
        let SignOffRequested { sha256, expires, threshold, signers, .. } = request;
        let (threshold, contracts) = (*threshold, no_contracts());
        Self { statement, sha256, expires, threshold, signers, excluded, contracts }
    }

    /// What the operator is asked for.
    pub fn opening(request: &'a OpeningRequested, statement: &'a [u8]) -> Self {
        Self {
            statement,
            sha256: &request.sha256,
            expires: &request.expires,
            threshold: 1,
            signers: std::slice::from_ref(&request.operator),
            excluded: nobody(),
            contracts: no_contracts(),
        }
    }

    /// Judges one signature by itself: whether it is good, and by somebody who was asked and counts.
    pub fn judge_one(&self, content: &str, keys: &[SignerKey], now: Timestamp) -> Result<Verified, String> {
        if let Some(reason) = self.void(now) {
            return Err(reason);
        }
        let verified = verify(self.statement, content, keys).map_err(|refused| refused.0)?;
        self.counts(&verified)?;
        Ok(verified)
    }

    /// Why no signature on this request can count.
    fn void(&self, now: Timestamp) -> Option<String> {
        if format!("{:x}", Sha256::digest(self.statement)) != self.sha256 {
            return Some("the statement is not the one that people were asked to sign: its SHA-256 differs".into());
        }
        match self.expires.parse::<Timestamp>() {
            Ok(expires) if now < expires => None,
            Ok(expires) => Some(format!("the request expired at {expires}; run again for a new statement")),
            Err(_) => Some(format!("the request's expiry `{}` is not a time", self.expires)),
        }
    }

    /// Whether a good signature is by somebody who was asked and counts.
    fn counts(&self, verified: &Verified) -> Result<(), String> {
        let who = &verified.who;
        if !self.signers.contains(who) {
            let signers = text::list(self.signers);
            return Err(format!("`{who}` was not asked to sign this: the request names {signers}"));
        }
        self.excluded.get(who).map_or(Ok(()), |reason| Err(reason.clone()))
    }
}

/// Judges every `*.sig` file in `folder`.
pub fn judge(asked: &Asked<'_>, folder: &Path, keys: &[SignerKey], now: Timestamp) -> Tally {
    judge_files(asked, folder::signatures(folder), keys, now)
}

/// The same with files that were read before: each with its text, or why it could not be read, in the order of names.
pub fn judge_files(
    asked: &Asked<'_>,
    files: Vec<(String, Result<String, String>)>,
    keys: &[SignerKey],
    now: Timestamp,
) -> Tally {
    let mut tally = Tally::default();
    let mut signed: BTreeMap<String, String> = BTreeMap::new();
    for (file, content) in files {
        let answer = content.and_then(|content| match asked.contracts.get(&file) {
            Some(judged) if asked.void(now).is_none() => {
                judged.clone().and_then(|verified| asked.counts(&verified).map(|()| verified))
            }
            _ => asked.judge_one(&content, keys, now),
        });
        let answer = answer.and_then(|verified| match signed.get(&verified.who) {
            Some(first) => Err(format!("`{}` already signed in `{first}`: people are counted, not keys", verified.who)),
            None => Ok(verified),
        });
        match answer {
            Ok(Verified { who, key }) => {
                signed.insert(who.clone(), file.clone());
                tally.accepted.push(Accepted { who, key, file });
            }
            Err(reason) => tally.refused.push((file, reason)),
        }
    }
    tally.missing = asked.threshold.saturating_sub(u32::try_from(tally.accepted.len()).unwrap_or(u32::MAX));
    tally
}
