//! SSH signatures (PROTOCOL.sshsig, as `ssh-keygen -Y sign` makes them) on a statement. Malformed input is refused with a
//! sentence; it never panics.

use ssh_key::{Algorithm, EcdsaCurve, Error, HashAlg, LineEnding, PublicKey, SshSig};

use crate::runbook::SignerKey;

/// What signatures must be made for, so that a signature for another purpose never counts.
pub const NAMESPACE: &str = "citadel-sign-off@v1";

/// A good signature by a declared key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub who: String,
    /// The key's SHA-256 fingerprint, as `ssh-keygen -l` shows it.
    pub key: String,
}

/// Why a signature does not count: a lowercase fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// Verifies an armored signature on `statement` by one of `keys`.
pub fn verify(statement: &[u8], armored: &str, keys: &[SignerKey]) -> Result<Verified, Refused> {
    let refused = |reason: String| Err(Refused(reason));
    let signature = match SshSig::from_pem(armored.trim()) {
        Ok(signature) => signature,
        Err(error) => return refused(unreadable(armored, &error)),
    };
    if !is_canonical(armored, &signature) {
        return refused("is damaged: its parts do not add up to its length".into());
    }
    if signature.namespace() != NAMESPACE {
        let namespace = crate::text::escaped(signature.namespace());
        return refused(format!("is made for the namespace `{namespace}`; sign with `-n {NAMESPACE}`"));
    }
    let fingerprint = signature.public_key().fingerprint(HashAlg::Sha256).to_string();
    let declared = keys.iter().find_map(|key| {
        let public = PublicKey::from_openssh(&key.ssh).ok()?;
        (public.key_data() == signature.public_key()).then_some((key, public))
    });
    let Some((key, public)) = declared else {
        return refused(format!("is by the key {fingerprint}, which none of the declared signers has"));
    };
    if let Some(reason) = weak(&public.algorithm(), &signature.algorithm()) {
        return refused(reason);
    }
    match public.verify(NAMESPACE, statement, &signature) {
        Ok(()) => Ok(Verified { who: key.who.clone(), key: fingerprint }),
        Err(Error::Crypto) => refused(format!(
            "does not fit the statement: `{}` signed other bytes, or the signature was changed",
            key.who
        )),
        Err(error) => refused(format!("cannot be verified: {error}")),
    }
}

/// Whether the text is exactly what the signature is written as; the parser alone lets wrong inner lengths pass.
fn is_canonical(armored: &str, signature: &SshSig) -> bool {
    signature.to_pem(LineEnding::LF).is_ok_and(|written| armored.trim().lines().eq(written.trim().lines()))
}

/// Why a key or the way it signed is not accepted.
fn weak(key: &Algorithm, signature: &Algorithm) -> Option<String> {
    let accepted =
        matches!(key, Algorithm::Ed25519 | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 } | Algorithm::Rsa { .. });
    if !accepted {
        return Some(format!("is by a key of type `{key}`; ed25519, ecdsa (nistp256) and rsa keys are accepted"));
    }
    match (key, signature) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash: None }) => {
            Some("is an RSA signature with SHA-1; sign with `rsa-sha2-512` or `rsa-sha2-256`".into())
        }
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash: Some(_) }) => None,
        (key, signature) if key == signature => None,
        (key, signature) => Some(format!("says `{signature}`, but its key is `{key}`")),
    }
}

fn unreadable(armored: &str, error: &Error) -> String {
    let text = armored.trim();
    if text.is_empty() {
        "is empty".into()
    } else if !text.starts_with("-----BEGIN SSH SIGNATURE-----") {
        "is not an SSH signature: it does not start with `-----BEGIN SSH SIGNATURE-----`".into()
    } else if !text.ends_with("-----END SSH SIGNATURE-----") {
        "is cut off: it does not end with `-----END SSH SIGNATURE-----`".into()
    } else {
        format!("is damaged, or of another kind than ed25519, ecdsa (nistp256) and rsa with SHA-2: {error}")
    }
}
