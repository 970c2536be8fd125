//! Why a request has no result, and whether asking again may help.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::chain::text::{tame, unhex};

/// The code that EIP-1474 nodes give a call that reverted.
const REVERTED: i64 = 3;

/// No result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// The node answered with an error.
    Rpc(RpcError),
    /// There was no usable answer.
    Silent {
        reason: String,
        /// Whether to ask again, and after how long at least.
        again: Option<Duration>,
    },
}

/// A JSON-RPC error object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Trouble {
    /// Trouble that another try will not cure.
    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self::Silent { reason: reason.into(), again: None }
    }

    /// Trouble that may pass.
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self::Silent { reason: reason.into(), again: Some(Duration::ZERO) }
    }

    /// How long to wait before asking again, if at all.
    pub(super) fn again(&self, patient: bool) -> Option<Duration> {
        match self {
            Self::Silent { again, .. } => *again,
            Self::Rpc(error) => (error.is_limit() && !error.is_too_much() || (patient && error.is_unknown_block()))
                .then_some(Duration::ZERO),
        }
    }

    /// The same trouble without what must not be shown.
    pub(super) fn scrubbed(self, scrub: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Silent { reason, again } => Self::Silent { reason: scrub(&reason), again },
            Self::Rpc(error) => Self::Rpc(RpcError { message: scrub(&error.message), ..error }),
        }
    }
}

impl RpcError {
    /// Whether the error says that a call reverted: by its code or by revert data, never by words.
    pub(crate) fn is_revert(&self) -> bool {
        self.code == REVERTED || self.revert_data().is_some()
    }

    /// What the call reverted with.
    pub(crate) fn revert_data(&self) -> Option<Vec<u8>> {
        let data = self.data.as_ref()?;
        let text = data.as_str().or_else(|| data["data"].as_str())?;
        unhex(text.strip_prefix("Reverted ").unwrap_or(text))
    }

    /// Whether the node only asks for patience.
    pub(crate) fn is_limit(&self) -> bool {
        matches!(self.code, -32005 | 429)
    }

    /// Whether the node has not run out of patience: the same question will never be answered, a smaller one may.
    fn is_too_much(&self) -> bool {
        let message = self.message.to_lowercase();
        ["results", "range", "logs", "response size"].iter().any(|words| message.contains(words))
    }

    fn is_unknown_block(&self) -> bool {
        let message = self.message.to_lowercase();
        self.code == -32001
            || ["header not found", "unknown block", "block not found", "header for hash not found"]
                .iter()
                .any(|words| message.contains(words))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { reason, .. } => f.write_str(reason),
            Self::Rpc(error) => write!(f, "error {}: {}", error.code, tame(&error.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn too_much_is_not_asked_again() {
        let check = |code, message: &str, again: bool| {
            let trouble = Trouble::Rpc(RpcError { code, message: message.into(), data: None });
            assert_eq!(trouble.again(false).is_some(), again, "{message}");
        };
        check(-32005, "project ID request rate exceeded", true);
        check(429, "too many requests", true);
        check(-32005, "query returned more than 10000 results", false);
        check(-32005, "exceed maximum block range: 5000", false);
        check(-32602, "block range too large", false);
    }

    #[test]
    fn a_revert_is_known_by_code_or_data() {
        let check = |code, message: &str, data: Value, expected: bool| {
            let error = RpcError { code, message: message.into(), data: Some(data).filter(|data| !data.is_null()) };
            assert_eq!(error.is_revert(), expected, "{error:?}");
        };
        check(3, "execution reverted", Value::Null, true);
        check(-32000, "execution reverted", json!("0x08c379a0"), true);
        check(-32000, "execution reverted", json!("0x"), true);
        check(-32015, "vm error", json!("Reverted 0x08c379a0"), true);
        check(-32603, "error", json!({ "data": "0xd93c0665" }), true);
        check(-32000, "execution reverted", Value::Null, false);
        check(-32000, "out of gas", json!("text"), false);
        check(-32601, "method not found", Value::Null, false);
    }
}
