//! The main job: the whole runbook on a chain of its own, in one command, from a fresh clone.

use std::path::PathBuf;
use std::sync::LazyLock;

use citadel::event::Event;
use citadel::journal::{Entry, Journal};
use citadel::process::started;
use citadel::progress::Progress;
use citadel::recorder::{Observer, Recorder};
use citadel::runbook::StepId;
use citadel::secrets::Mask;
use citadel::verdict::Verdict;
use serde_json::{Value, json};

use super::builder::{Outcome, Test};
use super::fixture::{fresh, kept};
use super::watchdog::Watchdog;

const REPORTS: &str = "reports/local/astral-citadel";

static REHEARSED: LazyLock<(Test, Outcome, Watchdog)> = LazyLock::new(|| {
    let test = fresh();
    let watchdog = Watchdog::over(&test);
    let outcome = test.citadel("run --local").code(0);
    (test, outcome, watchdog)
});

/// Rehearses now, so that nobody has to wait for it later.
pub(crate) fn begin() {
    LazyLock::force(&REHEARSED);
}

pub(crate) fn rehearsed() -> (&'static Test, &'static Outcome) {
    (&REHEARSED.0, &REHEARSED.1)
}

/// The folder that the rehearsed run is kept in.
pub(crate) fn run_folder() -> PathBuf {
    let home = rehearsed().0.state().join("astral-citadel/local");
    let run = Progress::replay(rehearsal_journal().iter().map(|entry| &entry.event)).run.unwrap().run;
    home.join(run)
}

fn rehearsal_journal() -> Vec<Entry> {
    rehearsed().0.journal("astral-citadel", "local")
}

#[test]
fn every_gate_passes_and_it_is_told_in_plain_lines() {
    let (_, outcome) = rehearsed();
    let told = &outcome.stderr;
    for gate in 0..5 {
        assert!(told.lines().any(|line| line.starts_with(&format!("Gate {gate}  PASSED"))), "gate {gate}\n{told}");
    }
    assert!(told.lines().any(|line| line.starts_with("COMPLETE  every gate passed (5 of 5)")), "{told}");
    assert!(!told.contains('\x1b') && !told.contains('\r'), "escape codes in a pipe");
    assert_eq!(outcome.stdout, "", "talk belongs to stderr");
    assert!(told.lines().next().unwrap().contains("network local"), "{told}");
    let top: Vec<&str> = told.lines().take(4).collect();
    assert!(top.iter().any(|line| line.contains("practice")), "the first lines name the workspace: {top:?}");
    assert!(top.iter().any(|line| line.contains(&rehearsed().0.state().display().to_string())), "{top:?}");
}

#[test]
fn every_deliverable_is_where_the_prose_promises_it() {
    let (test, outcome) = rehearsed();
    let read = |name: &str| test.read(&format!("{REPORTS}/{name}"));
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    let mission = json("receipts/mission.json");
    let jobs = mission["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 3);
    let report = read("astral-citadel-report.md");
    for job in jobs {
        let hash = job["txHash"].as_str().unwrap();
        assert!(hash.len() == 66 && report.contains(hash), "{hash}");
    }
    assert!(json("receipts/deploy.json")["contracts"]["JobRegistry"].is_string());
    assert_eq!(json("receipts/stake.json")["entries"].as_array().unwrap().len(), 4);
    assert_eq!(json("receipts/governance.json")["actions"].as_array().unwrap().len(), 1);
    assert!(read("governance.md").contains("anvil"));
    assert_eq!(json("thermodynamics.json")["summary"][0]["counts"]["drift"], 0);
    assert!(read("citadel-report.md").contains("every gate passed"));
    for name in ["receipts/mission.json", "governance.md", "thermodynamics.json", "astral-citadel-report.md"] {
        assert!(outcome.stderr.contains(name), "the end names `{name}`");
    }
    assert!(outcome.stderr.contains("citadel-report.md"));
}

#[test]
fn nothing_that_it_started_is_left() {
    let (test, _) = rehearsed();
    let entries = rehearsal_journal();
    let chain = entries.iter().find_map(|entry| match &entry.event {
        Event::DevChainStarted { pid, start_time, kept, .. } => Some((*pid, *start_time, *kept)),
        _ => None,
    });
    let (pid, start_time, kept) = chain.expect("a chain was started");
    assert!(!kept);
    assert!(started(pid).is_none_or(|now| now.start_time != start_time), "the dev chain {pid} is alive");
    assert!(entries.iter().any(|entry| entry.event == Event::DevChainEnded));
    let spawned = entries.iter().filter_map(|entry| match &entry.event {
        Event::StepSpawned { process, .. } => Some(process),
        _ => None,
    });
    for process in spawned {
        assert!(started(process.pid).is_none_or(|now| now.start_time != process.start_time), "{process:?}");
    }
    // The watchdog stands elsewhere.
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn progress_equals_the_replay_of_the_journal_at_every_event() {
    let entries = rehearsal_journal();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let watcher = Replays { path: path.clone(), seen: 0 };
    let mut recorder =
        Recorder::new(Journal::create(&path, &Mask::none()).unwrap(), Progress::default(), vec![Box::new(watcher)]);
    for entry in &entries {
        recorder.record(entry.event.clone()).unwrap();
    }
    let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
    assert_eq!(recorder.progress(), &progress);
    assert!(progress.complete && progress.gates.len() == 5);
    assert!(progress.gates.keys().all(|gate| progress.gate_verdict(gate) == Some(Verdict::Passed)));
}

/// Compares what an observer is shown with what stands on disk at that moment.
struct Replays {
    path: std::path::PathBuf,
    seen: usize,
}

impl Observer for Replays {
    fn event(&mut self, entry: &Entry, progress: &Progress) {
        let on_disk = citadel::journal::read(&self.path).unwrap().entries;
        self.seen += 1;
        assert_eq!(on_disk.len(), self.seen);
        assert_eq!(on_disk.last(), Some(entry));
        assert_eq!(&Progress::replay(on_disk.iter().map(|entry| &entry.event)), progress, "record {}", entry.seq);
    }

    fn line(&mut self, _: &StepId, _: &str) {}

    fn activity(&mut self, _: &str) {}
}

#[test]
fn a_run_whose_chain_has_ended_is_not_judged_again() {
    let (test, _) = rehearsed();
    let outcome = test.citadel("gate verify 3 --network local").code(11);
    outcome.says("the dev chain of this run has ended").says("citadel devchain up");
}

#[test]
fn the_report_is_the_same_bytes_every_time() {
    let (test, _) = rehearsed();
    for format in ["markdown", "json", "junit"] {
        let once = test.citadel(&format!("report --format {format}")).code(0);
        let again = test.citadel(&format!("report --format {format} --network local")).code(0);
        assert_eq!(once.stdout, again.stdout, "{format}");
    }
    let markdown = test.citadel("report").code(0).stdout;
    assert_eq!(markdown, test.read(&format!("{REPORTS}/citadel-report.md")), "what was published is what is told");
    test.citadel("status").code(0).says("every gate passed (5 of 5)");
}

#[test]
fn every_mission_hash_is_a_transaction_of_the_chain() {
    let kept = kept();
    let mission: Value = serde_json::from_str(&kept.read(&format!("{REPORTS}/receipts/mission.json"))).unwrap();
    let registry = kept.address("JobRegistry").to_lowercase();
    let jobs = mission["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        let receipt = kept.rpc("eth_getTransactionReceipt", &json!([job["txHash"]]));
        assert_eq!(receipt["status"], "0x1", "{job}: {receipt}");
        assert_eq!(receipt["to"].as_str().map(str::to_lowercase).as_deref(), Some(&*registry));
    }
}
