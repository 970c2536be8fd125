//! Journals of every format that was ever released, read by today's citadel: `tests/journals/v1/` holds each interesting
//! shape, with every event at least once. A file there is never changed; new shapes are new files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "starts citadel itself")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use citadel::attest::attestations;
use citadel::digest::sha256;
use citadel::event::Event;
use citadel::journal::{self, Broken, Contents, Entry};
use citadel::progress::Progress;
use citadel::report::{Outcome, Report, json, junit, markdown, status};
use citadel::secrets::Mask;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

fn contents(name: &str) -> Contents {
    journal::parse(&bytes(name)).unwrap()
}

fn replay(entries: &[Entry]) -> Progress {
    Progress::replay(entries.iter().map(|entry| &entry.event))
}

/// Every journal of format 1.
fn corpus() -> Vec<String> {
    let entries = fs::read_dir(folder().join("v1")).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = entries.map(|entry| format!("v1/{}", entry.file_name().to_str().unwrap())).collect();
    names.sort();
    names
}

#[test]
fn each_shape_folds_to_what_happened() {
    let mut seen = BTreeSet::new();
    let mut check = |name: &str, records: usize, torn: bool, outcome: &str| {
        let name = format!("v1/{name}.jsonl");
        let contents = contents(&name);
        assert_eq!((contents.entries.len(), contents.torn > 0), (records, torn), "{name}");
        assert_eq!(Outcome::of(&replay(&contents.entries)).sentence(), outcome, "{name}");
        seen.insert(name);
    };
    check("by-hand", 14, false, "every gate passed (1 of 1)");
    check("complete", 25, false, "every gate passed (3 of 3)");
    check("dev-chain", 9, false, "every gate passed (1 of 1)");
    check("elsewhere", 7, false, "every gate passed (1 of 1)");
    check("empty", 0, false, "nothing was started; 0 of 0 gates passed");
    check("guarded", 25, false, "every gate passed (3 of 3)");
    check("killed-did-not-happen", 11, false, "nothing is left open; 1 of 3 gates passed");
    check("killed-happened", 10, false, "nothing is left open; 1 of 3 gates passed");
    check("long-log", 6, false, "every gate passed (1 of 1)");
    check("people", 22, false, "every gate passed (1 of 1)");
    check("torn", 7, true, "step `1.mission` may or may not have happened; 1 of 3 gates passed");
    check("two-operators", 15, false, "every gate passed (2 of 2), 1 check waived");
    check("troubles", 41, false, "given up: the endpoints are to be replaced first");
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), corpus());
}

#[test]
fn a_run_is_where_it_went_on_where_its_journal_says_where() {
    let place = |name: &str| replay(&contents(name).entries).run.map(|run| (run.workspace, run.reports)).unwrap();
    let other = ("/home/ann/other".to_owned(), "/home/ann/other/reports".to_owned());
    assert_eq!(place("v1/elsewhere.jsonl"), other);
    let entries = contents("v1/complete.jsonl").entries;
    assert!(entries.iter().any(|entry| kind(&entry.event) == "run_continued"));
    let Event::RunOpened(opened) = &entries[0].event else { panic!("{:?}", entries[0]) };
    assert_eq!(place("v1/complete.jsonl"), (opened.workspace.clone(), opened.reports.clone()));
}

#[test]
fn a_suspension_lasts_until_it_is_closed() {
    let entries = contents("v1/by-hand.jsonl").entries;
    let words = |count: usize| Outcome::of(&replay(&entries[..count])).word();
    assert_eq!([4, 5, 6, 7, 8].map(words), ["STOPPED", "SUSPENDED", "SUSPENDED", "SUSPENDED", "STOPPED"]);
    assert!(markdown::render(&Report::of(&entries)).contains("Handed in for step `1.ask` by ann: asked at noon"));
}

/// `citadel verify` derives attestations anew, also those that an earlier citadel made.
#[test]
fn what_is_attested_of_them_never_changes() {
    let mut all = String::new();
    for name in corpus() {
        for found in attestations(&contents(&name).entries).unwrap() {
            writeln!(all, "{name} {} {}", found.name, sha256(&found.payload)).unwrap();
        }
    }
    let expected = String::from_utf8(bytes("attestations.txt")).unwrap();
    assert_eq!(all, expected, "{all}");
}

#[test]
fn what_stood_between_steps_and_the_state_is_told_where_it_was_recorded() {
    let told = |name: &str| markdown::render(&Report::of(&contents(name).entries));
    let guarded = told("v1/guarded.jsonl");
    assert!(guarded.contains("not isolated from the state folder: the kernel has no Landlock"), "{guarded}");
    assert!(guarded.contains("| Program used | `/usr/bin/git` `6161"), "{guarded}");
    let before = told("v1/complete.jsonl");
    assert!(!before.contains("isolated") && !before.contains("Program used"), "{before}");
}

/// The name of an event in the journal. A new event must be named here, and then stand in a journal.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::RunOpened(_) => "run_opened",
        Event::RunContinued(_) => "run_continued",
        Event::OpeningRequested(_) => "opening_requested",
        Event::OpeningSigned { .. } => "opening_signed",
        Event::PlanTaken { .. } => "plan_taken",
        Event::HandedOver { .. } => "handed_over",
        Event::TakenOver(_) => "taken_over",
        Event::DevChainStarted { .. } => "dev_chain_started",
        Event::DevChainReady(_) => "dev_chain_ready",
        Event::DevChainEnded => "dev_chain_ended",
        Event::StepStarted(_) => "step_started",
        Event::StepSpawned { .. } => "step_spawned",
        Event::StepEnded(_) => "step_ended",
        Event::StepDecided { .. } => "step_decided",
        Event::AnotherTry { .. } => "another_try",
        Event::GateJudged(_) => "gate_judged",
        Event::SignOffRequested(_) => "sign_off_requested",
        Event::SignOffAccepted { .. } => "sign_off_accepted",
        Event::Published { .. } => "published",
        Event::HandedIn(_) => "handed_in",
        Event::Suspended { .. } => "suspended",
        Event::SuspensionEnded { .. } => "suspension_ended",
        Event::Interrupted { .. } => "interrupted",
        Event::RunEnded { .. } => "run_ended",
        Event::RunClosed { .. } => "run_closed",
    }
}

const KINDS: usize = 25;

#[test]
fn every_event_outcome_and_ending_stands_in_a_journal() {
    let all: Vec<Entry> = corpus().iter().flat_map(|name| contents(name).entries).collect();
    let kinds: BTreeSet<&str> = all.iter().map(|entry| kind(&entry.event)).collect();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
    let values = |key: &str| -> BTreeSet<String> {
        let events = all.iter().map(|entry| serde_json::to_value(&entry.event).unwrap());
        let name = |value: &Value| match value {
            Value::Object(object) => object.keys().next().unwrap().clone(),
            other => other.as_str().unwrap().to_owned(),
        };
        events.filter_map(|event| event.get(key).map(name)).collect()
    };
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(values("outcome"), set(&["done", "failed", "timed_out", "interrupted", "indeterminate", "refused"]));
    assert_eq!(
        values("ended"),
        set(&["exited", "signalled", "timed_out", "silent", "interrupted", "not_started", "unseen"])
    );
    assert_eq!(values("verdict"), set(&["passed", "waiting", "unknown", "failed"]));
}

#[test]
fn each_is_told_at_every_record() {
    for name in corpus() {
        let entries = contents(&name).entries;
        for count in 0..=entries.len() {
            let (report, progress) = (Report::of(&entries[..count]), replay(&entries[..count]));
            assert!(!markdown::render(&report).is_empty());
            serde_json::from_str::<Value>(&json::render(&report).unwrap()).unwrap();
            assert!(junit::render(&report).unwrap().contains("<testsuites"));
            assert!(!status::human(&progress, "", false, 80, true).is_empty());
            serde_json::from_str::<Value>(&status::json(&progress, "", false).unwrap()).unwrap();
        }
    }
}

/// Half a record is torn off, and no other record is lost with it.
#[test]
fn cut_at_every_byte_it_is_a_shorter_journal() {
    let name = "v1/dev-chain.jsonl";
    let (bytes, whole) = (bytes(name), contents(name).entries);
    for length in 0..bytes.len() {
        let cut = journal::parse(&bytes[..length]).unwrap_or_else(|broken| panic!("{name} at {length}: {broken}"));
        assert_eq!(cut.entries, whole[..cut.entries.len()], "{name} at {length}");
        let kept = bytes[..length].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!((cut.entries.len(), cut.torn == 0), (kept, length == 0 || bytes[length - 1] == b'\n'));
    }
}

/// A changed record is never taken for what happened.
#[test]
fn no_flipped_byte_is_accepted() {
    let (name, masks) = ("v1/dev-chain.jsonl", [0x01, 0x80]);
    let (bytes, whole) = (bytes(name), contents(name).entries);
    let mut changed = bytes.clone();
    for index in 0..bytes.len() {
        for mask in masks {
            changed[index] ^= mask;
            // Without its line end the last record is a torn line: told, and not counted.
            let accepted =
                journal::parse(&changed).is_ok_and(|read| read.torn == 0 || read.entries.len() >= whole.len());
            assert!(!accepted, "{name}: byte {index} ^ {mask:#x}");
            changed[index] ^= mask;
        }
    }
}

#[test]
fn what_a_later_citadel_wrote_is_refused_with_its_line() {
    let check = |name: &str, wanted: &str| {
        let Broken { line, what } = journal::parse(&bytes(&format!("refused/{name}.jsonl"))).unwrap_err();
        assert!((line, what.starts_with(wanted)) == (3, true), "line {line}: {what}");
    };
    check("later-format", "has format 2, this citadel reads up to 1; use a newer citadel");
    check("unknown-event", "holds an event that this citadel does not know: unknown variant `step_teleported`");
}

/// A runbook with one phase of one step, in a folder of its own, with a run that stands as `journal` says.
struct Place {
    folder: tempfile::TempDir,
    journal: PathBuf,
}

const RUNBOOK: &str = r#"format = 1
[runbook]
id = "small"
title = "Small"
reports = "reports"
[workspace]
marker = "marker"
[network.net]
chain_id = 31337
rpc = ["NET_RPC_URL"]
block = "latest"
[contract.any]
kind = "plain"
address = { net = "0x5FbDB2315678afecb367f032d93F642f64180aa3" }
[[phase]]
id = "0"
title = "Preparation"
[[phase.step]]
id = "inventory"
title = "Write down what is there"
shell = "echo there"
[phase.gate]
title = "There is code"
[[phase.gate.check]]
id = "code"
code = { of = "any" }
"#;

impl Place {
    fn new(journal: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("state/small/net/2026-11-22T20-00-00Z");
        fs::create_dir_all(&run).unwrap();
        fs::write(folder.path().join("runbook.toml"), RUNBOOK).unwrap();
        fs::write(folder.path().join("marker"), "").unwrap();
        fs::write(run.join("journal.jsonl"), journal).unwrap();
        Self { folder, journal: run.join("journal.jsonl") }
    }

    fn citadel(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citadel"));
        command.arg("--state").arg(self.folder.path().join("state")).args(words).args(["--network", "net"]);
        command.env("NET_RPC_URL", "http://127.0.0.1:1").current_dir(self.folder.path()).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// The command ends with `code` and says `wanted`; the journal is as it was.
    fn refuses(&self, words: &[&str], code: i32, wanted: &str) {
        let before = fs::read(&self.journal).unwrap();
        let output = self.citadel(words);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(wanted), "{text}");
        assert_eq!(fs::read(&self.journal).unwrap(), before);
    }
}

#[test]
fn a_later_format_stops_every_command_with_a_sentence_that_helps() {
    for words in [&["run"][..], &["status"], &["plan"], &["report"], &["gate", "verify"]] {
        let later = Place::new(&bytes("refused/later-format.jsonl"));
        later.refuses(words, 18, "line 3: has format 2, this citadel reads up to 1; use a newer citadel");
        let unknown = Place::new(&bytes("refused/unknown-event.jsonl"));
        unknown.refuses(words, 18, "line 3: holds an event that this citadel does not know");
    }
}

/// The records of a run, sealed as citadel seals them, with the first one changed.
fn resealed(change: impl Fn(&mut Value)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut journal = journal::Journal::create(&path, &Mask::none()).unwrap();
    let first = contents("v1/complete.jsonl").entries.remove(0);
    let mut record = serde_json::to_value(first).unwrap();
    change(&mut record);
    let event = serde_json::from_value(record["event"].take()).unwrap();
    journal.append(event, record["time"].as_str().unwrap().parse().unwrap()).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn an_older_citadel_and_a_clock_that_was_set_back_start_nothing() {
    let older = Place::new(&resealed(|record| record["event"]["citadel"] = "99.0.0".into()));
    older.refuses(&["run"], 15, "citadel 99.0.0 worked on this run, and this is citadel");
    let back = Place::new(&resealed(|record| record["time"] = "2999-01-01T00:00:00Z".into()));
    back.refuses(&["run"], 15, "the clock was set back: it is ");
}

#[test]
fn a_torn_last_line_is_told_cut_off_and_gone_on_from() {
    let mut journal = resealed(|record| record["time"] = "2026-11-22T20:00:00Z".into());
    let whole = journal.len();
    journal.extend_from_slice(b"{\"v\":1,\"seq\":2,\"pr");
    let place = Place::new(&journal);
    let output = place.citadel(&["run"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("the journal ended in 18 bytes of an unfinished record, which were cut off"), "{text}");
    // Nothing answers there, so that the gate stays unknown; the run went on all the same.
    assert_eq!(output.status.code(), Some(11), "{text}");
    let after = fs::read(&place.journal).unwrap();
    assert_eq!(after[..whole], journal[..whole]);
    let entries = journal::read(&place.journal).unwrap().entries;
    let kinds: Vec<&str> = entries.iter().map(|entry| kind(&entry.event)).collect();
    assert_eq!(kinds[..5], ["run_opened", "run_continued", "step_started", "step_spawned", "step_ended"]);
}

/// A citadel that died before its first record left an empty journal: the run opens there.
#[test]
fn an_empty_journal_is_opened() {
    let place = Place::new(b"");
    assert_eq!(place.citadel(&["run"]).status.code(), Some(11));
    assert_eq!(kind(&journal::read(&place.journal).unwrap().entries[0].event), "run_opened");
}
