//! Verifies every signature that a run counts, offline: from the run's files and the runbook's keys alone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::run::{OfRun, rendered};
use crate::engine::accounts;
use crate::engine::opening::Openings;
use crate::engine::world::View;
use crate::error::ExitCode;
use crate::event::{Event, SignOffRequested};
use crate::journal::Entry;
use crate::signoff::{self, Asked};
use crate::terminal;
use crate::text::Line;

/// What the answer begins with where a signature is by a contract, which only a chain can ask.
pub(in crate::commands) const BY_CONTRACT: &str = "only the contract can say";

impl OfRun<'_> {
    /// Verifies every signature that the journal counts, and says of each whether it does.
    pub(super) fn verify(&self) -> ExitCode {
        let answers = verified(&self.view(), &self.existing.entries);
        let told = |(what, answer): &(String, Result<(), String>)| {
            let said = answer.as_ref().map_or_else(|why| format!("does NOT verify: {why}"), |()| "verifies".into());
            Line::new(0).plain(format!("{what}  {said}"))
        };
        let mut lines: Vec<Line> = answers.iter().map(told).collect();
        if lines.is_empty() {
            lines.push(Line::new(0).plain(format!("run {} counts no signature yet", self.existing.run)));
        }
        terminal::data(&rendered(&lines));
        if answers.iter().all(|(_, answer)| answer.is_ok()) { ExitCode::Ok } else { ExitCode::EvidenceBroken }
    }
}

/// Every signature that the journal counts, with why it does not verify where it does not.
pub(in crate::commands) fn verified(view: &View<'_>, entries: &[Entry]) -> Vec<(String, Result<(), String>)> {
    let proved = view.progress.opening.proved.iter();
    let mut answers: Vec<_> =
        proved.map(|(who, proof)| (format!("opening by {who}"), Openings::of(view).verify(proof))).collect();
    let mut requests = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::SignOffRequested(request) => {
                requests.insert(request.nonce.clone(), request.clone());
            }
            Event::SignOffAccepted { nonce, who, key, signature, .. } => {
                let Some(request) = requests.get(nonce) else { continue };
                let answer = accepted(view, request, who, key, signature);
                answers.push((format!("gate {} by {who}", request.gate), answer));
            }
            _ => {}
        }
    }
    answers
}

fn accepted(view: &View<'_>, request: &SignOffRequested, who: &str, key: &str, signature: &str) -> Result<(), String> {
    let phase = view.runbook.phases.iter().find(|phase| phase.id == request.gate);
    let phase = phase.ok_or("the runbook has no such gate any more")?;
    let sign_off = phase.gate.sign_off.as_ref().ok_or("the runbook wants no sign-off of this gate any more")?;
    let judged = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
    let keys = accounts::keys(view, phase, sign_off, judged.map_or(&[][..], |judged| &judged.results));
    let statement = std::fs::read(view.world.folder.file(&request.statement)).unwrap_or_default();
    let text = signoff::read_signature(&view.world.folder.file(signature))?;
    let asked = Asked::sign_off(request, &statement, signoff::nobody());
    let verified = asked.judge_one(&text, &keys, Timestamp::UNIX_EPOCH).map_err(|why| {
        let by_contract = signoff::is_hex(&text) && text.trim().len() != 132;
        if by_contract { format!("{BY_CONTRACT}, with `citadel gate verify`: {why}") } else { why }
    })?;
    if verified.who == who && verified.key == key { Ok(()) } else { Err(format!("is by {}", verified.who)) }
}
