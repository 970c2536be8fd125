//! Whether the attestations of an exported run say what its journal says, all of them, and are signed by one key.

use std::collections::BTreeSet;
use std::path::Path;

use super::files::{all, read};
use super::{Notes, Problem};
use crate::attest::{Attestation, Envelope, Key, attestations, pae};
use crate::journal::{Entry, RunFolder};
use crate::text::clean;

/// Where the attestations are in a folder that was exported.
pub const ATTESTATIONS: &str = "attestations";

/// The public key that signed them, beside them.
pub const SIGNER: &str = "attestations/signer.pub";

/// The file of an attestation, relative to the exported folder.
pub fn attestation_file(name: &str) -> String {
    format!("{ATTESTATIONS}/{name}.json")
}

/// Looks at every attestation; the key that signed all of them, where nothing is wrong with any. `expected` is the key that
/// must have.
pub(super) fn look(path: &Path, entries: &[Entry], expected: Option<&Key>, notes: &mut Notes) -> Option<Key> {
    let folder = RunFolder::at(path);
    let last = entries.last().map_or(0, |entry| entry.seq);
    let derived = match attestations(entries) {
        Ok(derived) => derived,
        Err(error) => {
            notes.wrong(last, format!("cannot be attested: {error:#}"));
            return None;
        }
    };
    let before = notes.problems.len();
    let signer = signer(&folder, expected, notes);
    let mut known: BTreeSet<String> = [SIGNER.to_owned()].into();
    for attestation in &derived {
        let file = attestation_file(&attestation.name);
        match read(&folder, &file).and_then(|bytes| judge(&bytes, attestation, signer.as_ref())) {
            Ok(()) => notes.looked_at("attestations"),
            Err(why) => notes.wrong_file(attestation.record, &file, why),
        }
        known.insert(file);
    }
    let there = all(path).unwrap_or_default();
    for file in there.iter().filter(|file| file.starts_with("attestations/") && !known.contains(*file)) {
        notes.wrong_file(last, file, "attests nothing that a record of the journal says");
    }
    if signer.is_none() && expected.is_none() {
        notes.noted.push("attestations are not signed: they prove nothing beside the journal".into());
    }
    signer.filter(|_| notes.problems.len() == before)
}

/// The key in the folder, where it is the right one.
fn signer(folder: &RunFolder, expected: Option<&Key>, notes: &mut Notes) -> Option<Key> {
    let mut wrong = |what: String| {
        notes.problems.push(Problem { record: None, file: Some(SIGNER.to_owned()), what });
        None
    };
    let there = folder.file(SIGNER).symlink_metadata().is_ok();
    let key = match (there, expected) {
        (false, None) => return None,
        (false, Some(expected)) => return wrong(format!("is missing: {} signed nothing here", expected.id())),
        (true, _) => read(folder, SIGNER).and_then(|bytes| Key::read(&String::from_utf8_lossy(&bytes))),
    };
    match key {
        Err(why) => wrong(clean(&why)),
        Ok(key) => match expected.filter(|expected| **expected != key) {
            Some(expected) => wrong(format!("is {}, not {}", key.id(), expected.id())),
            None => Some(key),
        },
    }
}

/// Whether a file is this attestation, signed exactly once by `signer` where there is one.
fn judge(bytes: &[u8], attestation: &Attestation, signer: Option<&Key>) -> Result<(), String> {
    let envelope = Envelope::read(bytes)?;
    if !envelope.holds(&attestation.payload) {
        return Err("does not say what the journal says".into());
    }
    match (envelope.signatures.as_slice(), signer) {
        ([], None) => Ok(()),
        ([], Some(signer)) => Err(format!("is not signed by {}", signer.id())),
        (_, None) => Err(format!("is signed, and `{SIGNER}` holds no key to verify that with")),
        ([signature], Some(signer)) if signature.keyid == signer.id() => {
            let sig = signature.bytes().ok_or("has a signature that is not base64")?;
            signer.verify(&pae(&attestation.payload), &sig).map_err(|why| format!("has a signature that {why}"))
        }
        ([_], Some(signer)) => Err(format!("names another key than {}", signer.id())),
        (_, Some(_)) => Err("has more than one signature".into()),
    }
}
