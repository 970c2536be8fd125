//! Commands that need the whole process for themselves: orphans, which the kernel hands to citadel without saying whose
//! they are, signals to citadel itself, namespaces, terminals, memory. One at a time.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "these processes stand for citadel itself")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "alone/citadel.rs"]
mod citadel_process;
#[path = "alone/escapees.rs"]
mod escapees;
#[path = "alone/isolated.rs"]
mod isolated;
#[path = "alone/output.rs"]
mod output;
mod pty;
mod step;
#[path = "alone/suspended.rs"]
mod suspended;
#[path = "alone/terminal.rs"]
mod terminal;

use tokio::sync::{Mutex, MutexGuard};

/// Held by every test of this program from its beginning to its end.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
