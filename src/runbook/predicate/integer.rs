//! Integers of any size, however written: a JSON number, a decimal string, a `0x` string.
//!
//! Never goes through a float: a number that a float cannot hold exactly is said to be inexact.

use std::cmp::Ordering;

use serde_json::Value;

/// Digits beyond which a text is not a number that anybody meant.
const LONGEST: usize = 256;

/// The largest magnitude below which a float holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An integer: sign and big-endian magnitude without leading zeros.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Integer {
    negative: bool,
    magnitude: Vec<u8>,
}

/// What a value is when one asks for an integer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Integer(Integer),
    /// A JSON number too large to have been read exactly.
    Inexact,
    Other,
}

/// Whether a text is an integer, decimal or `0x`.
pub(in crate::runbook) fn is_integer(text: &str) -> bool {
    parse(text).is_some()
}

/// The integer that a value is.
pub(super) fn read(value: &Value) -> Seen {
    let parsed = match value {
        Value::String(text) => parse(text),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(f64::NAN);
            if float.fract() != 0.0 || !float.is_finite() {
                return Seen::Other;
            }
            if float.abs() >= EXACT {
                return Seen::Inexact;
            }
            parse(&format!("{float:.0}"))
        }
        Value::Number(number) => parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    parsed.map_or(Seen::Other, Seen::Integer)
}

fn parse(text: &str) -> Option<Integer> {
    if text.len() > LONGEST {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return Some(Integer { negative: false, magnitude: magnitude(hex, 16)? });
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let magnitude = magnitude(digits, 10)?;
    Some(Integer { negative: digits.len() < text.len() && !magnitude.is_empty(), magnitude })
}

fn magnitude(digits: &str, radix: u32) -> Option<Vec<u8>> {
    if digits.is_empty() {
        return None;
    }
    let mut little_endian: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(radix)?;
        for byte in &mut little_endian {
            let value = u32::from(*byte) * radix + carry;
            *byte = value.to_le_bytes()[0];
            carry = value >> 8;
        }
        if carry > 0 {
            little_endian.push(carry.to_le_bytes()[0]);
        }
    }
    little_endian.reverse();
    Some(little_endian)
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitudes = || self.magnitude.len().cmp(&other.magnitude.len()).then(self.magnitude.cmp(&other.magnitude));
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitudes(),
            (true, true) => magnitudes().reverse(),
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(a: &Value, b: &Value, expected: Option<Ordering>) {
        let order = match (read(a), read(b)) {
            (Seen::Integer(a), Seen::Integer(b)) => Some(a.cmp(&b)),
            _ => None,
        };
        assert_eq!(order, expected, "{a} and {b}");
    }

    #[test]
    fn compares_however_written() {
        use Ordering::{Equal, Greater, Less};
        check(&json!(255), &json!("0xff"), Some(Equal));
        check(&json!("255"), &json!("0x00FF"), Some(Equal));
        check(&json!(1.0), &json!(1), Some(Equal));
        check(&json!(-1), &json!("-1"), Some(Equal));
        check(&json!("-0"), &json!(0), Some(Equal));
        check(&json!(256), &json!(255), Some(Greater));
        check(&json!(-256), &json!(-255), Some(Less));
        check(&json!(-1), &json!(0), Some(Less));
        check(
            &json!("115792089237316195423570985008687907853269984665640564039457584007913129639936"),
            &json!("0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
            Some(Greater),
        );
        check(&json!("9007199254740993"), &json!("9007199254740992"), Some(Greater));
        check(&json!(u64::MAX), &json!("18446744073709551615"), Some(Equal));
    }

    #[test]
    fn other_things_are_no_integers() {
        for other in [json!("0x"), json!(""), json!("1 "), json!("+1"), json!("007"), json!("1e3"), json!(1.5)] {
            check(&other, &json!(1), None);
        }
        check(&json!(true), &json!(1), None);
        check(&json!(null), &json!(0), None);
        check(&json!([1]), &json!(1), None);
        check(&json!("9".repeat(300)), &json!(1), None);
    }

    #[test]
    fn a_number_that_json_lost_is_inexact() {
        let value: Value = serde_json::from_str("100000000000000000000").unwrap();
        assert_eq!(read(&value), Seen::Inexact);
    }
}
