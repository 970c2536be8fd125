//! A complete good run, changed in several hundred small ways: `verify` rejects each, and names the place.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use citadel::audit::{Audit, Expected, audit};
use citadel::event::{Artefact, Event};
use citadel::journal::{self, Entry};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::builder::Test;
use super::fixture::kept;
use super::rehearsal::run_folder;
use super::stub::{step, stub, went_on_elsewhere};

/// A copy of the rehearsed run that may be changed.
struct Copied {
    folder: tempfile::TempDir,
    entries: Vec<Entry>,
}

impl Copied {
    fn new() -> Self {
        Self::of(&run_folder())
    }

    fn of(run: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(run, folder.path());
        let entries = journal::read(&folder.path().join("journal.jsonl")).unwrap().entries;
        Self { folder, entries }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.path("journal.jsonl")).unwrap().lines().map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::write(self.path("journal.jsonl"), lines.join("\n") + "\n").unwrap();
    }

    fn head(&self) -> String {
        self.entries.last().unwrap().hash.clone()
    }

    /// What is said of the run, by somebody who noted down nothing.
    fn audit(&self) -> Result<Audit, String> {
        self.expecting(&Expected::default())
    }

    fn expecting(&self, expected: &Expected<'_>) -> Result<Audit, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(audit(self.folder.path(), expected)).map_err(|failure| {
            assert_eq!(failure.code.number(), 18);
            failure.to_string()
        })
    }

    /// The journal itself is refused, at `line`.
    #[track_caller]
    fn breaks_at(&self, line: usize) {
        let error = self.audit().expect_err("a broken journal was read");
        assert!(error.contains(&format!("line {line}:")), "line {line}: {error}");
    }

    /// `verify` finds something wrong with record `seq`, and nothing before it.
    #[track_caller]
    fn wrong_at(&self, seq: u64, what: &str) {
        let audit = self.audit().unwrap();
        let first = audit.problems.first().unwrap_or_else(|| panic!("{what} at record {seq}: nothing was found"));
        assert_eq!(first.record, Some(seq), "{what}: {:?}", audit.problems);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Seals `lines` anew, as somebody would who knows the format: numbers, links and hashes all fit.
fn sealed(lines: &[String]) -> Vec<String> {
    let mut before = "0".repeat(64);
    let mut sealed = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let (body, _) = line.rsplit_once(",\"hash\":\"").unwrap();
        let (head, rest) = body.split_once(",\"prev\":\"").unwrap();
        let version = head.split_once(",\"seq\":").unwrap().0;
        let body = format!("{version},\"seq\":{},\"prev\":\"{before}{}", index + 1, &rest[64..]);
        before = format!("{:x}", Sha256::digest(format!("{body}}}")));
        sealed.push(format!("{body},\"hash\":\"{before}\"}}"));
    }
    sealed
}

fn is(entry: &Entry, kind: &str) -> bool {
    serde_json::to_value(&entry.event).unwrap()["type"] == kind
}

/// What is left where the machine went down while an intent was on its way to the disk.
#[test]
fn an_empty_log_that_no_record_names_is_told_and_breaks_nothing() {
    let run = Copied::new();
    fs::write(run.path("logs/9.never.1.log"), "").unwrap();
    let audit = run.audit().unwrap();
    assert_eq!((audit.problems, audit.noted), (Vec::new(), vec!["1 empty log that no record names".to_owned()]));
    let last = run.entries.last().unwrap().seq;
    for (file, text) in [("logs/9.never.1.log", "x"), ("artefacts/9.never.1.json", "")] {
        let run = Copied::new();
        fs::write(run.path(file), text).unwrap();
        run.wrong_at(last, file);
    }
}

#[test]
fn an_untouched_run_is_consistent() {
    let run = Copied::new();
    let audit = run.audit().unwrap();
    assert_eq!(audit.problems, []);
    assert_eq!(audit.noted, [""; 0]);
    assert_eq!((audit.checked["gates"], audit.checked["signatures"], audit.checked["deliverables"]), (5, 4, 4));
    assert!(audit.checked["logs"] > 20, "{:?}", audit.checked);
    let bracket = &audit.bracket;
    assert!(bracket.not_before.is_some() && bracket.noted_down.is_none());
    let signed = bracket.signed.as_ref().unwrap();
    assert!(signed.record > 50 && signed.who.starts_with("signer-"), "{signed:?}");
    assert!(audit.checked["evidence"] > 10 && audit.checked["files"] > 30, "{:?}", audit.checked);
    run.write(&sealed(&run.lines()));
    let head = run.head();
    let again = run.expecting(&Expected { head: Some(&head), ..Expected::default() }).unwrap();
    assert_eq!(again.problems, [], "the tests seal as citadel does");
    assert_eq!(again.bracket.noted_down, Some(again.records));
}

#[test]
fn a_journal_that_was_edited_breaks_at_the_line() {
    let run = Copied::new();
    let lines = run.lines();
    for index in 0..lines.len() {
        let mut changed = lines.clone();
        changed[index] = lines[index].replacen("\"time\":\"2", "\"time\":\"3", 1);
        run.write(&changed);
        run.breaks_at(index + 1);

        if index + 1 < lines.len() {
            let mut changed = lines.clone();
            changed.remove(index);
            run.write(&changed);
            run.breaks_at(index + 1);

            let mut changed = lines.clone();
            changed.swap(index, index + 1);
            run.write(&changed);
            run.breaks_at(index + 1);
        }
    }
}

#[test]
fn a_journal_that_was_cut_is_not_over() {
    let run = Copied::new();
    let lines = run.lines();
    let over = run.entries.iter().position(|entry| is(entry, "run_ended")).unwrap();
    let head = run.head();
    for length in (1..=over).step_by(9).chain([over]) {
        run.write(&lines[..length]);
        assert!(!run.audit().unwrap().is_consistent(), "{length} records");
        let unfinished = Expected { head: Some(&head), unfinished: true, ..Expected::default() };
        assert!(!run.expecting(&unfinished).unwrap().is_consistent(), "{length} records with a head");
    }
}

#[test]
fn every_file_that_was_changed_is_named() {
    let run = Copied::new();
    let mut named: Vec<(u64, String)> = Vec::new();
    for entry in &run.entries {
        match &entry.event {
            Event::StepEnded(ended) => {
                named.extend(ended.artefacts.iter().map(|kept| (entry.seq, kept.path.clone())));
                // What said nothing cannot be cut.
                let logs = ended.logs.iter().filter(|log| log.bytes > 1);
                named.extend(logs.map(|log| (entry.seq, log.path.clone())));
            }
            Event::GateJudged(judged) => named.push((entry.seq, judged.record.clone())),
            Event::SignOffRequested(request) => named.push((entry.seq, request.statement.clone())),
            Event::SignOffAccepted { signature, .. } => named.push((entry.seq, signature.clone())),
            _ => {}
        }
    }
    assert!(named.len() > 50, "{}", named.len());
    assert!(named.iter().filter(|(_, file)| file.starts_with("logs/")).count() > 15);
    let others: Vec<Vec<u8>> = named.iter().map(|(_, file)| fs::read(run.path(file)).unwrap()).collect();
    for (index, (seq, file)) in named.iter().enumerate() {
        let (path, bytes) = (run.path(file), &others[index]);
        let other = others.iter().chain(&others).skip(index + 1).find(|other| *other != bytes).unwrap();
        let elsewhere = run.folder.path().with_extension("elsewhere");
        fs::write(&elsewhere, bytes).unwrap();
        fs::remove_file(&path).unwrap();
        // One way for each file, and every way many times.
        let how = ["removed", "cut", "exchanged", "linked"][index % 4];
        match how {
            "removed" => {}
            "cut" => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
            "exchanged" => fs::write(&path, other).unwrap(),
            _ => symlink(&elsewhere, &path).unwrap(),
        }
        run.wrong_at(*seq, &format!("{file} {how}"));
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::remove_file(&elsewhere).unwrap();
    }
    assert!(run.audit().unwrap().is_consistent(), "all is back");
    for (file, from, to) in [
        ("definitions.json", "npm", "make"),
        ("definitions.json", "chain", "none"),
        ("definitions.json", "}", ""),
        (
            &*named.iter().find(|(_, file)| file.ends_with("statement.txt")).unwrap().1.replace(".txt", ".json"),
            "gate",
            "fate",
        ),
    ] {
        let before = fs::read_to_string(run.path(file)).unwrap();
        fs::write(run.path(file), before.replacen(from, to, 1)).unwrap();
        let audit = run.audit().unwrap();
        assert_eq!(audit.problems[0].file.as_deref(), Some(file), "{from}: {:?}", audit.problems);
        fs::write(run.path(file), before).unwrap();
    }
    for stranger in [
        "artefacts/3.mission.2.mission.json",
        "gates/3.72.json",
        "sign-offs/other/statement.txt",
        "note",
        "logs/elsewhere",
    ] {
        fs::create_dir_all(run.path(stranger).parent().unwrap()).unwrap();
        fs::write(run.path(stranger), "{}").unwrap();
        let audit = run.audit().unwrap();
        assert_eq!(audit.problems[0].file.as_deref(), Some(stranger), "{:?}", audit.problems);
        fs::remove_file(run.path(stranger)).unwrap();
    }
}

#[test]
fn a_record_that_is_left_out_is_missed_although_all_hashes_fit() {
    let run = Copied::new();
    let lines = run.lines();
    let head = run.head();
    // What people signed names a record; what comes after it, only a head that was noted down can hold.
    let signed = run.entries.iter().rposition(|entry| is(entry, "sign_off_requested")).unwrap();
    for index in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(index);
        let changed = sealed(&changed);
        run.write(&changed);
        let found = match run.audit() {
            Ok(found) => found,
            Err(error) if index == 0 => {
                assert!(error.contains("does not open a run"), "{error}");
                continue;
            }
            Err(error) => panic!("record {}: the seals of the test do not fit: {error}", index + 1),
        };
        if found.is_consistent() {
            let bound = Expected { head: Some(&head), ..Expected::default() };
            assert!(!run.expecting(&bound).unwrap().is_consistent(), "record {} with a head", index + 1);
        }
        let entry = &run.entries[index];
        let kinds = ["step_started", "step_ended", "gate_judged", "run_ended", "sign_off_requested", "run_opened"];
        if index < signed || kinds.iter().any(|kind| is(entry, kind)) {
            assert!(!found.is_consistent(), "record {} was left out: {:?}", index + 1, entry.event);
        }
    }
}

/// Edits record `kind` by `change`, seals everything anew, and expects something wrong at one of `wanted`'s records.
#[track_caller]
fn forged(kind: &str, change: (&str, &str)) {
    let run = Copied::new();
    let lines = run.lines();
    let mut tried = 0;
    for index in 0..lines.len() {
        if !is(&run.entries[index], kind) || !lines[index].contains(change.0) {
            continue;
        }
        tried += 1;
        if tried > 2 {
            break;
        }
        let mut changed = lines.clone();
        changed[index] = lines[index].replacen(change.0, change.1, 1);
        run.write(&sealed(&changed));
        match run.audit() {
            Err(error) => assert!(error.contains(&format!("line {}", index + 1)), "{error}"),
            Ok(audit) => {
                let first = audit.problems.first();
                let first = first.unwrap_or_else(|| panic!("{kind}: {change:?} in record {}: not found", index + 1));
                assert!(first.record.is_some(), "{first:?}");
            }
        }
    }
    assert!(tried > 0, "no `{kind}` holds `{}`", change.0);
}

#[test]
fn a_forged_record_does_not_fit_although_all_hashes_do() {
    forged("step_started", ("\"attempt\":1", "\"attempt\":2"));
    forged("step_started", ("\"definition\":\"", "\"definition\":\"0"));
    forged("step_started", ("\"step\":\"3.", "\"step\":\"4."));
    forged("step_ended", ("\"attempt\":1", "\"attempt\":2"));
    forged("step_ended", ("\"outcome\":\"done\"", "\"outcome\":\"failed\""));
    forged("step_ended", ("\"verdict\":\"passed\"", "\"verdict\":\"failed\""));
    forged("step_ended", ("\"sha256\":\"", "\"sha256\":\"0"));
    forged("step_ended", ("\"path\":\"artefacts/", "\"path\":\"../artefacts/"));
    forged("gate_judged", ("\"verdict\":\"passed\"", "\"verdict\":\"failed\""));
    forged("gate_judged", ("\"verdict\":\"passed\"", "\"verdict\":\"unknown\""));
    forged("gate_judged", ("\"number\":", "\"number\":1"));
    forged("gate_judged", ("\"network\":\"local\"", "\"network\":\"mainnet\""));
    forged("gate_judged", ("\"definition\":\"", "\"definition\":\"0"));
    forged("gate_judged", ("\"record_sha256\":\"", "\"record_sha256\":\"0"));
    forged("gate_judged", ("\"message\":\"", "\"message\":\"not "));
    forged("sign_off_requested", ("\"nonce\":\"", "\"nonce\":\"0"));
    forged("sign_off_requested", ("\"journal_hash\":\"", "\"journal_hash\":\"0"));
    forged("sign_off_requested", ("\"expires\":\"2", "\"expires\":\"1"));
    forged("sign_off_requested", ("\"signer-1\",", ""));
    forged("sign_off_accepted", ("\"who\":\"signer-", "\"who\":\"signer-9"));
    forged("sign_off_accepted", ("\"key\":\"SHA256:", "\"key\":\"SHA256:0"));
    forged("sign_off_accepted", ("signer-1.sig", "signer-2.sig"));
    forged("published", ("\"sha256\":\"", "\"sha256\":\"0"));
    forged("run_opened", ("\"run\":\"2", "\"run\":\"1"));
    forged("run_opened", ("\"runbook_sha256\":\"", "\"runbook_sha256\":\"0"));
    forged("dev_chain_ready", ("\"who\":\"signer-1\"", "\"who\":\"signer-9\""));
}

/// What nothing in a run's folder can contradict, where nobody signed: what machines, clocks and programs said of themselves, how
/// a result is worded, and which runbook was there before another. docs/verify.md says so; attestations and a head that was
/// noted down hold these too.
const HELD_BY_NOTHING_ELSE: [&str; 17] = [
    "gate_judged.heads",
    "run_continued.citadel",
    "run_continued.guards",
    "run_continued.host",
    "run_continued.operator",
    "run_continued.phases[].digest",
    "run_continued.reports",
    "run_continued.runbook_sha256",
    "run_continued.workspace",
    "step_ended.evidence[].expected",
    "step_ended.evidence[].kind",
    "step_ended.evidence[].message",
    "step_ended.evidence[].hint",
    "step_ended.finalized",
    "step_ended.milliseconds",
    "step_ended.tail",
    "step_spawned.process",
];

/// Of the opening record: who, where and with what; whatever names the runbook is held by the gate records.
const HELD_OF_THE_OPENING: [&str; 9] =
    ["citadel", "folder", "guards", "host", "operator", "phases[].digest", "practice", "reports", "workspace"];

fn is_held_by_nothing_else(place: &str) -> bool {
    match place.strip_prefix("run_opened.") {
        Some("runbook_sha256") => true,
        Some(field) => HELD_OF_THE_OPENING.iter().any(|one| field.starts_with(one)),
        None => HELD_BY_NOTHING_ELSE.iter().any(|one| place.starts_with(one)),
    }
}

/// The places of all values in `value`, without the numbers of lists.
fn places(value: &Value, at: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                // Names that are data are one place.
                let place = if name.contains(['.', '/', ' ', '$']) { "*" } else { name };
                let escaped = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{at}.{place}"), &format!("{pointer}/{escaped}"), found);
            }
        }
        Value::Array(items) => {
            if !items.is_empty() {
                found.push((format!("{at}[]"), pointer.to_owned()));
            }
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}[]"), &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push((at.to_owned(), pointer.to_owned())),
    }
}

/// Another value of the same type.
fn otherwise(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().map_or(7, |number| number + 1)),
        Value::String(text) => {
            let first = if text.starts_with('0') { '1' } else { '0' };
            json!(
                text.char_indices().map(|(at, c)| if at == 0 { first } else { c }).collect::<String>()
                    + if text.is_empty() { "0" } else { "" }
            )
        }
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
    }
}

/// The fields of all records that can be changed, everything sealed anew, without anybody noticing.
fn unnoticed(run: &Copied) -> Vec<String> {
    let lines = run.lines();
    let mut tried: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for (index, entry) in run.entries.iter().enumerate() {
        let event = serde_json::to_value(&entry.event).unwrap();
        let mut found = Vec::new();
        places(&event, event["type"].as_str().unwrap(), "", &mut found);
        for (place, pointer) in found.into_iter().filter(|(place, _)| place.rsplit('.').next() != Some("type")) {
            tried.entry(place).or_default().push((index, pointer));
        }
    }
    assert!(tried.len() > 60, "{}", tried.len());
    let mut missed = Vec::new();
    for (place, all) in &tried {
        // The last: what people signed holds what comes before.
        let (index, pointer) = all.last().unwrap();
        let mut line: Value = serde_json::from_str(&lines[*index]).unwrap();
        let value = line["event"].pointer_mut(pointer).unwrap();
        let other = otherwise(value);
        if other == *value {
            continue;
        }
        *value = other;
        let mut changed = lines.clone();
        changed[*index] = reworded(&lines[*index], &line);
        run.write(&sealed(&changed));
        // A journal that cannot be read is refused too.
        if run.audit().is_ok_and(|audit| audit.is_consistent()) {
            missed.push(place.clone());
        }
    }
    missed
}

#[test]
fn every_field_of_every_kind_of_record_is_borne_out_by_something() {
    let others = |run: &Copied| -> Vec<String> {
        unnoticed(run).into_iter().filter(|place| !is_held_by_nothing_else(place)).collect()
    };
    assert_eq!(others(&Copied::new()), [""; 0], "of a run that people signed");

    let evidence = "  [[phase.step.evidence]]\n  file = \"out.json\"\n  keep = \"out.json\"\n  json = [{ at = \"$.done\", eq = true }]\n";
    let deliverable =
        "[[deliverable]]\nid = \"out\"\ntitle = \"What came out\"\npath = \"out/\"\nof = [\"out.json\"]\n";
    let one = step("one", "echo said; echo '{\"done\": true}' > out.json", evidence);
    let test = stub(&(one + &step("two", "test -e there", "")));
    test.write("runbook.toml", test.read("runbook.toml") + deliverable);
    test.citadel("run --network test").code(13);
    test.write("there", "");
    test.citadel("run --network test").code(0);
    let unsigned = Copied::of(&test.runs("stub", "test")[0]);
    assert!(unsigned.audit().unwrap().is_consistent());
    assert_eq!(others(&unsigned), [""; 0], "of one that nobody signed");
}

/// The line with the event of `line`, its members in the order in which citadel writes them.
fn reworded(before: &str, line: &Value) -> String {
    let (head, _) = before.split_once(",\"event\":").unwrap();
    let hash = before.rsplit_once(",\"hash\":").unwrap().1;
    format!("{head},\"event\":{},\"hash\":{hash}", line["event"])
}

/// `lines`, sealed anew, with `change` made to each event.
fn changed(lines: &[String], change: impl Fn(usize, &mut Map<String, Value>)) -> Vec<String> {
    let changed = lines.iter().enumerate().map(|(index, before)| {
        let mut line: Value = serde_json::from_str(before).unwrap();
        change(index, line["event"].as_object_mut().unwrap());
        reworded(before, &line)
    });
    sealed(&changed.collect::<Vec<_>>())
}

/// What the citadel did that began the run: it bound no logs, and this one went on.
#[test]
fn logs_are_bound_by_all_outcomes_of_a_citadel_that_binds_them() {
    let test = stub(&(step("one", "echo said", "") + &step("late", "test -e there", "")));
    test.citadel("run --network test").code(13);
    test.write("there", "");
    test.citadel("run --network test").code(0);
    let run = Copied::of(&test.runs("stub", "test")[0]);
    let lines = run.lines();
    let ends: Vec<usize> = (0..run.entries.len()).filter(|index| is(&run.entries[*index], "step_ended")).collect();
    let without = |some: &[usize]| {
        changed(&lines, |index, event| {
            if some.contains(&index) {
                event.remove("logs").unwrap();
            }
        })
    };
    assert_eq!(ends.len(), 3);
    run.write(&without(&ends[..2]));
    let audit = run.audit().unwrap();
    assert_eq!(audit.problems, []);
    assert!(audit.noted.iter().any(|note| note.contains("no record holds their digest")), "{:?}", audit.noted);
    run.write(&without(&ends[..1]));
    run.wrong_at(run.entries[ends[0]].seq, "one of the logs of an invocation");
    run.write(&without(&ends[2..]));
    run.wrong_at(run.entries[ends[2]].seq, "the logs of a later invocation");
}

#[test]
fn where_a_run_went_on_is_not_guessed_where_its_journal_does_not_say() {
    let run = Copied::of(&went_on_elsewhere().runs("stub", "test")[0]);
    let lines = run.lines();
    let on = run.entries.iter().position(|entry| is(entry, "run_continued")).unwrap();
    let last = run.entries.iter().rposition(|entry| is(entry, "step_started")).unwrap();
    assert!(run.audit().unwrap().is_consistent());
    run.write(&changed(&lines, |index, event| {
        if index == on {
            event["workspace"] = json!("/elsewhere");
        }
    }));
    run.wrong_at(run.entries[last].seq, "a command of another workspace");
    // As older citadels wrote it.
    let older = |index: usize, event: &mut Map<String, Value>| {
        if index == on {
            event.remove("workspace").unwrap();
            event.remove("reports").unwrap();
        }
    };
    run.write(&changed(&lines, older));
    assert_eq!(run.audit().unwrap().problems, []);
    // A command that says nothing of the place is held to its runbook all the same.
    let late = run.entries[on..].iter().position(|entry| is(entry, "step_started")).unwrap() + on;
    run.write(&changed(&lines, |index, event| {
        older(index, event);
        if index == late {
            event["command"] = json!("true");
        }
    }));
    run.wrong_at(run.entries[late].seq, "another command");
}

#[test]
fn a_record_that_is_dated_back_is_noticed() {
    let run = Copied::new();
    let lines = run.lines();
    for index in (1..lines.len()).step_by(8) {
        let mut changed = lines.clone();
        changed[index] = lines[index].replacen("\"time\":\"20", "\"time\":\"19", 1);
        run.write(&sealed(&changed));
        run.wrong_at(index as u64 + 1, "dated back");
    }
}

/// The last record that a statement names which people signed: what comes after it, only a head can hold.
fn last_signed(run: &Copied) -> usize {
    let named = run.entries.iter().rev().find_map(|entry| match &entry.event {
        Event::SignOffRequested(request) => Some(request.journal_sequence),
        _ => None,
    });
    usize::try_from(named.unwrap()).unwrap()
}

/// Something is found without a head where people signed what comes later, and always with the head.
#[track_caller]
fn found(run: &Copied, index: usize, head: &str, what: &str) {
    let bound = run.expecting(&Expected { head: Some(head), ..Expected::default() }).unwrap();
    let places: Vec<Option<u64>> = bound.problems.iter().map(|problem| problem.record).collect();
    assert!(places.contains(&None), "{what}: a head that is gone: {:?}", bound.problems);
    if index < last_signed(run) {
        assert!(places.iter().any(Option::is_some), "{what}: {:?}", bound.problems);
    }
}

#[test]
fn a_tail_that_was_sealed_anew_is_noticed() {
    let run = Copied::new();
    let (lines, head) = (run.lines(), run.head());
    for index in (1..lines.len()).step_by(3) {
        let mut changed = lines.clone();
        // One digit of the fraction of a second, so that no other rule is broken.
        let at = lines[index].find("Z\",\"event\"").unwrap();
        let digit = if lines[index][..at].ends_with('9') { "8" } else { "9" };
        changed[index].replace_range(at - 1..at, digit);
        run.write(&sealed(&changed));
        found(&run, index, &head, &format!("record {}", index + 1));
    }
}

#[test]
fn what_another_run_kept_is_not_this_runs() {
    let (run, other) = (Copied::new(), kept());
    let head = run.head();
    let theirs = journal::read(&other.run().join("journal.jsonl")).unwrap().entries;
    let kept_by = |entries: &[Entry]| -> Vec<(usize, Artefact)> {
        let of = |(index, entry): (usize, &Entry)| match &entry.event {
            Event::StepEnded(ended) => ended.artefacts.iter().map(|kept| (index, kept.clone())).collect(),
            _ => Vec::new(),
        };
        entries.iter().enumerate().flat_map(of).collect()
    };
    let (ours, theirs) = (kept_by(&run.entries), kept_by(&theirs));
    let lines = run.lines();
    let mut tried = 0;
    for (index, kept) in &ours {
        let same = |(_, other): &&(usize, Artefact)| other.name == kept.name && other.sha256 != kept.sha256;
        let Some((_, theirs)) = theirs.iter().find(same) else { continue };
        let before = fs::read(run.path(&kept.path)).unwrap();
        fs::copy(other.run().join(&theirs.path), run.path(&kept.path)).unwrap();
        run.wrong_at(run.entries[*index].seq, &format!("{} of another run", kept.path));
        // The same with every hash of it in the journal exchanged, too.
        let changed: Vec<String> = lines.iter().map(|line| line.replace(&kept.sha256, &theirs.sha256)).collect();
        run.write(&sealed(&changed));
        found(&run, *index, &head, &format!("{} of another run, all hashes changed", kept.path));
        run.write(&lines);
        fs::write(run.path(&kept.path), before).unwrap();
        tried += 1;
    }
    assert!(tried > 5, "{tried} artefacts differ between the runs");
    assert!(run.audit().unwrap().is_consistent(), "all is back");
}

#[test]
fn a_signature_by_somebody_else_is_none() {
    let run = Copied::new();
    let elsewhere = Test::empty();
    elsewhere.sh("ssh-keygen -q -t ed25519 -N '' -f key");
    let mut tried = 0;
    for entry in &run.entries {
        let Event::SignOffAccepted { signature, .. } = &entry.event else { continue };
        let path = run.path(signature);
        let statement = path.with_file_name("statement.txt");
        let before = fs::read(&path).unwrap();
        let signed = elsewhere
            .sh(&format!("ssh-keygen -q -Y sign -n citadel-sign-off@v1 -f key < '{}' 2>&1", statement.display()));
        fs::write(&path, signed).unwrap();
        run.wrong_at(entry.seq, "signed by a stranger");
        fs::write(&path, before).unwrap();
        tried += 1;
    }
    assert_eq!(tried, 4);
}

#[test]
fn an_attempt_that_failed_cannot_be_left_out() {
    let test = stub(&step("late", "test -e there", ""));
    test.citadel("run --network test").code(13);
    test.write("there", "");
    test.citadel("run --network test").code(0);
    let folder = test.runs("stub", "test").pop().unwrap();
    let run = Copied::of(&folder);
    let (lines, head) = (run.lines(), run.head());
    let first = run.entries.iter().position(|entry| is(entry, "step_started")).unwrap();
    let last = run.entries.iter().position(|entry| is(entry, "step_ended")).unwrap();
    let mut without = lines.clone();
    without.drain(first..=last);
    run.write(&sealed(&without));
    let second = without.iter().position(|line| line.contains("\"type\":\"step_started\"")).unwrap();
    run.wrong_at(second as u64 + 1, "attempt 2 without attempt 1");
    // Whoever numbers the attempts anew is betrayed by the head, and by what was kept of them.
    let renumbered = |line: &String| line.replace("\"attempt\":2", "\"attempt\":1").replace(".late.2.", ".late.1.");
    run.write(&sealed(&without.iter().map(renumbered).collect::<Vec<_>>()));
    fs::rename(run.path("logs/1.late.2.log"), run.path("logs/1.late.1.log")).unwrap();
    let bound = run.expecting(&Expected { head: Some(&head), ..Expected::default() }).unwrap();
    assert!(bound.problems.iter().any(|problem| problem.what.contains("that was noted down")), "{:?}", bound.problems);
}
