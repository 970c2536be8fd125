//! This test program started once more, as a small citadel that runs one command: to be signalled and measured.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use citadel::process::{Command, environment, run, signals};
use citadel::process::{Started, Watcher};
use citadel::secrets::Mask;
use tokio::process::Child;

/// The variable that says to be that citadel, and holds its script.
const SCRIPT: &str = "CITADEL_TEST_SCRIPT";
const FOLDER: &str = "CITADEL_TEST_FOLDER";
const LIMIT: &str = "CITADEL_TEST_LIMIT";

struct Nobody;

impl Watcher for Nobody {
    fn started(&mut self, started: &Started) -> anyhow::Result<()> {
        println!("started {}", started.pid);
        Ok(())
    }

    fn line(&mut self, _: &str) {}
}

/// Starts it in a process group of its own. All its time limits but grace are `limit`.
pub(crate) fn start(script: &str, folder: &Path, limit: Duration) -> Child {
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command.args(["citadel_process::is_started_by_other_tests", "--exact", "--nocapture", "--test-threads", "1"]);
    command.env(SCRIPT, script).env(FOLDER, folder).env(LIMIT, limit.as_millis().to_string());
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command.spawn().unwrap()
}

/// What it printed, all of it.
pub(crate) async fn said(child: Child) -> String {
    String::from_utf8(child.wait_with_output().await.unwrap().stdout).unwrap()
}

// One thread, as citadel has: what suspends it never comes between a command's start and its registration.
#[tokio::test]
async fn is_started_by_other_tests() {
    let Ok(script) = std::env::var(SCRIPT) else { return };
    let folder = std::path::PathBuf::from(std::env::var(FOLDER).unwrap());
    let limit = Duration::from_millis(std::env::var(LIMIT).unwrap().parse().unwrap());
    let command = Command {
        argv: ["sh", "-c", &script].map(str::to_owned).to_vec(),
        dir: folder.clone(),
        env: environment::base(&std::env::vars().collect(), &[]),
        timeout: limit,
        silence: limit,
        grace: Duration::from_secs(1),
        drain: limit,
        log: folder.join("log"),
        stdout: Some(folder.join("stdout")),
        isolation: None,
    };
    let stop = signals::listen().unwrap();
    let outcome = run(&command, &Mask::none(), stop, &mut Nobody).await.unwrap();
    println!("ended {:?} left {:?} bytes {} lost {:?}", outcome.ended, outcome.left, outcome.bytes, outcome.lost);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    println!("peak {}", peak.trim());
}
