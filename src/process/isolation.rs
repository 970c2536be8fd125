//! A PID namespace for a command: whatever it signals, it reaches its own processes only, and the end of its init is the
//! end of all of them.
//!
//! `unshare` makes the namespace; a small init stands between it and the command, because the first process of a
//! namespace ignores INT and TERM, and the command must not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::children::Behind;
use super::fence;
use super::query::ask;
use super::which::which;
use super::{plain, proc};

/// As the same user, with a `/proc` that shows the namespace alone, and ended together with `unshare`.
const FLAGS: &[&str] = &["-U", "--map-current-user", "-p", "-f", "--mount-proc", "--kill-child"];

/// The command gets the signals that its group gets. After its end the init takes `/` for its stdin, which is how
/// citadel learns of it, waits for what is left, as citadel does, and passes the exit code on. `$0` is `sleep`, which the
/// PATH of the command need not have.
const INIT: &str = r#""$@"
code=$?
exec </
while set -- /proc/[0-9]*; [ $# -gt 1 ]; do "$0" 0.05; done
exit $code"#;

/// How long a machine may take to make a namespace.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to put before a command, with programs from `path`; `Err` says why there can be no namespace.
pub(super) async fn wrapper(path: &str) -> Result<Vec<String>, String> {
    let (unshare, sh, sleep) = (program("unshare", path)?, program("sh", path)?, program("sleep", path)?);
    let mut argv = vec![unshare];
    argv.extend(FLAGS.iter().map(ToString::to_string));
    argv.push(sh);
    argv.push("-c".to_owned());
    let trial = argv.iter().map(String::as_str).chain([":"]).map(str::to_owned).collect();
    let refused = |why: &str| {
        format!("this machine gives it no PID namespace, which `isolation = \"pid\"` asks for: {}", plain(why.trim()))
    };
    let env = BTreeMap::from([("PATH".to_owned(), path.to_owned())]);
    let answer = ask(trial, "/".into(), &env, PATIENCE, Behind::Nothing).await.map_err(|why| refused(&why))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        let last = said.lines().last().map_or_else(|| answer.status.to_string(), str::to_owned);
        return Err(refused(&last));
    }
    argv.extend([INIT.to_owned(), sleep]);
    argv.extend(fence::words()?);
    Ok(argv)
}

fn program(name: &str, path: &str) -> Result<String, String> {
    let file = which(name, path, Path::new("/"));
    let file = file.and_then(|file| file.to_str().map(str::to_owned));
    file.ok_or_else(|| format!("there is no `{name}` on this machine, which `isolation = \"pid\"` needs"))
}

/// Whether the command of this `unshare` has ended and the init waits for what it left behind.
pub(super) fn is_over(unshare: u32) -> bool {
    proc::children_of(unshare).into_iter().any(is_marked)
}

/// Whether this process has the stdin that the init takes when it waits.
pub(super) fn is_marked(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/fd/0")).is_ok_and(|file| file == Path::new("/"))
}
