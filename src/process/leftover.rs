//! What a command leaves behind: processes of its group, and others that still hold an end of its pipes.
//!
//! Ends them by id, and only while they are what they were found to be.

use std::os::fd::AsFd;

use rustix::fs::fstat;
use rustix::process::Signal;

use super::group::Group;
use super::{plain, proc};
use crate::secrets::Mask;

/// How much of a command line names a process.
const NAME: usize = 80;

/// The identities of a command's pipes.
pub(super) fn inodes(out: Option<&impl AsFd>, err: Option<&impl AsFd>) -> Vec<u64> {
    let stats = [out.map(fstat), err.map(fstat)];
    stats.into_iter().flatten().flatten().map(|stat| stat.st_ino).collect()
}

/// Kills what is left and names it.
pub(super) fn kill(group: Group, pipes: &[u64], mask: &Mask) -> Vec<String> {
    let members = group.members();
    let holders = proc::holders(pipes).into_iter().filter(|pid| !members.contains(pid)).collect::<Vec<_>>();
    let names = members.iter().chain(&holders).map(|&pid| name(pid, mask)).collect();
    group.signal(Signal::KILL);
    for pid in holders {
        kill_holder(pid, pipes);
    }
    names
}

/// `sleep 60 (pid 1234)`, without secrets.
fn name(pid: u32, mask: &Mask) -> String {
    let line = proc::command_line(pid).unwrap_or_else(|| "a process".to_owned());
    let line = plain(&mask.text(&line));
    let short: String = line.chars().take(NAME).collect();
    let more = if short.len() < line.len() { "…" } else { "" };
    format!("{short}{more} (pid {pid})")
}

/// The handle is taken before the question is asked again, so that the signal cannot reach a later process.
#[cfg(target_os = "linux")]
fn kill_holder(pid: u32, pipes: &[u64]) {
    use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
    let handle = i32::try_from(pid).ok().and_then(Pid::from_raw).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    if let Some(Ok(handle)) = handle
        && proc::holds(pid, pipes)
    {
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }
}

#[cfg(not(target_os = "linux"))]
fn kill_holder(_: u32, _: &[u64]) {}
