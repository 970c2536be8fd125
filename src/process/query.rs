//! Asks a program a short question and reads its stdout: versions, git. Never used for steps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// Runs `argv` in `dir` with `env` as its whole environment, and gives its stdout; `Err` is a sentence.
pub async fn query(
    argv: Vec<String>,
    dir: PathBuf,
    env: &BTreeMap<String, String>,
    timeout: Duration,
) -> Result<String, String> {
    let [program, rest @ ..] = argv.as_slice() else { return Err("nothing to run".into()) };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).current_dir(dir).env_clear().envs(env).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(timeout, command.output());
    match output.await {
        Err(_) => Err(format!("`{program}` gave no answer within {} s", timeout.as_secs())),
        Ok(Err(error)) => Err(format!("`{program}` cannot be started: {error}")),
        Ok(Ok(output)) if !output.status.success() => Err(format!("`{}` failed: {}", argv.join(" "), output.status)),
        Ok(Ok(output)) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}
