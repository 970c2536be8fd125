//! A sign-off judged again from the record alone: the statement must say what the record says, and the signatures are
//! verified once
//! more. Signs nothing.

use jiff::Timestamp;

use super::{Beside, Found, GateRecord};
use crate::digest::sha256;
use crate::engine::accounts::{self, Candidate, Contracts};
use crate::engine::inputs::Content;
use crate::engine::opening::Openings;
use crate::engine::signed;
use crate::engine::signed_record::SignedRecord;
use crate::progress::Progress;
use crate::runbook::{Network, PersonKey, Phase, Runbook, Scope, SignOff, SignerKey};
use crate::signoff::{self, Asked, CoveredArtefact, JournalPoint, Statement, Witnessed};
use crate::text::cut;
use crate::verdict::CheckResult;

/// The questions to contracts that the record's signatures stand for.
pub(super) fn candidates(record: &GateRecord, runbook: &Runbook, network: &Network, phase: &Phase) -> Vec<Candidate> {
    let (Some(sign_off), Some(kept)) = (&phase.gate.sign_off, &record.sign_off) else { return Vec::new() };
    let keys = keys(record, kept, runbook, network, sign_off, &record.results);
    let texts = kept.contracts.iter().filter_map(|file| match kept.signatures.get(file)? {
        Content::Text(text) => Some((file, text)),
        Content::Bytes(_) | Content::Missing(_) => None,
    });
    let statement = kept.statement.as_bytes();
    texts.filter_map(|(file, text)| accounts::candidate(statement, file.clone(), text, &keys, phase)).collect()
}

/// The sign-off as the recorded bytes say; none where the gate asks for none, or nobody was asked. The error goes on
/// after the result's id.
pub(super) fn again(
    record: &GateRecord,
    runbook: &Runbook,
    network: &Network,
    phase: &Phase,
    judged: &[CheckResult],
    contracts: &Contracts,
) -> Option<Result<CheckResult, String>> {
    let (sign_off, kept) = (phase.gate.sign_off.as_ref()?, record.sign_off.as_ref()?);
    let keys = keys(record, kept, runbook, network, sign_off, judged);
    Some(says_what_the_record_says(record, kept, runbook, sign_off, &keys).map(|()| {
        let asked = Asked { contracts, ..Asked::sign_off(&kept.request, kept.statement.as_bytes(), &kept.excluded) };
        let files = kept.signatures.iter().map(|(file, content)| (file.clone(), text(content))).collect();
        let tally = signoff::judge_files(&asked, files, &keys, record.judged);
        signed::result(&network.name, &kept.request, &tally)
    }))
}

fn text(content: &Content) -> Result<String, String> {
    match content {
        Content::Text(text) => Ok(text.clone()),
        Content::Bytes(_) => Err("is not text".to_owned()),
        Content::Missing(why) => Err(why.clone()),
    }
}

/// Whose signatures count: what the runbook declares, the owners that `results` saw, or the practice workspace's people.
fn keys(
    record: &GateRecord,
    kept: &SignedRecord,
    runbook: &Runbook,
    network: &Network,
    sign_off: &SignOff,
    results: &[CheckResult],
) -> Vec<SignerKey> {
    let Some(group) = runbook.signers.get(&sign_off.signers) else { return Vec::new() };
    let practice = group.dev_chain.is_some() && network.dev_chain.is_some() && record.chain_id == network.chain_id;
    accounts::owners_keys(group, results).unwrap_or_else(|| {
        let key = |(who, ssh): &(String, String)| SignerKey { who: who.clone(), key: PersonKey::Ssh(ssh.clone()) };
        if practice && !kept.practice.is_empty() { kept.practice.iter().map(key).collect() } else { group.keys.clone() }
    })
}

/// Holds the statement against the record, line by line, and the request against the runbook.
fn says_what_the_record_says(
    record: &GateRecord,
    kept: &SignedRecord,
    runbook: &Runbook,
    sign_off: &SignOff,
    keys: &[SignerKey],
) -> Result<(), String> {
    let request = &kept.request;
    let mut signers: Vec<String> = keys.iter().map(|key| key.who.clone()).collect();
    signers.sort();
    signers.dedup();
    if request.gate != record.gate || request.threshold != sign_off.threshold || request.signers != signers {
        return Err("rests on a request that the runbook does not make: another gate, threshold or other people".into());
    }
    if request.covers.iter().map(|(name, _)| name).ne(&sign_off.covers) {
        return Err("rests on a request that covers other artefacts than the runbook says".into());
    }
    for (name, hash) in &request.covers {
        let content = record.inputs.artefacts.get(name).and_then(|content| content.bytes().ok());
        if content.is_some_and(|bytes| sha256(&bytes) != *hash) {
            return Err(format!("covers another `{name}` than the record holds"));
        }
    }
    let now = statement(record, kept, runbook, sign_off)?.bytes();
    if now != kept.statement.as_bytes() {
        let differences = signoff::differences(kept.statement.as_bytes(), &now);
        let differences = differences.iter().map(|one| cut(one, 100)).collect::<Vec<_>>().join("; ");
        return Err(format!("rests on a statement that does not say what the record says: {differences}"));
    }
    Ok(())
}

/// The statement that the record stands for.
fn statement(
    record: &GateRecord,
    kept: &SignedRecord,
    runbook: &Runbook,
    sign_off: &SignOff,
) -> Result<Statement, String> {
    let request = &kept.request;
    let scope = Scope { values: kept.names.clone() };
    let sentence = sign_off.statement.render(&scope);
    let expires: Timestamp = request.expires.parse().map_err(|_| "rests on a request without an expiry".to_owned())?;
    let artefact = |(name, sha256): &(String, String)| CoveredArtefact { name: name.clone(), sha256: sha256.clone() };
    let before = record.results.iter().take_while(|result| result.kind != signed::ID);
    let genesis = record.reading.as_ref().and_then(|reading| reading.genesis);
    Ok(Statement {
        runbook: runbook.id.clone(),
        runbook_sha256: record.runbook_sha256.clone(),
        run: record.run.clone(),
        nonce: request.nonce.clone(),
        network: record.network.clone(),
        chain_id: record.chain_id,
        genesis: genesis.map(|hash| format!("{hash:#x}")),
        gate: record.gate.0.clone(),
        statement: sentence.map_err(|name| format!("rests on a sentence in which `{name}` has no value"))?,
        commit: kept.commit.clone(),
        artefacts: request.covers.iter().map(artefact).collect(),
        checks: before.map(Witnessed::from).collect(),
        journal: JournalPoint { sequence: request.journal_sequence, hash: request.journal_hash.clone() },
        expires,
    })
}

/// What is wrong with the request, by the journal of the run.
pub(super) fn is_in_the_journal(record: &GateRecord, progress: &Progress) -> Option<String> {
    let kept = record.sign_off.as_ref()?;
    let asked = progress.gates.get(&record.gate).and_then(|gate| gate.request.as_ref());
    (asked != Some(&kept.request)).then(|| "the run's journal holds no such request for signatures".to_owned())
}

/// Who operates the run and so does not count, judged again from the openings in the run's folder.
pub(super) fn operators(
    record: &GateRecord,
    runbook: &Runbook,
    network: &Network,
    phase: &Phase,
    judged: &[CheckResult],
    beside: Option<&Beside>,
) -> Option<(String, Found)> {
    let (sign_off, kept) = (phase.gate.sign_off.as_ref()?, record.sign_off.as_ref()?);
    if !sign_off.not_operator {
        return None;
    }
    let id = "sign-off, not_operator".to_owned();
    let Some((beside, run)) = beside.and_then(|beside| Some((beside, beside.progress.run.as_ref()?))) else {
        let why = "who operates the run rests on the run's folder, which this file does not lie in";
        return Some((id, Found::NotJudged(why.to_owned())));
    };
    let (progress, folder) = (&beside.progress, &beside.folder);
    let openings = Openings { runbook, progress, folder, network: &run.network };
    let keys = keys(record, kept, runbook, network, sign_off, judged);
    let found = match openings.excluded(network.dev_chain.is_some()) {
        Err(why) => Found::Differs(format!("cannot be known any more: {why}")),
        Ok(mut excluded) => {
            excluded.extend(accounts::excluded(runbook, sign_off, &keys));
            if excluded == kept.excluded {
                Found::Follows
            } else {
                Found::Differs("excluded other people than the openings in the run's folder say".to_owned())
            }
        }
    };
    Some((id, found))
}
