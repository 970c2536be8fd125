//! The public half of the key that attests, and what counts as its signature: ed25519 over the bytes as they are, which
//! every DSSE verifier understands, or an SSH signature, which `ssh-keygen -Y verify` does. Never a private key.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{HashAlg, PublicKey};

use crate::runbook::{PersonKey, SignerKey};
use crate::signoff;

/// What SSH signatures on attestations must be made for, so that a signature for another purpose never counts.
pub const NAMESPACE: &str = "citadel-attestation@v1";

/// What stands before the key in an ed25519 key's `SubjectPublicKeyInfo` (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const ARMOR: &[u8] = b"-----BEGIN SSH SIGNATURE-----";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(PublicKey);

impl Key {
    /// Reads an OpenSSH public key, or an ed25519 one in PEM; the error is the end of a sentence about it. Nothing of a text
    /// that may be a private key is repeated.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains("PRIVATE KEY") {
            return Err("is a private key; name the public one".into());
        }
        let mut key = if text.starts_with("-----BEGIN PUBLIC KEY-----") {
            PublicKey::new(KeyData::Ed25519(pem(text).ok_or("is no ed25519 public key in PEM")?), "")
        } else {
            PublicKey::from_openssh(text).map_err(|error| format!("is no OpenSSH public key: {error}"))?
        };
        key.set_comment("");
        Ok(Self(key))
    }

    /// Its SHA-256 fingerprint, as `ssh-keygen -l` shows it.
    pub fn id(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The key as OpenSSH writes it, on one line.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn line(&self) -> anyhow::Result<String> {
        self.0.to_openssh().context("cannot write a public key")
    }

    /// Whether `signature` is this key's, on `bytes`; the error is the end of a sentence about it.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), String> {
        if signature.starts_with(ARMOR) {
            let armored = std::str::from_utf8(signature).map_err(|_| "is damaged")?;
            let ssh = self.line().map_err(|error| error.to_string())?;
            let keys = [SignerKey { who: self.id(), key: PersonKey::Ssh(ssh) }];
            return signoff::verify_ssh(NAMESPACE, bytes, armored, &keys).map(|_| ()).map_err(|refused| refused.0);
        }
        let KeyData::Ed25519(Ed25519PublicKey(key)) = self.0.key_data() else {
            return Err(format!(
                "is no SSH signature; only ed25519 keys sign plainly, this one is `{}`",
                self.0.algorithm()
            ));
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| "is no ed25519 signature")?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| "is by a key that is none")?;
        key.verify_strict(bytes, &signature).map_err(|_| format!("is not by {}, or is on other bytes", self.id()))
    }
}

fn pem(text: &str) -> Option<Ed25519PublicKey> {
    let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let bytes = STANDARD.decode(body).ok()?;
    let key: [u8; 32] = bytes.strip_prefix(&SPKI)?.try_into().ok()?;
    Some(Ed25519PublicKey(key))
}
