//! Closes the state folder to all that citadel starts, and makes beforehand what tools could not make any more.

use std::path::{Path, PathBuf};

use super::context::Context;
use crate::process;

/// Where tools keep things directly below the home folder, which is closed for new entries where the state lies below it.
const USUAL: [&str; 4] = [".cache", ".config", ".local/share", ".npm"];

impl Context {
    /// From here on no process can write to the state folder, where the kernel can see to it.
    pub(super) fn close_state(&self, workspace: &Path) {
        let temporary = self.environment.get("TMPDIR").filter(|path| !path.is_empty()).map(PathBuf::from);
        let fixed = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
        let writable = temporary.into_iter().chain(fixed).chain([workspace.to_owned()]);
        let writable: Vec<PathBuf> = writable.filter(|path| path.is_dir()).collect();
        process::keep_out_of(&self.state, &writable, std::env::current_exe().ok());
    }

    /// Makes the folders that npm and others would make in the home folder, before it is closed for them.
    pub(super) fn make_room(&self) {
        let Some(home) = self.environment.get("HOME").map(PathBuf::from).filter(|home| self.state.starts_with(home))
        else {
            return;
        };
        for folder in USUAL {
            // Whoever needs it and cannot have it will say so.
            let _ = std::fs::create_dir_all(home.join(folder));
        }
    }
}
