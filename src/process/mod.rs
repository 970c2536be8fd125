//! Runs one command: in a process group of its own, with its output masked, kept and watched, and with nothing of it
//! left behind.
//!
//! Never decides what an exit means, and never signals a process that citadel did not start.

mod capture;
mod children;
pub mod clock;
mod daemon;
mod dumps;
pub mod environment;
mod exit;
mod family;
mod fence;
mod group;
mod isolation;
mod leftover;
mod lines;
mod output;
mod pipes;
mod plain;
mod proc;
mod prompt;
mod query;
mod run;
pub mod shims;
pub mod signals;
mod spawn;
mod survivors;
mod suspend;
pub mod which;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

pub use daemon::Daemon;
pub use dumps::no_dumps;
pub use fence::{Fence, LAUNCHER, fence, keep_out_of, launch};
pub use group::{end, is_alive};
pub use output::Looked;
pub use plain::plain;
pub use proc::{boot, started};
pub use query::{feed, query};
pub use run::{Ready, run};
pub use survivors::{ATTEMPT, Survivor, survivors};

/// One command, completely described. Its `Debug` names variables and shows no value.
#[derive(Clone)]
pub struct Command {
    /// The program, found on the PATH of `env`, and its arguments.
    pub argv: Vec<String>,
    pub dir: PathBuf,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// How long the command may work, from its start.
    pub timeout: Duration,
    /// How long it may say nothing.
    pub silence: Duration,
    /// How long it has to end after each signal.
    pub grace: Duration,
    /// How long, after its first process has exited, the others may still work and write.
    pub drain: Duration,
    /// Where its output goes, masked: stdout and stderr as they came.
    pub log: PathBuf,
    /// Where its stdout alone goes too, masked, if evidence is read from it.
    pub stdout: Option<PathBuf>,
    /// For a PID namespace of its own: the PATH on which `unshare` and a shell for it are found, which is citadel's own
    /// and not the command's. Without one where the system has none to give, the command is not started.
    pub isolation: Option<String>,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("Command")
            .field("argv", &self.argv)
            .field("dir", &self.dir)
            .field("env", &names)
            .finish_non_exhaustive()
    }
}

/// A process that was started, so that a later citadel can find it and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub pid: u32,
    /// The process group, which the process leads.
    pub group: u32,
    /// Clock ticks from boot to its start (`/proc/PID/stat`, field 22); 0 where the system has no `/proc`.
    pub start_time: u64,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that citadel did not send.
    Signalled(i32),
    /// By citadel: it worked longer than it may.
    TimedOut,
    /// By citadel: it said nothing for too long.
    Silent,
    /// By citadel: it was asked to stop.
    Interrupted,
    /// It never ran; nothing can have happened.
    NotStarted(String),
    /// No citadel was there any more to see how.
    Unseen,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub ended: Ended,
    /// Without the time that citadel was suspended.
    pub elapsed: Duration,
    /// How much it wrote, before masking.
    pub bytes: u64,
    /// Its unterminated last line, if that looks like a question to a person.
    pub prompt: Option<String>,
    /// Processes that outlived the first one or held its output, and were ended: a name and a pid each.
    pub left: Vec<String>,
    /// The last lines, masked and fit for a terminal.
    pub tail: Vec<String>,
    /// Why the log is not complete, if it is not.
    pub lost: Option<String>,
    /// What was written into the log, and into the file of stdout alone.
    pub log: Option<Written>,
    pub stdout: Option<Written>,
}

/// A file of output that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    pub digest: Digest,
    /// Of a long one, what a look for secrets found while it was written.
    pub looked: Option<Looked>,
}

/// Whether to stop, as sent through a watch channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    No,
    /// Forward this signal once, then wait, insist, and kill.
    Graceful(i32),
    /// Kill at once.
    Now,
}

impl Stop {
    /// The signal that asks to stop. Which ones asked twice is not told: the second is taken for a Ctrl-C.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::No => None,
            Self::Graceful(signal) => Some(signal),
            Self::Now => Some(rustix::process::Signal::INT.as_raw()),
        }
    }
}

/// Sees a command while it runs.
pub trait Watcher {
    /// The process exists; none of its output has been read. An error ends it and is returned.
    fn started(&mut self, started: &Started) -> anyhow::Result<()>;

    /// Citadel was asked to stop and is about to pass it on to the command, as this signal.
    fn stopping(&mut self, _signal: i32) -> anyhow::Result<()> {
        Ok(())
    }

    /// The newest line of output, masked and fit for a terminal. Of lines that follow each other quickly only the last
    /// is told.
    fn line(&mut self, line: &str);
}
