//! Decoded values as JSON for observations and predicates, and amounts of time as people write them.

use std::time::Duration;

use ethers::abi::Token;
use ethers::types::U256;
use serde_json::{Value, json};

use super::address::checksum;
use super::text::hex;
use crate::text::seconds;

/// Several values as a list, one value as itself, none as null. Integers are decimal strings, whatever their size.
pub(crate) fn to_json(tokens: &[Token]) -> Value {
    match tokens {
        [] => Value::Null,
        [one] => token(one),
        several => several.iter().map(token).collect(),
    }
}

fn token(of: &Token) -> Value {
    match of {
        Token::Address(address) => json!(checksum(*address)),
        Token::Bool(flag) => json!(flag),
        Token::Uint(value) => json!(value.to_string()),
        Token::Int(word) => json!(signed(*word)),
        Token::Bytes(bytes) | Token::FixedBytes(bytes) => json!(hex(bytes)),
        Token::String(text) => json!(text),
        Token::Array(items) | Token::FixedArray(items) | Token::Tuple(items) => items.iter().map(token).collect(),
    }
}

/// A two's complement word as a decimal number.
fn signed(word: U256) -> String {
    if word.bit(255) { format!("-{}", (!word).overflowing_add(U256::one()).0) } else { word.to_string() }
}

/// A duration as people write it.
pub(crate) fn duration(duration: Duration) -> String {
    seconds(duration.as_secs())
}

/// A delay read from a chain.
pub(crate) fn delay(delay: U256) -> String {
    if delay.bits() <= 64 { seconds(delay.low_u64()) } else { format!("{delay} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_people_do() {
        assert_eq!(delay(U256::MAX), format!("{} s", U256::MAX));
    }
}
