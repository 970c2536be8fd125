//! A complete good run, changed in several hundred small ways: `verify` rejects each, and names the place.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use citadel::audit::{Audit, Expected, audit};
use citadel::event::Event;
use citadel::journal::{self, Entry};
use sha2::{Digest, Sha256};

use super::rehearsal::run_folder;

/// A copy of the rehearsed run that may be changed.
struct Copied {
    folder: tempfile::TempDir,
    entries: Vec<Entry>,
}

impl Copied {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&run_folder(), folder.path());
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

#[test]
fn an_untouched_run_is_consistent() {
    let run = Copied::new();
    let audit = run.audit().unwrap();
    assert_eq!(audit.problems, []);
    assert_eq!(audit.noted, [""; 0]);
    assert_eq!((audit.checked["gates"], audit.checked["signatures"]), (5, 4));
    assert!(audit.checked["evidence"] > 10 && audit.checked["files"] > 30, "{:?}", audit.checked);
    run.write(&sealed(&run.lines()));
    let head = run.head();
    let again = run.expecting(&Expected { head: Some(&head), ..Expected::default() }).unwrap();
    assert_eq!(again.problems, [], "the tests seal as citadel does");
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
        let unfinished = Expected { head: Some(&head), unfinished: true };
        assert!(!run.expecting(&unfinished).unwrap().is_consistent(), "{length} records with a head");
    }
}

#[test]
fn every_file_that_was_changed_is_named() {
    let run = Copied::new();
    let mut named: Vec<(u64, String)> = Vec::new();
    for entry in &run.entries {
        match &entry.event {
            Event::StepEnded(ended) => named.extend(ended.artefacts.iter().map(|kept| (entry.seq, kept.path.clone()))),
            Event::GateJudged(judged) => named.push((entry.seq, judged.record.clone())),
            Event::SignOffRequested(request) => named.push((entry.seq, request.statement.clone())),
            Event::SignOffAccepted { signature, .. } => named.push((entry.seq, signature.clone())),
            _ => {}
        }
    }
    assert!(named.len() > 30);
    let others: Vec<Vec<u8>> = named.iter().map(|(_, file)| fs::read(run.path(file)).unwrap()).collect();
    for (index, (seq, file)) in named.iter().enumerate() {
        let (path, bytes) = (run.path(file), &others[index]);
        let other = others.iter().chain(&others).skip(index + 1).find(|other| *other != bytes).unwrap();
        let elsewhere = run.path("logs/elsewhere");
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
    }
    assert!(run.audit().unwrap().is_consistent(), "all is back");
    for stranger in ["artefacts/3.mission.2.mission.json", "gates/3.72.json", "sign-offs/other/statement.txt", "note"] {
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
            let bound = Expected { head: Some(&head), unfinished: false };
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
