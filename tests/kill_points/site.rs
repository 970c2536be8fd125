//! A workspace with a chain of its own, and the citadel that is killed there and taken up again.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use citadel::event::{Event, SignOffRequested};
use citadel::journal::{self, Contents, Entry, Home, RunFolder};
use citadel::progress::Progress;
use serde_json::Value;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::chain::{Chain, Counts};

/// A kill: at which record, at which moment around it.
pub(crate) type Kill = (u64, &'static str);

/// When a test is given up, so that it fails instead of hanging; nothing is measured by it.
const STUCK: Duration = Duration::from_mins(2);

pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) chain: Chain,
    clean: Value,
    keys: Vec<(String, PrivateKey)>,
}

/// How a run went from its first record to its last, over all its invocations.
pub(crate) struct Story {
    /// What stood on disk after each kill.
    pub(crate) deaths: Vec<Contents>,
    /// What `status` said after each kill comes next.
    pub(crate) next: Vec<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) progress: Progress,
    pub(crate) counts: Counts,
}

/// The practice workspace with what npm and solc make of it.
fn practice() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let practice = Path::new(env!("CARGO_MANIFEST_DIR")).join("practice");
        let output = Command::new("make").args(["-s", "-C"]).arg(&practice).arg("ready").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        practice
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, path) = (entry.file_name(), entry.path());
        match name.to_str().unwrap() {
            // Without its marker it is a workspace like any other.
            "node_modules" | "reports" | "practice.json" | ".env" | ".keys" | "faults.txt" => {}
            _ if path.is_dir() => copy(&path, &to.join(name)),
            _ => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Site {
    /// With everything deployed; `mission` is the mission's command.
    pub(crate) fn new(mission: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        copy(practice(), &workspace);
        std::os::unix::fs::symlink(practice().join("node_modules"), workspace.join("node_modules")).unwrap();
        // Nobody needs to wait for the timelock here.
        let settings = workspace.join("deployment-config/anvil.json");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, text.replace("\"timelockDelaySeconds\": 2", "\"timelockDelaySeconds\": 0")).unwrap();
        let chain = Chain::start(&practice().join("node_modules"));
        // Not by `make setup`: it would install again, through the link.
        let mut setup = Command::new("node");
        setup.arg("scripts/setup.js").current_dir(&workspace).env("ANVIL_RPC_URL", &chain.url);
        let setup = setup.output().unwrap();
        assert!(setup.status.success(), "{}", said(&setup));
        let key = |who: &str| {
            let seed = [who.as_bytes()[7]; 32];
            let pair = ssh_key::private::Ed25519Keypair::from_seed(&seed);
            (who.to_owned(), PrivateKey::from(pair))
        };
        let clean = chain.snapshot();
        let site = Self { folder, chain, clean, keys: vec![key("signer-1"), key("signer-2")] };
        site.write_runbook(mission);
        site
    }

    fn write_runbook(&self, mission: &str) {
        let record = self.path("workspace/deployment-config/latest-deployment.anvil.json");
        let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        let mut text = include_str!("runbook.toml").replace("@mission@", mission);
        text = text.replace("@worker@", &self.chain.account(5));
        for (name, address) in record["contracts"].as_object().unwrap() {
            text = text.replace(&format!("@{name}@"), address.as_str().unwrap());
        }
        for (who, key) in &self.keys {
            text = text.replace(&format!("@{who}@"), &key.public_key().to_openssh().unwrap());
        }
        fs::write(self.path("runbook.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As it was before the first run.
    pub(crate) fn reset(&mut self) {
        self.chain.revert(&self.clean);
        self.clean = self.chain.snapshot();
        for folder in ["state", "reports", "workspace/reports"] {
            let _ = fs::remove_dir_all(self.path(folder));
        }
    }

    pub(crate) fn citadel(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citadel"));
        command.arg("--runbook").arg(self.path("runbook.toml")).arg("--state").arg(self.path("state")).args(words);
        let kept = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME");
        command.env_clear().envs(kept).env("ANVIL_RPC_URL", &self.chain.url).env("CITADEL_OPERATOR", "ann");
        command.current_dir(self.path("workspace")).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, kill: Option<Kill>) -> Output {
        let mut command = self.citadel(&["run", "--network", "rehearsal"]);
        if let Some((sequence, moment)) = kill {
            command.env("CITADEL_KILL_AT", format!("{sequence} {moment}"));
        }
        command.output().unwrap()
    }

    /// Runs to the end, however often citadel is killed on the way and whoever must sign.
    pub(crate) fn drive(&self, kills: &[Kill]) -> Story {
        let (mut kills, mut deaths, mut next) = (kills.iter().copied().peekable(), Vec::new(), Vec::new());
        loop {
            let output = self.run_beside_nobody(kills.peek().copied());
            match (output.status.code(), output.status.signal()) {
                (Some(0), _) => break,
                (Some(12), _) => self.sign(),
                (None, Some(9)) => {
                    kills.next();
                    deaths.push(self.after_death());
                    next.push(self.what_is_next());
                }
                _ => panic!("{}", said(&output)),
            }
        }
        assert_eq!(kills.next(), None, "citadel ended before it was killed");
        let Contents { entries, torn } = self.journal().unwrap();
        assert_eq!(torn, 0);
        let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
        Story { deaths, next, entries, progress, counts: self.chain.counts() }
    }

    /// A citadel that finds a step of a dead one still at work says so and starts nothing.
    pub(crate) fn run_beside_nobody(&self, kill: Option<Kill>) -> Output {
        let begun = Instant::now();
        loop {
            let before = self.journal_bytes();
            let output = self.run(kill);
            if output.status.code() != Some(16) {
                return output;
            }
            let text = said(&output);
            assert!(text.contains("a citadel that died left a step running; nothing was started"), "{text}");
            assert_eq!(self.journal_bytes(), before, "a refused citadel wrote");
            assert!(begun.elapsed() < STUCK, "{text}");
        }
    }

    fn home(&self) -> Home {
        Home::new(&self.path("state"), "kill-points", "rehearsal")
    }

    pub(crate) fn run_folder(&self) -> Option<RunFolder> {
        let runs = self.home().runs().unwrap();
        assert!(runs.len() <= 1, "a second run was opened: {runs:?}");
        runs.first().map(|run| self.home().run(run))
    }

    pub(crate) fn journal(&self) -> Option<Contents> {
        self.run_folder().map(|folder| journal::read(&folder.journal()).unwrap())
    }

    fn journal_bytes(&self) -> Vec<u8> {
        self.run_folder().map(|folder| fs::read(folder.journal()).unwrap()).unwrap_or_default()
    }

    /// What must hold whenever citadel is dead.
    fn after_death(&self) -> Contents {
        let lock = fs::File::open(self.home().lock()).unwrap();
        assert!(lock.try_lock().is_ok(), "the lock is held by nobody alive");
        drop(lock);
        let contents = self.journal().unwrap();
        let progress = Progress::replay(contents.entries.iter().map(|entry| &entry.event));
        self.is_true(&progress);
        contents
    }

    /// Nothing is recorded done that was not: what is recorded is on disk and on the chain.
    pub(crate) fn is_true(&self, progress: &Progress) {
        let folder = self.run_folder().unwrap();
        for artefact in progress.artefacts.values() {
            let bytes = fs::read(folder.file(&artefact.path)).unwrap();
            assert_eq!(citadel::digest::sha256(&bytes), artefact.sha256, "{}", artefact.name);
        }
        for judged in progress.gates.values().filter_map(|gate| gate.judged.as_ref()) {
            let bytes = fs::read(folder.file(&judged.record)).unwrap();
            assert_eq!(citadel::digest::sha256(&bytes), judged.record_sha256, "{}", judged.record);
        }
        for file in &progress.published {
            let bytes = fs::read(self.path("reports/rehearsal").join(&file.path)).unwrap();
            assert_eq!(citadel::digest::sha256(&bytes), file.sha256, "{}", file.path);
        }
        let done = |step: &str| {
            let mut steps = progress.steps.iter();
            steps.any(|(id, seen)| id.0 == step && seen.state == citadel::progress::StepState::Done)
        };
        if done("1.mission") {
            let counts = self.chain.counts();
            assert_eq!((counts.jobs_created, counts.jobs_finalized), (3, 3));
        }
    }

    fn what_is_next(&self) -> String {
        let output = self.citadel(&["status", "--network", "rehearsal", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(status["running"], false);
        status["next"].as_str().unwrap().lines().next().unwrap().to_owned()
    }

    /// The people sign what citadel asked them to.
    fn sign(&self) {
        let folder = self.run_folder().unwrap();
        let Contents { entries, .. } = self.journal().unwrap();
        let asked = |entry: &Entry| match &entry.event {
            Event::SignOffRequested(request) => Some(request.clone()),
            _ => None,
        };
        let request: SignOffRequested = entries.iter().rev().find_map(asked).unwrap();
        let statement = folder.file(&request.statement);
        let bytes = fs::read(&statement).unwrap();
        for (who, key) in &self.keys {
            let signature = key.sign(citadel::signoff::NAMESPACE, HashAlg::Sha512, &bytes).unwrap();
            let text = signature.to_pem(LineEnding::LF).unwrap();
            fs::write(statement.with_file_name(format!("{who}.sig")), text).unwrap();
        }
    }
}
