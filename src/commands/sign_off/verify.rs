//! Verifies every signature that a run counts, offline: from the run's files and the runbook's keys alone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::run::{OfRun, rendered};
use crate::engine::accounts;
use crate::engine::opening::Openings;
use crate::error::ExitCode;
use crate::event::{Event, SignOffRequested};
use crate::signoff::{self, Asked};
use crate::terminal;
use crate::text::Line;

impl OfRun<'_> {
    /// Verifies every signature that the journal counts, from the run's files and the runbook's keys alone.
    pub(super) fn verify(&self) -> ExitCode {
        let view = self.view();
        let mut lines = Vec::new();
        let mut good = true;
        let mut tell = |what: String, answer: Result<(), String>| {
            good &= answer.is_ok();
            let said = answer.map_or_else(|why| format!("does NOT verify: {why}"), |()| "verifies".into());
            lines.push(Line::new(0).plain(format!("{what}  {said}")));
        };
        for (who, proof) in &self.existing.progress.opening.proved {
            tell(format!("opening by {who}"), Openings::of(&view).verify(proof));
        }
        let mut requests = BTreeMap::new();
        for entry in &self.existing.entries {
            match &entry.event {
                Event::SignOffRequested(request) => {
                    requests.insert(request.nonce.clone(), request.clone());
                }
                Event::SignOffAccepted { nonce, who, key, signature, .. } => {
                    let Some(request) = requests.get(nonce) else { continue };
                    tell(format!("gate {} by {who}", request.gate), self.accepted(request, who, key, signature));
                }
                _ => {}
            }
        }
        if lines.is_empty() {
            lines.push(Line::new(0).plain(format!("run {} counts no signature yet", self.existing.run)));
        }
        terminal::data(&rendered(&lines));
        if good { ExitCode::Ok } else { ExitCode::EvidenceBroken }
    }

    fn accepted(&self, request: &SignOffRequested, who: &str, key: &str, signature: &str) -> Result<(), String> {
        let view = self.view();
        let phase = self.context.runbook.phases.iter().find(|phase| phase.id == request.gate);
        let phase = phase.ok_or("the runbook has no such gate any more")?;
        let sign_off = phase.gate.sign_off.as_ref().ok_or("the runbook wants no sign-off of this gate any more")?;
        let judged = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
        let keys = accounts::keys(&view, phase, sign_off, judged.map_or(&[][..], |judged| &judged.results));
        let statement = std::fs::read(self.world.folder.file(&request.statement)).unwrap_or_default();
        let text = signoff::read_signature(&self.world.folder.file(signature))?;
        let asked = Asked::sign_off(request, &statement, signoff::nobody());
        let verified = asked.judge_one(&text, &keys, Timestamp::UNIX_EPOCH).map_err(|why| {
            let by_contract = signoff::is_hex(&text) && text.trim().len() != 132;
            if by_contract { format!("only the contract can say, with `citadel gate verify`: {why}") } else { why }
        })?;
        if verified.who == who && verified.key == key { Ok(()) } else { Err(format!("is by {}", verified.who)) }
    }
}
