//! Signatures of FIDO security keys (PROTOCOL.u2f), put together here with keys in software: `ssh-keygen -Y verify` accepts
//! each, as it would one of a real key.

use citadel::runbook::{PersonKey, SignerKey};
use citadel::signoff::{NAMESPACE, verify};
use sha2::{Digest, Sha256};
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair};
use ssh_key::{EcdsaCurve, HashAlg, PrivateKey, PublicKey, SigningKey, SshSig};

use super::{Room, STATEMENT, armored};

/// What of a security key and its signature a test may want wrong.
struct Made {
    application: &'static str,
    flags: u8,
    /// Signed over; what stands in the signature is one more where it lies.
    lies_about_counter: bool,
}

const GOOD: Made = Made { application: "ssh:", flags: 1, lies_about_counter: false };

fn text(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// The public key and a signature on the statement.
fn signed(ecdsa: bool, made: &Made) -> (SignerKey, String) {
    let name: &[u8] = if ecdsa { b"sk-ecdsa-sha2-nistp256@openssh.com" } else { b"sk-ssh-ed25519@openssh.com" };
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, STATEMENT).unwrap();
    let counter = 7_u32;
    let to_sign =
        [&*Sha256::digest(made.application), &[made.flags], &counter.to_be_bytes(), &*Sha256::digest(message)].concat();
    let (point, signature) = if ecdsa {
        let key = EcdsaKeypair::random(&mut ethers::rand::thread_rng(), EcdsaCurve::NistP256).unwrap();
        (key.public_key_bytes().to_vec(), sign(&PrivateKey::from(key), &to_sign))
    } else {
        let key = Ed25519Keypair::from_seed(&[9; 32]);
        (key.public.0.to_vec(), sign(&PrivateKey::from(key), &to_sign))
    };
    let curve = if ecdsa { text(b"nistp256") } else { Vec::new() };
    let public = [text(name), curve, text(&point), text(made.application.as_bytes())].concat();
    let shown = counter + u32::from(made.lies_about_counter);
    let inner = [text(name), text(&signature), vec![made.flags], shown.to_be_bytes().to_vec()].concat();
    let blob = [
        b"SSHSIG".to_vec(),
        1_u32.to_be_bytes().to_vec(),
        text(&public),
        text(NAMESPACE.as_bytes()),
        text(b""),
        text(b"sha512"),
        text(&inner),
    ]
    .concat();
    let ssh = PublicKey::from_bytes(&public).unwrap().to_openssh().unwrap();
    (SignerKey { who: "ann".into(), key: PersonKey::Ssh(ssh) }, armored(&blob))
}

fn sign<K: SigningKey>(key: &K, bytes: &[u8]) -> Vec<u8> {
    key.try_sign(bytes).unwrap().as_bytes().to_vec()
}

#[test]
fn a_touched_security_key_is_accepted_and_openssh_agrees() {
    let room = Room::new();
    for ecdsa in [false, true] {
        let (key, signature) = signed(ecdsa, &GOOD);
        assert!(room.openssh_accepts(&key, NAMESPACE, STATEMENT, &signature), "ecdsa: {ecdsa}");
        let verified = verify(STATEMENT, &signature, std::slice::from_ref(&key)).unwrap();
        assert!(verified.key.starts_with("SHA256:"), "{verified:?}");
        assert!(verify(b"citadel sign-off v1\n", &signature, &[key]).is_err());
    }
}

#[test]
fn an_untouched_foreign_or_lying_security_key_is_refused() {
    let check = |made: Made, expected: &str| {
        for ecdsa in [false, true] {
            let (key, signature) = signed(ecdsa, &made);
            let refused = verify(STATEMENT, &signature, &[key]).unwrap_err().0;
            assert!(refused.contains(expected), "ecdsa {ecdsa}: {refused}");
        }
    };
    check(Made { flags: 0, ..GOOD }, "nobody touched");
    check(Made { flags: 4, ..GOOD }, "nobody touched");
    check(Made { application: "https://example.org", ..GOOD }, "made for `https://example.org`");
    check(Made { lies_about_counter: true, ..GOOD }, "does not fit the statement");
}

#[test]
fn no_truncation_or_flip_of_a_security_key_s_signature_is_accepted() {
    for ecdsa in [false, true] {
        let (key, good) = signed(ecdsa, &GOOD);
        let key = [key];
        for index in 0..good.trim_end().len() {
            assert!(verify(STATEMENT, &good[..index], &key).is_err(), "{index}");
            let mut bytes = good.clone().into_bytes();
            bytes[index] ^= 0x01;
            assert!(verify(STATEMENT, std::str::from_utf8(&bytes).unwrap(), &key).is_err(), "{index}");
        }
    }
}
