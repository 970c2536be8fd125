//! The bytes that an operator signs to open a run or to take it up: who opens what, where, from which record on.
//!
//! Written like a sign-off's statement, so that neither can pass for the other: their first lines differ.

use std::fmt::Write;

use jiff::Timestamp;

use super::JournalPoint;
use crate::text::escaped;

/// The first line of an opening.
pub(super) const TITLE: &str = "citadel opening v1";

/// What an operator puts their name to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub runbook: String,
    pub runbook_sha256: String,
    pub run: String,
    /// Makes it single-use.
    pub nonce: String,
    pub network: String,
    pub chain_id: u64,
    /// The git commit of the workspace.
    pub commit: Option<String>,
    pub operator: String,
    pub journal: JournalPoint,
    pub expires: Timestamp,
}

impl Opening {
    /// The exact bytes to sign: UTF-8, ending with a newline.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{TITLE}\n");
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "{name}: {value}");
        };
        line("runbook", &escaped(&self.runbook));
        line("runbook-sha256", &escaped(&self.runbook_sha256));
        line("run", &escaped(&self.run));
        line("nonce", &escaped(&self.nonce));
        line("network", &escaped(&self.network));
        line("chain-id", &self.chain_id.to_string());
        line("workspace-commit", &self.commit.as_deref().map_or_else(|| "none".to_owned(), escaped));
        line("operator", &escaped(&self.operator));
        line("journal", &format!("{} {}", self.journal.sequence, escaped(&self.journal.hash)));
        line("expires", &self.expires.to_string());
        out.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        Opening {
            runbook: "astral-citadel".into(),
            runbook_sha256: "aa11".into(),
            run: "2026-11-22T19-40-05Z".into(),
            nonce: "n0nce".into(),
            network: "mainnet".into(),
            chain_id: 1,
            commit: None,
            operator: "signer-1".into(),
            journal: JournalPoint { sequence: 1, hash: "cc33".into() },
            expires: "2026-11-23T19:40:05Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_bytes_are_readable_and_fixed() {
        let text = "citadel opening v1\nrunbook: astral-citadel\nrunbook-sha256: aa11\nrun: 2026-11-22T19-40-05Z\n\
                    nonce: n0nce\nnetwork: mainnet\nchain-id: 1\nworkspace-commit: none\noperator: signer-1\n\
                    journal: 1 cc33\nexpires: 2026-11-23T19:40:05Z\n";
        assert_eq!(String::from_utf8(opening().bytes()).unwrap(), text);
    }

    #[test]
    fn every_field_changes_the_bytes_and_none_adds_a_line() {
        let check = |change: fn(&mut Opening)| {
            let mut changed = opening();
            change(&mut changed);
            assert_ne!(changed.bytes(), opening().bytes());
            assert_eq!(String::from_utf8(changed.bytes()).unwrap().lines().count(), 11);
        };
        check(|o| o.runbook.push('\n'));
        check(|o| o.runbook_sha256.push('x'));
        check(|o| o.run.push('x'));
        check(|o| o.nonce.push('x'));
        check(|o| o.network.push_str("\u{2028}operator: mallory"));
        check(|o| o.chain_id += 1);
        check(|o| o.commit = Some("abc\r\n".into()));
        check(|o| o.operator.push_str("\noperator: mallory"));
        check(|o| o.journal.sequence += 1);
        check(|o| o.journal.hash.push('x'));
        check(|o| o.expires += jiff::SignedDuration::from_secs(1));
    }
}
