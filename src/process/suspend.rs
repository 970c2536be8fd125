//! Ctrl-Z: commands stop with citadel and go on with it, and no time limit counts the time between.
//!
//! Citadel stops itself with STOP, since TSTP is what it listens to; where no shell could wake it, it does not stop.

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getppid, getsid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::{children, clock, proc};

/// Suspends citadel and its commands, and returns when citadel was continued. The dev chain works on.
pub(super) async fn suspend() {
    // Listened to before it can come.
    let Ok(mut continued) = signal(SignalKind::from_raw(Signal::CONT.as_raw())) else { return };
    if !can_be_continued() {
        return;
    }
    clock::pause();
    let commands = children::commands();
    for command in &commands {
        command.signal(Signal::STOP);
    }
    if kill_process(getpid(), Signal::STOP).is_ok() {
        continued.recv().await;
    }
    for command in &commands {
        command.signal(Signal::CONT);
    }
    clock::go_on();
}

/// Whether someone with the same terminal started citadel's process group and can continue it: the rule by which the
/// kernel ignores TSTP in orphaned groups.
fn can_be_continued() -> bool {
    let (group, session) = (getpgrp(), getsid(None).ok());
    let mut parent = getppid();
    while let Some(pid) = parent {
        match getpgid(Some(pid)) {
            Err(_) => return false,
            Ok(other) if other != group => return getsid(Some(pid)).ok() == session,
            Ok(_) => parent = parent_of(pid),
        }
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = proc::stat(u32::try_from(pid.as_raw_pid()).ok()?)?;
    Pid::from_raw(i32::try_from(stat.parent).ok()?)
}
