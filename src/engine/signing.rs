//! Sign-offs: asks people to sign exactly what a gate saw, and counts who did. citadel signs nothing; on a dev chain it
//! calls the practice workspace, which has keys of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;

use super::accounts::{self, Contracts};
use super::judge::Judgement;
use super::watch::ActivityWatcher;
use super::world::View;
use super::{Engine, dev_chain, opening};
use crate::digest::sha256;
use crate::error::Failure;
use crate::event::{BlockRef, Event, SignOffRequested};
use crate::journal::RunFolder;
use crate::process;
use crate::runbook::{Phase, SignOff, SignerKey};
use crate::signoff::{self, Asked, CoveredArtefact, JournalPoint, Statement, Tally, Witnessed};
use crate::verdict::{CheckResult, Verdict};

const ID: &str = "sign-off";

impl Engine<'_> {
    /// The gate's sign-off as a result: passed, waiting for people, or unknown.
    pub(super) async fn sign_off(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
        contracts: &Contracts,
    ) -> Result<CheckResult, Failure> {
        let terms = match terms(&self.view(), phase, sign_off, &judgement.results) {
            Ok(terms) => terms,
            Err(unknown) => return Ok(*unknown),
        };
        let request = match self.standing_request(phase, sign_off, judgement) {
            Ok(request) => request,
            Err(voids) => self.request(phase, sign_off, judgement, &terms, voids)?,
        };
        let mut tally = tally(&self.view(), &request, &terms, contracts, Timestamp::now());
        let signs = self.view().network(phase).dev_chain.as_ref().is_some_and(|chain| chain.sign.is_some());
        if !tally.complete() && signs && !has_declared_keys(&self.view(), sign_off) {
            self.practice_signs(phase, &request).await?;
            tally = self::tally(&self.view(), &request, &terms, contracts, Timestamp::now());
        }
        self.record_signed(&request, &tally)?;
        Ok(result(&self.view(), &request, &tally))
    }

    /// Records who signed since the last look.
    pub(super) fn record_signed(&mut self, request: &SignOffRequested, tally: &Tally) -> Result<(), Failure> {
        for accepted in &tally.accepted {
            let known = self.recorder.progress().gates.get(&request.gate);
            if known.and_then(|gate| gate.signed.get(&accepted.who)) != Some(&accepted.key) {
                let (gate, nonce) = (request.gate.clone(), request.nonce.clone());
                let signature = format!("{}/{}", folder_of(request), accepted.file);
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
        if expires <= Timestamp::now() {
            return Err(vec![format!("it expired at {expires}")]);
        }
        Ok(request)
    }

    fn request(
        &mut self,
        phase: &Phase,
        sign_off: &SignOff,
        judgement: &Judgement,
        terms: &Terms,
        voids: Vec<String>,
    ) -> Result<SignOffRequested, Failure> {
        let nonce = nonce()?;
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
pub fn standing(
    view: &View<'_>,
    phase: &Phase,
    sign_off: &SignOff,
    results: &[CheckResult],
    contracts: &Contracts,
) -> CheckResult {
    let gate = view.progress.gates.get(&phase.id);
    let opened = view.progress.gate_passed(&phase.id);
    // Who counted when the gate opened is who counts; until then, whoever does now.
    let then = gate.and_then(|gate| gate.judged.as_ref()).filter(|_| opened).map(|judged| judged.results.as_slice());
    let terms = match terms(view, phase, sign_off, then.unwrap_or(results)) {
        Ok(terms) => terms,
        Err(unknown) => return *unknown,
    };
    let Some(request) = gate.and_then(|gate| gate.request.as_ref()) else {
        return waiting("nobody was asked to sign yet")
            .hint(format!("`citadel run --phase {} --network {}`", phase.id, view.world.network));
    };
    // What was complete when the gate opened does not expire afterwards.
    let now = if opened { Timestamp::UNIX_EPOCH } else { Timestamp::now() };
    let kept = view.kept(view.network(phase));
    if let Some(problem) = sign_off.covers.iter().find_map(|name| kept.read(name).err()) {
        let again = format!("put it back, or `citadel run --phase {} --network {}`", phase.id, view.world.network);
        return CheckResult::failed(ID, ID, format!("what was signed is no longer there: {problem}")).hint(again);
    }
    result(view, request, &tally(view, request, &terms, contracts, now))
}

/// Whose signatures count at a gate, and whose do not.
pub struct Terms {
    pub keys: Vec<SignerKey>,
    /// By person, with the reason.
    pub excluded: BTreeMap<String, String>,
}

/// The terms of a sign-off; unknown where it cannot be known who operates the run.
pub fn terms(
    view: &View<'_>,
    phase: &Phase,
    sign_off: &SignOff,
    results: &[CheckResult],
) -> Result<Terms, Box<CheckResult>> {
    let keys = accounts::keys(view, phase, sign_off, results);
    let mut excluded = BTreeMap::new();
    if sign_off.not_operator {
        let dev_chain = view.network(phase).dev_chain.is_some();
        excluded = opening::excluded(view, dev_chain).map_err(|why| Box::new(unknown_operator(view, &why)))?;
        let nameless = view.runbook.signers.get(&sign_off.signers).map(|group| accounts::nameless(group, &keys));
        excluded.extend(nameless.into_iter().flatten().map(|who| {
            let why = format!("nobody declared who `{who}` is, so that it may be the operator (`not_operator`)");
            (who, why)
        }));
    }
    Ok(Terms { keys, excluded })
}

/// What the signatures on a request add up to.
pub fn tally(
    view: &View<'_>,
    request: &SignOffRequested,
    terms: &Terms,
    contracts: &Contracts,
    now: Timestamp,
) -> Tally {
    let statement = std::fs::read(view.world.folder.file(&request.statement)).unwrap_or_default();
    let folder = view.world.folder.file(&folder_of(request));
    let asked = Asked { contracts, ..Asked::sign_off(request, &statement, &terms.excluded) };
    signoff::judge(&asked, &folder, &terms.keys, now)
}

/// 128 random bits, so that a statement is for one request alone.
pub(super) fn nonce() -> Result<String, Failure> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}

/// On a dev chain the practice workspace signs for its own people alone.
fn has_declared_keys(view: &View<'_>, sign_off: &SignOff) -> bool {
    view.runbook.signers.get(&sign_off.signers).is_some_and(|group| group.dev_chain.is_none())
}

/// Where the rule that operators do not sign for themselves means nothing, because nobody proved who operates.
fn unknown_operator(view: &View<'_>, why: &str) -> CheckResult {
    let network = &view.world.network;
    let message = format!("`not_operator` cannot be judged: {why}");
    CheckResult::unknown(ID, ID, message).expected("an opening signature by one of the network's `operators`").hint(
        format!(
            "name `operators` in `[network.{network}]` after review, then `citadel run --new --network {network}`: \
             opening a run there asks for their signature"
        ),
    )
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
    let (gate, network) = (&request.gate, &view.world.network);
    let hint = format!(
        "`citadel sign-off show {gate} --network {network}` shows what to compare and how to sign with \
         `ssh-keygen -Y sign` or a wallet; then `citadel run --phase {gate} --network {network}`"
    );
    waiting(message).expected(expected).observed(observed).hint(hint)
}

fn waiting(message: impl Into<String>) -> CheckResult {
    CheckResult { verdict: Verdict::Waiting, ..CheckResult::unknown(ID, ID, message) }
}

pub(super) fn folder_of(request: &SignOffRequested) -> String {
    RunFolder::sign_off(&request.gate.0, &request.nonce)
}
