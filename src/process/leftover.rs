//! What a command leaves behind: processes of its family, and others that still hold an end of its pipes.
//!
//! Ends them by id, and only while they are what they were found to be.

use std::os::fd::AsFd;

use rustix::fs::fstat;
use rustix::process::Signal;

use super::family::{Family, signal_if};
use super::{plain, proc};
use crate::secrets::Mask;

/// How much of a command line names a process.
const NAME: usize = 80;

/// The identities of a command's pipes.
pub(super) fn inodes(out: Option<&impl AsFd>, err: Option<&impl AsFd>) -> Vec<u64> {
    let stats = [out.map(fstat), err.map(fstat)];
    stats.into_iter().flatten().flatten().map(|stat| stat.st_ino).collect()
}

/// The names of those who left the group.
pub(super) fn escaped(family: &Family, mask: &Mask) -> Vec<String> {
    let members = family.members().into_iter();
    members.filter(|member| !member.in_group && !member.keeper).map(|member| name(member.pid, mask)).collect()
}

/// Kills what is left and names it.
pub(super) fn kill(family: &Family, pipes: &[u64], mask: &Mask) -> Vec<String> {
    let members = family.members();
    let holders: Vec<u32> =
        proc::holders(pipes).into_iter().filter(|pid| members.iter().all(|member| member.pid != *pid)).collect();
    let left = members.iter().filter(|member| !member.keeper);
    let names = left.clone().map(|member| member.pid).chain(holders.iter().copied()).map(|pid| name(pid, mask));
    let names = names.collect();
    if !family.has_keepers() {
        family.group.signal(Signal::KILL);
    }
    for member in left {
        member.signal(Signal::KILL);
    }
    for pid in holders {
        signal_if(pid, Signal::KILL, || proc::holds(pid, pipes));
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
