//! Says why a call reverted: `Error(string)`, `Panic(uint256)`, or a custom error by its selector.

use ethers::abi::{ParamType, Token};

use super::abi::{Signature, strict};
use super::text::{brief, tame};
use super::value::to_json;

/// Custom errors of the contracts that a runbook meets.
const ERRORS: [&str; 18] = [
    "EnforcedPause()",
    "ExpectedPause()",
    "NotGovernance()",
    "NotOwner()",
    "NotOwnerOrPauser()",
    "Unauthorized()",
    "OwnableUnauthorizedAccount(address)",
    "OwnableInvalidOwner(address)",
    "AccessControlUnauthorizedAccount(address,bytes32)",
    "AccessControlBadConfirmation()",
    "TimelockInvalidOperationLength(uint256,uint256,uint256)",
    "TimelockInsufficientDelay(uint256,uint256)",
    "TimelockUnexpectedOperationState(bytes32,bytes32)",
    "TimelockUnexecutedPredecessor(bytes32)",
    "TimelockUnauthorizedCaller(address)",
    "FailedInnerCall()",
    "FailedCall()",
    "InvalidInitialization()",
];

/// The reason in a revert's data, in words.
pub(crate) fn reason(data: Option<&[u8]>) -> String {
    let Some(data) = data.filter(|data| !data.is_empty()) else { return "without a reason".to_owned() };
    let Some((selector, arguments)) = data.split_at_checked(4) else { return format!("with {}", brief(data)) };
    if let Some(text) = error_string(selector, arguments) {
        return format!("\"{}\"", tame(&text));
    }
    if let Some(code) = panic_code(selector, arguments) {
        return format!("Panic({code})");
    }
    ERRORS
        .iter()
        .find_map(|error| custom(error, selector, arguments))
        .unwrap_or_else(|| format!("custom error {}", brief(data)))
}

/// Whether the revert is `OpenZeppelin`'s `EnforcedPause()` or its older sentence.
pub(crate) fn says_paused(data: Option<&[u8]>) -> bool {
    let reason = reason(data);
    reason == "EnforcedPause()" || reason == "\"Pausable: paused\""
}

fn error_string(selector: &[u8], arguments: &[u8]) -> Option<String> {
    let tokens = (selector == [0x08, 0xc3, 0x79, 0xa0]).then(|| strict(&[ParamType::String], arguments))?.ok()?;
    tokens.into_iter().next()?.into_string()
}

fn panic_code(selector: &[u8], arguments: &[u8]) -> Option<String> {
    let tokens = (selector == [0x4e, 0x48, 0x7b, 0x71]).then(|| strict(&[ParamType::Uint(256)], arguments))?.ok()?;
    let code = tokens.into_iter().next()?.into_uint()?;
    Some(match code.low_u64() {
        0x01 => "0x01: an assertion failed".to_owned(),
        0x11 => "0x11: arithmetic overflow".to_owned(),
        0x12 => "0x12: division by zero".to_owned(),
        0x32 => "0x32: index out of bounds".to_owned(),
        _ => format!("{code:#x}"),
    })
}

fn custom(error: &str, selector: &[u8], arguments: &[u8]) -> Option<String> {
    let signature = Signature::parse(error).ok().filter(|signature| signature.selector() == selector)?;
    let tokens: Vec<Token> = strict(&signature.inputs, arguments).ok()?;
    let words: Vec<String> = tokens.iter().map(|token| to_json(std::slice::from_ref(token)).to_string()).collect();
    Some(format!("{}({})", signature.name, words.join(", ").replace('"', "")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::text::unhex;

    #[test]
    fn reasons_are_told_in_words() {
        let check = |hex: &str, expected: &str| assert_eq!(reason(unhex(hex).as_deref()), expected);
        check("0x", "without a reason");
        check("0xd93c0665", "EnforcedPause()");
        check("0xb56f932c", "NotGovernance()");
        check("0x12", "with 0x12");
        check("0x12345678", "custom error 0x12345678");
        check(
            "0x4e487b710000000000000000000000000000000000000000000000000000000000000011",
            "Panic(0x11: arithmetic overflow)",
        );
        check(
            "0x118cdaa700000000000000000000000041675c099f32341bf84bfc5382af534df5c7461a",
            "OwnableUnauthorizedAccount(0x41675C099F32341bf84BFc5382aF534df5C7461a)",
        );
        let error = ethers::abi::encode(&[Token::String("no\u{1b}".into())]);
        assert_eq!(reason(Some(&[&[0x08, 0xc3, 0x79, 0xa0], error.as_slice()].concat())), "\"no\\u{1b}\"");
        assert_eq!(reason(None), "without a reason");
    }
}
