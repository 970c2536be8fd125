//! Which network, which part, which run: what several commands are told in the same words.

use std::path::PathBuf;

use clap::Args;

/// Which network.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Net {
    /// The network, as the runbook names it
    #[arg(long, value_name = "NET")]
    pub network: Option<String>,
    /// The network whose chain citadel starts itself
    #[arg(long)]
    pub local: bool,
}

/// Which network, where the dev chain's is meant if nothing is said.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub struct OptionalNet {
    /// The network, as the runbook names it
    #[arg(long, value_name = "NET")]
    pub network: Option<String>,
    /// The network whose chain citadel starts itself
    #[arg(long)]
    pub local: bool,
}

impl From<Net> for OptionalNet {
    fn from(net: Net) -> Self {
        Self { network: net.network, local: net.local }
    }
}

/// Which part of the runbook, and where.
#[derive(Debug, Clone, Args)]
pub struct Part {
    #[command(flatten)]
    pub net: OptionalNet,
    /// One phase, or a range of them (`1..3`); on a local chain all phases before it run too
    #[arg(long, value_name = "N[..M]", conflicts_with = "step")]
    pub phase: Option<String>,
    /// One step, such as `1.plan-safe`; no gate is judged
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
    /// Run the step although it is done by this attempt and changed a chain; once: the next attempt has another number
    #[arg(long, value_name = "ATTEMPT", requires = "step")]
    pub again: Option<u32>,
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Give up the run that is open on this network and start another
    #[arg(long)]
    pub new: bool,
}

/// Which run.
#[derive(Debug, Args)]
pub struct OfRun {
    #[command(flatten)]
    pub net: OptionalNet,
    /// The folder of a run [default: the latest on the network]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
}

/// Where a gate is asked for.
#[derive(Debug, Clone, Args)]
pub struct GatePart {
    #[command(flatten)]
    pub net: Net,
    /// The checkout that the run is about [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}
