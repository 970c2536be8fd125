//! Starts a program in a process group of its own, with exactly the given environment and nothing to read.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Child;

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
}

/// A running program. Dropped, its whole group is killed.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) group: Group,
    pub(super) started: Started,
    armed: bool,
}

impl Running {
    /// Lets the group live on, or be: it was ended, or is to outlive citadel.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.armed {
            self.group.signal(rustix::process::Signal::KILL);
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
    let mut command = tokio::process::Command::new(file);
    command.args(args).current_dir(spawn.dir).env_clear().envs(spawn.env).process_group(0);
    command.stdin(Stdio::null()).stdout(spawn.stdout).stderr(spawn.stderr);
    let mut child = command.spawn().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let pid = child.id().unwrap_or_default();
    let Some(group) = Group::new(pid) else {
        let _ = child.start_kill();
        return Err(format!("`{program}` has no process group of its own"));
    };
    // The process is not reaped yet, so even one that has already ended tells when it began.
    let start_time = proc::stat(pid).map_or(0, |stat| stat.start_time);
    Ok(Running { child, group, started: Started { pid, group: pid, start_time }, armed: true })
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
