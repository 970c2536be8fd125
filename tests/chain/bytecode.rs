//! Tiny contracts made by hand: each selector answers fixed bytes, reverts with fixed bytes, or depends on the caller.

use citadel::chain::Signature;
use ethers::abi::{Token, encode};
use ethers::types::{Address, U256};

/// What a function does.
#[derive(Clone)]
pub(crate) enum Does {
    Returns(Vec<u8>),
    Reverts(Vec<u8>),
    /// Returns nothing to this caller, reverts with these bytes for others.
    OnlyFor(Address, Vec<u8>),
}

/// A word.
pub(crate) fn word(value: u64) -> Does {
    Does::Returns(encode(&[Token::Uint(value.into())]))
}

pub(crate) fn account(address: Address) -> Does {
    Does::Returns(encode(&[Token::Address(address)]))
}

/// `EnforcedPause()`, `NotGovernance()` and the like.
pub(crate) fn error(signature: &str) -> Vec<u8> {
    selector(signature).to_vec()
}

pub(crate) fn selector(signature: &str) -> [u8; 4] {
    Signature::parse(signature).unwrap().selector()
}

/// Calldata.
pub(crate) fn calldata(signature: &str, arguments: &[Token]) -> Vec<u8> {
    [selector(signature).as_slice(), &encode(arguments)].concat()
}

/// Runtime code that dispatches on the selector and reverts for all others.
pub(crate) fn runtime(functions: &[(&str, Does)]) -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = functions.iter().map(|(_, does)| body(does)).collect();
    // selector on the stack: PUSH0 CALLDATALOAD PUSH1 e0 SHR; each test is 11 bytes; then PUSH0 PUSH0 REVERT.
    let mut code = vec![0x5f, 0x35, 0x60, 0xe0, 0x1c];
    let mut at = code.len() + 11 * functions.len() + 3;
    for ((signature, _), body) in functions.iter().zip(&bodies) {
        code.extend([0x80, 0x63]);
        code.extend(selector(signature));
        code.push(0x14);
        code.push(0x61);
        code.extend(u16::try_from(at).unwrap().to_be_bytes());
        code.push(0x57);
        at += body.len();
    }
    code.extend([0x5f, 0x5f, 0xfd]);
    for body in &bodies {
        code.extend(body);
    }
    code
}

fn body(does: &Does) -> Vec<u8> {
    let mut code = vec![0x5b];
    match does {
        Does::Returns(bytes) => code.extend(ends_with(0xf3, bytes)),
        Does::Reverts(bytes) => code.extend(ends_with(0xfd, bytes)),
        Does::OnlyFor(caller, bytes) => {
            // CALLER PUSH20 EQ ISZERO, then skip STOP when it is another.
            code.push(0x33);
            code.push(0x73);
            code.extend(caller.as_bytes());
            code.extend([0x14, 0x15, 0x58, 0x60, 0x07, 0x01, 0x57, 0x00, 0x00, 0x5b]);
            code.extend(ends_with(0xfd, bytes));
        }
    }
    code
}

/// Writes the bytes to memory, word by word, and returns or reverts with them.
fn ends_with(opcode: u8, bytes: &[u8]) -> Vec<u8> {
    let mut code = Vec::new();
    for (at, chunk) in bytes.chunks(32).enumerate() {
        let mut word = [0; 32];
        word[..chunk.len()].copy_from_slice(chunk);
        code.push(0x7f);
        code.extend(word);
        code.push(0x61);
        code.extend(u16::try_from(at * 32).unwrap().to_be_bytes());
        code.push(0x52);
    }
    code.push(0x61);
    code.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
    code.extend([0x5f, opcode]);
    code
}

/// An amount as a token.
pub(crate) fn number(value: u64) -> Token {
    Token::Uint(U256::from(value))
}
