//! The strict ABI: a typed signature, arguments from text, and decoding that accepts nothing but the one right encoding.

use ethers::abi::{ParamType, Token, decode, encode, ethabi, short_signature};
use ethers::types::U256;

mod arguments;

pub(crate) use arguments::{from_json, from_text};

/// `name(types)` or `name(types)(types)`: a function with what it takes and returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub name: String,
    pub inputs: Vec<ParamType>,
    pub outputs: Vec<ParamType>,
}

impl Signature {
    /// Reads `maxTemp()(int256)`; the second list may be missing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            |what: &str| format!("`{text}` is not a function signature such as `balanceOf(address)(uint256)`: {what}");
        let open = text.find('(').ok_or_else(|| wrong("no `(`"))?;
        let (name, rest) = text.split_at(open);
        if !is_name(name) {
            return Err(wrong("no name before `(`"));
        }
        let end = closing(rest).ok_or_else(|| wrong("a `(` is not closed"))?;
        let (inputs, outputs) = rest.split_at(end);
        let outputs = if outputs.is_empty() { "()" } else { outputs };
        if closing(outputs) != Some(outputs.len()) {
            return Err(wrong("something stands after the last `)`"));
        }
        let list = |text| types(text).map_err(|what| wrong(&what));
        Ok(Self { name: name.to_owned(), inputs: list(inputs)?, outputs: list(outputs)? })
    }

    /// The first four bytes of a call.
    pub fn selector(&self) -> [u8; 4] {
        short_signature(&self.name, &self.inputs)
    }

    /// The calldata for these arguments, which must have the right types.
    pub(crate) fn encode(&self, arguments: &[Token]) -> Vec<u8> {
        [self.selector().as_slice(), &encode(arguments)].concat()
    }

    /// `name(types)`.
    pub(crate) fn short(&self) -> String {
        format!("{}({})", self.name, names(&self.inputs))
    }

    /// `name(types)(types)`, as `cast` takes it.
    pub(crate) fn full(&self) -> String {
        format!("{}({})", self.short(), names(&self.outputs))
    }
}

/// Decodes bytes that must be exactly the encoding of these types: nothing short, nothing more, no dirty bit.
pub(crate) fn strict(types: &[ParamType], bytes: &[u8]) -> Result<Vec<Token>, String> {
    let malformed = || format!("malformed return: {} is not ({})", super::text::brief(bytes), names(types));
    let tokens = if types.is_empty() { Vec::new() } else { decode(types, bytes).map_err(|_| malformed())? };
    let exact = encode(&tokens) == bytes && types.iter().zip(&tokens).all(|(of, token)| fits(of, token));
    if exact { Ok(tokens) } else { Err(malformed()) }
}

/// Whether a value is within its type; the encoding alone does not tell for small integers.
fn fits(of: &ParamType, token: &Token) -> bool {
    match (of, token) {
        (ParamType::Uint(bits), Token::Uint(value)) => value.bits() <= *bits,
        (ParamType::Int(bits), Token::Int(value)) => signed_fits(*value, *bits),
        (ParamType::Array(of) | ParamType::FixedArray(of, _), Token::Array(items) | Token::FixedArray(items)) => {
            items.iter().all(|item| fits(of, item))
        }
        (ParamType::Tuple(types), Token::Tuple(items)) => types.iter().zip(items).all(|(of, item)| fits(of, item)),
        _ => true,
    }
}

/// Whether a two's complement word is a sign extension of `bits` bits.
fn signed_fits(word: U256, bits: usize) -> bool {
    let magnitude = if word.bit(255) { !word } else { word };
    magnitude.bits() < bits
}

/// The types in a comma list, as signatures write them.
pub(crate) fn names(types: &[ParamType]) -> String {
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Reads one type, only as Solidity has it.
pub(crate) fn one_type(text: &str) -> Result<ParamType, String> {
    let of = ethabi::param_type::Reader::read(text).map_err(|_| format!("`{text}` is not a type"))?;
    // The reader takes any unknown word for an enum: what it read must be what was written.
    let short = |text: &str| text.replace("uint256", "uint").replace("int256", "int");
    let same = short(&of.to_string()) == short(text);
    if same && exists(&of) { Ok(of) } else { Err(format!("`{text}` is not a type")) }
}

/// The types in `(a,b)`.
fn types(list: &str) -> Result<Vec<ParamType>, String> {
    if list == "()" {
        return Ok(Vec::new());
    }
    if list.contains(char::is_whitespace) {
        return Err("no spaces, please".to_owned());
    }
    split(&list[1..list.len() - 1]).into_iter().map(one_type).collect()
}

/// The parts between the commas outside all brackets.
pub(crate) fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0i32, 0);
    for (at, character) in list.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

/// Whether Solidity has the type; the reader also takes `uint7`, `bytes99` and arrays of nothing.
fn exists(of: &ParamType) -> bool {
    match of {
        ParamType::Uint(bits) | ParamType::Int(bits) => bits % 8 == 0 && (8..=256).contains(bits),
        ParamType::FixedBytes(length) => (1..=32).contains(length),
        ParamType::Array(of) => exists(of),
        ParamType::FixedArray(of, length) => *length > 0 && exists(of),
        ParamType::Tuple(types) => !types.is_empty() && types.iter().all(exists),
        ParamType::Address | ParamType::Bytes | ParamType::Bool | ParamType::String => true,
    }
}

/// Just behind the parenthesis that closes the one at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (character == ')').then_some(at + 1);
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '$';
    text.chars().all(plain) && text.starts_with(|first: char| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests;
