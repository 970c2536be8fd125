//! Hands a signature in: it is checked against everything that is asked for, and stored only if it counts.

use super::run::{OfRun, input};
use crate::engine::signed;
use crate::error::{ExitCode, Failure};
use crate::journal::{RunFolder, write_file};
use crate::runbook::SignerKey;
use crate::signoff::{self, Asked};
use crate::terminal;

/// A request that is open, with the keys that count.
struct Open<'a> {
    what: String,
    asked: Asked<'a>,
    keys: Vec<SignerKey>,
    folder: String,
}

impl OfRun<'_> {
    /// Checks a signature against every open request before it stores it.
    pub(super) fn add(&self, file: &str) -> Result<ExitCode, Failure> {
        self.existing.refuse_handed_over()?;
        let text = input(file)?;
        let mut refused = Vec::new();
        let statements = self.statements();
        let terms = self.terms();
        for open in self.open(&statements, &terms) {
            match open.asked.judge_one(&text, &open.keys, self.world.clock.now()) {
                Ok(verified) => return self.store(&open, &verified.who, &text),
                Err(why) => refused.push(format!("{}: {why}", open.what)),
            }
        }
        if refused.is_empty() {
            return Err(self.nothing("anything"));
        }
        let mut hint = format!("`citadel sign-off show --network {}` shows what to sign and how", self.world.network);
        if signoff::is_hex(&text) {
            hint += "; what only a contract can judge is put into the folder shown there, as `NAME.sig`";
        }
        let mut failure =
            Failure::new(ExitCode::EvidenceBroken, "the signature does not count; it was not stored").hint(hint);
        failure.details = refused;
        Err(failure)
    }

    fn store(&self, open: &Open<'_>, who: &str, text: &str) -> Result<ExitCode, Failure> {
        let folder = self.world.folder.file(&open.folder);
        let before = signoff::judge(&open.asked, &folder, &open.keys, self.world.clock.now());
        if before.accepted.iter().any(|accepted| accepted.who == who) {
            return Err(Failure::new(ExitCode::EvidenceBroken, format!("`{who}` already signed {}", open.what))
                .hint("people are counted, not keys or signatures: nothing was stored"));
        }
        write_file(&folder.join(format!("{}.sig", signoff::file_name(who))), text.as_bytes())?;
        let now = signoff::judge(&open.asked, &folder, &open.keys, self.world.clock.now());
        let network = &self.world.network;
        let next = if now.complete() {
            format!("complete; a citadel that waits goes on, or `citadel run --network {network}`")
        } else {
            format!("{} of {} signed", now.accepted.len(), open.asked.threshold)
        };
        terminal::data(&format!("{who} signed {}: {next}\n", open.what));
        Ok(ExitCode::Ok)
    }

    /// The bytes of all statements, in the order of `open`.
    fn statements(&self) -> Vec<Vec<u8>> {
        let opening = self.opening().map(|request| &request.statement);
        let all = opening.into_iter().chain(self.requests().map(|(_, request)| &request.statement));
        all.map(|path| std::fs::read(self.world.folder.file(path)).unwrap_or_default()).collect()
    }

    /// Who counts for each gate that was asked for.
    fn terms(&self) -> Vec<signed::Terms> {
        let view = self.view();
        self.requests()
            .map(|(phase, _)| {
                let gate = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
                let results = gate.map_or(&[][..], |judged| &judged.results);
                let none = || signed::Terms { keys: Vec::new(), excluded: std::collections::BTreeMap::new() };
                let sign_off = phase.gate.sign_off.as_ref();
                sign_off.and_then(|of| signed::terms(&view, phase, of, results).ok()).unwrap_or_else(none)
            })
            .collect()
    }

    fn open<'a>(&'a self, statements: &'a [Vec<u8>], terms: &'a [signed::Terms]) -> Vec<Open<'a>> {
        let mut statements = statements.iter();
        let mut open = Vec::new();
        if let (Some(request), Some(statement)) = (self.opening(), self.opening().and_then(|_| statements.next())) {
            open.push(Open {
                what: "the opening".into(),
                asked: Asked::opening(request, statement),
                keys: self.view().keys_of(&request.operator),
                folder: RunFolder::opening(&request.nonce),
            });
        }
        for (((phase, request), statement), terms) in self.requests().zip(statements).zip(terms) {
            if self.existing.progress.gate_passed(&phase.id) {
                continue;
            }
            open.push(Open {
                what: format!("gate {}", phase.id),
                asked: Asked::sign_off(request, statement, &terms.excluded),
                keys: terms.keys.clone(),
                folder: RunFolder::sign_off(&request.gate.0, &request.nonce),
            });
        }
        open
    }
}
