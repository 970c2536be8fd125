//! The runbooks of a run, as its gate records hold them, and what their names stood for at each record.

use std::collections::BTreeMap;
use std::path::Path;

use super::files;
use crate::engine::names::{self, OfRun};
use crate::engine::replay::GateRecord;
use crate::event::{Deployment, Event, RunOpened};
use crate::journal::{Entry, RunFolder};
use crate::runbook::{self, Network, Phase, Runbook, Scope, SignerKey};

/// The runbooks that records hold, by their SHA-256.
pub(super) struct Runbooks(BTreeMap<String, Runbook>);

/// What held when a record was written.
#[derive(Default)]
pub(super) struct Then<'a> {
    pub run: Option<&'a RunOpened>,
    /// The runbook that was worked by.
    pub sha256: &'a str,
    pub deployment: Option<&'a Deployment>,
    /// Where it was worked on: the reports folder and the workspace.
    at: (&'a str, &'a str),
    /// An older citadel went on, and did not say where.
    pub somewhere: bool,
}

impl Runbooks {
    /// Those in the gate records of a run; records that cannot be read are told of elsewhere.
    pub(super) fn of(folder: &RunFolder, entries: &[Entry]) -> Self {
        let mut found = BTreeMap::new();
        for entry in entries {
            let Event::GateJudged(judged) = &entry.event else { continue };
            let bytes = files::read(folder, &judged.record).ok();
            let Some((record, _)) = bytes.and_then(|bytes| GateRecord::open(&bytes).ok()) else { continue };
            if found.contains_key(&record.runbook_sha256) {
                continue;
            }
            if let Ok(runbook) = runbook::parse(&record.runbook, Path::new("runbook.toml")) {
                found.insert(runbook.sha256.clone(), runbook);
            }
        }
        Self(found)
    }

    /// The runbook that was worked by then.
    pub(super) fn then(&self, then: &Then<'_>) -> Option<&Runbook> {
        self.0.get(then.sha256)
    }
}

impl<'a> Then<'a> {
    /// Goes on to a record.
    pub(super) fn apply(&mut self, event: &'a Event) {
        match event {
            Event::RunOpened(run) => {
                (self.run, self.sha256) = (Some(run), &run.runbook_sha256);
                self.at = (&run.reports, &run.workspace);
            }
            Event::TakenOver(run) => {
                self.somewhere = false;
                self.at = (&run.reports, &run.workspace);
            }
            Event::RunContinued(run) => {
                self.sha256 = &run.runbook_sha256;
                self.somewhere = run.workspace.is_empty();
                if !self.somewhere {
                    self.at = (&run.reports, &run.workspace);
                }
            }
            Event::DevChainReady(deployment) => self.deployment = Some(deployment),
            _ => {}
        }
    }

    /// The network that `phase` was about.
    pub(super) fn network<'r>(&self, runbook: &'r Runbook, phase: &Phase) -> Option<&'r Network> {
        runbook.networks.get(phase.on.as_deref().or(self.run.map(|run| run.network.as_str()))?)
    }

    /// What the names in templates stood for.
    pub(super) fn scope(&self, runbook: &Runbook, network: &Network) -> Scope {
        let of_run = OfRun { run: self.run.map_or("", |run| &run.run), reports: self.at.0, workspace: self.at.1 };
        names::scope(runbook, network, of_run, self.deployment)
    }

    /// Whose signatures counted at a phase's gate, as far as the runbook and the dev chain say.
    pub(super) fn signers(&self, runbook: &Runbook, phase: &Phase) -> Vec<SignerKey> {
        let network = self.network(runbook, phase);
        let sign_off = phase.gate.sign_off.as_ref();
        let keys = network
            .zip(sign_off)
            .map(|(network, sign_off)| names::signers(runbook, network, sign_off, self.deployment));
        keys.unwrap_or_default()
    }
}
