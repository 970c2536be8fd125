//! The in-toto Statement (v1) and what is the same in all of them: which run, which runbook, which records.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Attestation;
use crate::digest::Digest;
use crate::event::{Artefact, Event, Log, RunOpened};
use crate::journal::Entry;

/// The type of every statement.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// `predicate` about `subject`.
#[derive(Serialize)]
pub(super) struct Statement<P> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: P,
}

/// An in-toto `ResourceDescriptor`: a thing by its name and digest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Resource {
    name: String,
    digest: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, Value>,
}

impl Resource {
    pub(super) fn sha256(name: impl Into<String>, sha256: &str) -> Self {
        Self::of(name, "sha256", sha256)
    }

    pub(super) fn of(name: impl Into<String>, algorithm: &'static str, digest: &str) -> Self {
        Self { name: name.into(), digest: [(algorithm, digest.to_owned())].into(), annotations: BTreeMap::new() }
    }

    /// The journal's record, by the hash that seals it.
    pub(super) fn record(entry: &Entry) -> Self {
        Self::sha256(format!("journal.jsonl#{}", entry.seq), &entry.hash)
    }

    pub(super) fn kept(artefact: &Artefact) -> Self {
        let resource = Self::sha256(&artefact.path, &artefact.sha256);
        resource.with("artefact", artefact.name.as_str()).with("source", artefact.source.as_str())
    }

    pub(super) fn log(log: &Log) -> Self {
        match &log.digest {
            Digest::Sha256(hex) => Self::sha256(&log.path, hex),
            Digest::Blake3(hex) => Self::of(&log.path, "blake3", hex),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.annotations.insert(name, value.into());
        self
    }
}

/// The statement as an attestation.
pub(super) fn attestation<P: Serialize>(
    name: String,
    record: u64,
    subject: Vec<Resource>,
    predicate_type: &'static str,
    predicate: P,
) -> anyhow::Result<Attestation> {
    let statement = Statement { kind: STATEMENT, subject, predicate_type, predicate };
    Ok(Attestation { name, record, payload: serde_json::to_vec(&statement)? })
}

/// What holds for the records so far.
#[derive(Default)]
pub(super) struct Context<'a> {
    pub(super) run: Option<&'a RunOpened>,
    runbook_sha256: &'a str,
}

impl<'a> Context<'a> {
    pub(super) fn apply(&mut self, event: &'a Event) {
        match event {
            Event::RunOpened(run) => (self.run, self.runbook_sha256) = (Some(run), &run.runbook_sha256),
            Event::RunContinued(run) => self.runbook_sha256 = &run.runbook_sha256,
            _ => {}
        }
    }

    /// The runbook that was worked by.
    pub(super) fn runbook(&self) -> Resource {
        Resource::sha256("runbook.toml", self.runbook_sha256)
    }
}
