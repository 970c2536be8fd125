//! Who signed a Safe transaction's hash. Verifies; never signs.

use ethers::types::{Address, H256, RecoveryMessage, Signature, U256};
use ethers::utils::keccak256;

const ETH_SIGN: &[u8] = b"\x19Ethereum Signed Message:\n32";

/// A signature as a Safe reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signed {
    /// By this account's key.
    By(Address),
    /// By an approval of this account that must be on the chain.
    Approved(Address),
    /// By this contract, which must stand by these bytes (ERC-1271).
    Contract(Address, Vec<u8>),
}

/// The length of r, s and v.
const FIXED: usize = 65;

/// Recovers the signer from 65 bytes: r, s, and v as a Safe numbers it; a contract's signature is longer.
pub(crate) fn signer(hash: H256, signature: &[u8]) -> Result<Signed, String> {
    let Some((words, rest)) = signature.split_at_checked(FIXED - 1) else { return Err(wrong_length(signature)) };
    let Some((v, dynamic)) = rest.split_first() else { return Err(wrong_length(signature)) };
    if *v == 0 {
        return contract(words, dynamic);
    }
    if !dynamic.is_empty() {
        return Err(wrong_length(signature));
    }
    let (v, message) = match v {
        27 | 28 => (*v, hash),
        31 | 32 => (v - 4, H256(keccak256([ETH_SIGN, hash.as_bytes()].concat()))),
        1 => return account(words).map(Signed::Approved),
        other => return Err(format!("a signature with v = {other}")),
    };
    let (r, s) = (U256::from_big_endian(&words[..32]), U256::from_big_endian(&words[32..]));
    Signature { r, s, v: v.into() }
        .recover(RecoveryMessage::Hash(message))
        .map(Signed::By)
        .map_err(|_| "a signature that no key can have made".to_owned())
}

fn wrong_length(signature: &[u8]) -> String {
    format!("a signature of {} bytes, not 65", signature.len())
}

/// The account in the first word.
fn account(words: &[u8]) -> Result<Address, String> {
    if words[..12].iter().any(|byte| *byte != 0) {
        return Err("a signature that names no account".to_owned());
    }
    Ok(Address::from_slice(&words[12..32]))
}

/// A contract's signature: its address, where its bytes begin, and there their length and themselves, to the end.
fn contract(words: &[u8], dynamic: &[u8]) -> Result<Signed, String> {
    let malformed = || "a contract's signature that is malformed".to_owned();
    let number =
        |word: &[u8]| Some(U256::from_big_endian(word)).filter(|word| word.bits() <= 32).map(|word| word.as_usize());
    let (length, bytes) = dynamic.split_at_checked(32).ok_or_else(malformed)?;
    let fits = number(&words[32..]) == Some(FIXED) && number(length) == Some(bytes.len());
    if fits { Ok(Signed::Contract(account(words)?, bytes.to_vec())) } else { Err(malformed()) }
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
        check(with_v(0), "malformed");
        check(with_v(1), "names no account");
        let of =
            |word: u8, rest: &[u8]| [[0; 12].as_slice(), &[9; 20], &[0; 31], &[word, 0], &[0; 31], &[2], rest].concat();
        check(of(65, &[5, 6]), "Contract(0x0909090909090909090909090909090909090909, [5, 6])");
        check(of(64, &[5, 6]), "malformed");
        check(of(65, &[5]), "malformed");
        check(of(65, &[5, 6, 7]), "malformed");
        check(
            [[0; 12].as_slice(), &[9; 20], &[0; 32], &[1]].concat(),
            "Approved(0x0909090909090909090909090909090909090909)",
        );
        check([[1; 64].as_slice(), &[27, 0]].concat(), "66 bytes");
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
