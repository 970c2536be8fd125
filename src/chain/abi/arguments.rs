//! Arguments from text or JSON, by their type. Nothing is guessed: a value out of range or of another type is an error.

use ethers::abi::{ParamType, Token};
use ethers::types::U256;
use serde_json::Value;

use super::split;
use crate::chain::address;
use crate::chain::text::{tame, unhex};

/// Reads an argument of the runbook: addresses carry a checksum; arrays are written `[a, b]`.
pub(crate) fn from_text(of: &ParamType, text: &str) -> Result<Token, String> {
    Reader { address: address::checksummed }.text(of, text)
}

/// Reads an argument of a Safe bundle: a string, a number, a boolean, or a list of these.
pub(crate) fn from_json(of: &ParamType, value: &Value) -> Result<Token, String> {
    Reader { address: address::lenient }.json(of, value)
}

struct Reader {
    address: fn(&str) -> Result<ethers::types::Address, String>,
}

impl Reader {
    fn json(&self, of: &ParamType, value: &Value) -> Result<Token, String> {
        match value {
            Value::String(text) => self.text(of, text),
            Value::Bool(flag) if *of == ParamType::Bool => Ok(Token::Bool(*flag)),
            Value::Number(number) if number.is_i64() || number.is_u64() => self.text(of, &number.to_string()),
            Value::Array(items) => {
                let items: Vec<&Value> = items.iter().collect();
                self.list(of, &items, Self::json)
            }
            other => Err(wrong(of, &other.to_string())),
        }
    }

    fn text(&self, of: &ParamType, text: &str) -> Result<Token, String> {
        let text = if *of == ParamType::String { text } else { text.trim() };
        let bytes = || unhex(text).ok_or_else(|| wrong(of, text));
        match of {
            ParamType::Address => (self.address)(text).map(Token::Address),
            ParamType::Bool => text.parse().map(Token::Bool).map_err(|_| wrong(of, text)),
            ParamType::String => Ok(Token::String(text.to_owned())),
            ParamType::Bytes => bytes().map(Token::Bytes),
            ParamType::FixedBytes(length) => match bytes()? {
                bytes if bytes.len() == *length => Ok(Token::FixedBytes(bytes)),
                _ => Err(wrong(of, text)),
            },
            ParamType::Uint(bits) => {
                magnitude(text).filter(|value| value.bits() <= *bits).map(Token::Uint).ok_or_else(|| wrong(of, text))
            }
            ParamType::Int(bits) => signed(text, *bits).map(Token::Int).ok_or_else(|| wrong(of, text)),
            ParamType::Array(_) | ParamType::FixedArray(..) | ParamType::Tuple(_) => self.written_list(of, text),
        }
    }

    /// `[a, b]`, or `(a, b)` for tuples; items may stand in double quotes.
    fn written_list(&self, of: &ParamType, text: &str) -> Result<Token, String> {
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .or_else(|| text.strip_prefix('(')?.strip_suffix(')'))
            .ok_or_else(|| wrong(of, text))?;
        if inner.contains('"')
            && let Ok(value @ Value::Array(_)) = serde_json::from_str(text)
        {
            return self.json(of, &value);
        }
        let items = if inner.trim().is_empty() { Vec::new() } else { split(inner) };
        self.list(of, &items, Self::text)
    }

    fn list<T: Copy>(
        &self,
        of: &ParamType,
        items: &[T],
        read: impl Fn(&Self, &ParamType, T) -> Result<Token, String>,
    ) -> Result<Token, String> {
        let all = |of: &ParamType| items.iter().map(|item| read(self, of, *item)).collect::<Result<Vec<_>, _>>();
        match of {
            ParamType::Array(of) => all(of).map(Token::Array),
            ParamType::FixedArray(of, length) if items.len() == *length => all(of).map(Token::FixedArray),
            ParamType::Tuple(types) if items.len() == types.len() => types
                .iter()
                .zip(items)
                .map(|(of, item)| read(self, of, *item))
                .collect::<Result<_, _>>()
                .map(Token::Tuple),
            _ => Err(format!("{} do not make a `{of}`", crate::chain::text::count(items.len(), "value"))),
        }
    }
}

/// A decimal or 0x number.
fn magnitude(text: &str) -> Option<U256> {
    if let Some(digits) = text.strip_prefix("0x") {
        let plain = !digits.is_empty() && digits.len() <= 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return plain.then(|| U256::from_str_radix(digits, 16).ok()).flatten();
    }
    let plain = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| U256::from_dec_str(text).ok()).flatten()
}

/// A number with a sign, as a two's complement word.
fn signed(text: &str, bits: usize) -> Option<U256> {
    let word = match text.strip_prefix('-') {
        Some(digits) => (!magnitude(digits)?).overflowing_add(U256::one()).0,
        None => magnitude(text)?,
    };
    let negative = text.starts_with('-') && !word.is_zero();
    (super::signed_fits(word, bits) && word.bit(255) == negative).then_some(word)
}

fn wrong(of: &ParamType, text: &str) -> String {
    format!("`{}` is not a `{of}`", tame(text))
}
