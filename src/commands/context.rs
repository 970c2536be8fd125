//! What most subcommands start from: the runbook, the environment, the state folder. The only place that reads the
//! environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::Global;
use crate::engine::time::Clock;
use crate::engine::world::World;
use crate::error::{ExitCode, Failure};
use crate::journal::{Home, RunFolder};
use crate::plan::selection::unknown;
use crate::process::{Stop, environment};
use crate::runbook::{self, Action, Network, Runbook, Scope};
use crate::secrets::{Mask, Secret};
use crate::terminal::Style;
use crate::workspace::Workspace;

/// The runbook and citadel's own surroundings.
pub(super) struct Context {
    pub(super) runbook: Runbook,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) here: PathBuf,
    pub(super) state: PathBuf,
}

impl Context {
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let here = std::env::current_dir().context("the current folder cannot be used")?;
        let file = match &global.runbook {
            Some(file) => file.clone(),
            None => find_runbook(&here)?,
        };
        let runbook = runbook::load(&file)?.runbook;
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let state = match &global.state {
            Some(state) => here.join(state),
            None => default_state(&environment)?,
        };
        Ok(Self { runbook, environment, here, state })
    }

    /// The network called `name`, or the one that citadel starts itself.
    pub(super) fn network(&self, name: Option<&str>) -> Result<&Network, Failure> {
        match name {
            Some(name) => self
                .runbook
                .networks
                .get(name)
                .ok_or_else(|| unknown("network", name, self.runbook.networks.keys().map(String::as_str))),
            None => self.runbook.networks.values().find(|network| network.dev_chain.is_some()).ok_or_else(|| {
                Failure::new(ExitCode::Usage, "no network of this runbook has a `dev_chain`")
                    .hint("name one with `--network`")
            }),
        }
    }

    pub(super) fn home(&self, network: &Network) -> Home {
        Home::new(&self.state, &self.runbook.id, &network.name)
    }

    /// What git and other programs that citadel asks are given: the allow-list, no secrets.
    pub(super) fn child_environment(&self) -> BTreeMap<String, String> {
        environment::base(&self.environment, &[])
    }

    /// Where readable copies go, absolute.
    pub(super) fn reports(&self, network: &Network) -> PathBuf {
        let values = BTreeMap::from([
            ("network".to_owned(), network.name.clone()),
            ("net".to_owned(), network.passed_as.clone()),
            ("chain_id".to_owned(), network.chain_id.to_string()),
        ]);
        let reports = self.runbook.reports.render(&Scope { values });
        self.runbook.folder.join(reports.unwrap_or_else(|_| "reports".into()))
    }

    /// Who citadel runs for.
    pub(super) fn operator(&self) -> String {
        let name = ["CITADEL_OPERATOR", "USER", "LOGNAME"].iter().find_map(|name| self.environment.get(*name));
        name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| "unknown".into())
    }

    /// The declared variables that have a value: the environment first, then the workspace's `.env`.
    pub(super) fn variables(&self, workspace: &Path) -> BTreeMap<String, String> {
        let file = dotenvy::from_path_iter(workspace.join(".env"));
        let mut values: BTreeMap<String, String> = file.into_iter().flatten().filter_map(Result::ok).collect();
        values.extend(self.environment.clone());
        let declared = self.runbook.networks.values().flat_map(|network| network.rpc.iter().chain(&network.key));
        let required = self.runbook.phases.iter().flat_map(|phase| &phase.steps).flat_map(|step| match &step.action {
            Action::Secrets { requires, .. } => requires.as_slice(),
            Action::Npm { .. }
            | Action::Make { .. }
            | Action::Run { .. }
            | Action::Shell { .. }
            | Action::Manual { .. } => &[],
        });
        let names = declared.cloned().chain(required.map(|name| name.0.clone()));
        names
            .filter_map(|name| Some((name.clone(), values.get(&name).filter(|value| !value.is_empty())?.clone())))
            .collect()
    }

    /// Knows the values of the declared variables.
    pub(super) fn mask(&self, workspace: &Path) -> Result<Mask, Failure> {
        mask(&self.variables(workspace))
    }

    /// How what goes on is told on this stderr.
    pub(super) fn style(&self, folder: &Path) -> Style {
        let variable = |name: &str| self.environment.get(name).map(String::as_str);
        Style::detect(variable("CI"), variable("TERM"), folder.to_owned())
    }

    /// The world of a run.
    pub(super) fn world(
        &self,
        network: &Network,
        workspace: Workspace,
        run: &str,
        folder: RunFolder,
        stop: tokio::sync::watch::Receiver<Stop>,
    ) -> Result<World, Failure> {
        let variables = self.variables(&workspace.dir);
        let mask = mask(&variables)?;
        Ok(World {
            workspace,
            state: self.state.clone(),
            folder,
            run: run.to_owned(),
            network: network.name.clone(),
            reports: self.reports(network),
            environment: self.environment.clone(),
            variables,
            mask,
            stop,
            waits: tokio::sync::watch::Sender::default(),
            operator: self.operator(),
            at: None,
            marks: Some(self.home(network)),
            clock: Clock::after(jiff::Timestamp::UNIX_EPOCH),
        })
    }
}

fn mask(variables: &BTreeMap<String, String>) -> Result<Mask, Failure> {
    Ok(Mask::new(variables.iter().map(|(name, value)| (name.as_str(), Secret::new(value.as_str()))))?)
}

pub(super) fn find_runbook(here: &Path) -> Result<PathBuf, Failure> {
    let found = here.ancestors().map(|folder| folder.join("runbook.toml")).find(|file| file.is_file());
    found.ok_or_else(|| {
        Failure::new(ExitCode::RunbookInvalid, format!("there is no `runbook.toml` in `{}` or above", here.display()))
            .hint("go to the folder that has one, or name it: `citadel --runbook FILE …`")
    })
}

fn default_state(environment: &BTreeMap<String, String>) -> Result<PathBuf, Failure> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(set("HOME")?.join(".local/state")));
    let state = state.map(|state| state.join("citadel"));
    state.ok_or_else(|| {
        Failure::new(ExitCode::Usage, "neither XDG_STATE_HOME nor HOME is set, so runs cannot be kept")
            .hint("say where: `citadel --state DIR …`")
    })
}
