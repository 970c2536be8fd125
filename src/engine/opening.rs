//! Who operates a run: asks for a signature before anything is started on a network with `operators`, and says later
//! who proved it. Without one nobody did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::names;
use super::signing::{nonce, whole_seconds};
use super::world::View;
use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::event::{Event, OpeningRequested};
use crate::journal::{RunFolder, create_folder};
use crate::operator;
use crate::process::Stop;
use crate::progress::{OpeningProof, Progress};
use crate::report::request;
use crate::runbook::{Runbook, SignerKey};
use crate::signoff::{self, Asked, JournalPoint, Opening};

/// How long one signature lets an operator take the run up again.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How often the folder is looked at while a person is waited for.
pub(super) const LOOK: Duration = Duration::from_millis(500);

impl Engine<'_> {
    /// Has the operator prove who they are, where the network asks for it. `Some`: the invocation ends, they did not.
    pub(super) async fn operator_proved(&mut self) -> Result<Option<(ExitCode, Option<String>)>, Failure> {
        if self.runbook.networks[&self.world.network].operators.is_empty() {
            return Ok(None);
        }
        let mut shown: Option<String> = None;
        // A request that was made now is told as what happened.
        let mut asked = false;
        loop {
            let request = if let Some(request) = self.standing_opening() {
                request
            } else {
                asked = true;
                self.request_opening()?
            };
            if self.recorder.progress().opening.is_proved() {
                return Ok(None);
            }
            match self.opening_signature(&request) {
                Ok((who, key, file)) => {
                    let signature = format!("{}/{file}", RunFolder::opening(&request.nonce));
                    self.recorder.record(Event::OpeningSigned { nonce: request.nonce, who, key, signature })?;
                    return Ok(None);
                }
                Err(why) if self.guided => {
                    if !std::mem::replace(&mut asked, true) {
                        let folder = self.world.folder.path().display().to_string();
                        operator::screen(&request::opening(&request, self.recorder.progress(), &folder));
                    }
                    self.wait_for_operator(&mut shown, why).await;
                }
                Err(why) => return Ok(Some((ExitCode::Waiting, Some(self.opening_hint(&request, &why))))),
            }
            if *self.world.stop.borrow() != Stop::No {
                return Ok(None);
            }
        }
    }

    /// Shows once what is waited for, and every new reason why a signature does not count; then waits a moment.
    async fn wait_for_operator(&mut self, shown: &mut Option<String>, why: String) {
        if shown.is_none() {
            self.recorder.activity("");
            operator::show("waiting for the signature; after Ctrl-C the same command takes the run up again");
        }
        if shown.as_ref().is_none_or(|before| *before != why) {
            if shown.is_some() && !why.is_empty() {
                operator::show(&format!("not yet: {why}"));
            }
            *shown = Some(why);
        }
        let mut stop = self.world.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
    }

    fn opening_hint(&self, request: &OpeningRequested, why: &str) -> String {
        let network = &self.world.network;
        let refused = if why.is_empty() { String::new() } else { format!("not yet: {why}\n") };
        format!(
            "{refused}`{}` signs the opening as shown by `citadel sign-off show opening --network {network}`; then the \
             same command again goes on",
            request.operator
        )
    }

    /// The request that was made before, if it still says what is opened now, and by whom.
    fn standing_opening(&self) -> Option<OpeningRequested> {
        let request = self.recorder.progress().opening.request.clone()?;
        let expires: Timestamp = request.expires.parse().ok()?;
        let point = JournalPoint { sequence: request.journal_sequence, hash: request.journal_hash.clone() };
        let bytes = self.opening(&request.nonce, point, expires)?.bytes();
        (expires > self.world.clock.now() && sha256(&bytes) == request.sha256).then_some(request)
    }

    fn request_opening(&mut self) -> Result<OpeningRequested, Failure> {
        let (nonce, expires) = (nonce()?, whole_seconds(self.world.clock.now() + GOOD_FOR));
        let (hash, sequence) = self.recorder.head();
        let point = JournalPoint { sequence, hash: hash.to_owned() };
        let opening = self.opening(&nonce, point.clone(), expires);
        let opening =
            opening.ok_or_else(|| Failure::new(ExitCode::Internal, "a run that is not open has no operator"))?;
        let (bytes, folder) = (opening.bytes(), RunFolder::opening(&nonce));
        let path = format!("{folder}/statement.txt");
        let keys = self.view().keys_of(&opening.operator);
        let again = format!("citadel run --network {}", self.world.network);
        create_folder(&self.world.folder.file("openings"))?;
        self.world.write_request(&folder, &bytes, std::slice::from_ref(&opening.operator), &keys, &again)?;
        let request = OpeningRequested {
            operator: opening.operator,
            nonce,
            statement: path,
            sha256: sha256(&bytes),
            expires: expires.to_string(),
            ways: signoff::ways(&keys).into_values().flatten().collect(),
            journal_sequence: point.sequence,
            journal_hash: point.hash,
        };
        self.recorder.record(Event::OpeningRequested(request.clone()))?;
        Ok(request)
    }

    fn opening(&self, nonce: &str, journal: JournalPoint, expires: Timestamp) -> Option<Opening> {
        let run = self.recorder.progress().run.as_ref()?;
        Some(Opening {
            runbook: run.runbook.clone(),
            runbook_sha256: self.runbook.sha256.clone(),
            run: run.run.clone(),
            nonce: nonce.to_owned(),
            network: run.network.clone(),
            chain_id: run.chain_id,
            commit: self.world.workspace.commit.clone(),
            operator: self.world.operator.clone(),
            journal,
            expires,
        })
    }

    /// Who signed with which key in which file; the error is empty where nobody tried.
    fn opening_signature(&self, request: &OpeningRequested) -> Result<(String, String, String), String> {
        let statement = std::fs::read(self.world.folder.file(&request.statement)).unwrap_or_default();
        let folder = self.world.folder.file(&RunFolder::opening(&request.nonce));
        let keys = self.view().keys_of(&request.operator);
        let tally = signoff::judge(&Asked::opening(request, &statement), &folder, &keys, self.world.clock.now());
        match tally.accepted.into_iter().next() {
            Some(accepted) => Ok((accepted.who, accepted.key, accepted.file)),
            None => {
                Err(tally.refused.iter().map(|(file, why)| format!("`{file}` {why}")).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// A run's openings: what its journal adds up to, and the folder that holds their files.
#[derive(Clone, Copy)]
pub struct Openings<'a> {
    pub runbook: &'a Runbook,
    pub progress: &'a Progress,
    pub folder: &'a RunFolder,
    /// The run's own network.
    pub network: &'a str,
}

impl<'a> Openings<'a> {
    /// Those of the run that is looked at.
    pub fn of(view: &'a View<'_>) -> Self {
        let View { runbook, progress, world } = view;
        Self { runbook, progress, folder: &world.folder, network: &world.network }
    }

    /// Everybody who operates this run, proved by signatures that are verified again here; the error says why nobody knows.
    pub fn proved(&self) -> Result<BTreeSet<String>, String> {
        let opening = &self.progress.opening;
        if opening.proved.is_empty() {
            return Err("nobody proved with a signature that they operate this run".into());
        }
        if opening.unproved {
            return Err("a step of this run began before its operator proved who they are".into());
        }
        for (who, proof) in &opening.proved {
            self.verify(proof).map_err(|why| format!("the opening signature of `{who}`: {why}"))?;
        }
        Ok(opening.proved.keys().cloned().collect())
    }

    /// Verifies one recorded opening from its files.
    pub fn verify(&self, proof: &OpeningProof) -> Result<(), String> {
        let statement = std::fs::read(self.folder.file(&proof.request.statement)).unwrap_or_default();
        let text = signoff::read_signature(&self.folder.file(&proof.signature))?;
        let keys: Vec<SignerKey> = names::keys_of(self.runbook, &proof.request.operator);
        // It counted when it was recorded; its age then is not judged again.
        Asked::opening(&proof.request, &statement).judge_one(&text, &keys, Timestamp::UNIX_EPOCH).map(|_| ())
    }

    /// Who does not count at a gate with `not_operator`, and why; the error says why that cannot be known.
    pub fn excluded(&self, dev_chain: bool) -> Result<BTreeMap<String, String>, String> {
        // What a journal says is not what a runbook declares.
        let Some(network) = self.runbook.networks.get(self.network) else {
            return Err(format!("the runbook declares no network `{}`", self.network));
        };
        let people = if !network.operators.is_empty() {
            self.proved()?
        } else if dev_chain {
            self.progress.opening.claimed.clone()
        } else {
            return Err(format!("`[network.{}]` names no `operators` who could prove that they operate", self.network));
        };
        let reason =
            |who: &String| format!("`{who}` operates this run, and this gate wants other people (`not_operator`)");
        Ok(people.into_iter().map(|who| (who.clone(), reason(&who))).collect())
    }
}
