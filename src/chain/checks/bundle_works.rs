//! Whether the calls of a bundle would succeed: one after the other where enough endpoints simulate that, else each by
//! itself, which is said. Judges no call's right to be made.

use std::collections::BTreeMap;

use crate::chain::bundle::{Call, inner, schedules};
use crate::chain::finding::Finding;
use crate::chain::revert;
use crate::chain::sequence::Made;
use crate::chain::text::brief;
use crate::chain::together::{both, together};
use crate::chain::view::{Simulated, Subject, View, with};

/// A call with the number of the transaction that it belongs to.
pub(super) type Numbered = (usize, Call);

/// What came of simulating calls.
pub(super) struct Works {
    pub(super) how: How,
    /// The first problem of each transaction that has one.
    pub(super) problems: BTreeMap<usize, Finding>,
}

/// How calls were simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// There is one, or none: nothing comes before it.
    Alone,
    InSequence,
    /// Too few endpoints simulate a sequence.
    Apart,
}

impl How {
    /// As an observation has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::InSequence => "one after the other",
            Self::Apart => "each by itself",
        }
    }

    /// As the message of a bundle that would work goes on.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Alone => "",
            Self::InSequence => ", one after the other, each seeing what those before it did",
            Self::Apart => {
                ", each by itself: they do not see one another, since too few endpoints simulate calls in sequence"
            }
        }
    }
}

/// Simulates the calls of transactions, each given with every call inside it.
pub(super) async fn works(view: &View<'_>, transactions: &[(usize, Vec<Call>)]) -> Works {
    let outer = |(at, calls): &(usize, Vec<Call>)| calls.first().map(|call| (*at, call.clone()));
    let outer: Vec<Numbered> = transactions.iter().filter_map(outer).collect();
    let (sent, opened) = (order(&outer, false), order(&outer, true));
    if sent.len() > 1 || opened.len() > 1 {
        // Whoever carries calls may swallow that they fail, so they are made by themselves, too.
        let further = if opened == sent { &[][..] } else { &opened };
        match both(in_sequence(view, &sent), in_sequence(view, further)).await {
            (Some(mut problems), Some(more)) => {
                for (at, finding) in more {
                    problems.entry(at).or_insert(finding);
                }
                return Works { how: How::InSequence, problems };
            }
            (Some(problems), None) | (None, Some(problems)) if !problems.is_empty() => {
                return Works { how: How::InSequence, problems };
            }
            (None, _) | (_, None) => {}
        }
    }
    // A delegatecall cannot be simulated by itself; what it carries is.
    let apart = transactions.iter().flat_map(|(at, calls)| calls.iter().map(move |call| (*at, call)));
    let apart: Vec<(usize, &Call)> = apart.filter(|(_, call)| !call.delegate).collect();
    let found = together(apart.iter().map(|(_, call)| by_itself(view, call))).await;
    let mut problems = BTreeMap::new();
    for ((at, _), finding) in apart.iter().zip(found) {
        if let Err(finding) = finding {
            problems.entry(*at).or_insert(finding);
        }
    }
    let how = if apart.len() > 1 { How::Apart } else { How::Alone };
    Works { how, problems }
}

/// The calls in the order in which they happen: what a timelock is told to do later comes after everything else. `open`:
/// what carries calls that it makes itself is replaced by these.
fn order(outer: &[Numbered], open: bool) -> Vec<Numbered> {
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for (at, call) in outer {
        happens(call, open, &mut |call| now.push((*at, call)), &mut |call| later.push((*at, call)));
    }
    now.into_iter().chain(later).collect()
}

fn happens(call: &Call, open: bool, now: &mut dyn FnMut(Call), later: &mut dyn FnMut(Call)) {
    // Whatever is malformed was refused before.
    let inside = inner(call).unwrap_or_default();
    if schedules(&call.data) {
        now(call.clone());
        // What is scheduled by something scheduled happens last of all, and only its order is lost here.
        let mut still_later = Vec::new();
        for call in &inside {
            happens(call, open, later, &mut |call| still_later.push(call));
        }
        still_later.into_iter().for_each(later);
    } else if !inside.is_empty() && (open || call.delegate) {
        for call in &inside {
            happens(call, open, now, later);
        }
    } else {
        now(call.clone());
        for call in &inside {
            happens(call, open, &mut |_| {}, later);
        }
    }
}

/// The first problem of each transaction where its calls are made in this order; `None`: too few endpoints tell.
async fn in_sequence(view: &View<'_>, calls: &[Numbered]) -> Option<BTreeMap<usize, Finding>> {
    let mut problems = BTreeMap::new();
    let Some((first, _)) = calls.first() else { return Some(problems) };
    let made = |(_, Call { from, to, value, data, .. }): &Numbered| Made {
        from: *from,
        to: *to,
        value: *value,
        data: data.clone(),
    };
    let subjects: Vec<Subject> = calls.iter().map(|(_, call)| subject(view, call)).collect();
    let codes = together(subjects.iter().map(|subject| view.code(subject)));
    let (codes, ran) = both(codes, view.in_sequence(calls.iter().map(made).collect())).await;
    let ran = match ran {
        Ok(Some((ran, repeat))) => ran.into_iter().map(move |ran| (ran, repeat.clone())),
        Ok(None) => return None,
        Err(finding) => return Some(BTreeMap::from([(*first, finding)])),
    };
    for (((at, call), code), (ran, repeat)) in calls.iter().zip(codes).zip(ran) {
        if let Err(finding) = code {
            problems.entry(*at).or_insert(finding);
        } else if !ran.succeeded {
            let finding = reverts(view, call, Some(&ran.returned));
            problems.entry(*at).or_insert_with(|| finding.asked(repeat));
        }
    }
    Some(problems)
}

/// Whether a call would succeed at the pinned block, with nothing before it.
async fn by_itself(view: &View<'_>, call: &Call) -> Result<(), Finding> {
    let asked = || view.cast_raw(call.from, call.to, call.value, &call.data);
    match view
        .simulate_paid(Some(call.from), &subject(view, call), call.value, call.data.clone())
        .await
        .map_err(|finding| finding.or_asked(asked()))?
    {
        Simulated::Returned(_) => Ok(()),
        Simulated::Reverted(data) => Err(reverts(view, call, data.as_deref()).asked(asked())),
    }
}

fn subject(view: &View<'_>, call: &Call) -> Subject {
    let name = view.around.contracts().into_iter().find(|known| known.address == call.to).map(|known| known.name);
    Subject { name: name.unwrap_or_else(|| "module".to_owned()), address: call.to }
}

fn reverts(view: &View<'_>, call: &Call, data: Option<&[u8]>) -> Finding {
    let reason = with(&revert::reason(data));
    let selector = brief(call.data.get(..4).unwrap_or_default());
    let (to, from) = (subject(view, call), view.who(call.from));
    Finding::failed(format!("the call {selector} of {to} from {from} reverts {reason}"))
}

#[cfg(test)]
mod tests {
    use ethers::abi::{Token, encode};
    use ethers::types::{Address, U256};

    use super::*;
    use crate::chain::abi::Signature;

    const SAFE: u64 = 1;
    const TIMELOCK: u64 = 2;
    const PAUSE: u64 = 3;

    fn account(number: u64) -> Address {
        Address::from_low_u64_be(number)
    }

    fn call(from: u64, to: u64, data: Vec<u8>) -> Call {
        Call { from: account(from), to: account(to), value: U256::zero(), data, delegate: false }
    }

    fn data(signature: &str, arguments: &[Token]) -> Vec<u8> {
        [Signature::parse(signature).unwrap().selector().as_slice(), &encode(arguments)].concat()
    }

    fn schedule(to: u64, inner: Vec<u8>) -> Vec<u8> {
        let word = || Token::FixedBytes(vec![0; 32]);
        let number = || Token::Uint(U256::zero());
        let arguments = [Token::Address(account(to)), number(), Token::Bytes(inner), word(), word(), number()];
        data("schedule(address,uint256,bytes,bytes32,bytes32,uint256)", &arguments)
    }

    fn through_pause(to: u64, inner: Vec<u8>) -> Vec<u8> {
        data("executeGovernanceCall(address,bytes)", &[Token::Address(account(to)), Token::Bytes(inner)])
    }

    /// Who calls whom, in order: as they are sent, and with everything opened.
    #[track_caller]
    fn check(outer: &[Call], sent: &[(u64, u64)], opened: &[(u64, u64)]) {
        let outer: Vec<Numbered> = (1..).zip(outer.iter().cloned()).collect();
        for (open, expected) in [(false, sent), (true, opened)] {
            let found: Vec<(Address, Address)> =
                order(&outer, open).into_iter().map(|(_, call)| (call.from, call.to)).collect();
            let expected: Vec<(Address, Address)> =
                expected.iter().map(|(from, to)| (account(*from), account(*to))).collect();
            assert_eq!(found, expected, "open: {open}");
        }
    }

    #[test]
    fn calls_happen_in_their_order_and_scheduled_ones_last() {
        let plain = || vec![1, 2, 3, 4];
        check(&[call(SAFE, 8, plain())], &[(SAFE, 8)], &[(SAFE, 8)]);
        let two = [call(SAFE, TIMELOCK, schedule(8, plain())), call(SAFE, 9, plain())];
        let order = [(SAFE, TIMELOCK), (SAFE, 9), (TIMELOCK, 8)];
        check(&two, &order, &order);
        check(&[call(SAFE, PAUSE, through_pause(8, plain()))], &[(SAFE, PAUSE)], &[(PAUSE, 8)]);
        check(
            &[call(SAFE, TIMELOCK, schedule(PAUSE, through_pause(8, plain())))],
            &[(SAFE, TIMELOCK), (TIMELOCK, PAUSE)],
            &[(SAFE, TIMELOCK), (PAUSE, 8)],
        );
        // SystemPause schedules, which the call that makes it do so does itself; what is scheduled comes later.
        check(
            &[call(SAFE, PAUSE, through_pause(TIMELOCK, schedule(8, plain()))), call(SAFE, 9, plain())],
            &[(SAFE, PAUSE), (SAFE, 9), (TIMELOCK, 8)],
            &[(PAUSE, TIMELOCK), (SAFE, 9), (TIMELOCK, 8)],
        );
    }
}
