//! SHA-256, as lowercase hex: the one spelling of digests in records, reports and messages.

use sha2::{Digest, Sha256};

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
