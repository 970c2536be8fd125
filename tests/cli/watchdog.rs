//! Ends a kept dev chain and removes its folder when whoever owns it is gone, even if the tests are killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::builder::Test;

/// Waits for its stdin to close, which the kernel does for a process that is gone.
const SCRIPT: &str =
    r#"cat >/dev/null; "$1" -f "$2/kept.toml" --state "$2/state" devchain down >/dev/null; rm -rf "$2""#;

/// Watches over a folder; dropped, it has cleaned up.
pub(crate) struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// Watches over the folder of `test`, whose chain is kept by the runbook there as it stands now.
    pub(crate) fn over(test: &Test) -> Self {
        let root: &Path = test.root();
        std::fs::copy(test.path("runbook.toml"), root.join("kept.toml")).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_citadel")]).arg(root).current_dir("/");
        // A signal to the group of the tests must not reach it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.env_clear().envs(test.env()).stdin(Stdio::piped()).stdout(Stdio::null());
        Self { child: command.spawn().unwrap() }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
