//! When two values are the same, and which is larger.

use std::cmp::Ordering;

use serde_json::Value;

use super::Unmet;
use super::integer::{Integer, Seen, read};

/// How much of a value a sentence shows.
const SHOWN: usize = 160;

/// Whether two values are the same: integers as integers, addresses without regard to case, all else exactly.
pub(super) fn same(a: &Value, b: &Value) -> Result<bool, Unmet> {
    match (a, b) {
        (Value::String(a), Value::String(b)) if is_address(a) || is_address(b) => Ok(a.eq_ignore_ascii_case(b)),
        (Value::Array(a), Value::Array(b)) => same_lists(a, b),
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() || !a.keys().eq(b.keys()) {
                return Ok(false);
            }
            every(a.values().zip(b.values()))
        }
        (Value::Number(_) | Value::String(_), Value::Number(_) | Value::String(_)) => same_scalars(a, b),
        _ => Ok(a == b),
    }
}

fn same_lists(a: &[Value], b: &[Value]) -> Result<bool, Unmet> {
    if a.len() != b.len() {
        return Ok(false);
    }
    every(a.iter().zip(b))
}

/// All pairs are the same; one that surely differs decides before one that cannot be told.
fn every<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Result<bool, Unmet> {
    let mut unsure = Ok(true);
    for (a, b) in pairs {
        match same(a, b) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            unknown => unsure = unknown,
        }
    }
    unsure
}

fn same_scalars(a: &Value, b: &Value) -> Result<bool, Unmet> {
    match (read(a), read(b)) {
        (Seen::Integer(a), Seen::Integer(b)) => Ok(a == b),
        (Seen::Inexact, Seen::Inexact | Seen::Integer(_)) | (Seen::Integer(_), Seen::Inexact) => Err(inexact(a, b)),
        _ => Ok(a == b),
    }
}

/// Which of two numbers is larger; `None` if one is no number.
pub(super) fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, Unmet> {
    match (read(a), read(b)) {
        (Seen::Integer(a), Seen::Integer(b)) => Ok(Some(Integer::cmp(&a, &b))),
        (Seen::Inexact, Seen::Inexact | Seen::Integer(_)) | (Seen::Integer(_), Seen::Inexact) => Err(inexact(a, b)),
        _ => Ok(a.as_f64().zip(b.as_f64()).and_then(|(a, b)| a.partial_cmp(&b))),
    }
}

fn inexact(a: &Value, b: &Value) -> Unmet {
    let (a, b) = (show(a), show(b));
    Unmet::Unknown(format!("{a} and {b} cannot be compared exactly: JSON numbers this large must be strings"))
}

/// Whether `value` is one of `list`.
pub(super) fn one_of(value: &Value, list: &[Value]) -> Result<bool, Unmet> {
    let mut unsure = Ok(false);
    for candidate in list {
        match same(value, candidate) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            unknown => unsure = unknown,
        }
    }
    unsure
}

/// Whether two lists hold the same values, whatever their order and however often.
pub(super) fn same_set(a: &[Value], b: &[Value]) -> Result<bool, Unmet> {
    let mut unsure = Ok(true);
    let inside = a.iter().map(|value| one_of(value, b)).chain(b.iter().map(|value| one_of(value, a)));
    for answer in inside {
        match answer {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            unknown => unsure = unknown,
        }
    }
    unsure
}

/// A value as a sentence shows it.
pub(super) fn show(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Several values as a sentence shows them.
pub(super) fn show_all(values: &[Value]) -> String {
    match values {
        [] => "nothing".to_owned(),
        values => values.iter().map(show).collect::<Vec<_>>().join(", "),
    }
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(a: &Value, b: &Value, expected: Option<bool>) {
        assert_eq!(same(a, b).ok(), expected, "{a} and {b}");
        assert_eq!(same(b, a).ok(), expected, "{b} and {a}");
    }

    #[test]
    fn sameness() {
        check(&json!(1), &json!("1"), Some(true));
        check(&json!("a"), &json!("A"), Some(false));
        check(&json!("1.50"), &json!(1.5), Some(false));
        check(&json!(true), &json!("true"), Some(false));
        check(&json!(null), &json!(0), Some(false));
        check(&json!([1, "2"]), &json!(["0x1", 2]), Some(true));
        check(&json!([1]), &json!([1, 1]), Some(false));
        check(&json!({"a": 1}), &json!({"a": "1"}), Some(true));
        check(&json!({"a": 1}), &json!({"b": 1}), Some(false));
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        check(&json!(address), &json!(address.to_lowercase()), Some(true));
        check(&json!(address), &json!("1"), Some(false));
    }

    #[test]
    fn what_json_lost_is_never_the_same() {
        let large: Value = serde_json::from_str("100000000000000000001").unwrap();
        check(&large, &json!("100000000000000000001"), None);
        check(&json!([large, 1]), &json!(["100000000000000000001", 2]), Some(false));
        check(&large, &json!("text"), Some(false));
    }

    #[test]
    fn sets_ignore_order_and_repetition() {
        let set = |a: Value, b: Value| same_set(a.as_array().unwrap(), b.as_array().unwrap()).unwrap();
        assert!(set(json!([1, 2]), json!(["2", "1"])));
        assert!(set(json!([]), json!([])));
        assert!(!set(json!([1, 2]), json!([1])));
        assert!(!set(json!([1]), json!([1, 2])));
    }

    #[test]
    fn order_is_of_numbers_only() {
        assert_eq!(order(&json!(1.5), &json!(1)), Ok(Some(Ordering::Greater)));
        assert_eq!(order(&json!("2"), &json!(10)), Ok(Some(Ordering::Less)));
        assert_eq!(order(&json!("b"), &json!("a")), Ok(None));
        assert_eq!(order(&json!(null), &json!(1)), Ok(None));
    }
}
