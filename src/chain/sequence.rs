//! Calls one after the other on top of a block, where each sees what the ones before it changed (`eth_simulateV1`). Says what
//! they return, or that a node cannot tell; believes no node.

use std::fmt::Write as _;

use ethers::types::{Address, H256, U256};
use serde_json::{Value, json};

use super::question::{Answer, bytes, number};
use super::rpc::RpcError;
use super::text::hex;

pub(super) const METHOD: &str = "eth_simulateV1";

/// A slot's time after its parent, as execution clients assume it themselves. Told, so that all simulate the same block.
const SLOT: u64 = 12;

/// What nodes answer to a method that they do not have: JSON-RPC's own code, EIP-1474's, and that of some providers. Words
/// do not count, and none of these is what a node answers to a simulation that fails.
const UNSUPPORTED: [i64; 3] = [-32601, -32004, -32600];

/// Calls in their order, and the block after which they are made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sequence {
    pub(crate) calls: Vec<Made>,
    /// The number and the time of the block that they follow.
    pub(crate) number: u64,
    pub(crate) time: u64,
}

/// One call of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Made {
    pub(crate) from: Address,
    pub(crate) to: Address,
    /// In wei.
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
}

/// What became of one call. Gas and logs are left out: clients count and order them differently, and nobody judges them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    /// What it returned, or reverted with.
    pub(crate) returned: Vec<u8>,
}

impl Sequence {
    /// The parameters, on top of the block with this hash.
    pub(super) fn params(&self, block: H256) -> Value {
        let call = |Made { from, to, value, data }: &Made| {
            let mut call = json!({ "from": from, "to": to, "input": hex(data) });
            if !value.is_zero() {
                call["value"] = json!(format!("{value:#x}"));
            }
            call
        };
        let after = json!({ "number": quantity(self.number + 1), "time": quantity(self.time + SLOT) });
        let calls: Vec<Value> = self.calls.iter().map(call).collect();
        let block_calls = json!([{ "blockOverrides": after, "calls": calls }]);
        // Without validation the senders need no key, no nonce and no gas price: a contract can be one.
        let payload = json!({ "blockStateCalls": block_calls, "validation": false, "traceTransfers": false });
        json!([payload, { "blockHash": block, "requireCanonical": true }])
    }

    /// The command that repeats it.
    pub(super) fn cast(&self, block: H256, variable: &str) -> String {
        let params = self.params(block);
        format!("cast rpc {METHOD} '{}' '{}' --rpc-url \"${variable}\"", params[0], params[1])
    }
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// Whether a node says that it has no such method.
pub(super) fn is_unsupported(error: &RpcError) -> bool {
    UNSUPPORTED.contains(&error.code)
}

/// The part of an answer that is kept and read: of every call, whether it succeeded and what it returned or reverted with.
pub(super) fn kept(answer: &Value) -> Value {
    let of = |call: &Value| {
        let mut kept = json!({ "status": call["status"], "returnData": call["returnData"] });
        if let Some(data) = call["error"].get("data") {
            kept["error"] = json!({ "data": data });
        }
        kept
    };
    let calls = |block: &Value| Some(block.get("calls")?.as_array()?.iter().map(of).collect::<Vec<_>>());
    let blocks = answer.as_array().into_iter().flatten();
    blocks.map(|block| calls(block).map_or(Value::Null, |calls| json!({ "calls": calls }))).collect()
}

/// Reads an answer to `asked` calls: one block, with what became of each.
pub(super) fn read(value: &Value, asked: usize) -> Result<Answer, String> {
    let malformed = || "malformed answer: not what became of each call".to_owned();
    let [block] = value.as_array().ok_or_else(malformed)?.as_slice() else { return Err(malformed()) };
    let calls = block["calls"].as_array().ok_or_else(malformed)?;
    let ran: Vec<Ran> = calls.iter().map(ran).collect::<Option<_>>().ok_or_else(malformed)?;
    if ran.len() == asked { Ok(Answer::Ran(ran)) } else { Err(malformed()) }
}

fn ran(call: &Value) -> Option<Ran> {
    let succeeded = match number(&call["status"])? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let returned = bytes(&call["returnData"]).ok()?;
    // Some clients tell what a call reverted with in the error alone.
    let reverted = bytes(&call["error"]["data"]).ok().filter(|_| !succeeded && returned.is_empty());
    Some(Ran { succeeded, returned: reverted.unwrap_or(returned) })
}

/// What became of the calls, in a text that differs where anything does.
pub(super) fn words(ran: &[Ran]) -> String {
    let mut text = String::new();
    for Ran { succeeded, returned } in ran {
        let what = if *succeeded { "returned" } else { "reverted" };
        let gap = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{gap}{what} {}", hex(returned));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &Value, asked: usize, expected: &str) {
        let read = |value: &Value| match read(value, asked) {
            Ok(answer) => answer.to_string(),
            Err(reason) => reason,
        };
        assert_eq!(read(value), expected, "{value}");
        assert_eq!(read(&kept(value)), expected, "what is kept says the same: {value}");
    }

    #[test]
    fn what_became_of_each_call_is_read_strictly() {
        let good = json!({ "status": "0x1", "returnData": "0x", "gasUsed": "0x5208", "logs": [] });
        let bad = json!({ "status": "0x0", "returnData": "0xd93c0665", "error": { "code": 3, "message": "reverted" } });
        let malformed = "malformed answer: not what became of each call";
        check(&json!([{ "number": "0x2", "calls": [good, bad] }]), 2, "returned 0x, reverted 0xd93c0665");
        let told = |data: &str, in_error: Value| {
            let error = json!({ "code": 3, "message": "execution reverted", "data": in_error });
            json!([{ "calls": [{ "status": "0x0", "returnData": data, "error": error }] }])
        };
        check(&told("0x", json!("0xd93c0665")), 1, "reverted 0xd93c0665");
        check(&told("0xd93c0665", Value::Null), 1, "reverted 0xd93c0665");
        check(&told("0xd93c0665", json!("0x1234")), 1, "reverted 0xd93c0665");
        check(&told("0x", json!({ "no": "hex" })), 1, "reverted 0x");
        check(&json!([{ "calls": [] }]), 0, "");
        check(&json!([{ "calls": [good] }]), 2, malformed);
        check(&json!([{ "calls": [good, good] }]), 1, malformed);
        check(&json!([{ "calls": [good] }, { "calls": [] }]), 1, malformed);
        check(&json!([{ "calls": [{ "status": "0x2", "returnData": "0x" }] }]), 1, malformed);
        check(&json!([{ "calls": [{ "status": true, "returnData": "0x" }] }]), 1, malformed);
        check(&json!([{ "calls": [{ "status": "0x1", "returnData": "0x1" }] }]), 1, malformed);
        check(&json!([{ "calls": [{ "status": "0x1" }] }]), 1, malformed);
        check(&json!([{ "calls": [null] }]), 1, malformed);
        check(&json!([{}]), 1, malformed);
        check(&json!([]), 0, malformed);
        check(&json!({}), 0, malformed);
        check(&Value::Null, 0, malformed);
    }

    #[test]
    fn only_codes_say_that_a_method_is_unsupported() {
        let check = |code, message: &str, expected| {
            assert_eq!(is_unsupported(&RpcError { code, message: message.to_owned(), data: None }), expected, "{code}");
        };
        check(-32601, "the method eth_simulateV1 does not exist/is not available", true);
        check(-32004, "method not supported", true);
        check(-32600, "Unsupported method: eth_simulateV1", true);
        check(-32000, "method not found", false);
        check(-32602, "invalid params", false);
        check(-38014, "insufficient funds", false);
        check(3, "execution reverted", false);
    }
}
