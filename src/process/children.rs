//! The children of this citadel: those that it started, and orphans of its commands, which the kernel hands to it.
//!
//! Never asks for the status of "any" child: a status taken from its owner would be lost.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use super::family::Family;
use super::{fence, proc};

/// Every process that citadel started and has not asked for its status yet; commands with their family.
static CHILDREN: Mutex<BTreeMap<u32, Option<Arc<Family>>>> = Mutex::new(BTreeMap::new());

/// A started process stays known until this is dropped.
#[derive(Debug)]
pub(super) struct Registered(u32);

impl Registered {
    /// Makes it a command, whose orphans are looked for and which is suspended together with citadel.
    pub(super) fn is_command(&self, family: &Arc<Family>) {
        lock().insert(self.0, Some(Arc::clone(family)));
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock().remove(&self.0);
    }
}

/// A process that was just started.
pub(super) trait Born: Send + 'static {
    fn pid(&self) -> u32;
}

impl Born for std::process::Child {
    fn pid(&self) -> u32 {
        self.id()
    }
}

impl Born for tokio::process::Child {
    fn pid(&self) -> u32 {
        self.id().unwrap_or_default()
    }
}

/// Starts a process, behind the fence unless it is citadel's own; nobody can take it for an orphan in between.
pub(super) fn start<C: Born>(
    spawn: impl FnOnce() -> io::Result<C> + Send + 'static,
    behind: Behind,
) -> io::Result<(C, Registered)> {
    keep_statuses()?;
    let mut children = lock();
    let child = match behind {
        Behind::Fence => {
            let runtime = Handle::try_current();
            fence::behind(move || {
                let _inside = runtime.as_ref().map(Handle::enter);
                spawn()
            })?
        }
        Behind::Nothing => spawn()?,
    };
    let pid = child.pid();
    children.insert(pid, None);
    Ok((child, Registered(pid)))
}

/// Where citadel was started with SIGCHLD ignored, as some supervisors do, the kernel throws the status of every child away,
/// unless there is a handler. Where nobody can tell, there is one.
fn keep_statuses() -> io::Result<()> {
    static IGNORED: OnceLock<bool> = OnceLock::new();
    match IGNORED.get_or_init(|| !proc::is_here() || proc::ignores(rustix::process::Signal::CHILD)) {
        true => signal(SignalKind::child()).map(drop),
        false => Ok(()),
    }
}

/// What a process is started behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    Fence,
    /// It makes namespaces, which nothing behind the fence can, and goes behind it by itself.
    Nothing,
}

/// The commands that run now.
pub(super) fn commands() -> Vec<Arc<Family>> {
    lock().values().flatten().cloned().collect()
}

/// Has the kernel hand orphans of commands to citadel instead of to the system. Says whether it does.
pub(super) fn adopt() -> bool {
    static ADOPTS: OnceLock<bool> = OnceLock::new();
    *ADOPTS.get_or_init(become_reaper)
}

#[cfg(target_os = "linux")]
fn become_reaper() -> bool {
    proc::is_here() && rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn become_reaper() -> bool {
    false
}

/// The living orphans that are of this family; dead ones are asked for their status, so that nothing of them stays.
///
/// Which command an orphan comes from is certain only while one command runs; beside others it must be in the group or
/// have been seen in the family before.
pub(super) fn orphans(family: &Family) -> Vec<u32> {
    let children = lock();
    let mut commands = children.values().flatten();
    let alone = commands.next().is_some_and(|command| command.started == family.started) && commands.next().is_none();
    let mut orphans = Vec::new();
    for pid in proc::adopted().into_iter().filter(|pid| !children.contains_key(pid)) {
        let Some(stat) = proc::stat(pid) else { continue };
        if !stat.is_alive() {
            reap(pid);
            continue;
        }
        let elsewhere = children.contains_key(&stat.group);
        if family.has(pid, &stat) || (alone && !elsewhere && stat.start_time >= family.started.start_time) {
            orphans.push(pid);
        }
    }
    orphans
}

fn reap(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

fn lock() -> MutexGuard<'static, BTreeMap<u32, Option<Arc<Family>>>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
