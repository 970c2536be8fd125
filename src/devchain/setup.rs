//! Has the workspace deploy its contracts onto the dev chain, and reads what it deployed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;

use super::{Deployment, Request, interrupted};
use crate::error::{ExitCode, Failure};
use crate::process::{self, Command, Ended, Outcome, Stop, Watcher};
use crate::secrets::Mask;

/// It may have to fetch packages and compile contracts.
const TIMEOUT: Duration = Duration::from_mins(15);
const SILENCE: Duration = Duration::from_mins(5);
const GRACE: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_secs(2);

/// No deployment file is larger.
const LARGEST: u64 = 1024 * 1024;

/// Runs the make target that deploys onto the chain at `url`, and reads the file that it writes.
pub async fn setup(
    request: &Request<'_>,
    url: &str,
    mask: &Mask,
    stop: watch::Receiver<Stop>,
    watcher: &mut dyn Watcher,
) -> Result<Deployment, Failure> {
    let chain = request.chain()?;
    let file = request.folder.join(&chain.dir).join(&chain.deployment);
    forget(&file)?;
    let mut env = request.env.clone();
    env.insert("ANVIL_RPC_URL".to_owned(), url.to_owned());
    let command = Command {
        argv: ["make", "-C", &chain.dir, &chain.setup].map(str::to_owned).to_vec(),
        dir: request.folder.to_owned(),
        env,
        timeout: TIMEOUT,
        silence: SILENCE,
        grace: GRACE,
        drain: DRAIN,
        log: request.logs.join("devchain-setup.log"),
        stdout: None,
        isolation: None,
    };
    let outcome = process::run(&command, mask, stop.clone(), watcher).await?;
    let stop = *stop.borrow();
    judge(&command, &outcome, stop)?;
    let text = read(&file).map_err(|why| unusable(&file, &why))?;
    let network = &request.network;
    Deployment::parse(&text, &network.passed_as, network.chain_id).map_err(|why| unusable(&file, &why))
}

/// What an earlier setup deployed on another chain must not be taken for this one's.
fn forget(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the earlier `{}`", file.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn judge(command: &Command, outcome: &Outcome, stop: Stop) -> Result<(), Failure> {
    let what = match &outcome.ended {
        Ended::Exited(0) => return Ok(()),
        Ended::Interrupted => return Err(interrupted(stop)),
        Ended::NotStarted(_) if stop != Stop::No => return Err(interrupted(stop)),
        Ended::NotStarted(why) => format!("could not be started: {why}"),
        Ended::Exited(code) => format!("exited with {code}"),
        Ended::Signalled(signal) => format!("was killed by signal {signal}"),
        Ended::TimedOut => format!("took longer than {} minutes", TIMEOUT.as_secs() / 60),
        Ended::Unseen => "ended unseen".to_owned(),
        Ended::Silent => format!("said nothing for {} minutes", SILENCE.as_secs() / 60),
    };
    let code = match outcome.ended {
        Ended::TimedOut | Ended::Silent => ExitCode::TimedOut,
        _ => ExitCode::Precondition,
    };
    let last = outcome.tail.last().map(|line| format!(" (last line: {line})")).unwrap_or_default();
    let message = format!("the dev chain could not be set up: `{}` {what}{last}", command.argv.join(" "));
    Err(Failure::new(code, message).hint(format!("read `{}`, mend the cause, then run again", command.log.display())))
}

fn read(file: &Path) -> Result<String, String> {
    let data = fs::symlink_metadata(file).map_err(|error| error.to_string())?;
    if !data.is_file() || data.len() > LARGEST {
        return Err("it is not a regular file of at most 1 MiB".to_owned());
    }
    fs::read_to_string(file).map_err(|error| error.to_string())
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::new(ExitCode::Precondition, format!("the deployment file `{}` cannot be used: {why}", file.display()))
        .hint("mend the setup target that writes it")
}
