//! Who signed a Safe transaction's hash. Verifies; never signs.

use ethers::types::{Address, H256, RecoveryMessage, Signature, U256};
use ethers::utils::keccak256;

const ETH_SIGN: &[u8] = b"\x19Ethereum Signed Message:\n32";

/// A signature as a Safe reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signed {
    /// By this account's key.
    By(Address),
    /// In a way that a key does not prove: an approval on the chain, or a contract's own judgement.
    Otherwise(&'static str),
}

/// Recovers the signer from 65 bytes: r, s, and v as a Safe numbers it.
pub(crate) fn signer(hash: H256, signature: &[u8]) -> Result<Signed, String> {
    let Some((v, words)) = signature.split_last().filter(|(_, words)| words.len() == 64) else {
        return match signature.get(64) {
            Some(0) => Ok(Signed::Otherwise("a contract's signature")),
            _ => Err(format!("a signature of {} bytes, not 65", signature.len())),
        };
    };
    let (v, message) = match v {
        27 | 28 => (*v, hash),
        31 | 32 => (v - 4, H256(keccak256([ETH_SIGN, hash.as_bytes()].concat()))),
        0 => return Ok(Signed::Otherwise("a contract's signature")),
        1 => return Ok(Signed::Otherwise("an approval on the chain")),
        other => return Err(format!("a signature with v = {other}")),
    };
    let (r, s) = (U256::from_big_endian(&words[..32]), U256::from_big_endian(&words[32..]));
    Signature { r, s, v: v.into() }
        .recover(RecoveryMessage::Hash(message))
        .map(Signed::By)
        .map_err(|_| "a signature that no key can have made".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::text::unhex;

    #[test]
    fn malformed_signatures_have_no_signer() {
        let hash = H256::repeat_byte(7);
        let check = |bytes: Vec<u8>, expected: &str| match signer(hash, &bytes) {
            Ok(signed) => assert_eq!(format!("{signed:?}"), expected),
            Err(reason) => assert!(reason.contains(expected), "{reason}"),
        };
        let with_v = |v: u8| [[1; 64].as_slice(), &[v]].concat();
        check(vec![], "0 bytes");
        check(vec![1; 64], "64 bytes");
        check(with_v(26), "v = 26");
        check(with_v(0), "Otherwise(\"a contract's signature\")");
        check(with_v(1), "Otherwise(\"an approval on the chain\")");
        check([[0; 64].as_slice(), &[27]].concat(), "no key");
        check([[0xff; 64].as_slice(), &[28]].concat(), "no key");
    }

    #[test]
    fn a_signer_is_recovered() {
        // Web3.py's documented example: the message "Some data" signed with eth_sign.
        let hash =
            H256::from_slice(&unhex("0x1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655").unwrap());
        let signature = unhex("0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c").unwrap();
        let by: Address = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23".parse().unwrap();
        assert_eq!(signer(hash, &signature), Ok(Signed::By(by)));
        let other = H256::repeat_byte(7);
        assert_ne!(signer(other, &signature), Ok(Signed::By(by)));
    }
}
