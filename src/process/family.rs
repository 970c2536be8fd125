//! All processes of one command: its group, and whoever left the group: `setsid`, daemons forked twice, their children.
//!
//! A signal reaches each of them once. Processes outside of the group are signalled one by one, and only while they are
//! what they were found to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::group::{Group, wait_until};
use super::proc::Stat;
use super::{Started, children, isolation, proc};

/// The processes that come from one that citadel started.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) started: Started,
    pub(super) group: Group,
    /// In a PID namespace: the first process is `unshare`, its child the init.
    isolated: bool,
    /// Who was seen outside of the group, and when they began: they stay family whatever becomes of their parents.
    known: Mutex<BTreeMap<u32, u64>>,
}

/// A living process of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) pid: u32,
    start_time: u64,
    pub(super) in_group: bool,
    /// It serves the namespace and belongs to citadel more than to the command.
    pub(super) keeper: bool,
}

impl Family {
    pub(super) fn new(started: Started, group: Group, isolated: bool) -> Self {
        Self { started, group, isolated, known: Mutex::default() }
    }

    /// Whether the process is in the group or was seen in the family before.
    pub(super) fn has(&self, pid: u32, stat: &Stat) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        stat.group == self.started.group || known.get(&pid) == Some(&stat.start_time)
    }

    /// Everyone who is alive, as far as the system tells.
    pub(super) fn members(&self) -> Vec<Member> {
        let mut found: BTreeSet<u32> = children::orphans(self).into_iter().collect();
        let all: Vec<(u32, Stat)> = proc::all().into_iter().filter(|(_, stat)| stat.is_alive()).collect();
        found.extend(all.iter().filter(|(pid, stat)| self.has(*pid, stat)).map(|(pid, _)| *pid));
        loop {
            let before = found.len();
            let born = all.iter().filter(|(_, stat)| found.contains(&stat.parent)).map(|(pid, _)| *pid);
            found.extend(born.collect::<Vec<_>>());
            if found.len() == before {
                break;
            }
        }
        let init = all.iter().find(|(_, stat)| self.isolated && stat.parent == self.started.pid).map(|(pid, _)| *pid);
        let keeps = |pid: u32, stat: &Stat| {
            // The third is what the init sleeps with.
            pid == self.started.pid || Some(pid) == init || (Some(stat.parent) == init && isolation::is_marked(pid))
        };
        let members = all.iter().filter(|(pid, _)| found.contains(pid)).map(|(pid, stat)| Member {
            pid: *pid,
            start_time: stat.start_time,
            in_group: stat.group == self.started.group,
            keeper: self.isolated && keeps(*pid, stat),
        });
        let members: Vec<Member> = members.collect();
        let outside = members.iter().filter(|member| !member.in_group);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(outside.map(|member| (member.pid, member.start_time)));
        members
    }

    /// Sends a signal to every process, once.
    pub(super) fn signal(&self, signal: Signal) {
        if self.isolated && ![Signal::KILL, Signal::STOP, Signal::CONT].contains(&signal) {
            // What keeps the namespace is not to end before the command did.
            self.members().into_iter().filter(|member| !member.keeper).for_each(|member| member.signal(signal));
            return;
        }
        // Who is outside of the group is looked for first: afterwards their parents may be gone.
        let outside: Vec<Member> = self.members().into_iter().filter(|member| !member.in_group).collect();
        self.group.signal(signal);
        for member in outside {
            member.signal(signal);
        }
    }

    /// Whether the first process is gone. Its status is left to whoever waits for it.
    pub(super) fn leader_is_gone(&self) -> bool {
        let pid = i32::try_from(self.started.pid).ok().and_then(Pid::from_raw);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // An error: its status was asked for already.
        pid.is_none_or(|pid| waitid(WaitId::Pid(pid), options).map_or(true, |status| status.is_some()))
    }

    /// Whether nobody is alive.
    pub(super) fn is_empty(&self) -> bool {
        if !proc::is_here() {
            return self.group.is_empty();
        }
        if children::adopt() {
            // Whoever lives on without the first process is an orphan, or comes from one: citadel's own children tell
            // all, without a look at every process of the system.
            return self.leader_is_gone() && children::orphans(self).is_empty();
        }
        self.members().is_empty()
    }

    /// Whether the command itself is over while its namespace is kept for what it left behind.
    pub(super) fn awaits_rest(&self) -> bool {
        self.isolated && isolation::is_over(self.started.pid)
    }

    /// Whether signals to the whole group would end the namespace's init, which has a status to tell.
    pub(super) fn has_keepers(&self) -> bool {
        self.isolated
    }

    /// Waits until nobody is alive or the time is up; says whether nobody is.
    pub(super) async fn wait_empty(&self, limit: Duration) -> bool {
        wait_until(limit, || self.is_empty()).await
    }
}

impl Member {
    /// Signals this process, not a later one with its number.
    pub(super) fn signal(self, signal: Signal) {
        let same = || proc::stat(self.pid).is_some_and(|stat| stat.start_time == self.start_time);
        signal_if(self.pid, signal, same);
    }
}

/// Signals a process if something holds for it. The handle is taken before the question is asked, so that the signal
/// cannot reach a later process.
#[cfg(target_os = "linux")]
pub(super) fn signal_if(pid: u32, signal: Signal, holds: impl FnOnce() -> bool) {
    use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
    let handle = i32::try_from(pid).ok().and_then(Pid::from_raw).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    if let Some(Ok(handle)) = handle
        && holds()
    {
        let _ = pidfd_send_signal(handle, signal);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn signal_if(_: u32, _: Signal, _: impl FnOnce() -> bool) {}
