//! SSH signatures (PROTOCOL.sshsig, as `ssh-keygen -Y sign` makes them) on a statement. Malformed input is refused with a
//! sentence; it never panics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, Error, HashAlg, PublicKey, SshSig};

use super::verified::{Refused, Verified};
use crate::runbook::{PersonKey, SignerKey};

/// What signatures must be made for, so that a signature for another purpose never counts.
pub const NAMESPACE: &str = "citadel-sign-off@v1";

/// The flag by which a security key says that somebody touched it (FIDO U2F, "user presence").
const TOUCHED: u8 = 0x01;

/// Verifies an armored signature on `statement` by one of `keys`.
pub(super) fn verify(statement: &[u8], armored: &str, keys: &[SignerKey]) -> Result<Verified, Refused> {
    verify_ssh(NAMESPACE, statement, armored, keys)
}

/// Verifies an armored SSH signature that was made for `namespace`, on `statement`, by one of `keys`.
pub fn verify_ssh(namespace: &str, statement: &[u8], armored: &str, keys: &[SignerKey]) -> Result<Verified, Refused> {
    let refused = |reason: String| Err(Refused(reason));
    let signature = match SshSig::from_pem(armored.trim()) {
        Ok(signature) => signature,
        Err(error) => return refused(unreadable(armored, &error)),
    };
    if is_canonical(armored, &signature).is_none() {
        return refused("is damaged: its parts do not add up to its length".into());
    }
    if signature.namespace() != namespace {
        let other = crate::text::escaped(signature.namespace());
        return refused(format!("is made for the namespace `{other}`; sign with `-n {namespace}`"));
    }
    let fingerprint = signature.public_key().fingerprint(HashAlg::Sha256).to_string();
    let declared = keys.iter().find_map(|key| {
        let PersonKey::Ssh(ssh) = &key.key else { return None };
        let public = PublicKey::from_openssh(ssh).ok()?;
        (public.key_data() == signature.public_key()).then_some((key, public))
    });
    let Some((key, public)) = declared else {
        return refused(format!("is by the key {fingerprint}, which none of the declared signers has"));
    };
    if let Some(reason) = weak(&public.algorithm(), &signature.algorithm()).or_else(|| untouched(&signature)) {
        return refused(reason);
    }
    match public.verify(namespace, statement, &signature) {
        Ok(()) => Ok(Verified { who: key.who.clone(), key: fingerprint }),
        Err(Error::Crypto) => refused(format!(
            "does not fit the statement: `{}` signed other bytes, or the signature was changed",
            key.who
        )),
        Err(error) => refused(format!("cannot be verified: {error}")),
    }
}

/// Whether every length in the signature is the right one; the parser alone lets wrong inner lengths pass.
fn is_canonical(armored: &str, signature: &SshSig) -> Option<()> {
    let text: String = armored.trim().lines().filter(|line| !line.starts_with("-----")).collect();
    let blob = STANDARD.decode(text).ok()?;
    let mut rest = blob.strip_prefix(b"SSHSIG")?.strip_prefix(&1_u32.to_be_bytes())?;
    let key = part(&mut rest)?;
    let (_namespace, reserved, _hash, mut inner) =
        (part(&mut rest)?, part(&mut rest)?, part(&mut rest)?, part(&mut rest)?);
    let declared = PublicKey::new(signature.public_key().clone(), "").to_bytes().ok()?;
    let (_algorithm, _signature) = (part(&mut inner)?, part(&mut inner)?);
    let trailer =
        if matches!(signature.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) { 5 } else { 0 };
    (rest.is_empty() && key == declared && reserved.is_empty() && inner.len() == trailer).then_some(())
}

/// Takes one length and as many bytes.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(part)
}

/// Why a key or the way it signed is not accepted.
fn weak(key: &Algorithm, signature: &Algorithm) -> Option<String> {
    match (key, signature) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash: None }) => {
            Some("is an RSA signature with SHA-1; sign with `rsa-sha2-512` or `rsa-sha2-256`".into())
        }
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash: Some(_) }) => None,
        (
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256,
            signature,
        ) if key == signature => None,
        (key, signature) if key == signature => {
            Some(format!("is by a key of type `{key}`; ed25519, ecdsa, rsa and security keys are accepted"))
        }
        (key, signature) => Some(format!("says `{signature}`, but its key is `{key}`")),
    }
}

/// What a security key's signature lacks: that it was made for SSH, and that a person touched the key.
fn untouched(signature: &SshSig) -> Option<String> {
    let application = match signature.public_key() {
        KeyData::SkEd25519(key) => key.application(),
        KeyData::SkEcdsaSha2NistP256(key) => key.application(),
        _ => return None,
    };
    if !application.starts_with("ssh:") {
        let application = crate::text::escaped(application);
        return Some(format!("is by a security key made for `{application}`; one for SSH starts with `ssh:`"));
    }
    // Behind the signature stand the flags, one byte, and the counter, four.
    let flags = signature.signature_bytes().iter().rev().nth(4);
    (flags.is_none_or(|flags| flags & TOUCHED == 0))
        .then(|| "is by a security key that nobody touched; sign again and touch it".into())
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
        format!("is damaged, or of another kind than ed25519, ecdsa, rsa with SHA-2 and security keys: {error}")
    }
}
