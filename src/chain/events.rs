//! Events of one contract over many blocks: how they are asked for, and how strictly an answer is read. A block has no
//! hash to pin a range by; the range ends at the pinned block, whose number is proven to have the same hash at the end.

use std::collections::BTreeSet;

use ethers::types::{Address, H256};
use serde_json::{Value, json};

use super::question::{address, bytes, hash, number};
use super::text::{count, hex};

/// The method that answers.
pub(crate) const METHOD: &str = "eth_getLogs";

/// One event, as far as it is judged and compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) block: u64,
    /// Its place in the block.
    pub(crate) index: u64,
    pub(crate) block_hash: H256,
    pub(crate) transaction: H256,
    pub(crate) topics: Vec<H256>,
    pub(crate) data: Vec<u8>,
}

/// The parameters of the question.
pub(crate) fn params(of: Address, topics: &[H256], from: u64, to: u64) -> Value {
    json!([{ "address": of, "topics": [topics], "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}") }])
}

/// The blocks that a question is about; none where the last is before the first.
pub(crate) fn range(params: &Value) -> Option<(u64, u64)> {
    Some((number(&params[0]["fromBlock"])?, number(&params[0]["toBlock"])?)).filter(|(from, to)| from <= to)
}

/// The same question about other blocks.
pub(crate) fn about(params: &Value, from: u64, to: u64) -> Value {
    let mut params = params.clone();
    params[0]["fromBlock"] = json!(format!("{from:#x}"));
    params[0]["toBlock"] = json!(format!("{to:#x}"));
    params
}

/// Reads an answer: only what was asked for may be in it, each once; sorted, since nodes need not sort.
pub(crate) fn read(value: &Value, of: Address, topics: &[H256], from: u64, to: u64) -> Result<Vec<Event>, String> {
    let list = value.as_array().ok_or("malformed answer: not a list of events")?;
    let mut events: Vec<Event> = Vec::with_capacity(list.len());
    for log in list {
        let event = event(log).ok_or("malformed answer: not an event")?;
        let asked = address(&log["address"]) == Some(of)
            && (from..=to).contains(&event.block)
            && event.topics.first().is_some_and(|topic| topics.contains(topic));
        if !asked {
            return Err("malformed answer: an event that was not asked for".to_owned());
        }
        if log["removed"].as_bool() == Some(true) {
            return Err("malformed answer: an event of a block that was replaced".to_owned());
        }
        events.push(event);
    }
    events.sort();
    let places: BTreeSet<(u64, u64)> = events.iter().map(|event| (event.block, event.index)).collect();
    if places.len() != events.len() {
        return Err("malformed answer: an event twice".to_owned());
    }
    let blocks: BTreeSet<(u64, H256)> = events.iter().map(|event| (event.block, event.block_hash)).collect();
    let numbers: BTreeSet<u64> = blocks.iter().map(|(number, _)| *number).collect();
    if blocks.len() == numbers.len() {
        Ok(events)
    } else {
        Err("malformed answer: one block with two hashes".to_owned())
    }
}

fn event(log: &Value) -> Option<Event> {
    Some(Event {
        block: number(&log["blockNumber"])?,
        index: number(&log["logIndex"])?,
        block_hash: hash(&log["blockHash"])?,
        transaction: hash(&log["transactionHash"])?,
        topics: log["topics"].as_array()?.iter().map(hash).collect::<Option<_>>()?,
        data: bytes(&log["data"]).ok()?,
    })
}

/// All events in one text, from which two answers can be told apart.
pub(crate) fn words(events: &[Event]) -> String {
    let all: Vec<u8> = events.iter().flat_map(packed).collect();
    format!("{} {}", count(events.len(), "event"), hex(&ethers::utils::keccak256(all)))
}

fn packed(event: &Event) -> Vec<u8> {
    let mut packed = [event.block.to_be_bytes(), event.index.to_be_bytes()].concat();
    packed.extend(event.block_hash.as_bytes());
    packed.extend(event.transaction.as_bytes());
    packed.extend((event.topics.len() as u64).to_be_bytes());
    packed.extend(event.topics.iter().flat_map(|topic| topic.0));
    packed.extend(&event.data);
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(block: u64, index: u64) -> Value {
        json!({
            "address": Address::repeat_byte(1), "topics": [H256::repeat_byte(2), H256::repeat_byte(3)], "data": "0x",
            "blockNumber": format!("{block:#x}"), "blockHash": H256::from_low_u64_be(block),
            "transactionHash": H256::repeat_byte(4), "logIndex": format!("{index:#x}"), "removed": false,
        })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut log = log(5, 0);
        log[key] = value;
        log
    }

    fn check(logs: &Value, expected: Result<usize, &str>) {
        let read = read(logs, Address::repeat_byte(1), &[H256::repeat_byte(2)], 5, 9);
        match (read, expected) {
            (Ok(events), Ok(number)) => assert_eq!(events.len(), number, "{logs}"),
            (Err(reason), Err(words)) => assert!(reason.contains(words), "{reason}"),
            (read, _) => panic!("{logs}: {read:?}"),
        }
    }

    #[test]
    fn only_what_was_asked_for_is_read() {
        check(&json!([]), Ok(0));
        check(&json!([log(9, 1), log(5, 0), log(9, 0)]), Ok(3));
        check(&json!(null), Err("not a list"));
        check(&json!([{}]), Err("not an event"));
        check(&json!([log(4, 0)]), Err("not asked for"));
        check(&json!([log(10, 0)]), Err("not asked for"));
        check(&json!([log(5, 0), log(5, 0)]), Err("an event twice"));
        check(&json!([with("removed", json!(true))]), Err("was replaced"));
        check(&json!([with("address", json!(Address::repeat_byte(9)))]), Err("not asked for"));
        check(&json!([with("topics", json!([H256::repeat_byte(9)]))]), Err("not asked for"));
        check(&json!([with("topics", json!([]))]), Err("not asked for"));
        check(&json!([with("data", json!("0xz"))]), Err("not an event"));
        check(&json!([log(5, 1), with("blockHash", json!(H256::repeat_byte(8)))]), Err("two hashes"));
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let read = |logs: Value| words(&read(&logs, Address::repeat_byte(1), &[H256::repeat_byte(2)], 5, 9).unwrap());
        let both = read(json!([log(5, 0), log(6, 0)]));
        assert_eq!(both, read(json!([log(6, 0), log(5, 0)])));
        for other in [json!([log(5, 0)]), json!([log(5, 0), log(6, 1)]), json!([log(5, 0), log(7, 0)])] {
            assert_ne!(both, read(other));
        }
        assert_ne!(read(json!([log(5, 0)])), read(json!([with("data", json!("0x01"))])));
    }
}
