//! Where a run happens: workspace, folders, variables and endpoints, and the views of them that steps and gates get.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::sync::watch;

use super::inputs::Documents;
use super::names::{self, OfRun};
use super::rehearsed::{self, Rehearsals};
use super::time::Clock;
use crate::chain::{BlockChoice, EndpointUrl, Known, Seen, Surroundings, Target, Wait};
use crate::error::Failure;
use crate::event::Deployment;
use crate::evidence::Kept;
use crate::journal::{Home, RunFolder, create_folder, write_file};
use crate::process::{self, Stop};
use crate::programs::outside;
use crate::progress::{DevChainProgress, Progress};
use crate::runbook::{Contract, Network, Phase, PhaseId, Rehearsed, Runbook, Scope, SignOff, SignerKey, digest};
use crate::secrets::Mask;
use crate::signoff;
use crate::workspace::{Workspace, read_file};

/// The surroundings of a run. Holds secret values, so it is never printed.
pub struct World {
    pub workspace: Workspace,
    /// The state folder, and in it the folder of this run.
    pub state: PathBuf,
    pub folder: RunFolder,
    pub run: String,
    pub network: String,
    /// Absolute; where readable copies go.
    pub reports: PathBuf,
    /// The runbook's folder, from which on no link is followed to write them.
    pub base: PathBuf,
    /// citadel's own environment.
    pub environment: BTreeMap<String, String>,
    /// The declared variables that have a value, from the environment or the workspace's `.env`.
    pub variables: BTreeMap<String, String>,
    /// Names in the `.env` that tell of a secret and that nobody declared: no step is given them.
    pub hidden: Vec<String>,
    pub mask: Mask,
    pub stop: watch::Receiver<Stop>,
    /// Where a judgement tells that it waits for a block; the engine shows it.
    pub waits: watch::Sender<Option<Wait>>,
    pub operator: String,
    /// The older block that checks are read at, where one was asked for.
    pub at: Option<BlockChoice>,
    /// Where contingencies leave their marks; none in a contingency's own run, which nothing holds up.
    pub marks: Option<Home>,
    pub clock: Clock,
}

/// A run as a gate or a step sees it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub runbook: &'a Runbook,
    pub progress: &'a Progress,
    pub world: &'a World,
}

impl World {
    /// The PATH that citadel's own programs are looked up on: no folder that a step writes is on it.
    pub fn path(&self) -> String {
        outside(self.environment.get("PATH").map_or("", String::as_str), &self.workspace.dir)
    }

    /// What git and other programs that citadel asks are given: the allow-list, no secrets.
    pub fn child_environment(&self) -> BTreeMap<String, String> {
        let mut env = process::environment::base(&self.environment, &[]);
        env.insert("PATH".to_owned(), self.path());
        env
    }

    /// The endpoint that a variable holds, where it is set. The error goes on after the variable's name; it says what is
    /// wrong and where it stands, never what it holds.
    pub fn endpoint(&self, variable: &str) -> Option<Result<EndpointUrl, String>> {
        let url = self.variables.get(variable)?;
        let from = if self.environment.contains_key(variable) { "the environment" } else { "the workspace's `.env`" };
        let told = |why: String| format!("{} (set in {from})", why.trim_start_matches(&format!("`{variable}` ")));
        Some(EndpointUrl::new(variable, url).map_err(told))
    }

    /// Writes what people need to sign: the statement, the same for Ethereum wallets, and how to do it.
    pub fn write_request(
        &self,
        folder: &str,
        statement: &[u8],
        people: &[String],
        keys: &[SignerKey],
        again: &str,
    ) -> Result<(), Failure> {
        let at = self.folder.file(folder);
        create_folder(&at)?;
        let typed = signoff::typed_data(statement).map_err(anyhow::Error::msg)?;
        let typed = serde_json::to_vec_pretty(&typed).map_err(anyhow::Error::from)?;
        let commands = signoff::commands(&at, people, &signoff::ways(keys));
        write_file(&at.join(signoff::TYPED_DATA), &typed)?;
        write_file(&at.join(signoff::HOW_TO), signoff::how_to(&commands, again).as_bytes())?;
        write_file(&at.join("statement.txt"), statement)?;
        Ok(())
    }

    /// Where the runs of the dev chain's network live, whichever network this run is on.
    pub fn dev_chain_home(&self, runbook: &Runbook, network: &Network) -> Home {
        Home::new(&self.state, &runbook.id, &network.name)
    }
}

impl<'a> View<'a> {
    /// The network that `phase` is about in this run.
    pub fn network(&self, phase: &Phase) -> &'a Network {
        &self.runbook.networks[phase.on.as_deref().unwrap_or(&self.world.network)]
    }

    /// What the names in templates stand for on `network`.
    pub fn scope(&self, network: &Network) -> Scope {
        let reports = self.world.reports.display().to_string();
        let workspace = self.world.workspace.dir.display().to_string();
        let of_run = OfRun { run: &self.world.run, reports: &reports, workspace: &workspace };
        names::scope(self.runbook, network, of_run, self.deployment())
    }

    /// What the dev chain's setup deployed, once it has.
    fn deployment(&self) -> Option<&'a Deployment> {
        self.progress.dev_chain.as_ref()?.deployment.as_ref()
    }

    /// The artefacts kept so far.
    pub fn kept(&self, network: &Network) -> Kept {
        let artefacts = self.progress.artefacts.clone();
        Kept { folder: self.world.folder.clone(), artefacts, scope: self.scope(network) }
    }

    /// The endpoints of `network`. Variables without a value are left out, and then too few endpoints answer.
    pub fn target(&self, network: &'a Network) -> Target<'a> {
        let dev = self.progress.dev_chain.as_ref().filter(|chain| network.dev_chain.is_some() && is_up(chain));
        let mut target = Target::new(network, Vec::new());
        for name in &network.rpc {
            let endpoint = match dev {
                Some(chain) => Some(EndpointUrl::new(name, &chain.url)),
                None if network.dev_chain.is_some() => None,
                None => self.world.endpoint(name),
            };
            match endpoint {
                Some(Ok(endpoint)) => target.endpoints.push(endpoint),
                Some(Err(why)) => target.unusable.push((name.clone(), why)),
                None => {}
            }
        }
        target
    }

    /// What checks may look at beyond the chain.
    pub fn around(&self, network: &'a Network, kept: Kept) -> Around<'a> {
        Around { view: *self, network, kept }
    }

    /// What differs between two step definitions, field by field, given their digests; nothing where they are the same.
    pub fn differences(&self, before: &str, after: &str) -> Vec<String> {
        if before == after {
            return Vec::new();
        }
        let kept = self.world.folder.definitions().unwrap_or_default();
        match kept.get(before).zip(kept.get(after)) {
            Some((before, after)) => digest::differences(before, after),
            None => vec!["the earlier definition was not kept".to_owned()],
        }
    }

    /// The keys that count for a sign-off on `network`.
    pub fn signers(&self, network: &Network, sign_off: &SignOff) -> Vec<SignerKey> {
        names::signers(self.runbook, network, sign_off, self.deployment())
    }

    /// Every declared key of a person, in whatever group.
    pub fn keys_of(&self, who: &str) -> Vec<SignerKey> {
        names::keys_of(self.runbook, who)
    }
}

/// Whether a dev chain still runs: the same process, not a later one with its number.
fn is_up(chain: &DevChainProgress) -> bool {
    // Start time 0: this system does not tell, and the endpoint will.
    let same = || process::started(chain.pid).is_some_and(|now| now.start_time == chain.start_time);
    !chain.ended && (chain.start_time == 0 || same())
}

/// What the checks of one gate or step may look at.
pub struct Around<'a> {
    view: View<'a>,
    network: &'a Network,
    kept: Kept,
}

impl Around<'_> {
    /// Knows what nothing kept may hold.
    pub(super) fn mask(&self) -> &Mask {
        &self.view.world.mask
    }
}

impl Surroundings for Around<'_> {
    fn contracts(&self) -> Vec<Known> {
        let known = |contract: &Contract| {
            let address = names::address(contract, self.network, self.view.deployment())?;
            let settlers = contract.settlers.get(&self.network.name).cloned().unwrap_or_default();
            Some(Known { name: contract.name.clone(), kind: contract.kind, address, settlers })
        };
        self.view.runbook.contracts.values().filter_map(known).collect()
    }

    fn artefact(&self, name: &str) -> Result<Vec<u8>, String> {
        self.kept.read(name)
    }

    fn scope(&self) -> &Scope {
        &self.kept.scope
    }

    fn seen(&self) -> Seen {
        let progress = self.view.progress;
        // A dev chain begins anew with each start.
        let seen = if self.network.dev_chain.is_some() { &progress.seen_on_chain } else { &progress.seen };
        let seen = seen.get(&self.network.name).cloned().unwrap_or_default();
        Seen { read: seen.read, heads: seen.heads }
    }

    fn waits(&self, wait: &Wait) -> bool {
        self.view.world.waits.send_replace(Some(wait.clone()));
        *self.view.world.stop.borrow() == Stop::No
    }

    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<serde_json::Value> {
        let judged = self.view.progress.gates.get(gate)?.judged.as_ref()?;
        Some(judged.results.iter().find(|result| result.id == check)?.observed.clone())
    }

    fn at(&self) -> Option<BlockChoice> {
        self.view.world.at
    }
}

impl Documents for Around<'_> {
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        read_file(&self.view.world.workspace.dir, path).map_err(|error| format!("{error:#}"))
    }

    fn rehearsals(&self, asked: &Rehearsed) -> Rehearsals {
        rehearsed::find(&self.view, asked)
    }
}
