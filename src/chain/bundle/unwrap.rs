//! Calls that carry other calls: timelocks, the `SystemPause`'s `executeGovernanceCall`, packed transactions. What is inside
//! is judged like what is outside.

use ethers::abi::Token;
use ethers::types::{Address, U256};

use crate::chain::abi::{Signature, strict};
use crate::chain::safe::multisend::{MULTI_SEND, unpack};

/// Signatures of the carriers, with the way their calls are packed.
const CARRIERS: [(&str, Packing); 6] = [
    ("schedule(address,uint256,bytes,bytes32,bytes32,uint256)", Packing::One),
    ("scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)", Packing::Lists),
    ("execute(address,uint256,bytes,bytes32,bytes32)", Packing::One),
    ("executeBatch(address[],uint256[],bytes[],bytes32,bytes32)", Packing::Lists),
    ("executeGovernanceCall(address,bytes)", Packing::WithoutValue),
    (MULTI_SEND, Packing::Packed),
];

#[derive(Clone, Copy)]
enum Packing {
    One,
    Lists,
    WithoutValue,
    Packed,
}

/// A call that somebody makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
    /// The code at `to` acts as `from`.
    pub(crate) delegate: bool,
}

/// The signature of the carrier that this is a call of, if it is one.
pub(crate) fn wrapper(data: &[u8]) -> Option<&'static str> {
    carrier(data).map(|(signature, _, _)| signature)
}

/// Whether what a call carries happens later, by another call; all other carriers make their calls themselves.
pub(crate) fn schedules(data: &[u8]) -> bool {
    wrapper(data).is_some_and(|signature| signature.starts_with("schedule"))
}

fn carrier(data: &[u8]) -> Option<(&'static str, Signature, Packing)> {
    CARRIERS.iter().find_map(|(text, packing)| {
        let signature = Signature::parse(text).ok()?;
        data.starts_with(&signature.selector()).then_some((*text, signature, *packing))
    })
}

/// The calls inside a call; none where it carries none.
pub(crate) fn inner(call: &Call) -> Result<Vec<Call>, String> {
    let Some((_, signature, packing)) = carrier(&call.data) else { return Ok(Vec::new()) };
    let name = &signature.name;
    let malformed = || format!("the arguments of `{name}` are malformed");
    let mut arguments = strict(&signature.inputs, &call.data[4..]).map_err(|_| malformed())?.into_iter();
    let (first, second, third) = (arguments.next(), arguments.next(), arguments.next());
    let parts = match packing {
        Packing::One => vec![(address(first)?, number(second)?, bytes(third)?)],
        Packing::WithoutValue => vec![(address(first)?, U256::zero(), bytes(second)?)],
        Packing::Lists => {
            let (targets, values, payloads) = (list(first)?, list(second)?, list(third)?);
            if targets.len() != values.len() || targets.len() != payloads.len() {
                return Err(format!("the lists of `{name}` have different lengths"));
            }
            let parts = targets.into_iter().zip(values).zip(payloads);
            parts
                .map(|((to, value), data)| Ok((address(Some(to))?, number(Some(value))?, bytes(Some(data))?)))
                .collect::<Result<_, String>>()?
        }
        Packing::Packed => packed(&bytes(first)?)?,
    };
    if parts.is_empty() {
        return Err(format!("`{name}` carries no call"));
    }
    let from = if call.delegate { call.from } else { call.to };
    Ok(parts.into_iter().map(|(to, value, data)| Call { from, to, value, data, delegate: false }).collect())
}

fn packed(bytes: &[u8]) -> Result<Vec<(Address, U256, Vec<u8>)>, String> {
    let calls = unpack(bytes)?;
    if calls.iter().any(|call| call.operation != 0) {
        return Err("`multiSend` carries a delegatecall".to_owned());
    }
    Ok(calls.into_iter().map(|call| (call.to, call.value, call.data)).collect())
}

fn address(token: Option<Token>) -> Result<Address, String> {
    token.and_then(Token::into_address).ok_or_else(missing)
}

fn number(token: Option<Token>) -> Result<U256, String> {
    token.and_then(Token::into_uint).ok_or_else(missing)
}

fn bytes(token: Option<Token>) -> Result<Vec<u8>, String> {
    token.and_then(Token::into_bytes).ok_or_else(missing)
}

fn list(token: Option<Token>) -> Result<Vec<Token>, String> {
    token.and_then(Token::into_array).ok_or_else(missing)
}

fn missing() -> String {
    "an argument is missing".to_owned()
}
