//! `operation`: where an operation of a `TimelockController` stands at the pinned block: unset, waiting, ready or done.
//! Reads `getTimestamp` alone, which versions 4 and 5 share, and the block's own time.

use ethers::abi::Token;
use ethers::types::{H256, U256};
use serde_json::json;

use crate::chain::abi::Signature;
use crate::chain::finding::{Finding, Judged};
use crate::chain::view::View;
use crate::runbook::{OperationState, Template};

pub(super) async fn judge(view: &View<'_>, of: &str, id: &Template, is: &[OperationState]) -> Judged {
    let (timelock, _) = view.contract(of)?;
    let text = id.render(view.around.scope()).map_err(|name| Finding::unknown(format!("`{name}` has no value yet")))?;
    let id: H256 = text.parse().map_err(|_| Finding::unknown(format!("`{text}` is no operation id of 32 bytes")))?;
    let told =
        view.call(&timelock, "getTimestamp(bytes32)(uint256)", &[Token::FixedBytes(id.as_bytes().to_vec())]).await?;
    let since = told.into_iter().next().and_then(Token::into_uint).unwrap_or_default();
    let state = state(since, view.block.time);
    let words: Vec<&str> = is.iter().map(|state| word(*state)).collect();
    let message = format!("operation {id:?} of {timelock} is {} at block {}", word(state), view.block.number);
    let finding = Finding::if_true(is.contains(&state), &message, format!("{message}, not {}", words.join(" or ")));
    let observed = json!({ "id": id, "state": word(state), "timestamp": since.to_string() });
    let signature = Signature::parse("getTimestamp(bytes32)(uint256)").map_err(Finding::unknown)?;
    let again = view.cast_call(None, timelock.address, &signature, &[Token::FixedBytes(id.as_bytes().to_vec())]);
    Ok(finding.expected(words.join(" or ")).observed(observed).or_asked(again))
}

/// The contract keeps 0 for what it does not know, 1 for what is done, else when it may be executed.
fn state(timestamp: U256, now: u64) -> OperationState {
    match timestamp {
        none if none.is_zero() => OperationState::Unset,
        one if one == U256::one() => OperationState::Done,
        later if later > U256::from(now) => OperationState::Waiting,
        _ => OperationState::Ready,
    }
}

fn word(state: OperationState) -> &'static str {
    match state {
        OperationState::Unset => "unset",
        OperationState::Waiting => "waiting",
        OperationState::Ready => "ready",
        OperationState::Done => "done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_tells_the_state() {
        let check = |timestamp: u64, now, expected| assert_eq!(state(timestamp.into(), now), expected, "{timestamp}");
        check(0, 100, OperationState::Unset);
        check(1, 100, OperationState::Done);
        check(101, 100, OperationState::Waiting);
        check(100, 100, OperationState::Ready);
        check(2, 100, OperationState::Ready);
    }
}
