//! Sign-offs: asks people to sign exactly what a gate saw, and counts who did. citadel signs nothing; on a dev chain it
//! calls the practice workspace, which has keys of its own.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;

use super::accounts::Contracts;
use super::judge::Judgement;
use super::watch::ActivityWatcher;
use super::{Engine, dev_chain, signed};
use crate::digest::sha256;
use crate::error::Failure;
use crate::event::{BlockRef, Event, SignOffRequested};
use crate::journal::{RunFolder, write_file};
use crate::process;
use crate::runbook::{Phase, SignOff};
use crate::signoff::{self, CoveredArtefact, JournalPoint, Statement, Tally, Witnessed};
use crate::verdict::CheckResult;

impl Engine<'_> {
    /// The gate's sign-off as a result: passed, waiting for people, or unknown.
    pub(super) async fn sign_off(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
        contracts: &Contracts,
    ) -> Result<CheckResult, Failure> {
        let terms = match signed::terms(&self.view(), phase, sign_off, &judgement.results) {
            Ok(terms) => terms,
            Err(unknown) => return Ok(*unknown),
        };
        let request = match self.standing_request(phase, sign_off, judgement) {
            Ok(request) => request,
            Err(voids) => self.request(phase, sign_off, judgement, &terms, voids)?,
        };
        let now = self.time_of(phase, judgement);
        let mut tally = signed::tally(&self.view(), &request, &terms, contracts, now);
        let signs = self.view().network(phase).dev_chain.as_ref().is_some_and(|chain| chain.sign.is_some());
        // The practice workspace signs for its own people alone.
        let practice = self.runbook.signers.get(&sign_off.signers).is_some_and(|group| group.dev_chain.is_some());
        if !tally.complete() && signs && practice {
            self.practice_signs(phase, &request).await?;
            tally = signed::tally(&self.view(), &request, &terms, contracts, self.time_of(phase, judgement));
        }
        self.record_signed(&request, &tally)?;
        Ok(signed::result(&self.world.network, &request, &tally))
    }

    /// Records who signed since the last look.
    pub(super) fn record_signed(&mut self, request: &SignOffRequested, tally: &Tally) -> Result<(), Failure> {
        for accepted in &tally.accepted {
            let known = self.recorder.progress().gates.get(&request.gate);
            if known.and_then(|gate| gate.signed.get(&accepted.who)) != Some(&accepted.key) {
                let (gate, nonce) = (request.gate.clone(), request.nonce.clone());
                let signature = format!("{}/{}", signed::folder_of(request), accepted.file);
                let (who, key) = (accepted.who.clone(), accepted.key.clone());
                self.recorder.record(Event::SignOffAccepted { gate, nonce, who, key, signature })?;
            }
        }
        Ok(())
    }

    /// The request that people may already be signing, if it still says what the gate sees now; else why it is void.
    fn standing_request(
        &self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
    ) -> Result<SignOffRequested, Vec<String>> {
        let gate = self.recorder.progress().gates.get(&phase.id);
        let Some(request) = gate.and_then(|gate| gate.request.clone()) else { return Err(Vec::new()) };
        let Ok(expires) = request.expires.parse::<Timestamp>() else {
            return Err(vec![format!("its expiry `{}` is not a time", request.expires)]);
        };
        let point = JournalPoint { sequence: request.journal_sequence, hash: request.journal_hash.clone() };
        let Some(now) = self.statement(phase, sign_off, judgement, &request.nonce, point, expires) else {
            return Err(vec!["an artefact that it covers is no longer kept".to_owned()]);
        };
        let now = now.bytes();
        if sha256(&now) != request.sha256 {
            let before = std::fs::read(self.world.folder.file(&request.statement)).unwrap_or_default();
            return Err(signoff::differences(&before, &now));
        }
        if expires <= self.time_of(phase, judgement) {
            return Err(vec![format!("it expired at {expires}")]);
        }
        Ok(request)
    }

    /// What a request's age is counted by: this machine's clock, and never before the journal or the block that was read.
    fn time_of(&self, phase: &Phase, judgement: &Judgement) -> Timestamp {
        let view = self.view();
        let block = judgement.reading.as_ref().and_then(|reading| reading.block);
        view.now(view.network(phase), block.as_ref())
    }

    fn request(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
        terms: &signed::Terms,
        voids: Vec<String>,
    ) -> Result<SignOffRequested, Failure> {
        let nonce = nonce()?;
        let age = jiff::SignedDuration::try_from(sign_off.max_age).context("`max_age` is too long")?;
        let expires = whole_seconds(self.time_of(phase, judgement) + age);
        let (hash, sequence) = self.recorder.head();
        let point = JournalPoint { sequence, hash: hash.to_owned() };
        let statement = self
            .statement(phase, sign_off, judgement, &nonce, point.clone(), expires)
            .context("the sign-off covers an artefact that was not kept")?;
        let bytes = statement.bytes();
        let folder = RunFolder::sign_off(&phase.id.0, &nonce);
        let path = format!("{folder}/statement.txt");
        let mut signers: Vec<String> = terms.keys.iter().map(|key| key.who.clone()).collect();
        signers.sort();
        signers.dedup();
        let able: Vec<String> = signers.iter().filter(|who| !terms.excluded.contains_key(*who)).cloned().collect();
        let again = format!("citadel run --phase {} --network {}", phase.id, self.world.network);
        self.world.write_request(&folder, &bytes, &able, &terms.keys, &again)?;
        let block = judgement.reading.as_ref().and_then(|reading| reading.block);
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
            block: block.map(|block| BlockRef {
                number: block.number,
                hash: format!("{:#x}", block.hash),
                time: block.time,
            }),
            sentence: statement.statement,
            covers: statement.artefacts.into_iter().map(|artefact| (artefact.name, artefact.sha256)).collect(),
            not: terms.excluded.keys().cloned().collect(),
            ways: signoff::ways(&terms.keys),
            voids,
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
        // Nothing that is started can write where signatures are kept: they are made elsewhere and taken over.
        let made = tempfile::tempdir().context("cannot make a folder for signatures")?;
        let folder = made.path();
        let env = [
            ("SIGN_OFF_STATEMENT".to_owned(), statement.display().to_string()),
            ("SIGN_OFF_FOLDER".to_owned(), folder.display().to_string()),
        ];
        let command = dev_chain::make(self.runbook, &self.world, &chain, target, env, Duration::from_mins(1));
        let mut watcher = ActivityWatcher { recorder: &mut self.recorder, what: "practice signs" };
        // Whether anybody signed shows in the folder, not in the exit code.
        process::run(&command, &self.world.mask, self.world.stop.clone(), &mut watcher).await?;
        let kept = self.world.folder.file(&signed::folder_of(request));
        for (name, text) in signoff::signatures(folder) {
            if let Ok(text) = text {
                write_file(&kept.join(name), text.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Nanoseconds help nobody who reads an expiry.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    time.round(jiff::Unit::Second).unwrap_or(time)
}

/// 128 random bits, so that a statement is for one request alone.
pub fn nonce() -> Result<String, Failure> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
