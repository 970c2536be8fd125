//! Digests, as lowercase hex: the one spelling in records, reports and messages. SHA-256 of everything; of long outputs
//! BLAKE3, which takes less than half the time.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A digest, and how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Digest {
    Sha256(String),
    Blake3(String),
}

impl Digest {
    /// What the algorithm is called, and the hex digits.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Sha256(hex) => ("SHA-256", hex),
            Self::Blake3(hex) => ("BLAKE3", hex),
        }
    }
}

/// A SHA-256 of bytes as they come.
#[derive(Debug, Clone, Default)]
pub struct Running(Sha256);

impl Running {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The SHA-256 of all of them.
    pub fn finish(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

/// A BLAKE3 of bytes as they come.
#[derive(Debug, Clone, Default)]
pub struct Tree(blake3::Hasher);

impl Tree {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The BLAKE3 of all of them.
    pub fn finish(self) -> Digest {
        Digest::Blake3(self.0.finalize().to_string())
    }
}

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    sha256_of(&[bytes])
}

/// The SHA-256 of several pieces, as if they were one.
pub fn sha256_of(pieces: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece);
    }
    format!("{:x}", digest.finalize())
}
