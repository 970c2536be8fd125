//! SHA-256, as lowercase hex: the one spelling of digests in records, reports and messages.

use sha2::{Digest, Sha256};

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
