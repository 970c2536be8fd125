//! Operations that wait at a `TimelockController`, or are ready: scheduled by its events and neither executed nor cancelled,
//! each confirmed by `getTimestamp`.

use ethers::abi::Token;
use ethers::types::{H256, U256};
use ethers::utils::keccak256;

use crate::chain::events::Event;
use crate::chain::finding::Finding;
use crate::chain::question::{Answer, Question};
use crate::chain::together::together;
use crate::chain::view::{Subject, View};

const SCHEDULED: &str = "CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)";
const EXECUTED: &str = "CallExecuted(bytes32,uint256,address,uint256,bytes)";
const CANCELLED: &str = "Cancelled(bytes32)";

/// What `getTimestamp` tells of an operation that was executed.
const DONE: u64 = 1;

/// The pending operations of `of`, whose first block is `since`.
pub(super) async fn pending(view: &View<'_>, of: &Subject, since: u64) -> Result<Vec<H256>, Finding> {
    let topics: Vec<H256> = [SCHEDULED, EXECUTED, CANCELLED].map(|event| H256(keccak256(event))).into();
    let again = view.cast_logs(of, SCHEDULED, topics.clone(), since);
    let question = Question::Events { of: of.address, topics, from: since, to: view.block.number };
    let events = match view.one(question).await {
        Answer::Events(events) => events,
        Answer::Unknown(reason) => {
            let message = format!("the operations of {of} could not be read in full: {reason}");
            return Err(Finding::unknown(message).asked(again));
        }
        other => return Err(Finding::unknown(format!("the operations of {of} could not be read: {other}"))),
    };
    let open = open(&events);
    let ask = async |id: &H256| {
        let told =
            view.call(of, "getTimestamp(bytes32)(uint256)", &[Token::FixedBytes(id.as_bytes().to_vec())]).await?;
        Ok::<_, Finding>(told.into_iter().next().and_then(Token::into_uint).unwrap_or_default())
    };
    for (id, told) in open.iter().zip(together(open.iter().map(ask)).await) {
        if told? <= U256::from(DONE) {
            let message =
                format!("by its events operation {id:?} of {of} is pending, but `getTimestamp` says that it is not");
            return Err(Finding::failed(message).asked(again));
        }
    }
    Ok(open)
}

/// What was scheduled last and not ended since, in the order of scheduling.
fn open(events: &[Event]) -> Vec<H256> {
    let scheduled = H256(keccak256(SCHEDULED));
    let mut open: Vec<H256> = Vec::new();
    for event in events {
        let [kind, id, ..] = event.topics.as_slice() else { continue };
        if *kind != scheduled {
            open.retain(|other| other != id);
        } else if !open.contains(id) {
            open.push(*id);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_not_pending() {
        let event = |kind: &str, id: u8| Event {
            block: 1,
            index: 0,
            block_hash: H256::zero(),
            transaction: H256::zero(),
            topics: vec![H256(keccak256(kind)), H256::repeat_byte(id)],
            data: vec![],
        };
        let check = |events: &[(&str, u8)], expected: &[u8]| {
            let events: Vec<Event> = events.iter().map(|(kind, id)| event(kind, *id)).collect();
            let expected: Vec<H256> = expected.iter().map(|id| H256::repeat_byte(*id)).collect();
            assert_eq!(open(&events), expected);
        };
        check(&[], &[]);
        check(&[(SCHEDULED, 1), (SCHEDULED, 1), (SCHEDULED, 2)], &[1, 2]);
        check(&[(SCHEDULED, 1), (EXECUTED, 1)], &[]);
        check(&[(SCHEDULED, 1), (CANCELLED, 1), (SCHEDULED, 1)], &[1]);
        check(&[(SCHEDULED, 1), (EXECUTED, 2)], &[1]);
    }
}
