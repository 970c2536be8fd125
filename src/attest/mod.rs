//! What a journal says of each attempt at a step and each judgement of a gate, as in-toto attestations that other people's
//! tools read and verify. Pure: the same records always give the same bytes. It holds no key and signs nothing.

mod envelope;
mod gate;
mod key;
mod statement;
mod step;

pub use envelope::{Envelope, PAYLOAD_TYPE, Signature, pae};
pub use key::{Key, NAMESPACE};
pub use statement::STATEMENT;
pub use step::STEP;

use std::collections::HashMap;

use crate::event::{Event, HandedIn, StepEnded};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::runbook::StepId;
use statement::Context;

/// One attestation: what it is about, and the bytes of its in-toto Statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Such as `step.3.mission.1`, the first attempt at `3.mission`, or `gate.3.72`, what record 72 says of gate 3.
    pub name: String,
    /// The last record that it tells of.
    pub record: u64,
    pub payload: Vec<u8>,
}

/// All attestations of a run, in the order in which its records began what they are about.
///
/// # Errors
/// Something in a record cannot be written as JSON.
pub fn attestations(entries: &[Entry]) -> anyhow::Result<Vec<Attestation>> {
    let outcomes = outcomes(entries);
    let (mut progress, mut context) = (Progress::default(), Context::default());
    let mut found = Vec::new();
    for entry in entries {
        progress.apply(entry.seq, &entry.event);
        context.apply(&entry.event);
        match &entry.event {
            Event::StepStarted(started) => {
                let outcome = outcomes.get(&(&started.step, started.attempt));
                found.push(step::attest(&context, &progress, entry, started, outcome)?);
            }
            Event::GateJudged(judged) => found.push(gate::attest(&context, &progress, entry, judged)?),
            _ => {}
        }
    }
    Ok(found)
}

/// What became of an attempt, as far as the journal says.
#[derive(Debug, Default)]
struct Outcome<'a> {
    ended: Option<(&'a Entry, &'a StepEnded)>,
    /// A probe's or a person's word about an effect that nobody saw.
    decided: Option<&'a Entry>,
    /// What people handed in for it.
    handed_in: Vec<&'a HandedIn>,
}

fn outcomes(entries: &[Entry]) -> HashMap<(&StepId, u32), Outcome<'_>> {
    let mut outcomes: HashMap<(&StepId, u32), Outcome<'_>> = HashMap::new();
    let mut latest: HashMap<&StepId, u32> = HashMap::new();
    for entry in entries {
        match &entry.event {
            Event::StepStarted(started) => {
                latest.insert(&started.step, started.attempt);
            }
            // A step by hand ends again when a person hands in what shows it: the last word counts.
            Event::StepEnded(ended) => {
                outcomes.entry((&ended.step, ended.attempt)).or_default().ended = Some((entry, ended));
            }
            Event::StepDecided { step, attempt, .. } => {
                outcomes.entry((step, *attempt)).or_default().decided = Some(entry);
            }
            Event::HandedIn(handed_in) => {
                let attempt = latest.get(&handed_in.step).copied().unwrap_or_default();
                outcomes.entry((&handed_in.step, attempt)).or_default().handed_in.push(handed_in);
            }
            _ => {}
        }
    }
    outcomes
}

#[cfg(test)]
mod tests;
