//! Asks a program a short question and reads its stdout: versions, git, a signature. Never used for steps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::children::{self, Behind};

/// Runs `argv` in `dir` with `env` as its whole environment, and gives its stdout; `Err` is a sentence.
pub async fn query(
    argv: Vec<String>,
    dir: PathBuf,
    env: &BTreeMap<String, String>,
    timeout: Duration,
) -> Result<String, String> {
    let line = argv.join(" ");
    let output = ask(argv, dir, env, timeout, Behind::Fence).await?;
    if !output.status.success() {
        return Err(format!("`{line}` failed: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `argv` in `dir` with `env` as its whole environment, and gives what came of it; `Err` is a sentence.
pub(super) async fn ask(
    argv: Vec<String>,
    dir: PathBuf,
    env: &BTreeMap<String, String>,
    timeout: Duration,
    behind: Behind,
) -> Result<Output, String> {
    let [program, rest @ ..] = argv.as_slice() else { return Err("nothing to run".into()) };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).current_dir(dir).env_clear().envs(env).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = children::start(move || command.spawn(), behind);
    let (child, _registered) = started.map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    match tokio::time::timeout(timeout, child.wait_with_output()).await {
        Err(_) => Err(format!("`{program}` gave no answer within {} s", timeout.as_secs())),
        Ok(Err(error)) => Err(format!("`{program}` cannot be asked: {error}")),
        Ok(Ok(output)) => Ok(output),
    }
}

/// Runs `argv` in `dir` with `env` as its whole environment and `input` on its stdin, and gives its stdout; what it has to
/// say to a person stays on the terminal. `Err` is a sentence.
pub async fn feed(
    argv: Vec<String>,
    dir: PathBuf,
    env: &BTreeMap<String, String>,
    input: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, String> {
    let [program, rest @ ..] = argv.as_slice() else { return Err("nothing to run".into()) };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).current_dir(dir).env_clear().envs(env).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let started = children::start(move || command.spawn(), Behind::Fence);
    let (mut child, _registered) = started.map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let stdin = child.stdin.take();
    let write = async move {
        if let Some(mut stdin) = stdin {
            // Whoever needs no more of it may close the pipe; what it answers decides.
            let _ = stdin.write_all(input).await;
        }
    };
    let both = async { tokio::join!(write, child.wait_with_output()).1 };
    match tokio::time::timeout(timeout, both).await {
        Err(_) => Err(format!("`{program}` gave no answer within {} s", timeout.as_secs())),
        Ok(Err(error)) => Err(format!("`{program}` cannot be asked: {error}")),
        Ok(Ok(output)) if output.status.success() => Ok(output.stdout),
        Ok(Ok(output)) => Err(format!("`{program}` failed: {}", output.status)),
    }
}
