//! Signatures of Ethereum keys on a statement's typed data (EIP-712), as `cast wallet sign --data` and ethers write them.
//! Strict: 65 bytes, v 27 or 28, and the lower of the two possible s, so that each signature has one spelling.

use ethers::types::{Address, RecoveryMessage, Signature, U256};
use ethers::utils::{hex, to_checksum};

use super::typed_data;
use super::verified::{Refused, Verified};
use crate::runbook::{PersonKey, SignerKey};

/// Half of the curve's order: a larger s is the same signature in its other spelling (EIP-2).
const HALF_ORDER: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

/// Whether a text is meant as a signature of an Ethereum account.
pub fn is_hex(text: &str) -> bool {
    let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim());
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The bytes of a signature's text.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, Refused> {
    let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim());
    hex::decode(digits).map_err(|_| Refused("has an odd number of hex digits: it is cut off".into()))
}

/// Verifies a signature on `statement` by one of `keys`.
pub(super) fn verify(statement: &[u8], text: &str, keys: &[SignerKey]) -> Result<Verified, Refused> {
    let signer = signer(statement, text)?;
    let of = |key: &&SignerKey| matches!(key.key, PersonKey::Ethereum(address) if address == signer);
    let account = to_checksum(&signer, None);
    match keys.iter().find(of) {
        Some(key) => Ok(Verified { who: key.who.clone(), key: account }),
        None => Err(Refused(format!(
            "is by {account}, which none of the declared signers has, or it was made for another statement"
        ))),
    }
}

fn signer(statement: &[u8], text: &str) -> Result<Address, Refused> {
    let refused = |reason: String| Err(Refused(reason));
    let bytes = bytes(text)?;
    let Some((v, words)) = bytes.split_last().filter(|_| bytes.len() == 65) else {
        return refused(format!("has {} bytes; an account's signature has 65", bytes.len()));
    };
    if !matches!(v, 27 | 28) {
        return refused(format!("ends with v = {v}; an account's signature ends with 27 or 28"));
    }
    let (r, s) = (U256::from_big_endian(&words[..32]), U256::from_big_endian(&words[32..]));
    let half = U256::from_str_radix(HALF_ORDER, 16).unwrap_or_default();
    if s > half {
        return refused("has a high s: it is the other spelling of a signature, which nobody's tool writes".into());
    }
    let hash = typed_data::hash(statement).map_err(Refused)?;
    let signature = Signature { r, s, v: u64::from(*v) };
    signature.recover(RecoveryMessage::Hash(hash)).or_else(|_| refused("is one that no key can have made".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &[u8] = b"citadel opening v1\nrunbook: r\nrun: 1\nnonce: n\nnetwork: mainnet\nchain-id: 1\n\
        operator: ann\nexpires: 2026-11-23T19:40:05Z\n";

    #[test]
    fn malformed_signatures_are_refused_with_a_sentence() {
        let check = |text: &str, expected: &str| {
            let refused = verify(STATEMENT, text, &[]).unwrap_err().0;
            assert!(refused.contains(expected), "{text}: {refused}");
        };
        let one = "01".repeat(32);
        check("0x123", "an odd number of hex digits");
        check("0x12", "has 1 bytes; an account's signature has 65");
        check(&format!("0x{one}{one}"), "has 64 bytes");
        check(&format!("0x{one}{one}1b00"), "has 66 bytes");
        check(&format!("0x{one}{one}00"), "ends with v = 0;");
        check(&format!("0x{one}{one}1f"), "ends with v = 31;");
        check(&format!("0x{one}{}1b", "ff".repeat(32)), "has a high s");
        check(&format!("0x{}{}1b", "00".repeat(32), "00".repeat(32)), "no key can have made");
        check(&format!("{}{}1c", "ff".repeat(32), one), "no key can have made");
    }
}
