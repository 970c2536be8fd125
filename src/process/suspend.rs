//! Ctrl-Z: commands stop with citadel and go on with it, and no time limit counts the time between.
//!
//! Citadel stops itself with STOP, since TSTP is what it listens to; where no shell could wake it, it does not stop.

use rustix::process::{Signal, getpid, kill_process};
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
/// kernel ignores TSTP in orphaned groups. Sessions from outside a container all have the number 0, and count as one.
fn can_be_continued() -> bool {
    let Some(own) = proc::stat(std::process::id()) else { return false };
    let mut parent = own.parent;
    while let Some(stat) = proc::stat(parent) {
        if stat.group != own.group {
            return stat.session == own.session;
        }
        parent = stat.parent;
    }
    false
}
