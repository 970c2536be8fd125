//! What most subcommands start from: the runbook, the environment, the state folder. The only place that reads the
//! environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::Global;
use crate::dotenv::{self, DotEnv};
use crate::engine::time::Clock;
use crate::engine::world::World;
use crate::error::{ExitCode, Failure};
use crate::journal::{Home, RunFolder};
use crate::plan::selection::unknown;
use crate::process::{Stop, environment};
use crate::runbook::{self, Action, Network, Runbook, Scope};
use crate::secrets::{Mask, Secret, is_secret_name};
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
        let mut runbook = runbook::load(&file)?.runbook;
        // Absolute, and without the `.` of a path that was typed: it is told to steps, and recorded.
        runbook.folder = here.join(&runbook.folder).components().collect();
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
        let mut values = self.dotenv(workspace).values;
        values.extend(self.environment.clone());
        let names = self.declared();
        values.into_iter().filter(|(name, value)| names.contains(name) && !value.is_empty()).collect()
    }

    /// The workspace's `.env`, and what is wrong with it.
    pub(super) fn dotenv(&self, workspace: &Path) -> DotEnv {
        let names = self.declared();
        dotenv::read(workspace, ".env", &|name| names.contains(name))
    }

    /// What nobody declared, and what is a secret by its name: masked as the others, and given to no step.
    fn undeclared(&self, workspace: &Path) -> BTreeMap<String, String> {
        let names = self.declared();
        let secret = |name: &String| !names.contains(name) && is_secret_name(name);
        self.dotenv(workspace).values.into_iter().filter(|(name, value)| secret(name) && !value.is_empty()).collect()
    }

    /// The variables that the runbook names.
    fn declared(&self) -> BTreeSet<String> {
        let required = self.runbook.phases.iter().flat_map(|phase| &phase.steps).flat_map(|step| match &step.action {
            Action::Secrets { requires, .. } => requires.as_slice(),
            Action::Npm { .. }
            | Action::Make { .. }
            | Action::Run { .. }
            | Action::Shell { .. }
            | Action::Manual { .. } => &[],
        });
        self.runbook.secret_variables().cloned().chain(required.map(|name| name.0.clone())).collect()
    }

    /// Knows every secret value that there is a name for.
    pub(super) fn mask(&self, workspace: &Path) -> Result<Mask, Failure> {
        let values = self.variables(workspace).into_iter().chain(self.undeclared(workspace));
        Ok(Mask::new(values.map(|(name, value)| (name, Secret::new(value))))?)
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
        let (variables, mask) = (self.variables(&workspace.dir), self.mask(&workspace.dir)?);
        let hidden = self.undeclared(&workspace.dir).into_keys().collect();
        Ok(World {
            workspace,
            state: self.state.clone(),
            folder,
            run: run.to_owned(),
            network: network.name.clone(),
            reports: self.reports(network),
            base: self.runbook.folder.clone(),
            environment: self.environment.clone(),
            variables,
            hidden,
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
