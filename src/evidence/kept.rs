//! The artefacts of a run: files kept under a name with their SHA-256, read back only if they are still the same.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use serde_json::Value;

use super::Attempt;
use crate::digest::sha256;
use crate::event::Artefact;
use crate::journal::{RunFolder, sync_folder};
use crate::runbook::{Lookup, Scope, Template};

/// The artefacts kept so far.
#[derive(Debug, Clone)]
pub struct Kept {
    pub folder: RunFolder,
    pub artefacts: BTreeMap<String, Artefact>,
    pub scope: Scope,
}

impl Kept {
    /// The bytes of an artefact. `Err` is a sentence: it is not kept, is gone, or is not what was kept.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let artefact = self.artefacts.get(name).ok_or_else(|| format!("nothing was kept as `{name}` yet"))?;
        let path = self.folder.file(&artefact.path);
        let bytes = std::fs::read(&path).map_err(|error| format!("the artefact `{}`: {error}", path.display()))?;
        let found = sha256(&bytes);
        if found != artefact.sha256 {
            return Err(format!(
                "the artefact `{name}` (`{}`) was changed after it was kept: its SHA-256 is {found}, the journal says {}",
                path.display(),
                artefact.sha256
            ));
        }
        Ok(bytes)
    }

    /// Adds an artefact; a later one of the same name takes its place.
    pub fn add(&mut self, artefact: Artefact) {
        self.artefacts.insert(artefact.name.clone(), artefact);
    }
}

impl Lookup for Kept {
    fn render(&self, template: &Template) -> Result<String, String> {
        template.render(&self.scope).map_err(|name| format!("`{name}` has no value yet"))
    }

    fn artefact(&self, name: &str) -> Result<Value, String> {
        let bytes = self.read(name)?;
        serde_json::from_slice(&bytes).map_err(|error| format!("the artefact `{name}` is not JSON: {error}"))
    }
}

/// Keeps `bytes` under `name`: written, synced with its name, and only then spoken of.
pub(super) fn keep(attempt: &Attempt<'_>, name: &str, bytes: &[u8], source: &str) -> anyhow::Result<Artefact> {
    let path = RunFolder::artefact(&attempt.step.id.0, attempt.number, name);
    let full = attempt.folder.file(&path);
    let mut file =
        std::fs::File::create(&full).with_context(|| format!("cannot keep `{name}` as `{}`", full.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let named = |()| full.parent().map_or(Ok(()), sync_folder);
    written.and_then(named).with_context(|| format!("cannot keep `{name}`"))?;
    let bytes_kept = bytes.len() as u64;
    Ok(Artefact { name: name.to_owned(), path, sha256: sha256(bytes), bytes: bytes_kept, source: source.to_owned() })
}
