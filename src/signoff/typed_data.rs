//! A statement as EIP-712 typed data, for Ethereum keys: its SHA-256 and the fields that a wallet's screen should show.
//!
//! It is made from the statement's bytes alone, so that every machine that has them makes the same.

use ethers::types::H256;
use ethers::types::transaction::eip712::{Eip712, TypedData};
use serde_json::{Value, json};

use super::fields::{Fields, fields};
use super::opening;
use crate::digest::sha256;

/// The typed data of a statement or an opening; the error is a lowercase fragment.
pub fn typed_data(statement: &[u8]) -> Result<Value, String> {
    let fields = fields(statement)?;
    let (primary, names): (&str, &[&str]) = if fields.title == opening::TITLE {
        ("Opening", &["runbook", "run", "nonce", "network", "operator", "expires"])
    } else {
        ("SignOff", &["runbook", "run", "nonce", "network", "gate", "statement", "expires"])
    };
    let mut types: Vec<Value> = names.iter().map(|name| json!({ "name": name, "type": "string" })).collect();
    types.push(json!({ "name": "sha256", "type": "bytes32" }));
    let mut message = serde_json::Map::new();
    for name in names {
        message.insert((*name).to_owned(), fields.one(name)?.into());
    }
    message.insert("sha256".to_owned(), format!("0x{}", sha256(statement)).into());
    Ok(json!({
        "types": {
            "EIP712Domain": [
                { "name": "name", "type": "string" },
                { "name": "version", "type": "string" },
                { "name": "chainId", "type": "uint256" },
            ],
            primary: types,
        },
        "primaryType": primary,
        "domain": { "name": "citadel", "version": "1", "chainId": chain_id(&fields)? },
        "message": message,
    }))
}

fn chain_id(fields: &Fields<'_>) -> Result<u64, String> {
    fields.one("chain-id")?.parse().map_err(|_| "its chain id is not a number".to_owned())
}

/// The hash that an Ethereum key signs.
pub(crate) fn hash(statement: &[u8]) -> Result<H256, String> {
    let data: TypedData = serde_json::from_value(typed_data(statement)?).map_err(|error| error.to_string())?;
    data.encode_eip712().map(H256).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: &[u8] = b"citadel opening v1\nrunbook: r\nrunbook-sha256: aa\nrun: 1\nnonce: n\nnetwork: mainnet\n\
        chain-id: 1\nworkspace-commit: none\noperator: ann\njournal: 1 cc\nexpires: 2026-11-23T19:40:05Z\n";

    #[test]
    fn every_byte_of_the_statement_changes_the_hash() {
        let good = hash(OPENING).unwrap();
        for index in 0..OPENING.len() {
            let mut changed = OPENING.to_vec();
            changed[index] ^= 1;
            assert_ne!(hash(&changed), Ok(good), "byte {index}");
        }
    }

    #[test]
    fn what_is_no_statement_has_no_typed_data() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(typed_data(bytes).unwrap_err(), expected);
        check(b"", "is not a statement of citadel's: its first line is ``");
        check(b"hello\n", "is not a statement of citadel's: its first line is `hello`");
        check(b"citadel opening v1\nrunbook: r\n", "the statement has no line `run`");
        check(b"citadel opening v1\nrunbook: r\nrunbook: s\n", "the statement has several lines `runbook`");
        check(&[0xff], "is not text");
    }
}
