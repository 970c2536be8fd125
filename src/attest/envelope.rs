//! The envelope that a statement travels in: DSSE v1 (<https://github.com/secure-systems-lab/dsse>), read strictly: only
//! the bytes that citadel writes are one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// What every envelope of an in-toto statement says of its payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A payload and the signatures on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    payload_type: String,
    /// Base64.
    payload: String,
    pub signatures: Vec<Signature>,
}

/// A signature on the envelope's `pae`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The key's SHA-256 fingerprint, as `ssh-keygen -l` shows it.
    pub keyid: String,
    /// Base64.
    sig: String,
}

/// DSSE's pre-authentication encoding: the bytes that are signed.
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// An envelope that nobody signed.
    pub fn new(payload: &[u8]) -> Self {
        let payload = STANDARD.encode(payload);
        Self { payload_type: PAYLOAD_TYPE.to_owned(), payload, signatures: Vec::new() }
    }

    /// The same with a signature more.
    #[must_use]
    pub fn signed(mut self, keyid: String, signature: &[u8]) -> Self {
        self.signatures.push(Signature { keyid, sig: STANDARD.encode(signature) });
        self
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file's bytes; the error is the end of a sentence about it.
    ///
    /// # Errors
    /// It is not exactly what `bytes` writes.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let envelope: Self = serde_json::from_slice(bytes).map_err(|error| format!("is no DSSE envelope: {error}"))?;
        if envelope.bytes().ok().as_deref() != Some(bytes) {
            return Err("is no DSSE envelope as citadel writes it".into());
        }
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(format!("holds another payload than `{PAYLOAD_TYPE}`"));
        }
        Ok(envelope)
    }

    /// Whether it holds exactly these bytes.
    pub fn holds(&self, payload: &[u8]) -> bool {
        self.payload == STANDARD.encode(payload)
    }
}

impl Signature {
    /// The signature's own bytes; none where it is not base64.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.sig).ok()
    }
}
