//! Between which points of the outside world a run's records were written: a block's hash cannot be known before the
//! block, and what people noted down or signed cannot have been written after that.

use serde::Serialize;

use super::Notes;
use crate::event::{BlockRef, Event, RunOpened};
use crate::journal::Entry;

/// How far a block's time may be ahead of a record's, in seconds: clocks differ.
const SLACK: i64 = 120;

/// What bounds the time of a run's records.
#[derive(Debug, Default, Serialize)]
pub struct Bracket {
    /// The newest finalized block that a record names: that record and all behind it were written after the block.
    pub not_before: Option<Named>,
    /// The record whose hash was noted down: it and all before it were written before that.
    pub noted_down: Option<u64>,
    /// The last record that a statement names which somebody signed.
    pub signed: Option<Signed>,
}

/// A block, and the first record that names it.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub record: u64,
    pub block: BlockRef,
}

/// A record that is bound by a person's signature.
#[derive(Debug, Clone, Serialize)]
pub struct Signed {
    pub record: u64,
    pub gate: String,
    pub who: String,
}

/// The blocks that a record names of the run's own network, the finalized one last.
fn blocks<'a>(run: &RunOpened, event: &'a Event) -> (Option<&'a BlockRef>, Option<&'a BlockRef>) {
    match event {
        Event::StepStarted(started) => (started.after_block.as_ref(), started.finalized.as_ref()),
        Event::StepEnded(ended) => (None, ended.finalized.as_ref()),
        Event::GateJudged(judged) if judged.network == run.network => {
            (judged.block.as_ref(), judged.finalized.as_ref())
        }
        _ => (None, None),
    }
}

/// What bounds the records; also notes those whose own time contradicts the block that they name.
pub(super) fn of(run: &RunOpened, entries: &[Entry], noted_down: Option<u64>, notes: &mut Notes) -> Bracket {
    let mut bracket = Bracket { noted_down, ..Bracket::default() };
    // On a dev chain, time is what its operator sets.
    let own_time = entries.iter().any(|entry| matches!(entry.event, Event::DevChainStarted { .. }));
    let mut requested = None;
    for entry in entries {
        let (block, finalized) = blocks(run, &entry.event);
        for block in block.into_iter().chain(finalized) {
            let time = i64::try_from(block.time).unwrap_or(i64::MAX);
            if !own_time && time > entry.time.as_second().saturating_add(SLACK) {
                let when = jiff::Timestamp::from_second(time).map_or_else(|_| "never".into(), |time| time.to_string());
                notes.wrong(
                    entry.seq,
                    format!("is of {}, and names block {}, which is of {when}", entry.time, block.number),
                );
            }
        }
        let newest = bracket.not_before.as_ref().map(|named| named.block.number);
        if let Some(block) = finalized.filter(|block| newest.is_none_or(|newest| block.number > newest)) {
            bracket.not_before = Some(Named { record: entry.seq, block: block.clone() });
        }
        match &entry.event {
            Event::SignOffRequested(request) => requested = Some(request),
            Event::SignOffAccepted { gate, nonce, who, .. } => {
                let record =
                    requested.filter(|request| request.nonce == *nonce).map(|request| request.journal_sequence);
                let signed = record.map(|record| Signed { record, gate: gate.0.clone(), who: who.clone() });
                bracket.signed = signed.or(bracket.signed);
            }
            _ => {}
        }
    }
    bracket
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{GateJudged, StepStarted};
    use crate::report::fixture;
    use crate::verdict::Verdict;

    /// Time of the fixture's first record.
    const BEGAN: u64 = 1_795_376_405;

    fn block(number: u64, time: u64) -> BlockRef {
        BlockRef { number, hash: format!("0x{number:064x}"), time }
    }

    fn judged_at(finalized: Option<BlockRef>, block: BlockRef) -> Event {
        let Event::GateJudged(judged) = fixture::judged("1", Verdict::Passed, Vec::new()) else { unreachable!() };
        Event::GateJudged(GateJudged { finalized, block: Some(block), ..judged })
    }

    fn started_at(finalized: BlockRef) -> Event {
        let Event::StepStarted(started) = fixture::started("1.atlas", 1) else { unreachable!() };
        Event::StepStarted(StepStarted { finalized: Some(finalized), ..started })
    }

    /// Where the bracket begins, and which records contradict themselves.
    fn check(events: Vec<Event>, not_before: Option<(u64, u64)>, wrong: &[u64]) {
        let mut notes = Notes::default();
        let bracket = of(&fixture::opened(), &fixture::entries(events), None, &mut notes);
        assert_eq!(bracket.not_before.map(|named| (named.record, named.block.number)), not_before);
        let records: Vec<u64> = notes.problems.iter().filter_map(|problem| problem.record).collect();
        assert_eq!(records, wrong, "{:?}", notes.problems);
    }

    #[test]
    fn a_record_is_not_older_than_a_block_that_it_names() {
        let opened = || Event::RunOpened(fixture::opened());
        check(vec![opened()], None, &[]);
        check(vec![opened(), started_at(block(90, BEGAN - 900))], Some((2, 90)), &[]);
        let later = judged_at(Some(block(95, BEGAN - 5)), block(99, BEGAN));
        check(vec![opened(), started_at(block(90, BEGAN - 900)), later.clone(), later], Some((3, 95)), &[]);
        check(vec![opened(), judged_at(None, block(99, BEGAN + 121))], None, &[]);
        check(vec![opened(), judged_at(None, block(99, BEGAN + 122))], None, &[2]);
        let set_back = judged_at(Some(block(95, BEGAN + 86_400)), block(99, BEGAN + 87_000));
        check(vec![opened(), set_back.clone()], Some((2, 95)), &[2, 2]);
        let chain = Event::DevChainStarted { url: String::new(), pid: 1, start_time: 1, kept: false };
        check(vec![opened(), chain, set_back], Some((3, 95)), &[]);
    }

    #[test]
    fn a_signature_binds_the_record_that_its_statement_names() {
        let mut notes = Notes::default();
        let bracket = of(&fixture::opened(), &fixture::entries(fixture::events()), Some(7), &mut notes);
        let signed = bracket.signed.unwrap();
        assert_eq!((signed.record, signed.gate.as_str(), signed.who.as_str()), (8, "1", "signer-2"));
        assert_eq!(bracket.noted_down, Some(7));
    }
}
