//! Finds what is left of a step that an earlier citadel started. Never signals anything.

use super::{Started, proc};

/// The variable that every process of an attempt inherits. It finds what was spawned a moment before citadel died, of
/// which no record tells, and what left its group.
pub const ATTEMPT: &str = "CITADEL_ATTEMPT";

/// A process that outlived its citadel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    pub pid: u32,
    pub group: u32,
    pub command: String,
}

/// The living processes of an attempt: those in the group that was recorded, and those that carry its mark. A process
/// that started before the group's first one belongs to another group that had the same number earlier.
pub fn survivors(recorded: Option<&Started>, mark: &str) -> Vec<Survivor> {
    let survivor = |pid: u32| {
        let stat = proc::stat(pid).filter(proc::Stat::is_alive)?;
        let of_group =
            recorded.is_some_and(|started| stat.group == started.group && stat.start_time >= started.start_time);
        let is_one = of_group || proc::has_variable(pid, ATTEMPT, mark);
        is_one.then(|| Survivor { pid, group: stat.group, command: proc::command_line(pid).unwrap_or(stat.name) })
    };
    proc::pids().into_iter().filter_map(survivor).collect()
}
