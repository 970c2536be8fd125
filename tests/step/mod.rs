//! A command in a folder of its own, and what is to happen while it runs.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use citadel::process::{Command, Outcome, Started, Stop, Watcher, environment, is_alive, run};
use citadel::secrets::{Mask, Secret};
use tokio::sync::{Notify, watch};

/// Longer than any test: who waits for it is stuck.
pub(crate) const FOREVER: Duration = Duration::from_hours(24);

/// When a test is given up, so that it fails instead of hanging; nothing is measured by it.
pub(crate) const STUCK: Duration = Duration::from_mins(2);

/// The command.
pub(crate) struct Step {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) command: Command,
    pub(crate) mask: Mask,
    pub(crate) stop: watch::Sender<Stop>,
    pub(crate) seen: Seen,
}

/// What the watcher saw, and what it does at the line `ready`.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) started: Option<Started>,
    pub(crate) lines: Vec<String>,
    pub(crate) refuse: bool,
    pub(crate) at_ready: Option<(watch::Sender<Stop>, Stop)>,
    pub(crate) ready: Arc<Notify>,
}

impl Watcher for Seen {
    fn started(&mut self, started: &Started) -> anyhow::Result<()> {
        assert!(self.lines.is_empty(), "output was read before the start was told");
        self.started = Some(started.clone());
        anyhow::ensure!(!self.refuse, "the journal is full");
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        if line == "ready" {
            self.ready.notify_one();
            if let Some((sender, stop)) = &self.at_ready {
                sender.send(*stop).unwrap();
            }
        }
    }
}

impl Step {
    pub(crate) fn sh(script: &str) -> Self {
        Self::argv(&["sh", "-c", script])
    }

    pub(crate) fn argv(argv: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = Command {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            dir: folder.path().to_owned(),
            env: environment::base(&std::env::vars().collect(), &[]),
            timeout: FOREVER,
            silence: FOREVER,
            grace: FOREVER,
            drain: FOREVER,
            log: folder.path().join("log"),
            stdout: Some(folder.path().join("stdout")),
            isolation: None,
        };
        Self { folder, command, mask: Mask::none(), stop: watch::channel(Stop::No).0, seen: Seen::default() }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        self.mask = Mask::new([(name, Secret::new(value))]).unwrap();
        self
    }

    /// Asks to stop as soon as the command says `ready`.
    pub(crate) fn stop_when_ready(mut self, stop: Stop) -> Self {
        self.seen.at_ready = Some((self.stop.clone(), stop));
        self
    }

    pub(crate) async fn run(&mut self) -> Outcome {
        let outcome = run(&self.command, &self.mask, self.stop.subscribe(), &mut self.seen);
        let outcome = tokio::time::timeout(STUCK, outcome).await.expect("it hangs").unwrap();
        if let Some(started) = &self.seen.started {
            assert!(!is_alive(started), "the first process is still there");
            assert_eq!(in_group(started.group), [0; 0], "processes of the group are still there");
        }
        outcome
    }

    pub(crate) fn log(&self) -> Vec<u8> {
        fs::read(&self.command.log).unwrap()
    }

    pub(crate) fn stdout(&self) -> Vec<u8> {
        fs::read(self.command.stdout.as_ref().unwrap()).unwrap()
    }
}

pub(crate) fn fields(pid: u32) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?).into_owned();
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn is_running(pid: u32) -> bool {
    fields(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

pub(crate) fn in_group(group: u32) -> Vec<u32> {
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| is_running(pid) && fields(pid).is_some_and(|fields| fields[2] == group.to_string())).collect()
}

/// Waits until something holds, however long that takes.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(STUCK, wait).await.expect("it hangs");
}

pub(crate) fn number(bytes: &[u8]) -> u32 {
    String::from_utf8_lossy(bytes).split_whitespace().next().unwrap().parse().unwrap()
}
