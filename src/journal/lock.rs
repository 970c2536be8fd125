//! One writer a network and runbook. The kernel frees the lock when its holder dies; the note beside it is for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::folder::unusable;
use crate::error::{ExitCode, Failure};

/// A held lock; dropping it frees it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    note: PathBuf,
}

/// Who holds a lock, for messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    pub who: String,
    pub host: String,
    pub pid: u32,
    pub since: Timestamp,
    pub command: String,
    /// What of the runbook it works on: `phase 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

impl Lock {
    /// Takes the lock at `path`, or says who holds it.
    pub fn take(path: &Path, owner: &Owner) -> Result<Self, Failure> {
        let note = path.with_extension("owner.json");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .with_context(|| format!("cannot open the lock `{}`", path.display()))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&note)),
            Err(TryLockError::Error(error)) => {
                return Err(anyhow::Error::from(error).context(format!("cannot lock `{}`", path.display())).into());
            }
        }
        let text = serde_json::to_string(owner).context("cannot write the lock's note")?;
        File::create(&note)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write `{}`", note.display()))
            .map_err(unusable)?;
        Ok(Self { _file: file, note })
    }
}

impl Lock {
    /// Takes the lock at `path`, and tells what `see` finds under it: another citadel may have worked until just now. What
    /// it refuses before is refused without the lock.
    pub fn take_and_see<T>(
        path: &Path,
        owner: &Owner,
        see: impl Fn() -> Result<T, Failure>,
    ) -> Result<(Self, T), Failure> {
        see()?;
        let lock = Self::take(path, owner)?;
        let seen = see()?;
        Ok((lock, seen))
    }

    /// Who holds the lock at `path`, as far as a reader can tell without taking it.
    pub fn holder(path: &Path) -> Option<Owner> {
        let text = std::fs::read_to_string(path.with_extension("owner.json")).ok()?;
        let owner: Owner = serde_json::from_str(&text).ok()?;
        crate::process::started(owner.pid).map(|_| owner)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The note goes first: a lock that is free must not name an owner.
        let _ = std::fs::remove_file(&self.note);
    }
}

fn held(note: &Path) -> Failure {
    let owner = std::fs::read_to_string(note).ok().and_then(|text| serde_json::from_str::<Owner>(&text).ok());
    let message = match owner {
        Some(Owner { who, host, pid, since, command, part }) => {
            let part = part.map(|part| format!("{part} of ")).unwrap_or_default();
            format!("{who} on {host} works on {part}this network since {since} (pid {pid}): `{command}`")
        }
        None => "another citadel works on this network".to_owned(),
    };
    Failure::new(ExitCode::Locked, message).hint("wait for it to end, or look at it with `citadel status`")
}
