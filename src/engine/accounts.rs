//! What a sign-off needs of the chain, read with the gate's own checks at the same block: the owners of a Safe who are
//! its signers, and what contracts say of signatures for them (ERC-1271).

use std::collections::BTreeMap;
use std::path::Path;

use ethers::types::Address;
use ethers::utils::to_checksum;
use serde_json::{Value, json};

use super::judge::Judgement;
use super::world::View;
use crate::journal::RunFolder;
use crate::runbook::{Check, CheckKind, PersonKey, Phase, Runbook, Safe, SignOff, SignerKey, Signers, Template};
use crate::signoff::{self, Verified};
use crate::verdict::{CheckResult, Verdict};

/// What `isValidSignature` gives back for a good signature: its own selector (ERC-1271).
const MAGIC: &str = "0x1626ba7e";
const IS_VALID: &str = "isValidSignature(bytes32,bytes)(bytes4)";

/// What contracts said, by the signature's file.
pub type Contracts = BTreeMap<String, Result<Verified, String>>;

/// The checks that a phase's sign-off adds to its gate's.
pub fn asks(view: &View<'_>, phase: &Phase) -> Vec<Check> {
    let Some(sign_off) = &phase.gate.sign_off else { return Vec::new() };
    let owners = owners_check(view.runbook, phase, sign_off);
    let signatures = candidates(view, phase, sign_off).into_iter().map(|candidate| candidate.check);
    owners.into_iter().chain(signatures).collect()
}

/// Takes the sign-off's own answers out of a judgement; the owners stay in it, as a check of their own.
pub fn take(view: &View<'_>, phase: &Phase, judgement: &mut Judgement) -> Contracts {
    let Some(sign_off) = &phase.gate.sign_off else { return Contracts::new() };
    take_from(&mut judgement.results, sign_off, candidates(view, phase, sign_off))
}

/// The same from results alone.
pub(super) fn take_from(results: &mut Vec<CheckResult>, sign_off: &SignOff, candidates: Vec<Candidate>) -> Contracts {
    let owners = owners_id(&sign_off.signers);
    for result in results.iter_mut().filter(|result| result.id == owners) {
        "safe_owners".clone_into(&mut result.kind);
        result.observed = json!({ "owners": result.observed["owners"] });
    }
    let mut said = Contracts::new();
    for Candidate { file, check, key } in candidates {
        let Some(at) = results.iter().position(|result| result.id == check.id) else { continue };
        let result = results.remove(at);
        said.insert(file, answer(&result, &key));
    }
    said
}

fn owners_id(group: &str) -> String {
    format!("signers {group}")
}

/// Whose signatures count: the declared keys, or those of the Safe's owners as the gate saw them.
pub fn keys(view: &View<'_>, phase: &Phase, sign_off: &SignOff, results: &[CheckResult]) -> Vec<SignerKey> {
    let owners = view.runbook.signers.get(&sign_off.signers).and_then(|group| owners_keys(group, results));
    owners.unwrap_or_else(|| view.signers(view.network(phase), sign_off))
}

/// The keys of the owners that the gate saw, where the group is a Safe's owners.
pub(super) fn owners_keys(group: &Signers, results: &[CheckResult]) -> Option<Vec<SignerKey>> {
    group.safe_owners.as_ref()?;
    let id = owners_id(&group.name);
    let seen = results.iter().find(|result| result.id == id && result.verdict == Verdict::Passed);
    let owners = seen.and_then(|result| result.observed["owners"].as_array()).into_iter().flatten();
    let owners = owners.filter_map(|owner| owner.as_str()?.parse::<Address>().ok());
    Some(owners.map(|owner| SignerKey { who: name(group, owner), key: PersonKey::Ethereum(owner) }).collect())
}

/// Owners whose names nobody declared, with why they do not count: it is not known that they are not the operator.
pub(super) fn excluded(runbook: &Runbook, sign_off: &SignOff, keys: &[SignerKey]) -> BTreeMap<String, String> {
    let group = runbook.signers.get(&sign_off.signers).filter(|group| group.safe_owners.is_some());
    let Some(group) = group else { return BTreeMap::new() };
    let declared = |key: &&SignerKey| group.keys.iter().any(|known| known.key == key.key);
    let nameless = keys.iter().filter(|key| !declared(key)).map(|key| &key.who);
    let why = |who: &String| format!("nobody declared who `{who}` is, so that it may be the operator (`not_operator`)");
    nameless.map(|who| (who.clone(), why(who))).collect()
}

fn name(group: &Signers, owner: Address) -> String {
    let declared = group.keys.iter().find(|key| key.key == PersonKey::Ethereum(owner));
    declared.map_or_else(|| to_checksum(&owner, None), |key| key.who.clone())
}

/// The Safe must be a real one, with the modules that the runbook's own checks of it declare.
pub(super) fn owners_check(runbook: &Runbook, phase: &Phase, sign_off: &SignOff) -> Option<Check> {
    let group = runbook.signers.get(&sign_off.signers)?;
    let safe = group.safe_owners.as_ref()?;
    let checks = runbook.invariants.iter().chain(&phase.gate.checks);
    let declared = checks.filter_map(|check| match &check.kind {
        CheckKind::Safe(asked) if asked.of == *safe => Some(asked),
        _ => None,
    });
    let Safe { modules, guard, module_guard, .. } = declared.into_iter().next().cloned().unwrap_or_default();
    let kind = CheckKind::Safe(Safe { of: safe.clone(), modules, guard, module_guard, ..Safe::default() });
    Some(Check { id: owners_id(&group.name), kind, waiver: None, place: phase.place })
}

/// A file that only a contract can judge.
pub(super) struct Candidate {
    file: String,
    pub(super) check: Check,
    key: SignerKey,
}

/// Hex files that no key signed, by somebody who has an account: the file's name says who.
fn candidates(view: &View<'_>, phase: &Phase, sign_off: &SignOff) -> Vec<Candidate> {
    let gate = view.progress.gates.get(&phase.id);
    let Some(request) = gate.and_then(|gate| gate.request.as_ref()) else { return Vec::new() };
    let seen = gate.and_then(|gate| gate.judged.as_ref()).map_or(&[][..], |judged| &judged.results);
    let keys = keys(view, phase, sign_off, seen);
    let statement = std::fs::read(view.world.folder.file(&request.statement)).unwrap_or_default();
    let folder = view.world.folder.file(&RunFolder::sign_off(&request.gate.0, &request.nonce));
    let files = signoff::signatures(&folder).into_iter().filter_map(|(file, content)| Some((file, content.ok()?)));
    let files = files.filter(|(_, text)| signoff::is_hex(text) && signoff::verify(&statement, text, &keys).is_err());
    files.filter_map(|(file, text)| candidate(&statement, file, &text, &keys, phase)).collect()
}

/// The question to the contract that a signature's file names.
pub(super) fn candidate(
    statement: &[u8],
    file: String,
    text: &str,
    keys: &[SignerKey],
    phase: &Phase,
) -> Option<Candidate> {
    let hash = signoff::typed_hash(statement).ok()?;
    let stem = Path::new(&file).file_stem()?.to_str()?;
    let of = |key: &&SignerKey| signoff::file_name(&key.who) == stem;
    let key = keys.iter().filter(of).find(|key| matches!(key.key, PersonKey::Ethereum(_)))?.clone();
    let PersonKey::Ethereum(account) = key.key else { return None };
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let kind = CheckKind::Call {
        of: to_checksum(&account, None),
        signature: IS_VALID.to_owned(),
        args: vec![Template(format!("{hash:#x}")), Template(format!("0x{digits}"))],
        from: None,
        rules: Vec::new(),
    };
    let check = Check { id: format!("signature {file}"), kind, waiver: None, place: phase.place };
    Some(Candidate { file, check, key })
}

/// What a contract's answer means: only the magic value, exactly, is a signature.
fn answer(result: &CheckResult, key: &SignerKey) -> Result<Verified, String> {
    let PersonKey::Ethereum(account) = key.key else { return Err("is not an account's".into()) };
    let account = to_checksum(&account, None);
    match (result.verdict, &result.observed) {
        (Verdict::Passed, Value::String(word)) if word == MAGIC => Ok(Verified { who: key.who.clone(), key: account }),
        (Verdict::Passed | Verdict::Waived, other) => {
            Err(format!("is refused by the contract {account}: it answers {other}, not {MAGIC}"))
        }
        _ => Err(format!("could not be judged by {account} as a contract: {}", result.message)),
    }
}
