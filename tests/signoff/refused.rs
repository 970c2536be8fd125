//! What a signature is not good for: anything but the one statement that it was made on, at its time, by one who counts.

use std::collections::BTreeMap;

use citadel::event::SignOffRequested;
use citadel::runbook::SignerKey;
use citadel::signoff::{CoveredArtefact, JournalPoint, NAMESPACE, Statement, Witnessed, nobody};
use citadel::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::accounts::{account, sign};
use super::{Room, TYPES, judged, now, request};

fn statement() -> Statement {
    Statement {
        runbook: "astral-citadel".into(),
        runbook_sha256: "aa".repeat(32),
        run: "2026-11-22T19-40-05Z".into(),
        nonce: "n0nce".into(),
        network: "mainnet".into(),
        chain_id: 1,
        genesis: None,
        gate: "1".into(),
        statement: "I reviewed the diff.".into(),
        commit: None,
        artefacts: vec![CoveredArtefact { name: "bundle.json".into(), sha256: "bb".repeat(32) }],
        checks: vec![Witnessed {
            id: "safe".into(),
            kind: "safe".into(),
            verdict: Verdict::Passed,
            observed: json!({ "threshold": "2" }),
        }],
        journal: JournalPoint { sequence: 57, hash: "cc".repeat(32) },
        expires: now() + SignedDuration::from_hours(24),
    }
}

/// What the journal says of a request for these bytes.
fn asked(bytes: &[u8], signers: &[&str], threshold: u32) -> SignOffRequested {
    SignOffRequested { sha256: format!("{:x}", Sha256::digest(bytes)), ..request(signers, threshold) }
}

/// Ann with an SSH key and Eve with an account have signed `changed`; nobody counts for the statement.
#[track_caller]
fn refused_for(change: fn(&mut Statement)) {
    let room = Room::new();
    let keys = [room.key("ann", "ann", TYPES[0]), account("eve", 1)];
    let mut changed = statement();
    change(&mut changed);
    let (good, other) = (statement().bytes(), changed.bytes());
    let count = |signed: &[u8]| {
        room.hand_in("ann.sig", &room.sign("ann", NAMESPACE, signed));
        room.hand_in("eve.sig", &sign(1, signed));
        judged(&asked(&good, &["ann", "eve"], 2), &good, &room.folder(), &keys, nobody(), now())
    };
    let tally = count(&other);
    assert_eq!(tally.accepted, [], "{:?}", tally.refused);
    assert!(tally.refused[0].1.contains("signed other bytes"), "{:?}", tally.refused);
    assert!(tally.refused[1].1.contains("another statement"), "{:?}", tally.refused);
    assert!(count(&good).complete(), "the good ones count");
}

#[test]
fn a_signature_for_another_run() {
    refused_for(|statement| statement.run.push_str(".2"));
}

#[test]
fn a_signature_for_another_network() {
    refused_for(|statement| statement.network = "sepolia".into());
    refused_for(|statement| statement.chain_id = 11_155_111);
}

#[test]
fn a_signature_for_another_gate() {
    refused_for(|statement| statement.gate = "3".into());
}

#[test]
fn a_signature_for_another_artefact() {
    refused_for(|statement| statement.artefacts[0].sha256 = "bc".repeat(32));
    refused_for(|statement| statement.artefacts[0].name.push('x'));
}

#[test]
fn a_signature_for_another_statement() {
    refused_for(|statement| statement.statement.push_str(" And more."));
    refused_for(|statement| statement.checks[0].observed["threshold"] = json!("1"));
}

#[test]
fn a_signature_given_before_the_request_or_used_twice() {
    // Every request has a nonce of its own and names the record before it: no earlier signature is over its bytes.
    refused_for(|statement| statement.nonce = "the-one-before".into());
    refused_for(|statement| statement.journal = JournalPoint { sequence: 12, hash: "00".repeat(32) });
}

/// One signer of each kind on the good statement.
fn judged_with(
    request: impl Fn(SignOffRequested) -> SignOffRequested,
    keys: impl Fn(Vec<SignerKey>) -> Vec<SignerKey>,
    excluded: &[&str],
    at: Timestamp,
) -> Vec<String> {
    let room = Room::new();
    let all = vec![room.key("ann", "ann", TYPES[0]), account("eve", 1)];
    let bytes = statement().bytes();
    room.hand_in("ann.sig", &room.sign("ann", NAMESPACE, &bytes));
    room.hand_in("eve.sig", &sign(1, &bytes));
    let excluded: BTreeMap<String, String> =
        excluded.iter().map(|who| ((*who).to_owned(), format!("`{who}` operates this run"))).collect();
    let asked = request(asked(&bytes, &["ann", "eve"], 2));
    let tally = judged(&asked, &bytes, &room.folder(), &keys(all), &excluded, at);
    assert!(!tally.complete());
    tally.refused.into_iter().map(|(_, why)| why).collect()
}

#[test]
fn a_signature_after_expiry() {
    let refused = judged_with(|request| request, |keys| keys, &[], now() + SignedDuration::from_hours(24));
    assert_eq!(refused, ["the request expired at 2026-11-23T19:40:05Z; run again for a new statement"; 2]);
}

#[test]
fn a_signature_by_a_removed_owner() {
    let refused = judged_with(|request| request, |keys| keys[..1].to_vec(), &[], now());
    assert!(refused.len() == 1 && refused[0].contains("which none of the declared signers has"), "{refused:?}");
    let not_asked = |request| SignOffRequested { signers: vec!["ann".into()], ..request };
    let refused = judged_with(not_asked, |keys| keys, &[], now());
    assert_eq!(refused, ["`eve` was not asked to sign this: the request names ann"]);
}

#[test]
fn a_signature_by_the_operator() {
    assert_eq!(judged_with(|request| request, |keys| keys, &["eve"], now()), ["`eve` operates this run"]);
    assert_eq!(judged_with(|request| request, |keys| keys, &["ann"], now()), ["`ann` operates this run"]);
}

#[test]
fn one_person_with_two_keys_of_different_kinds() {
    let refused = judged_with(
        |request| request,
        |keys| keys.into_iter().map(|key| SignerKey { who: "ann".into(), ..key }).collect(),
        &[],
        now(),
    );
    assert_eq!(refused, ["`ann` already signed in `ann.sig`: people are counted, not keys"]);
}

#[test]
fn malformed_truncated_and_in_the_wrong_namespace() {
    let room = Room::new();
    let keys = [room.key("ann", "ann", TYPES[0]), account("eve", 1)];
    let bytes = statement().bytes();
    let check = |text: &str, expected: &str| {
        room.hand_in("one.sig", text);
        let tally = judged(&asked(&bytes, &["ann", "eve"], 1), &bytes, &room.folder(), &keys, nobody(), now());
        assert!(!tally.complete() && tally.refused[0].1.contains(expected), "{:?}", tally.refused);
    };
    let (ssh, account) = (room.sign("ann", NAMESPACE, &bytes), sign(1, &bytes));
    check("", "is empty");
    check("yes", "is not an SSH signature");
    check(&ssh[..ssh.len() - 40], "is cut off");
    check(&account[..account.len() - 2], "has 64 bytes");
    check(&account[..account.len() - 1], "odd number of hex digits");
    check(&room.sign("ann", "git", &bytes), "namespace `git`");
}

#[test]
fn a_file_that_was_changed_after_signing() {
    let room = Room::new();
    let keys = [room.key("ann", "ann", TYPES[0])];
    let bytes = statement().bytes();
    room.hand_in("ann.sig", &room.sign("ann", NAMESPACE, &bytes));
    let mut edited = bytes.clone();
    edited[40] ^= 1;
    let tally = judged(&asked(&bytes, &["ann"], 1), &edited, &room.folder(), &keys, nobody(), now());
    assert_eq!(tally.accepted, []);
    assert!(tally.refused[0].1.contains("its SHA-256 differs"), "{:?}", tally.refused);
}
