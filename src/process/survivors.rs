//! Finds what is left of a process group that an earlier citadel started. Never signals anything.

use super::{Started, proc};

/// The living processes of the group, each with its pid and command line. A process that started before the group's
/// first one belongs to another group that had the same number earlier.
pub fn survivors(started: &Started) -> Vec<(u32, String)> {
    let of_group = |pid: &u32| {
        proc::stat(*pid)
            .is_some_and(|stat| stat.is_alive() && stat.group == started.group && stat.start_time >= started.start_time)
    };
    let pids = proc::pids().into_iter().filter(of_group);
    pids.map(|pid| (pid, proc::command_line(pid).unwrap_or_default())).collect()
}
