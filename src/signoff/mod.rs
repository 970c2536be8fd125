//! Binds a person's key to exactly what they saw: the statement's bytes, the signatures on them, the people who count.
//!
//! Holds no keys and signs nothing. People are counted, never keys or files.

pub mod allowed_signers;
mod folder;
mod public_key;
mod ssh;
mod statement;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use ssh::{NAMESPACE, Refused, Verified, verify};
pub use statement::{CoveredArtefact, JournalPoint, Statement, Witnessed};

use crate::event::SignOffRequested;
use crate::runbook::SignerKey;
use crate::text;

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    pub who: String,
    /// The key's SHA-256 fingerprint, as `ssh-keygen -l` shows it.
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

/// Judges every `*.sig` file in `folder` as a signature on `statement`, the bytes that `request` asked people to sign.
///
/// With `not_operator` the signature of `operator` does not count.
pub fn judge(
    request: &SignOffRequested,
    statement: &[u8],
    folder: &Path,
    keys: &[SignerKey],
    operator: &str,
    not_operator: bool,
    now: Timestamp,
) -> Tally {
    let mut tally = Tally::default();
    let mut signed: BTreeMap<String, String> = BTreeMap::new();
    let void = void(request, statement, now);
    for (file, content) in folder::signatures(folder) {
        let answer = match &void {
            Some(reason) => Err(reason.clone()),
            None => content
                .and_then(|pem| verify(statement, &pem, keys).map_err(|refused| refused.0))
                .and_then(|verified| counts(&verified, request, &signed, not_operator.then_some(operator))),
        };
        match answer {
            Ok(Verified { who, key }) => {
                signed.insert(who.clone(), file.clone());
                tally.accepted.push(Accepted { who, key, file });
            }
            Err(reason) => tally.refused.push((file, reason)),
        }
    }
    tally.missing = request.threshold.saturating_sub(u32::try_from(tally.accepted.len()).unwrap_or(u32::MAX));
    tally
}

/// Why no signature on this request can count.
fn void(request: &SignOffRequested, statement: &[u8], now: Timestamp) -> Option<String> {
    if format!("{:x}", Sha256::digest(statement)) != request.sha256 {
        return Some("the statement is not the one that people were asked to sign: its SHA-256 differs".into());
    }
    match request.expires.parse::<Timestamp>() {
        Ok(expires) if now < expires => None,
        Ok(expires) => Some(format!("the request expired at {expires}; run again for a new statement")),
        Err(_) => Some(format!("the request's expiry `{}` is not a time", request.expires)),
    }
}

/// Whether a good signature adds a person.
fn counts(
    verified: &Verified,
    request: &SignOffRequested,
    signed: &BTreeMap<String, String>,
    excluded: Option<&str>,
) -> Result<Verified, String> {
    let who = &verified.who;
    if !request.signers.contains(who) {
        return Err(format!("`{who}` was not asked to sign this: the request names {}", text::list(&request.signers)));
    }
    if excluded == Some(who.as_str()) {
        return Err(format!("`{who}` operates this run, and this gate wants other people (`not_operator`)"));
    }
    if let Some(first) = signed.get(who) {
        return Err(format!("`{who}` already signed in `{first}`: people are counted, not keys"));
    }
    Ok(verified.clone())
}

/// What each of `people` types to sign the statement at `path`, then what to run: lines to paste into a shell.
///
/// The statement goes in by stdin, so that two people on one machine do not overwrite each other's `statement.txt.sig`.
pub fn commands(path: &Path, people: &[String], again: &str) -> Vec<String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let statement = quoted(&path.display().to_string());
    let mut lines = vec![format!("less {statement}")];
    for who in people {
        let signature = quoted(&folder.join(format!("{}.sig", folder::file_name(who))).display().to_string());
        lines.push(format!("ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n {NAMESPACE} < {statement} > {signature}"));
    }
    lines.push(again.to_owned());
    lines
}

/// A word of a shell command, quoted only where it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted() {
        let lines = commands(
            Path::new("/state/it's here/sign-offs/1.ab/statement.txt"),
            &["signer-1".into(), "../Ann Example".into()],
            "citadel run --phase 1",
        );
        assert_eq!(
            lines,
            [
                r"less '/state/it'\''s here/sign-offs/1.ab/statement.txt'",
                r"ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n citadel-sign-off@v1 < '/state/it'\''s here/sign-offs/1.ab/statement.txt' > '/state/it'\''s here/sign-offs/1.ab/signer-1.sig'",
                r"ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n citadel-sign-off@v1 < '/state/it'\''s here/sign-offs/1.ab/statement.txt' > '/state/it'\''s here/sign-offs/1.ab/.._Ann_Example.sig'",
                "citadel run --phase 1",
            ]
        );
    }
}
