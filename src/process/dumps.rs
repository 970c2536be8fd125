//! Keeps the memory of this process, which holds secrets, out of files and of other processes of the same user.

use rustix::process::{Resource, Rlimit, setrlimit};

/// No core dump of citadel or of what it starts; and no look into citadel's memory and environment through `/proc`.
pub fn no_dumps() {
    // Where it is not granted nothing is worse than before.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
