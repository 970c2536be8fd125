//! The local chain: finds Anvil, starts it, has it set up, keeps it up between invocations, and ends it.
//!
//! Never used for another network: it listens on loopback only and is refused where no dev chain is declared.

mod deployment;
mod listening;
mod program;
mod record;
mod rpc;
mod setup;
mod start;

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{ExitCode, Failure};
use crate::process::Stop;
use crate::runbook::{DevChain, Network};

pub use deployment::Deployment;
pub use record::{Kept, Kind, Record, end_kept, end_survivors, find_kept};
pub use setup::setup;
pub use start::{Running, start};

/// What a dev chain is started for, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub network: &'a Network,
    /// The runbook's folder.
    pub folder: &'a Path,
    /// The environment of every process that is started.
    pub env: &'a BTreeMap<String, String>,
    /// The value of `$ANVIL`.
    pub anvil: Option<&'a str>,
    /// An existing folder for logs.
    pub logs: &'a Path,
    /// An existing folder for the files by which later invocations find the chain.
    pub state: &'a Path,
}

impl<'a> Request<'a> {
    fn chain(&self) -> Result<&'a DevChain, Failure> {
        self.network.dev_chain.as_ref().ok_or_else(|| {
            let name = &self.network.name;
            Failure::new(ExitCode::Precondition, format!("network `{name}` declares no dev chain"))
                .hint(format!("declare `dev_chain` under `[network.{name}]`, or choose another network"))
        })
    }
}

fn interrupted(stop: Stop) -> Failure {
    let code = match stop {
        Stop::Graceful(15) => ExitCode::Terminated,
        Stop::Graceful(_) | Stop::Now | Stop::No => ExitCode::Interrupted,
    };
    Failure::new(code, "interrupted while the dev chain was being made ready").hint("run the same command again")
}
