//! A signature judged by its kind: an SSH signature, or an account's.

use super::{ethereum, ssh};
use crate::runbook::SignerKey;

/// A good signature by a declared key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub who: String,
    /// An SSH key's SHA-256 fingerprint, as `ssh-keygen -l` shows it, or an account.
    pub key: String,
}

/// Why a signature does not count: a lowercase fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// Verifies what a signer's tool wrote as a signature on `statement` by one of `keys`.
pub fn verify(statement: &[u8], text: &str, keys: &[SignerKey]) -> Result<Verified, Refused> {
    if ethereum::is_hex(text) { ethereum::verify(statement, text, keys) } else { ssh::verify(statement, text, keys) }
}
