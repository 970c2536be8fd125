//! The dev chain of a local run: the one that is kept up, or one of its own that ends with the invocation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Engine;
use super::watch::ActivityWatcher;
use super::world::World;
use crate::devchain::{self, Request};
use crate::error::{ExitCode, Failure};
use crate::event::{DeployedKey, Deployment, Event};
use crate::process;
use crate::runbook::{DevChain, Network, PersonKey, Runbook, SignerKey};

impl Engine<'_> {
    pub(super) async fn start_dev_chain(&mut self) -> Result<(), Failure> {
        let network = self.dev_network()?;
        let state = self.world.dev_chain_home(self.runbook, &network).dev_chain();
        crate::journal::create_folder(&state)?;
        if let Some(kept) = devchain::find_kept(&state).await {
            let (url, process) = (kept.record.url.clone(), kept.record.process.clone());
            self.recorder.record(started(&url, &process, true))?;
            return self.recorder.record(Event::DevChainReady(deployment(&kept.deployment)));
        }
        self.recorder.activity("starting the dev chain");
        for left in devchain::end_survivors(&state).await? {
            self.recorder.activity(&format!("ended a dev chain that an earlier citadel left: {left}"));
        }
        let env = self.world.child_environment();
        let logs = self.world.folder.file("logs");
        let request = request(self.runbook, &self.world, &network, &env, &logs, &state);
        let running = devchain::start(&request, self.world.stop.clone()).await?;
        let url = running.url.clone();
        let event = started(&url, &running.process, false);
        self.chain = Some(running);
        self.recorder.record(event)?;
        let mut watcher = ActivityWatcher { recorder: &mut self.recorder, what: "setting up the dev chain" };
        let stop = self.world.stop.clone();
        let deployed = devchain::setup(&request, &url, &self.world.mask, stop, &mut watcher).await?;
        self.recorder.record(Event::DevChainReady(deployment(&deployed)))
    }

    pub(super) async fn end_dev_chain(&mut self) -> Result<(), Failure> {
        let Some(running) = self.chain.take() else { return Ok(()) };
        running.end().await?;
        self.recorder.record(Event::DevChainEnded)
    }

    fn dev_network(&self) -> Result<Network, Failure> {
        let mut networks = self.runbook.networks.values();
        let found = networks.find(|network| network.dev_chain.is_some()).cloned();
        found.ok_or_else(|| Failure::new(ExitCode::Internal, "no network of the runbook has a `dev_chain`"))
    }
}

fn request<'a>(
    runbook: &'a Runbook,
    world: &'a World,
    network: &'a Network,
    env: &'a BTreeMap<String, String>,
    logs: &'a std::path::Path,
    state: &'a std::path::Path,
) -> Request<'a> {
    let anvil = world.environment.get("ANVIL").map(String::as_str).filter(|program| !program.is_empty());
    Request { network, folder: &runbook.folder, env, anvil, logs, state }
}

fn started(url: &str, process: &process::Started, kept: bool) -> Event {
    Event::DevChainStarted { url: url.to_owned(), pid: process.pid, start_time: process.start_time, kept }
}

/// What was deployed, as a fact of the journal.
pub fn deployment(from: &devchain::Deployment) -> Deployment {
    let contracts =
        from.contracts.iter().map(|(name, address)| (name.clone(), ethers::utils::to_checksum(address, None)));
    let key = |key: &SignerKey| match &key.key {
        PersonKey::Ssh(ssh) => Some(DeployedKey { who: key.who.clone(), ssh: ssh.clone() }),
        PersonKey::Ethereum(_) => None,
    };
    let signers = from.signers.iter().map(|(group, keys)| (group.clone(), keys.iter().filter_map(key).collect()));
    Deployment { contracts: contracts.collect(), signers: signers.collect() }
}

/// A make target of the dev chain's folder.
pub(super) fn make(
    runbook: &Runbook,
    world: &World,
    chain: &DevChain,
    target: &str,
    given: impl IntoIterator<Item = (String, String)>,
    timeout: Duration,
) -> process::Command {
    let mut env = world.child_environment();
    env.extend(given);
    let dir: PathBuf = runbook.folder.join(&chain.dir);
    process::Command {
        argv: vec!["make".into(), "-s".into(), target.to_owned()],
        dir,
        env,
        timeout,
        silence: timeout,
        grace: Duration::from_secs(5),
        drain: Duration::from_secs(2),
        log: world.folder.file(&format!("logs/dev-chain.{target}.log")),
        stdout: None,
        isolation: None,
    }
}
