//! Waits at a terminal for people to sign: looks at the request's folder, records who signed, says what does not count.
//! The gate itself is judged again afterwards, at a new block.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::opening::LOOK;
use super::{Engine, accounts, signed};
use crate::error::Failure;
use crate::event::{Event, SignOffRequested};
use crate::operator;
use crate::process::Stop;
use crate::runbook::{Phase, PhaseId};
use crate::signoff::{self, Tally};

impl Engine<'_> {
    /// Waits until the gate is worth judging again. `false`: citadel was asked to stop.
    pub(super) async fn waited_for_people(&mut self, gate: &PhaseId) -> Result<bool, Failure> {
        let phase = self.phase(gate)?;
        let request = self.recorder.progress().gates.get(gate).and_then(|gate| gate.request.clone());
        let Some(request) = request else { return Ok(false) };
        self.recorder.activity("");
        operator::show("waiting for signatures; after Ctrl-C the same command takes the run up again");
        let mut told = BTreeSet::new();
        loop {
            let Some(tally) = self.seen(phase, &request) else { return Ok(false) };
            self.record_signed(&request, &tally)?;
            for (file, why) in &tally.refused {
                if told.insert((file.clone(), why.clone())) && why != "is empty" {
                    operator::show(&format!("`{file}` does not count: {why}"));
                }
            }
            if tally.complete() || self.is_for_a_contract(phase, &request) || expired(&request, self.world.clock.now())
            {
                self.recorder.record(Event::AnotherTry { by: "sign-off".into() })?;
                return Ok(true);
            }
            let mut stop = self.world.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop != Stop::No) => return Ok(false),
            }
        }
    }

    /// What the folder holds, by the keys that counted when the gate was judged.
    fn seen(&self, phase: &Phase, request: &SignOffRequested) -> Option<Tally> {
        let view = self.view();
        let judged = view.progress.gates.get(&phase.id)?.judged.as_ref()?;
        let terms = signed::terms(&view, phase, phase.gate.sign_off.as_ref()?, &judged.results).ok()?;
        Some(signed::tally(&view, request, &terms, signoff::no_contracts(), self.world.clock.now()))
    }

    /// Whether a signature came in that only a contract can judge, and that the gate has not asked it about yet.
    fn is_for_a_contract(&mut self, phase: &Phase, request: &SignOffRequested) -> bool {
        let asked: BTreeSet<String> = accounts::asks(&self.view(), phase)
            .into_iter()
            .filter(|check| check.id.starts_with("signature "))
            .map(|check| format!("{} {:?}", request.nonce, check.kind))
            .collect();
        let new = asked.iter().any(|one| !self.asked_contracts.contains(one));
        self.asked_contracts.extend(asked);
        new
    }
}

fn expired(request: &SignOffRequested, now: Timestamp) -> bool {
    request.expires.parse::<Timestamp>().is_ok_and(|expires| expires <= now)
}
