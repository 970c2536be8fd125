//! Ethereum signatures: as `cast wallet sign --data` and ethers v6 wrote them, and everything that must not pass for one.

use citadel::runbook::{PersonKey, SignerKey};
use citadel::signoff::{typed_data, verify};
use ethers::k256::ecdsa::SigningKey;
use ethers::types::transaction::eip712::{Eip712, TypedData};
use ethers::types::{Address, U256};
use ethers::utils::{hex, keccak256, secret_key_to_address};

const STATEMENT: &[u8] = include_bytes!("../signatures/statement.txt");
const TYPED_DATA: &str = include_str!("../signatures/statement.json");
const CAST: &str = include_str!("../signatures/cast.sig");
const ETHERS: &str = include_str!("../signatures/ethers.sig");

const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/// Keys that `cast keccak "citadel test signer N"` makes.
pub(crate) fn wallet(number: u32) -> SigningKey {
    SigningKey::from_slice(&keccak256(format!("citadel test signer {number}"))).unwrap()
}

pub(crate) fn account(who: &str, number: u32) -> SignerKey {
    SignerKey { who: who.into(), key: PersonKey::Ethereum(secret_key_to_address(&wallet(number))) }
}

/// What a wallet writes for a statement.
pub(crate) fn sign(number: u32, statement: &[u8]) -> String {
    let data: TypedData = serde_json::from_value(typed_data(statement).unwrap()).unwrap();
    let (signature, id) = wallet(number).sign_prehash_recoverable(&data.encode_eip712().unwrap()).unwrap();
    format!("0x{}{:02x}", hex::encode(signature.to_bytes()), 27 + id.to_byte())
}

#[test]
fn what_cast_and_ethers_write_is_accepted() {
    let keys = [account("ann", 1), account("bob", 2)];
    let check = |text: &str, who: &str, address: &str| {
        let verified = verify(STATEMENT, text, &keys).unwrap();
        assert_eq!((verified.who.as_str(), verified.key.as_str()), (who, address));
        assert!(verify(STATEMENT, text, &keys[..0]).unwrap_err().0.contains(address));
    };
    check(CAST, "ann", "0xf620791667c44205EDff74220F7F88F12A5f36aB");
    check(ETHERS, "bob", "0x4a18DDc3c3324bAA70380eECB7334d36D92E955b");
    check(CAST.trim().trim_start_matches("0x"), "ann", "0xf620791667c44205EDff74220F7F88F12A5f36aB");
    assert_eq!(sign(1, STATEMENT), CAST.trim(), "the test's own wallet is wrong");
}

#[test]
fn the_typed_data_is_what_the_wallets_were_given() {
    let expected: serde_json::Value = serde_json::from_str(TYPED_DATA).unwrap();
    assert_eq!(typed_data(STATEMENT).unwrap(), expected);
}

#[test]
fn the_other_spelling_of_a_signature_is_refused() {
    let bytes = hex::decode(CAST.trim()).unwrap();
    let s = U256::from_str_radix(ORDER, 16).unwrap() - U256::from_big_endian(&bytes[32..64]);
    let mut high = [0; 32];
    s.to_big_endian(&mut high);
    // The same signer would be recovered from it: r, n - s, and the other v.
    let text = format!("0x{}{}{:02x}", hex::encode(&bytes[..32]), hex::encode(high), 55 - bytes[64]);
    let refused = verify(STATEMENT, &text, &[account("ann", 1)]).unwrap_err().0;
    assert!(refused.contains("has a high s"), "{refused}");
}

#[test]
fn no_truncation_or_flip_of_an_account_s_signature_is_accepted() {
    let (keys, good) = ([account("ann", 1)], CAST.trim());
    for end in 0..good.len() {
        assert!(verify(STATEMENT, &good[..end], &keys).is_err(), "{end}");
    }
    for index in 0..good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[index] ^= 0x01;
        let text = String::from_utf8(bytes).unwrap();
        assert!(verify(STATEMENT, &text, &keys).is_err(), "{index}");
    }
}

#[test]
fn a_signature_on_the_text_and_not_on_the_typed_data_is_refused() {
    // As `cast wallet sign "$(cat statement.txt)"` would make it (EIP-191).
    let hash = ethers::utils::hash_message(STATEMENT);
    let (signature, id) = wallet(1).sign_prehash_recoverable(hash.as_bytes()).unwrap();
    let text = format!("0x{}{:02x}", hex::encode(signature.to_bytes()), 27 + id.to_byte());
    let refused = verify(STATEMENT, &text, &[account("ann", 1)]).unwrap_err().0;
    assert!(refused.contains("none of the declared signers has, or it was made for another statement"), "{refused}");
}

#[test]
fn a_zero_account_is_never_recovered() {
    let keys = [SignerKey { who: "nobody".into(), key: PersonKey::Ethereum(Address::zero()) }];
    for v in ["1b", "1c"] {
        let text = format!("0x{}{v}", "00".repeat(64));
        assert!(verify(STATEMENT, &text, &keys).is_err());
    }
}
