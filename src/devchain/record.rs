//! The files by which a later citadel finds a dev chain: one that is kept up, or one that a killed citadel left.
//!
//! A process is only ever ended if it is the one that was started: same pid, same start time, same boot.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::start::GRACE;
use super::{Deployment, rpc};
use crate::process::{self, Started};

const KEPT: &str = "devchain.json";
const RUN: &str = "devchain-run-";

/// A dev chain that is kept up between invocations, and what stands on it.
#[derive(Debug, Clone)]
pub struct Kept {
    pub record: Record,
    pub deployment: Deployment,
}

/// What is written about a dev chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub kind: Kind,
    pub process: Started,
    /// The boot that the process belongs to, where the system names it.
    pub boot: Option<String>,
    /// The citadel that runs it; a kept chain belongs to none.
    pub owner: Option<Started>,
    /// How it was started.
    pub program: Vec<String>,
    pub network: String,
    pub chain_id: u64,
    pub url: String,
    pub port: u16,
    pub client: String,
    /// When, for people.
    pub started: String,
    /// Whose chain it is.
    pub runbook: String,
    /// The deployment file's document.
    pub deployment: Value,
}

/// Why a dev chain is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Kept up until it is taken down.
    Kept,
    /// For one invocation only.
    Run,
}

impl Record {
    pub(super) fn new(process: &Started, program: &[String], network: &str, chain_id: u64) -> Self {
        Self {
            kind: Kind::Run,
            process: process.clone(),
            boot: process::boot(),
            owner: process::started(std::process::id()),
            program: program.to_vec(),
            network: network.to_owned(),
            chain_id,
            url: String::new(),
            port: 0,
            client: String::new(),
            started: String::new(),
            runbook: String::new(),
            deployment: Value::Null,
        }
    }

    pub(super) fn answers(&mut self, url: &str, port: u16, client: &str) {
        url.clone_into(&mut self.url);
        client.clone_into(&mut self.client);
        self.port = port;
    }

    pub(super) fn kept(&mut self, started: String, runbook: String, deployment: &Deployment) {
        (self.kind, self.owner) = (Kind::Kept, None);
        (self.started, self.runbook) = (started, runbook);
        self.deployment = deployment.document().clone();
    }

    fn is_alive(&self) -> bool {
        self.boot == process::boot() && process::is_alive(&self.process)
    }

    fn is_owned(&self) -> bool {
        self.boot == process::boot() && self.owner.as_ref().is_some_and(process::is_alive)
    }
}

/// The kept chain, if its process is the one that was started and it answers as its chain.
pub async fn find_kept(state: &Path) -> Option<Kept> {
    let record = read(&state.join(KEPT)).filter(|record| record.kind == Kind::Kept && record.is_alive())?;
    if rpc::chain_id(&record.url).await.ok()? != record.chain_id {
        return None;
    }
    let network = record.deployment["network"].as_str().unwrap_or_default();
    let deployment = Deployment::read(record.deployment.clone(), network, record.chain_id).ok()?;
    Some(Kept { record, deployment })
}

/// Ends the kept chain and forgets it; says whether there was one alive.
pub async fn end_kept(state: &Path) -> anyhow::Result<bool> {
    let file = state.join(KEPT);
    let Some(record) = read(&file) else { return Ok(false) };
    let alive = record.is_alive();
    if alive {
        end(&record).await?;
    }
    remove(&file)?;
    Ok(alive)
}

/// Ends the chains whose citadel is gone; names each.
pub async fn end_survivors(state: &Path) -> anyhow::Result<Vec<String>> {
    let mut ended = Vec::new();
    // A citadel that is killed while it hands its chain over leaves both records: the chain is kept.
    let kept = read(&state.join(KEPT)).map(|record| record.process);
    for file in run_files(state) {
        let Some(record) = read(&file).filter(|record| record.kind == Kind::Run && !record.is_owned()) else {
            continue;
        };
        if kept.as_ref() != Some(&record.process) && record.is_alive() {
            end(&record).await?;
            let at = if record.url.is_empty() { "an unknown port" } else { &record.url };
            ended.push(format!("the dev chain at {at} (pid {})", record.process.pid));
        }
        remove(&file)?;
    }
    Ok(ended)
}

async fn end(record: &Record) -> anyhow::Result<()> {
    let gone = process::end(&record.process, GRACE).await;
    anyhow::ensure!(gone, "the dev chain (process group {}) cannot be ended", record.process.group);
    Ok(())
}

pub(super) fn write_kept(state: &Path, record: &Record) -> anyhow::Result<()> {
    let file = state.join(KEPT);
    if let Some(other) = read(&file).filter(|other| other.is_alive() && other.process != record.process) {
        anyhow::bail!("a dev chain is already kept at {}", other.url);
    }
    write(state, &file, record)
}

pub(super) fn write_run(state: &Path, record: &Record) -> anyhow::Result<()> {
    write(state, &run_file(state, &record.process), record)
}

pub(super) fn remove_run(state: &Path, process: &Started) {
    // Left behind, it names a process that is gone, and the next start removes it.
    let _ = remove(&run_file(state, process));
}

fn run_file(state: &Path, process: &Started) -> PathBuf {
    state.join(format!("{RUN}{}.json", process.pid))
}

fn run_files(state: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let ours = |name: &str| name.strip_prefix(RUN).is_some_and(|rest| rest.strip_suffix(".json").is_some());
    let files = entries.filter(|entry| entry.file_name().to_str().is_some_and(ours));
    let mut files: Vec<_> = files.map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn write(state: &Path, file: &Path, record: &Record) -> anyhow::Result<()> {
    let context = || format!("cannot write `{}`", file.display());
    let mut temporary = tempfile::NamedTempFile::new_in(state).with_context(context)?;
    serde_json::to_writer_pretty(&mut temporary, record).with_context(context)?;
    temporary.write_all(b"\n").with_context(context)?;
    temporary.as_file().sync_all().with_context(context)?;
    temporary.persist(file).with_context(context)?;
    Ok(())
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", file.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
