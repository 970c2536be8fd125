//! For `tests/kill_points.rs` alone, which builds citadel with the feature `kill-points`: ends this process by SIGKILL at
//! the moment that `CITADEL_KILL_AT` names, such as `17 after-sync`. Nothing of it is in a citadel that is published.
//!
//! | moment | where |
//! |---|---|
//! | `before-write` | what led to the record is done; nothing of the record is on disk |
//! | `torn-write` | half of the record's line is on disk |
//! | `after-write` | the whole line is written, and not synced |
//! | `after-sync` | the record is durable (that of a step's process: written); what it announces is not begun |
//! | `after-telling` | progress and observers know it as well |

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;

use rustix::process::{Signal, getpid, kill_process};

#[cfg(not(debug_assertions))]
compile_error!("the feature `kill-points` is for tests: build without it");

static ASKED: OnceLock<String> = OnceLock::new();

/// Takes what `CITADEL_KILL_AT` says, once.
pub fn arm(asked: String) {
    let _ = ASKED.set(asked);
}

/// The two moments before the record's line is whole.
pub(super) fn around_write(sequence: u64, mut file: &File, line: &str) {
    reached(sequence, "before-write");
    if is_asked(sequence, "torn-write") {
        let _ = file.write_all(&line.as_bytes()[..line.len() / 2]);
        die();
    }
}

/// Ends the process if this is the moment.
pub(crate) fn reached(sequence: u64, moment: &str) {
    if is_asked(sequence, moment) {
        die();
    }
}

fn is_asked(sequence: u64, moment: &str) -> bool {
    ASKED.get().is_some_and(|asked| *asked == format!("{sequence} {moment}"))
}

fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    // The signal is on its way, and nothing may happen before it comes.
    loop {
        std::thread::park();
    }
}
