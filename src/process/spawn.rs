//! Starts a program in a process group of its own, with exactly the given environment and nothing to read.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Child;

use super::children::{self, Behind, Registered};
use super::family::Family;
use super::group::Group;
use super::which::{is_program, which};
use super::{Started, proc};

/// What to start, and where its output goes.
pub(super) struct Spawn<'a> {
    pub(super) argv: &'a [String],
    pub(super) dir: &'a Path,
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
    /// The words to put before the command, which make a PID namespace for it.
    pub(super) wrapper: Option<Vec<String>>,
}

/// A running program. Dropped, it is killed with all that it started.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) family: Arc<Family>,
    registered: Option<Registered>,
    armed: bool,
}

impl Running {
    /// Nothing is left to be ended.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }

    /// Lets it outlive citadel, whose child it stays until then.
    pub(super) fn live_on(&mut self) {
        self.armed = false;
        std::mem::forget(self.registered.take());
    }

    /// From now on it is suspended together with citadel, and its orphans are found.
    pub(super) fn is_command(&self) {
        if let Some(registered) = &self.registered {
            registered.is_command(&self.family);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.armed {
            self.family.signal(rustix::process::Signal::KILL);
        }
    }
}

/// Starts it, or says in words why it cannot be started.
pub(super) fn spawn(spawn: Spawn<'_>) -> Result<Running, String> {
    let Some((program, args)) = spawn.argv.split_first() else { return Err("there is no program to start".to_owned()) };
    if !spawn.dir.is_dir() {
        return Err(format!("the folder `{}` does not exist", spawn.dir.display()));
    }
    let file = find(program, &spawn)?;
    children::adopt();
    let isolated = spawn.wrapper.is_some();
    let mut command = match &spawn.wrapper {
        None => tokio::process::Command::new(file),
        Some(words) => wrapped(words, &file),
    };
    command.args(args).current_dir(spawn.dir).env_clear().envs(spawn.env).process_group(0);
    command.stdin(Stdio::null()).stdout(spawn.stdout).stderr(spawn.stderr);
    let behind = if isolated { Behind::Nothing } else { Behind::Fence };
    let started = children::start(move || command.spawn(), behind);
    let (mut child, registered) = started.map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let pid = child.id().unwrap_or_default();
    let Some(group) = Group::new(pid) else {
        let _ = child.start_kill();
        return Err(format!("`{program}` has no process group of its own"));
    };
    // The process is not reaped yet, so even one that has already ended tells when it began.
    let start_time = proc::stat(pid).map_or(0, |stat| stat.start_time);
    let family = Family::new(Started { pid, group: pid, start_time }, group, isolated);
    Ok(Running { child, family: Arc::new(family), registered: Some(registered), armed: true })
}

fn wrapped(words: &[String], file: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(words.first().map_or("", String::as_str));
    command.args(words.iter().skip(1)).arg(file);
    command
}

/// The path of the step decides, not citadel's own.
fn find(program: &str, spawn: &Spawn<'_>) -> Result<std::path::PathBuf, String> {
    let path = spawn.env.get("PATH").map_or("", String::as_str);
    which(program, path, spawn.dir).ok_or_else(|| {
        let file = spawn.dir.join(program);
        match program.contains('/') {
            true if file.exists() && !is_program(&file) => format!("`{program}` is not an executable file"),
            true => format!("`{program}` does not exist in `{}`", spawn.dir.display()),
            false => format!("`{program}` is not on the PATH"),
        }
    })
}
