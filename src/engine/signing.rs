//! Sign-offs: asks people to sign exactly what a gate saw, and counts who did. citadel signs nothing; on a dev chain it
//! calls the practice workspace, which has keys of its own.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;

use super::judge::Judgement;
use super::watch::ActivityWatcher;
use super::world::View;
use super::{Engine, dev_chain};
use crate::digest::sha256;
use crate::error::Failure;
use crate::event::{Event, SignOffRequested};
use crate::journal::{RunFolder, create_folder, write_file};
use crate::process;
use crate::runbook::{Phase, SignOff};
use crate::signoff::{self, CoveredArtefact, JournalPoint, Statement, Tally, Witnessed};
use crate::verdict::{CheckResult, Verdict};

const ID: &str = "sign-off";

impl Engine<'_> {
    /// The gate's sign-off as a result: passed, waiting for people, or unknown.
    pub(super) async fn sign_off(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
    ) -> Result<CheckResult, Failure> {
        if let Some(unknown) = unknown_operator(&self.view(), phase, sign_off) {
            return Ok(unknown);
        }
        let request = match self.standing_request(phase, sign_off, judgement) {
            Some(request) => request,
            None => self.request(phase, sign_off, judgement)?,
        };
        let mut tally = tally(&self.view(), phase, sign_off, &request, Timestamp::now());
        let signs = self.view().network(phase).dev_chain.as_ref().is_some_and(|chain| chain.sign.is_some());
        if !tally.complete() && signs {
            self.practice_signs(phase, &request).await?;
            tally = self::tally(&self.view(), phase, sign_off, &request, Timestamp::now());
        }
        for accepted in &tally.accepted {
            let known = self.recorder.progress().gates.get(&phase.id);
            if known.and_then(|gate| gate.signed.get(&accepted.who)) != Some(&accepted.key) {
                let (gate, nonce) = (phase.id.clone(), request.nonce.clone());
                let signature = format!("{}/{}", folder_of(&request), accepted.file);
                let (who, key) = (accepted.who.clone(), accepted.key.clone());
                self.recorder.record(Event::SignOffAccepted { gate, nonce, who, key, signature })?;
            }
        }
        Ok(result(&self.view(), &request, &tally))
    }

    /// The request that people may already be signing, if it still says what the gate sees now.
    fn standing_request(&self, phase: &Phase, sign_off: &SignOff, judgement: &Judgement) -> Option<SignOffRequested> {
        let request = self.recorder.progress().gates.get(&phase.id)?.request.clone()?;
        let expires: Timestamp = request.expires.parse().ok()?;
        let point = JournalPoint { sequence: request.journal_sequence, hash: request.journal_hash.clone() };
        let statement = self.statement(phase, sign_off, judgement, &request.nonce, point, expires)?;
        (expires > Timestamp::now() && sha256(&statement.bytes()) == request.sha256).then_some(request)
    }

    fn request(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
    ) -> Result<SignOffRequested, Failure> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        let nonce = format!("{:032x}", u128::from_be_bytes(random));
        let age = jiff::SignedDuration::try_from(sign_off.max_age).context("`max_age` is too long")?;
        let expires = Timestamp::now() + age;
        let (hash, sequence) = self.recorder.head();
        let point = JournalPoint { sequence, hash: hash.to_owned() };
        let statement = self
            .statement(phase, sign_off, judgement, &nonce, point.clone(), expires)
            .context("the sign-off covers an artefact that was not kept")?;
        let bytes = statement.bytes();
        let folder = RunFolder::sign_off(&phase.id.0, &nonce);
        let path = format!("{folder}/statement.txt");
        create_folder(&self.world.folder.file(&folder))?;
        write_file(&self.world.folder.file(&path), &bytes)?;
        let mut signers: Vec<String> =
            self.view().signers(self.view().network(phase), sign_off).into_iter().map(|key| key.who).collect();
        signers.dedup();
        let request = SignOffRequested {
            gate: phase.id.clone(),
            nonce,
            statement: path,
            sha256: sha256(&bytes),
            expires: expires.to_string(),
            threshold: sign_off.threshold,
            signers,
            journal_sequence: point.sequence,
            journal_hash: point.hash,
        };
        self.recorder.record(Event::SignOffRequested(request.clone()))?;
        Ok(request)
    }

    fn statement(
        &self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
        nonce: &str,
        journal: JournalPoint,
        expires: Timestamp,
    ) -> Option<Statement> {
        let view = self.view();
        let network = view.network(phase);
        let run = view.progress.run.as_ref()?;
        let artefacts = sign_off.covers.iter().map(|name| {
            let artefact = view.progress.artefacts.get(name)?;
            Some(CoveredArtefact { name: name.clone(), sha256: artefact.sha256.clone() })
        });
        let scope = view.scope(network);
        Some(Statement {
            runbook: run.runbook.clone(),
            runbook_sha256: self.runbook.sha256.clone(),
            run: run.run.clone(),
            nonce: nonce.to_owned(),
            network: network.name.clone(),
            chain_id: network.chain_id,
            genesis: judgement.reading.as_ref().and_then(|reading| reading.genesis).map(|hash| format!("{hash:#x}")),
            gate: phase.id.0.clone(),
            statement: sign_off.statement.render(&scope).ok()?,
            commit: run.commit.clone(),
            artefacts: artefacts.collect::<Option<Vec<_>>>()?,
            checks: judgement.results.iter().map(Witnessed::from).collect(),
            journal,
            expires,
        })
    }

    async fn practice_signs(&mut self, phase: &Phase, request: &SignOffRequested) -> Result<(), Failure> {
        let Some(chain) = self.view().network(phase).dev_chain.clone() else { return Ok(()) };
        let Some(target) = &chain.sign else { return Ok(()) };
        let statement = self.world.folder.file(&request.statement);
        let folder = self.world.folder.file(&folder_of(request));
        let env = [
            ("SIGN_OFF_STATEMENT".to_owned(), statement.display().to_string()),
            ("SIGN_OFF_FOLDER".to_owned(), folder.display().to_string()),
        ];
        let command = dev_chain::make(self.runbook, &self.world, &chain, target, env, Duration::from_mins(1));
        let mut watcher = ActivityWatcher { recorder: &mut self.recorder, what: "practice signs" };
        // Whether anybody signed shows in the folder, not in the exit code.
        process::run(&command, &self.world.mask, self.world.stop.clone(), &mut watcher).await?;
        Ok(())
    }
}

/// The sign-off of a gate that was opened before, judged again: the statement as it was signed then.
pub fn standing(view: &View<'_>, phase: &Phase, sign_off: &SignOff) -> CheckResult {
    if let Some(unknown) = unknown_operator(view, phase, sign_off) {
        return unknown;
    }
    let Some(request) = view.progress.gates.get(&phase.id).and_then(|gate| gate.request.as_ref()) else {
        return waiting("nobody was asked to sign yet")
            .hint(format!("`citadel run --phase {} --network {}`", phase.id, view.world.network));
    };
    let opened = view.progress.gate_passed(&phase.id);
    // What was complete when the gate opened does not expire afterwards.
    let now = if opened { Timestamp::UNIX_EPOCH } else { Timestamp::now() };
    let kept = view.kept(view.network(phase));
    if let Some(problem) = sign_off.covers.iter().find_map(|name| kept.read(name).err()) {
        let again = format!("put it back, or `citadel run --phase {} --network {}`", phase.id, view.world.network);
        return CheckResult::failed(ID, ID, format!("what was signed is no longer there: {problem}")).hint(again);
    }
    result(view, request, &tally(view, phase, sign_off, request, now))
}

fn tally(view: &View<'_>, phase: &Phase, sign_off: &SignOff, request: &SignOffRequested, now: Timestamp) -> Tally {
    let statement = std::fs::read(view.world.folder.file(&request.statement)).unwrap_or_default();
    let keys = view.signers(view.network(phase), sign_off);
    let operator = view.progress.run.as_ref().map_or("", |run| run.operator.as_str());
    let folder = view.world.folder.file(&folder_of(request));
    signoff::judge(request, &statement, &folder, &keys, operator, sign_off.not_operator, now)
}

/// Where the rule that operators do not sign for themselves means nothing, because nobody proved who operates.
fn unknown_operator(view: &View<'_>, phase: &Phase, sign_off: &SignOff) -> Option<CheckResult> {
    let network = view.network(phase);
    (sign_off.not_operator && network.dev_chain.is_none()).then(|| {
        let message = "who operates this run is not proved by a signature, so that `not_operator` cannot be judged";
        CheckResult::unknown(ID, ID, message)
            .expected("an opening signature by one of the network's `operators`")
            .hint("this citadel cannot take opening signatures yet: the gate stays closed on this network")
    })
}

fn result(view: &View<'_>, request: &SignOffRequested, tally: &Tally) -> CheckResult {
    let who: Vec<&str> = tally.accepted.iter().map(|accepted| accepted.who.as_str()).collect();
    let observed = serde_json::json!({
        "accepted": tally.accepted,
        "refused": tally.refused,
        "statement_sha256": request.sha256,
        "expires": request.expires,
    });
    let expected = format!("{} of {}", request.threshold, request.signers.join(", "));
    if tally.complete() {
        let message = format!("signed by {}", who.join(", "));
        return CheckResult::passed(ID, ID, message).expected(expected).observed(observed);
    }
    let refused: Vec<String> = tally.refused.iter().map(|(file, why)| format!("`{file}`: {why}")).collect();
    let also = if refused.is_empty() { String::new() } else { format!("; refused: {}", refused.join("; ")) };
    let message = format!("{} of {} people signed{also}", tally.accepted.len(), request.threshold);
    let again = format!("citadel run --phase {} --network {}", request.gate, view.world.network);
    let missing: Vec<String> =
        request.signers.iter().filter(|signer| !who.contains(&signer.as_str())).cloned().collect();
    let commands = signoff::commands(&view.world.folder.file(&request.statement), &missing, &again);
    waiting(message).expected(expected).observed(observed).hint(commands.join("\n"))
}

fn waiting(message: impl Into<String>) -> CheckResult {
    CheckResult { verdict: Verdict::Waiting, ..CheckResult::unknown(ID, ID, message) }
}

fn folder_of(request: &SignOffRequested) -> String {
    RunFolder::sign_off(&request.gate.0, &request.nonce)
}
