//! Whether every signature that counted is good, over the statement that was asked for, by a key that counted.

use std::collections::BTreeMap;

use super::runbooks::{Runbooks, Then};
use super::{Notes, files};
use crate::engine::names;
use crate::event::{Event, OpeningRequested, SignOffRequested};
use crate::journal::{Entry, RunFolder};
use crate::runbook::{PersonKey, PhaseId, SignerKey};
use crate::signoff::{self, Asked};

/// Verifies every signature again.
pub(super) fn verify(folder: &RunFolder, entries: &[Entry], runbooks: &Runbooks, notes: &mut Notes) {
    let mut then = Then::default();
    let mut requests: BTreeMap<&str, &SignOffRequested> = BTreeMap::new();
    let mut openings: BTreeMap<&str, &OpeningRequested> = BTreeMap::new();
    for entry in entries {
        then.apply(&entry.event);
        let found = match &entry.event {
            Event::SignOffRequested(request) => {
                requests.insert(&request.nonce, request);
                let asked = Asked::sign_off(request, &[], signoff::nobody());
                statement(folder, &request.statement, &asked, &says(&then, request), notes, entry.seq);
                continue;
            }
            Event::OpeningRequested(request) => {
                openings.insert(&request.nonce, request);
                continue;
            }
            Event::SignOffAccepted { gate, nonce, who, key, signature } => {
                let Some(request) = requests.get(nonce.as_str()) else { continue };
                let keys = keys(&then, runbooks, gate);
                let asked = Asked::sign_off(request, &[], signoff::nobody());
                let signed = Signed { asked, statement: &request.statement, who, key, signature };
                signed.judge(folder, keys, entry)
            }
            Event::OpeningSigned { nonce, who, key, signature } => {
                let Some(request) = openings.get(nonce.as_str()) else { continue };
                let keys = runbooks.then(&then).map(|runbook| names::keys_of(runbook, who));
                let asked = Asked::opening(request, &[]);
                let signed = Signed { asked, statement: &request.statement, who, key, signature };
                signed.judge(folder, keys, entry)
            }
            _ => continue,
        };
        match found {
            Judged::Good => notes.looked_at("signatures"),
            Judged::Unknown(why) => notes.noted.push(why),
            Judged::Bad(file, why) => notes.wrong_file(entry.seq, &file, why),
        }
    }
}

enum Judged {
    Good,
    Unknown(String),
    Bad(String, String),
}

/// A signature as the journal counts it.
struct Signed<'a> {
    asked: Asked<'a>,
    statement: &'a str,
    who: &'a str,
    key: &'a str,
    signature: &'a str,
}

impl Signed<'_> {
    fn judge(&self, folder: &RunFolder, keys: Option<Vec<SignerKey>>, entry: &Entry) -> Judged {
        let Some(keys) = keys else {
            return Judged::Unknown(format!(
                "`{}` is not verified again: no gate record holds the keys that counted",
                self.signature
            ));
        };
        let bad = |why: String| Judged::Bad(self.signature.to_owned(), why);
        let bytes = match files::read(folder, self.statement) {
            Ok(bytes) => bytes,
            Err(why) => return Judged::Bad(self.statement.to_owned(), why),
        };
        let text = match files::read(folder, self.signature) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(why) => return bad(why),
        };
        let asked = Asked { statement: &bytes, ..self.asked.clone() };
        match asked.judge_one(&text, &keys, entry.time) {
            Ok(verified) if verified.who == self.who && verified.key == self.key => Judged::Good,
            Ok(verified) => bad(format!("is by `{}` with {}, not what the record says", verified.who, verified.key)),
            Err(_) if signoff::is_hex(&text) && self.may_be_a_contract(&keys) => Judged::Unknown(format!(
                "`{}` is not verified again: the contract {} judged it (ERC-1271)",
                self.signature, self.key
            )),
            Err(why) => bad(why),
        }
    }

    fn may_be_a_contract(&self, keys: &[SignerKey]) -> bool {
        keys.iter().any(|key| key.who == self.who && matches!(key.key, PersonKey::Ethereum(_)))
    }
}

/// The keys that counted at a gate; none where no record holds them, or the owners of a Safe were asked.
fn keys(then: &Then<'_>, runbooks: &Runbooks, gate: &PhaseId) -> Option<Vec<SignerKey>> {
    let runbook = runbooks.then(then)?;
    let phase = runbook.phases.iter().find(|phase| phase.id == *gate)?;
    let group = runbook.signers.get(&phase.gate.sign_off.as_ref()?.signers)?;
    group.safe_owners.is_none().then(|| then.signers(runbook, phase))
}

/// What a gate's statement must say.
fn says<'a>(then: &Then<'a>, request: &'a SignOffRequested) -> Vec<(&'static str, String)> {
    let mut says = vec![
        ("gate", request.gate.0.clone()),
        ("nonce", request.nonce.clone()),
        ("journal", format!("{} {}", request.journal_sequence, request.journal_hash)),
        ("expires", request.expires.clone()),
    ];
    if let Some(run) = then.run {
        says.push(("run", run.run.clone()));
        says.push(("runbook", run.runbook.clone()));
    }
    says
}

/// Whether a statement is about this request of this run, and covers what was kept.
fn statement(folder: &RunFolder, file: &str, asked: &Asked<'_>, says: &[(&str, String)], notes: &mut Notes, seq: u64) {
    let Ok(bytes) = files::read(folder, file) else { return };
    if crate::digest::sha256(&bytes) != asked.sha256 {
        return;
    }
    match signoff::fields(&bytes) {
        Err(why) => notes.wrong_file(seq, file, why),
        Ok(fields) => {
            for (name, wanted) in says {
                match fields.one(name) {
                    Ok(value) if value == wanted => {}
                    Ok(value) => notes.wrong_file(seq, file, format!("says `{name}: {value}`, not `{wanted}`")),
                    Err(why) => notes.wrong_file(seq, file, why),
                }
            }
        }
    }
}
