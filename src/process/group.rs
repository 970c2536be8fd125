//! Process groups: a signal for all of a command, who is in it, whether it is gone.
//!
//! Never ends anything by name, and never signals citadel's own group or every process.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::time::{Instant, sleep};

use super::{Started, proc};

/// How often a dying group is looked at.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How long the kernel may take to end what was killed.
pub(super) const KILLED: Duration = Duration::from_secs(5);

/// A process group that citadel made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group(Pid);

impl Group {
    /// The group with this id; none for ids that would mean everyone, or citadel itself.
    pub(super) fn new(id: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(id).ok()?)?;
        (pid != Pid::INIT && own_group() != Some(id)).then_some(Self(pid))
    }

    /// Sends a signal to every process of the group.
    pub(super) fn signal(self, signal: Signal) {
        // A group that is already gone is what was wanted.
        let _ = kill_process_group(self.0, signal);
    }

    /// The processes of the group that are alive, as far as the system tells.
    pub(super) fn members(self) -> Vec<u32> {
        let ours = |pid: &u32| proc::stat(*pid).is_some_and(|stat| self.id() == Some(stat.group) && stat.is_alive());
        proc::pids().into_iter().filter(ours).collect()
    }

    /// Whether no process of the group is alive.
    pub(super) fn is_empty(self) -> bool {
        test_kill_process_group(self.0).is_err() || (proc::is_here() && self.members().is_empty())
    }

    /// Waits until the group is empty or the time is up; says whether it is empty.
    pub(super) async fn wait_empty(self, limit: Duration) -> bool {
        wait_until(limit, || self.is_empty()).await
    }

    /// Asks every process to end, waits, and kills what is left.
    pub(super) async fn end(self, grace: Duration) -> bool {
        self.signal(Signal::TERM);
        if self.wait_empty(grace).await {
            return true;
        }
        self.signal(Signal::KILL);
        self.wait_empty(KILLED).await
    }

    fn id(self) -> Option<u32> {
        u32::try_from(self.0.as_raw_pid()).ok()
    }
}

/// Looks again and again until it is so or the time is up; says whether it is so.
pub(super) async fn wait_until(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        sleep(TICK).await;
    }
    true
}

/// citadel's own group, as the kernel numbers it here: 0 in a container that was entered from outside. It stays the same.
fn own_group() -> Option<u32> {
    static OWN: OnceLock<Option<u32>> = OnceLock::new();
    *OWN.get_or_init(|| proc::stat(std::process::id()).map(|stat| stat.group))
}

/// Whether the process lives and is the one that was started then, not a later one with the same pid.
pub fn is_alive(started: &Started) -> bool {
    proc::stat(started.pid)
        .is_some_and(|stat| stat.is_alive() && stat.start_time == started.start_time && stat.group == started.group)
}

/// Ends the group of a process that an earlier citadel started: TERM, `grace`, KILL. Does nothing if the process is
/// no longer that one. Says whether the group is gone.
pub async fn end(started: &Started, grace: Duration) -> bool {
    if !is_alive(started) {
        return true;
    }
    match Group::new(started.group) {
        Some(group) => group.end(grace).await,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_be_a_group() {
        assert_eq!(Group::new(0), None);
        assert_eq!(Group::new(1), None);
        assert_eq!(Group::new(u32::MAX), None);
        assert_eq!(Group::new(own_group().unwrap()), None);
    }

    #[test]
    fn another_start_time_is_another_process() {
        let stat = proc::stat(std::process::id()).unwrap();
        let me = Started { pid: std::process::id(), group: stat.group, start_time: stat.start_time };
        assert!(is_alive(&me));
        assert!(!is_alive(&Started { start_time: me.start_time + 1, ..me }));
    }
}
