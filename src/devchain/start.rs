//! Starts Anvil on a port that it chooses itself, and waits until it answers as the right chain.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::record::{self, Kept, Record};
use super::{Deployment, Request, interrupted, listening, program, rpc};
use crate::error::{ExitCode, Failure};
use crate::process::{Daemon, Started, Stop, plain};

/// npm may have to fetch Anvil first.
const PATIENCE: Duration = Duration::from_mins(3);

const TICK: Duration = Duration::from_millis(20);

/// How long Anvil has to end by itself: it has nothing to save.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// How many last lines of the log a failure shows.
const SHOWN: usize = 8;

/// A dev chain that answers. Dropped, it ends.
#[derive(Debug)]
pub struct Running {
    pub url: String,
    pub port: u16,
    /// Who it says it is, such as `anvil/v1.7.1`.
    pub client: String,
    /// How it was started.
    pub program: Vec<String>,
    pub process: Started,
    network: String,
    chain_id: u64,
    state: PathBuf,
    /// Gone only while the chain is being ended or kept.
    daemon: Option<Daemon>,
}

impl Running {
    /// Ends the chain and waits until its processes are gone.
    pub async fn end(mut self) -> anyhow::Result<()> {
        let gone = match self.daemon.take() {
            Some(daemon) => daemon.end(GRACE).await,
            None => true,
        };
        anyhow::ensure!(gone, "the dev chain (process group {}) cannot be ended", self.process.group);
        Ok(())
    }

    /// Lets the chain outlive this citadel, to be found by [`super::find_kept`]. `started` is the time, for people;
    /// `runbook` names whose chain it is.
    pub fn keep(mut self, started: String, runbook: String, deployment: Deployment) -> anyhow::Result<Kept> {
        let mut record = Record::new(&self.process, &self.program, &self.network, self.chain_id);
        record.answers(&self.url, self.port, &self.client);
        record.kept(started, runbook, &deployment);
        record::write_kept(&self.state, &record)?;
        if let Some(daemon) = self.daemon.take() {
            daemon.live_on();
        }
        Ok(Kept { record, deployment })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The chain first: a record without a chain does no harm, a chain without a record is lost.
        drop(self.daemon.take());
        record::remove_run(&self.state, &self.process);
    }
}

/// Starts the dev chain of a network.
pub async fn start(request: &Request<'_>, mut stop: watch::Receiver<Stop>) -> Result<Running, Failure> {
    let mut argv = program::find(request)?;
    let program = argv.clone();
    let chain_id = request.network.chain_id;
    let options = ["--host", "127.0.0.1", "--port", "0", "--disable-code-size-limit", "--chain-id"];
    argv.extend(options.map(str::to_owned));
    argv.push(chain_id.to_string());
    let log = request.logs.join("devchain.log");
    let daemon = launch(request.folder, request.env, &argv, &log)?;
    let process = daemon.started().clone();
    let mut record = Record::new(&process, &program, &request.network.name, chain_id);
    let mut running = Running {
        url: String::new(),
        port: 0,
        client: String::new(),
        program,
        process,
        network: request.network.name.clone(),
        chain_id,
        state: request.state.to_owned(),
        daemon: Some(daemon),
    };
    record::write_run(request.state, &record)?;
    tokio::select! {
        ready = running.wait(&log) => ready?,
        stop = asked(&mut stop) => return Err(interrupted(stop)),
    }
    record.answers(&running.url, running.port, &running.client);
    record::write_run(request.state, &record)?;
    Ok(running)
}

fn launch(dir: &Path, env: &BTreeMap<String, String>, argv: &[String], log: &Path) -> Result<Daemon, Failure> {
    Daemon::start(argv, dir, env, log)?.map_err(|why| {
        Failure::new(ExitCode::Precondition, format!("the dev chain cannot be started: {why}"))
            .hint("`unset ANVIL`, or set it to the Anvil program")
    })
}

/// Returns when a stop is asked for; never if nobody can ask any more.
async fn asked(stop: &mut watch::Receiver<Stop>) -> Stop {
    match stop.wait_for(|stop| *stop != Stop::No).await.map(|stop| *stop) {
        Ok(stop) => stop,
        Err(_) => std::future::pending().await,
    }
}

impl Running {
    /// Waits until the log names the port and the port answers as the chain that was asked for.
    async fn wait(&mut self, log: &Path) -> Result<(), Failure> {
        let late = Instant::now() + PATIENCE;
        loop {
            let text = read(log)?;
            if let Some(address) = listening::address(&text) {
                self.url = format!("http://{address}");
                self.port = address.port();
                break;
            }
            self.check_alive(log, late)?;
            sleep(TICK).await;
        }
        loop {
            if let Ok(answer) = rpc::chain_id(&self.url).await {
                return self.greet(answer).await;
            }
            self.check_alive(log, late)?;
            sleep(TICK).await;
        }
    }

    async fn greet(&mut self, chain_id: u64) -> Result<(), Failure> {
        if chain_id != self.chain_id {
            let message = format!("the dev chain answers as chain {chain_id}, not {}", self.chain_id);
            return Err(Failure::new(ExitCode::Precondition, message));
        }
        self.client = rpc::client(&self.url).await.context("the dev chain does not say who it is")?;
        Ok(())
    }

    fn check_alive(&mut self, log: &Path, late: Instant) -> Result<(), Failure> {
        let ended = self.daemon.as_mut().map(Daemon::ended).transpose()?.flatten();
        let what = match ended {
            Some(status) => format!("ended before it answered ({status})"),
            None if Instant::now() >= late => format!("does not answer after {} s", PATIENCE.as_secs()),
            None => return Ok(()),
        };
        let lines = tail(&read(log)?);
        let said = if lines.is_empty() { String::new() } else { format!(": {lines}") };
        Err(Failure::new(ExitCode::Precondition, format!("the dev chain {what}{said}")).hint(format!(
            "read `{}`; it was started as `{}`",
            log.display(),
            self.program.join(" ")
        )))
    }
}

fn read(log: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(log).with_context(|| format!("cannot read `{}`", log.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(plain).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].join(" | ")
}
