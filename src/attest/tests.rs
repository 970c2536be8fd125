use serde_json::{Value, json};

use super::*;
use crate::digest::Digest;
use crate::event::{Artefact, Log, StepEnded, StepOutcome};
use crate::report::fixture;
use crate::verdict::{CheckResult, Verdict};

fn statements(events: Vec<Event>) -> Vec<(String, Value)> {
    let found = attestations(&fixture::entries(events)).unwrap();
    found.into_iter().map(|found| (found.name, serde_json::from_slice(&found.payload).unwrap())).collect()
}

fn opened() -> Event {
    Event::RunOpened(fixture::opened())
}

#[test]
fn every_attempt_and_every_judgement_has_one_whatever_came_of_it() {
    let all = statements(fixture::events());
    let outcome = |value: &Value| {
        let word = value["predicate"]["outcome"].as_str().or(value["predicate"]["result"].as_str());
        word.unwrap_or_default().to_owned()
    };
    let told: Vec<String> = all.iter().map(|(name, value)| format!("{name} {}", outcome(value))).collect();
    let expected = [
        "step.1.atlas.1 done",
        "step.1.plan-safe.1 failed",
        "step.1.plan-safe.2 done",
        "gate.1.13 FAILED",
        "gate.1.19 PASSED",
        "step.2.dry-run.1 indeterminate",
    ];
    assert_eq!(told, expected);
    for (name, value) in &all {
        assert_eq!(value["_type"], STATEMENT, "{name}");
        let subjects = value["subject"].as_array().unwrap();
        assert!(
            !subjects.is_empty() && subjects.iter().all(|subject| subject["digest"]["sha256"].is_string()),
            "{name}"
        );
    }
    let (_, undecided) = all.last().unwrap();
    assert_eq!(undecided["predicate"]["decision"]["happened"], false);
    assert_eq!(undecided["predicate"]["records"].as_array().unwrap().len(), 3, "started, ended, decided");
}

#[test]
fn a_step_that_nobody_saw_end_may_have_happened() {
    let (name, value) = statements(vec![opened(), fixture::started("1.atlas", 1)]).remove(0);
    assert_eq!((name.as_str(), &value["predicate"]["outcome"]), ("step.1.atlas.1", &json!("indeterminate")));
    assert_eq!(value["predicate"]["finishedOn"], Value::Null);
}

#[test]
fn what_a_step_left_is_its_subject() {
    let ended = StepEnded {
        artefacts: vec![Artefact {
            name: "bundle.json".into(),
            path: "artefacts/1.atlas.1.bundle.json".into(),
            sha256: "bb".repeat(32),
            bytes: 2,
            source: "out/bundle.json".into(),
        }],
        logs: vec![Log { path: "logs/1.atlas.1.log".into(), digest: Digest::Sha256("cc".repeat(32)), bytes: 9 }],
        ..fixture::ended("1.atlas", 1, StepOutcome::Done)
    };
    let (_, value) = statements(vec![opened(), fixture::started("1.atlas", 1), Event::StepEnded(ended)]).remove(0);
    let subjects: Vec<&str> =
        value["subject"].as_array().unwrap().iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["journal.jsonl#3", "artefacts/1.atlas.1.bundle.json", "logs/1.atlas.1.log"]);
    assert_eq!(value["predicate"]["products"][0]["annotations"]["source"], "out/bundle.json");
    assert_eq!(value["predicateType"], STEP);
}

#[test]
fn a_gate_is_a_test_result() {
    let check = |verdict, results: Vec<CheckResult>, expected: [&str; 4]| {
        let (_, value) = statements(vec![opened(), fixture::judged("1", verdict, results)]).remove(0);
        let predicate = &value["predicate"];
        let tests =
            |of: &str| predicate[of].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect::<String>();
        let told = [
            predicate["result"].as_str().unwrap(),
            &tests("passedTests"),
            &tests("warnedTests"),
            &tests("failedTests"),
        ]
        .map(str::to_owned);
        assert_eq!(told, expected);
        let members: Vec<&String> = predicate.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            ["configuration", "failedTests", "passedTests", "result", "warnedTests"],
            "as the spec has it"
        );
    };
    let passed = || CheckResult::passed("a", "pause", "running");
    let waived = || CheckResult { verdict: Verdict::Waived, ..CheckResult::passed("b", "code", "other") };
    check(Verdict::Passed, vec![passed()], ["PASSED", "a", "", ""]);
    check(Verdict::Passed, vec![passed(), waived()], ["WARNED", "a", "b", ""]);
    check(Verdict::Failed, vec![passed(), CheckResult::failed("c", "call", "no")], ["FAILED", "a", "", "c"]);
    check(Verdict::Unknown, vec![passed(), CheckResult::unknown("c", "call", "late")], ["FAILED", "a", "", "c"]);
    check(Verdict::Waiting, vec![passed()], ["FAILED", "a", "", ""]);
}

#[test]
fn the_signed_bytes_are_those_of_the_specification() {
    assert_eq!(pae(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    assert_eq!(pae(b""), b"DSSEv1 28 application/vnd.in-toto+json 0 ");
}

#[test]
fn only_what_was_written_is_an_envelope() {
    let envelope = Envelope::new(b"{}").signed("SHA256:x".into(), &[7; 64]);
    let bytes = envelope.bytes().unwrap();
    assert_eq!(Envelope::read(&bytes).unwrap(), envelope);
    assert!(envelope.holds(b"{}") && !envelope.holds(b"{ }"));
    for (index, byte) in bytes.iter().enumerate() {
        let mut changed = bytes.clone();
        changed[index] = byte ^ 1;
        let same = Envelope::read(&changed).is_ok_and(|read| read == envelope);
        assert!(!same, "byte {index}");
    }
    let spaced = String::from_utf8(bytes).unwrap().replacen(':', ": ", 1);
    assert!(Envelope::read(spaced.as_bytes()).unwrap_err().contains("as citadel writes it"));
}

#[test]
fn a_key_is_the_same_in_either_form() {
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti release@example";
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAsz6u836i33yqAQ3v3qNOJB9l8bUppPQ+0UMn9cVKq2I=\n-----END PUBLIC KEY-----\n";
    let (one, other) = (Key::read(ssh).unwrap(), Key::read(pem).unwrap());
    assert_eq!((&one, one.id()), (&other, other.id()));
    assert!(!one.line().unwrap().contains("release"));
    let refused = |text: &str, why: &str| {
        let error = Key::read(text).unwrap_err();
        assert!(error.contains(why) && !error.contains("AAAA"), "{error}");
    };
    refused("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "is a private key");
    refused("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "no ed25519 public key");
    refused("ssh-ed25519 AAAA", "no OpenSSH public key");
    refused("", "no OpenSSH public key");
}
