//! Starts a program in a process group of its own, with exactly the given environment and nothing to read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::children::{self, Behind, Registered};
use super::family::Family;
use super::group::Group;
use super::which::{is_program, which};
use super::{Started, proc};

/// What to start, found and with all that it is given.
pub(super) struct Program {
    command: Command,
    name: String,
    /// In a PID namespace.
    isolated: bool,
}

/// A running program. Dropped, it is killed with all that it started; nobody asks for its status then.
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

impl Program {
    /// Finds the program of `argv`, or says in words why it cannot be started. `wrapper`: the words to put before it, which
    /// make a PID namespace for it.
    pub(super) fn find(
        argv: &[String],
        dir: &Path,
        env: &BTreeMap<String, String>,
        wrapper: Option<&[String]>,
    ) -> Result<Self, String> {
        let Some((program, rest)) = argv.split_first() else { return Err("there is no program to start".to_owned()) };
        if !dir.is_dir() {
            return Err(format!("the folder `{}` does not exist", dir.display()));
        }
        let file = find(program, dir, env)?;
        let mut command = match wrapper {
            None => command(&file),
            Some(words) => {
                let mut command = command(words.first().map_or("", String::as_str).as_ref());
                command.args(words.iter().skip(1)).arg(&file);
                command
            }
        };
        command.args(rest).current_dir(dir).env_clear().envs(env);
        Ok(Self { command, name: program.clone(), isolated: wrapper.is_some() })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the process room")]
fn command(file: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(file);
    // Opened now rather than between an intent and its process.
    let nothing = File::open("/dev/null").map_or_else(|_| Stdio::null(), Stdio::from);
    command.process_group(0).stdin(nothing);
    command
}

/// Starts it, or says in words why it cannot be started.
pub(super) fn spawn(program: Program, stdout: Stdio, stderr: Stdio) -> Result<Running, String> {
    let Program { mut command, name, isolated } = program;
    children::adopt();
    let behind = if isolated { Behind::Nothing } else { Behind::Fence };
    let started = children::start(move || command.stdout(stdout).stderr(stderr).spawn(), behind);
    let (mut child, registered) = started.map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    let pid = child.id();
    let Some(group) = Group::new(pid) else {
        let _ = child.kill();
        return Err(format!("`{name}` has no process group of its own"));
    };
    // The process is not reaped yet, so even one that has already ended tells when it began.
    let start_time = proc::stat(pid).map_or(0, |stat| stat.start_time);
    let family = Family::new(Started { pid, group: pid, start_time }, group, isolated);
    Ok(Running { child, family: Arc::new(family), registered: Some(registered), armed: true })
}

/// The path of the step decides, not citadel's own.
fn find(program: &str, dir: &Path, env: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    let path = env.get("PATH").map_or("", String::as_str);
    which(program, path, dir).ok_or_else(|| {
        let file = dir.join(program);
        match program.contains('/') {
            true if file.exists() && !is_program(&file) => format!("`{program}` is not an executable file"),
            true => format!("`{program}` does not exist in `{}`", dir.display()),
            false => format!("`{program}` is not on the PATH"),
        }
    })
}
