//! What checks look at beside the chain, and a note of it, so that a gate's record holds everything that it was judged
//! from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::HandedInThen;
use super::rehearsed::Rehearsals;
use super::world::Around;
use crate::chain::{BlockChoice, Fetched, Known, Seen, Surroundings, Wait, checksum};
use crate::runbook::{Check, Lookup, PhaseId, Rehearsed, Scope, Template};

/// What checks may look at: what the chain room asks for, and files of the workspace.
pub(super) trait Documents: Surroundings {
    /// The bytes of a file, or why there are none.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The rehearsals of a phase that this machine knows.
    fn rehearsals(&self, asked: &Rehearsed) -> Rehearsals;
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// Every contract's address on the network.
    pub contracts: BTreeMap<String, String>,
    /// The values of the names in templates of the checks.
    pub names: BTreeMap<String, String>,
    pub artefacts: BTreeMap<String, Content>,
    /// What was gathered from services and folders, which is no artefact of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gathered: BTreeMap<String, Content>,
    /// Files of the workspace.
    pub files: BTreeMap<String, Content>,
    pub earlier: Vec<Earlier>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsals: Vec<Rehearsals>,
    /// What the transactions of done steps were taken from beside artefacts, by the step.
    #[serde(default)]
    pub transactions: BTreeMap<String, HandedInThen>,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    /// What is no UTF-8.
    Bytes(Vec<u8>),
    /// There was none, with the reason.
    Missing(String),
}

/// What a check observed when an earlier gate opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    pub gate: PhaseId,
    pub check: String,
    pub observed: Option<Value>,
}

/// The surroundings of a run, with a note of what was asked for.
pub(super) struct Noting<'a> {
    around: Around<'a>,
    /// What services and folders were asked for before, by address.
    fetched: Fetched,
    noted: Mutex<Noted>,
}

impl<'a> Noting<'a> {
    /// Notes for `checks`.
    pub(super) fn new(around: Around<'a>, checks: &[&Check]) -> Self {
        let contracts = around.contracts().into_iter().map(|known| (known.name, checksum(known.address))).collect();
        let texts = serde_json::to_string(checks).unwrap_or_default();
        let mentioned = |(name, _): &(&String, &String)| texts.contains(name.as_str());
        let names = around.scope().values.iter().filter(mentioned).map(|(name, value)| (name.clone(), value.clone()));
        let noted = Noted { contracts, names: names.collect(), ..Noted::default() };
        Self { around, fetched: Fetched::new(), noted: Mutex::new(noted) }
    }

    /// The same with what services told; a check finds it as an artefact of that address.
    pub(super) fn with(self, fetched: Fetched) -> Self {
        Self { fetched, ..self }
    }

    /// What was looked at.
    pub(super) fn noted(self) -> Noted {
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be looked at: as with evidence, nothing that holds a secret, since the record keeps what was looked at.
    fn fit(&self, name: &str, found: Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
        let bytes = found?;
        match self.around.mask().problems(&bytes).first() {
            Some(what) => Err(format!("`{name}` holds {what}, and is not looked at")),
            None => Ok(bytes),
        }
    }

    fn note(&self, how: impl FnOnce(&mut Noted)) {
        how(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Surroundings for Noting<'_> {
    fn contracts(&self) -> Vec<Known> {
        self.around.contracts()
    }

    fn artefact(&self, name: &str) -> Result<Vec<u8>, String> {
        let gathered = self.fetched.get(name).cloned();
        let is_kept = gathered.is_none();
        let found = self.fit(name, gathered.unwrap_or_else(|| self.around.artefact(name)));
        self.note(|noted| {
            let noted = if is_kept { &mut noted.artefacts } else { &mut noted.gathered };
            noted.insert(name.to_owned(), Content::of(&found));
        });
        found
    }

    fn scope(&self) -> &Scope {
        self.around.scope()
    }

    fn earlier(&self, gate: &PhaseId, check: &str) -> Option<Value> {
        let observed = self.around.earlier(gate, check);
        let earlier = Earlier { gate: gate.clone(), check: check.to_owned(), observed: observed.clone() };
        self.note(|noted| noted.earlier.push(earlier));
        observed
    }

    fn at(&self) -> Option<BlockChoice> {
        self.around.at()
    }

    fn seen(&self) -> Seen {
        self.around.seen()
    }

    fn waits(&self, wait: &Wait) -> bool {
        self.around.waits(wait)
    }
}

impl Documents for Noting<'_> {
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.fit(path, self.around.file(path));
        self.note(|noted| drop(noted.files.insert(path.to_owned(), Content::of(&found))));
        found
    }

    fn rehearsals(&self, asked: &Rehearsed) -> Rehearsals {
        let found = self.around.rehearsals(asked);
        self.note(|noted| noted.rehearsals.push(found.clone()));
        found
    }
}

impl Content {
    pub(super) fn of(found: &Result<Vec<u8>, String>) -> Self {
        match found {
            Err(reason) => Self::Missing(reason.clone()),
            Ok(bytes) => String::from_utf8(bytes.clone()).map_or_else(|_| Self::Bytes(bytes.clone()), Self::Text),
        }
    }

    /// A text, or why there was none.
    pub(super) fn of_text(found: Result<String, String>) -> Self {
        found.map_or_else(Self::Missing, Self::Text)
    }

    /// The bytes, or why there were none.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Missing(reason) => Err(reason.clone()),
        }
    }
}

/// Documents as the rules of `json` checks look things up.
pub(super) struct Looked<'a>(pub(super) &'a dyn Documents);

impl Lookup for Looked<'_> {
    fn render(&self, template: &Template) -> Result<String, String> {
        template.render(self.0.scope()).map_err(|name| format!("`{name}` has no value yet"))
    }

    fn artefact(&self, name: &str) -> Result<Value, String> {
        let bytes = self.0.artefact(name)?;
        serde_json::from_slice(&bytes).map_err(|error| format!("the artefact `{name}` is not JSON: {error}"))
    }
}
