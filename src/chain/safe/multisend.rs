//! Transactions packed for `multiSend(bytes)`: operation, target, value, length, data, one after the other.

use ethers::abi::Token;
use ethers::types::{Address, U256};

use crate::chain::abi::Signature;

/// The function that unpacks them.
pub(crate) const MULTI_SEND: &str = "multiSend(bytes)";

/// Operation, target, value and length.
const HEADER: usize = 1 + 20 + 32 + 32;

/// One packed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed {
    /// 0: a call; 1: a delegatecall.
    pub(crate) operation: u8,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
}

/// The calldata that carries these calls.
pub(crate) fn calldata(calls: &[Packed]) -> Result<Vec<u8>, String> {
    let packed: Vec<u8> = calls.iter().flat_map(pack).collect();
    Ok(Signature::parse(MULTI_SEND)?.encode(&[Token::Bytes(packed)]))
}

fn pack(call: &Packed) -> Vec<u8> {
    let mut packed = vec![call.operation];
    packed.extend(call.to.as_bytes());
    packed.extend(word(call.value));
    packed.extend(word(call.data.len().into()));
    packed.extend(&call.data);
    packed
}

/// Takes the packed transactions apart; nothing may be left over.
pub(crate) fn unpack(mut bytes: &[u8]) -> Result<Vec<Packed>, String> {
    let mut calls = Vec::new();
    while !bytes.is_empty() {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or("packed transactions end in the middle of one")?;
        let length = U256::from_big_endian(&header[53..]);
        let length = if length.bits() <= 32 { length.as_usize() } else { usize::MAX };
        let (data, rest) = rest.split_at_checked(length).ok_or("a packed transaction is longer than the data")?;
        calls.push(Packed {
            operation: header[0],
            to: Address::from_slice(&header[1..21]),
            value: U256::from_big_endian(&header[21..53]),
            data: data.to_vec(),
        });
        bytes = rest;
    }
    Ok(calls)
}

fn word(value: U256) -> [u8; 32] {
    let mut word = [0; 32];
    value.to_big_endian(&mut word);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking() {
        let call =
            |data: &[u8]| Packed { operation: 0, to: Address::repeat_byte(9), value: 1.into(), data: data.to_vec() };
        let calls = vec![call(b""), call(b"abc")];
        let packed: Vec<u8> = calls.iter().flat_map(pack).collect();
        assert_eq!(packed.len(), 2 * HEADER + 3);
        assert_eq!(unpack(&packed), Ok(calls.clone()));
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
        assert!(unpack(&packed[..HEADER - 1]).is_err());
        assert_eq!(unpack(&[]), Ok(vec![]));
        let huge = [[0; 53].as_slice(), &[0xff; 32]].concat();
        assert!(unpack(&huge).is_err());
        assert_eq!(calldata(&calls).unwrap()[..4], [0x8d, 0x80, 0xff, 0x0a]);
    }
}
