//! Who holds which role of an `OpenZeppelin` `AccessControl`, from every `RoleGranted` and `RoleRevoked` since the contract's
//! first block, each confirmed by `hasRole`. Only what was read in full is told; otherwise absence is not proven, and says so.

use std::collections::{BTreeMap, BTreeSet};

use ethers::abi::Token;
use ethers::types::{Address, H256};
use ethers::utils::keccak256;

use crate::chain::abi::Signature;
use crate::chain::events::Event;
use crate::chain::finding::Finding;
use crate::chain::question::{Answer, Question};
use crate::chain::text::count;
use crate::chain::together::together;
use crate::chain::view::{Subject, View};

const GRANTED: &str = "RoleGranted(bytes32,address,address)";
const REVOKED: &str = "RoleRevoked(bytes32,address,address)";

/// Beyond this many grants nobody asks for each.
const MOST: usize = 1000;

/// Who holds each role, and how that is known.
pub(super) struct Holders {
    by_role: BTreeMap<H256, BTreeSet<Address>>,
    events: usize,
    since: u64,
    /// Whether no node remembers that the contract was not there before.
    first_block_is_told: bool,
}

impl Holders {
    /// The holders of a role; nobody else holds it.
    pub(super) fn of(&self, role: H256) -> Vec<Address> {
        self.by_role.get(&role).into_iter().flatten().copied().collect()
    }

    /// How it is known, for a message.
    pub(super) fn words(&self) -> String {
        let told = if self.first_block_is_told {
            "; that it is no older is the runbook's word, since no endpoint has the state of that block"
        } else {
            ""
        };
        format!("proven from {} since block {}{told}", count(self.events, "event"), self.since)
    }
}

/// The holders of every role of `of`, whose first block is `since`.
pub(super) async fn holders(view: &View<'_>, of: &Subject, since: u64) -> Result<Holders, Finding> {
    if since > view.block.number {
        let message = format!("absence not proven: `since` is block {since}, later than the block that is read");
        return Err(Finding::unknown(message));
    }
    let topics = vec![topic(GRANTED), topic(REVOKED)];
    let again = || view.cast_logs(of, GRANTED, topics.clone(), since);
    let mut questions =
        vec![Question::Events { of: of.address, topics: topics.clone(), from: since, to: view.block.number }];
    questions.extend(since.checked_sub(1).map(|before| Question::CodeAt(of.address, before)));
    let mut answers = view.several(questions).await.into_iter();
    let events = answers.next().unwrap_or_else(|| Answer::Unknown("it was not asked".to_owned()));
    let first_block_is_told = match answers.next() {
        None => false,
        Some(Answer::Bytes(code)) if code.is_empty() => false,
        Some(Answer::Bytes(_)) => {
            let message =
                format!("absence not proven: {of} has code before block {since}, where `since` says it began");
            return Err(Finding::failed(message).hint("set `since` to the block that the contract was deployed in"));
        }
        Some(_) => true,
    };
    let events = match events {
        Answer::Events(events) => events,
        other => {
            let why = if let Answer::Unknown(reason) = other { reason } else { other.to_string() };
            let message = format!("absence not proven: the role events of {of} could not be read in full: {why}");
            return Err(Finding::unknown(message).asked(again()));
        }
    };
    let told = replayed(&events).ok_or_else(|| {
        Finding::unknown(format!("absence not proven: {of} logs role events that are not OpenZeppelin's"))
            .asked(again())
    })?;
    if told.is_empty() {
        let message =
            format!("absence not proven: {of} granted no role since block {since}, so that it is not its first");
        return Err(Finding::unknown(message).asked(again()));
    }
    confirmed(view, of, &told).await?;
    let mut by_role: BTreeMap<H256, BTreeSet<Address>> = BTreeMap::new();
    for ((role, who), _) in told.into_iter().filter(|(_, holds)| *holds) {
        by_role.entry(role).or_default().insert(who);
    }
    Ok(Holders { by_role, events: events.len(), since, first_block_is_told })
}

fn topic(event: &str) -> H256 {
    H256(keccak256(event))
}

/// Each account that ever had a role, and whether it has it after the last event; none where an event has another shape.
fn replayed(events: &[Event]) -> Option<BTreeMap<(H256, Address), bool>> {
    let mut told = BTreeMap::new();
    for event in events {
        let [kind, role, who, _sender] = event.topics.as_slice() else { return None };
        if !event.data.is_empty() || who[..12].iter().any(|byte| *byte != 0) {
            return None;
        }
        told.insert((*role, Address::from_slice(&who[12..])), *kind == topic(GRANTED));
    }
    Some(told)
}

/// The contract must say the same as its events, or one of them lies.
async fn confirmed(view: &View<'_>, of: &Subject, told: &BTreeMap<(H256, Address), bool>) -> Result<(), Finding> {
    if told.len() > MOST {
        let message =
            format!("absence not proven: {of} granted roles to more accounts than are asked for, {}", told.len());
        return Err(Finding::unknown(message));
    }
    let signature = Signature::parse("hasRole(bytes32,address)(bool)").map_err(Finding::unknown)?;
    let arguments = |role: &H256, who: &Address| [Token::FixedBytes(role.as_bytes().to_vec()), Token::Address(*who)];
    let ask = async |((role, who), _): (&(H256, Address), &bool)| {
        view.flag(of, "hasRole(bytes32,address)(bool)", &arguments(role, who)).await
    };
    let held = together(told.iter().map(ask)).await;
    for (((role, who), by_events), held) in told.iter().zip(held) {
        if held? != *by_events {
            let (says, does) = if *by_events { ("granted to", "does not hold it") } else { ("taken from", "holds it") };
            let message = format!("by its events role {role:?} of {of} was {says} {0}, but {0} {does}", view.who(*who));
            let again = view.cast_call(None, of.address, &signature, &arguments(role, who));
            return Err(Finding::failed(message).asked(again));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(block: u64, kind: &str, role: u8, who: u8) -> Event {
        let who = H256::from(Address::repeat_byte(who));
        Event {
            block,
            index: 0,
            block_hash: H256::zero(),
            transaction: H256::zero(),
            topics: vec![topic(kind), H256::repeat_byte(role), who, H256::zero()],
            data: vec![],
        }
    }

    #[test]
    fn the_last_event_counts() {
        let check = |events: &[Event], expected: &[(u8, u8, bool)]| {
            let expected = expected
                .iter()
                .map(|(role, who, holds)| ((H256::repeat_byte(*role), Address::repeat_byte(*who)), *holds));
            assert_eq!(replayed(events), Some(expected.collect()));
        };
        check(&[], &[]);
        check(&[event(1, GRANTED, 1, 2)], &[(1, 2, true)]);
        check(&[event(1, GRANTED, 1, 2), event(2, REVOKED, 1, 2)], &[(1, 2, false)]);
        check(
            &[event(1, REVOKED, 1, 2), event(2, GRANTED, 1, 2), event(3, GRANTED, 2, 2)],
            &[(1, 2, true), (2, 2, true)],
        );
        let mut dirty = event(1, GRANTED, 1, 2);
        dirty.topics[2].0[0] = 1;
        assert_eq!(replayed(&[dirty]), None);
        let mut short = event(1, GRANTED, 1, 2);
        short.topics.pop();
        assert_eq!(replayed(&[short]), None);
    }

    #[test]
    fn topics_are_openzeppelins() {
        assert!(format!("{:?}", topic(GRANTED)).starts_with("0x2f878811"));
        assert!(format!("{:?}", topic(REVOKED)).starts_with("0xf6391f5c"));
    }
}
