//! A program that works beside citadel and writes into a file: the dev chain.
//!
//! Dropped, it is killed with its whole group, unless it was told to live on.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::Started;
use super::spawn::{Program, Running, spawn};

/// A running program with a group of its own.
#[derive(Debug)]
pub struct Daemon {
    running: Running,
}

impl Daemon {
    /// Starts it; stdout and stderr go to `log`, which is emptied. The inner error says why the program cannot be
    /// started.
    pub fn start(
        argv: &[String],
        dir: &Path,
        env: &BTreeMap<String, String>,
        log: &Path,
    ) -> anyhow::Result<Result<Self, String>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(log);
        let file = file.with_context(|| format!("cannot write `{}`", log.display()))?;
        let same = file.try_clone().with_context(|| format!("cannot write `{}`", log.display()))?;
        let started = Program::find(argv, dir, env, None).and_then(|program| spawn(program, file.into(), same.into()));
        Ok(started.map(|running| Self { running }))
    }

    /// The process, as a later citadel would look for it.
    pub fn started(&self) -> &Started {
        &self.running.family.started
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        self.running.child.try_wait().context("cannot ask for the state of a process")
    }

    /// Ends the whole group: TERM, `grace`, KILL. Says whether it is gone.
    pub async fn end(mut self, grace: Duration) -> bool {
        let gone = self.running.family.group.end(grace).await;
        if gone {
            self.running.disarm();
            // So that nothing of it stays in the list of processes.
            let _ = self.running.child.try_wait();
        }
        gone
    }

    /// Lets it outlive citadel.
    pub fn live_on(mut self) -> Started {
        self.running.live_on();
        self.running.family.started.clone()
    }
}
