//! The command line, as types only: what can be asked, never how it is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::chain::BlockChoice;
use crate::operator::Choice;

/// Runs an operations runbook one step at a time. No gate opens unless the chain and the evidence say so.
#[derive(Debug, Parser)]
#[command(name = "citadel", version, max_term_width = 100, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Examples:
  citadel run --local                       rehearse the whole runbook on a chain of its own
  citadel plan --phase 3 --network mainnet  what would run, and why; changes nothing
  citadel run --phase 3 --network mainnet   run one phase; it needs the gates before it
  citadel doctor --network mainnet          whether a run could start: tools, endpoints, addresses
  citadel gate verify --network mainnet     judge every gate again; for CI
  citadel contingency run thermal-runaway --network mainnet
                                            the emergency brake: never refused
  citadel explain 11                        what an exit code means and what to do

Environment:
  CITADEL_OPERATOR   who you are, in records and locks [default: USER]
  ANVIL              the Anvil program to use for the local chain
  NO_COLOR           no colours")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub struct Global {
    /// The runbook [default: `runbook.toml` here or in a folder above]
    #[arg(long, short = 'f', global = true, value_name = "FILE")]
    pub runbook: Option<PathBuf>,
    /// Where runs are kept [default: `$XDG_STATE_HOME/citadel`, else `~/.local/state/citadel`]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Tell more about what citadel itself does; twice for all of it
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the runbook, one phase of it, or one step
    Run(Run),
    /// Show what `run` would do with the same options, and why; nothing is started
    Plan(Plan),
    /// Check a runbook and show everything that is wrong with it
    Check(Check),
    /// List gates, or judge them against the chain and a run's evidence
    #[command(subcommand)]
    Gate(Gate),
    /// Write what the runbook's checks observe at one block, as JSON
    ///
    /// Reads only, needs no run, and judges nothing. Exit codes: 0 everything was observed, 11 something could not be,
    /// 15 something is missing.
    #[command(after_help = "Examples:
  citadel snapshot --network mainnet --out today.json
  citadel snapshot --network mainnet --at 21000000 --out then.json   needs archive nodes
  citadel diff then.json today.json")]
    Snapshot(Snapshot),
    /// Say in words what changed between two snapshots
    ///
    /// Reads the two files and nothing else. Exit codes: 0 nothing changed, 17 something did, 11 nothing did, but
    /// something could not be compared; 2 they are no snapshots of one chain.
    Diff(Diff),
    /// Show whether a run could start: tools, variables, endpoints, addresses, clocks
    ///
    /// Reads only. Exit codes: 0 a run could start, 15 it could not.
    #[command(after_help = "Examples:
  citadel doctor --network mainnet
  citadel doctor --local
  citadel doctor --network mainnet --format json")]
    Doctor(Doctor),
    /// Show where a run stands
    Status(Status),
    /// Write the report of a run to stdout
    Report(Report),
    /// Look through a run's folder, offline: whether everything in it fits
    ///
    /// Needs the folder alone: no runbook, no network, no state. It checks the journal's chain and order, every file that
    /// it names, gate records and evidence from what was kept, and signatures; it never says that a run passed. Exit
    /// codes: 0 consistent, 18 not.
    #[command(after_help = "Examples:
  citadel verify ~/.local/state/citadel/astral-citadel/mainnet/2026-11-22T19-40-05Z
  citadel verify run --head 122c0b148c4f…   the head that was printed at a gate, noted down elsewhere
  citadel verify run --unfinished           a run that stopped and is not over")]
    Verify(VerifyRun),
    /// Pack a complete run into one file that anybody can check
    ///
    /// The same run always gives the same bytes. Exit codes: 15 something is missing, 18 the run is not consistent, 19 a
    /// secret was found.
    #[command(after_help = "Examples:
  citadel archive --network mainnet
  citadel archive --network mainnet --out release/run.tar.zst")]
    Archive(Archive),
    /// Write a complete run into a folder, as `archive` would pack it
    #[command(after_help = "Examples:
  citadel export --network mainnet --to release/run")]
    Export(Export),
    /// What people are asked to sign, and what they handed in
    #[command(subcommand)]
    SignOff(SignOff),
    /// What to do when things go wrong: list, show, run, close
    #[command(subcommand)]
    Contingency(Contingency),
    /// Hand in what shows that a step by hand was done
    #[command(subcommand)]
    Step(Step),
    /// Record whether the effect of an indeterminate step happened
    Decide(Decide),
    /// Hand an open run over to another operator: writes a folder to bring to their machine, and goes on no more here
    Handover(Handover),
    /// Take over a run that was handed over to you: verified offline, its open gates judged again by your endpoints
    ///
    /// Nothing is imported before all of it holds. Exit codes: 0 taken over, 17 a stale copy or another runbook or
    /// workspace, 18 it does not verify or the run went on in two places, 10 and 11 a gate that was open is not.
    Take(Take),
    /// Keep a local chain up between runs
    #[command(subcommand)]
    Devchain(Devchain),
    /// Explain an exit code, or list them all
    Explain(Explain),
    /// Write shell completions to stdout
    Completions(Completions),
}

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
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Give up the run that is open on this network and start another
    #[arg(long)]
    pub new: bool,
}

impl From<Net> for OptionalNet {
    fn from(net: Net) -> Self {
        Self { network: net.network, local: net.local }
    }
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub part: Part,
    /// The operator's signature on the opening that was asked for
    #[arg(long, value_name = "FILE")]
    pub opening: Option<PathBuf>,
    /// Run exactly the plan that `citadel plan --out` wrote, once; it names the network and the part
    #[arg(long, value_name = "FILE", conflicts_with_all = ["network", "local", "phase", "step", "new"])]
    pub plan: Option<PathBuf>,
    /// Open a run without asking to type the network's name
    #[arg(long, short)]
    pub yes: bool,
    /// Answer a failure beforehand: `retry` (once, where that is safe), `log` (show it), `contingency:ID` or `abort`
    ///
    /// Several are used one after the other, and then the run stops; nobody is asked. Without the option, a person at the
    /// terminal is asked; where none sits, the run stops at once.
    #[arg(long, value_name = "ANSWER")]
    pub on_failure: Vec<Choice>,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub part: Part,
    /// Write the plan to a file as well, to be reviewed and run once with `citadel run --plan FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Check {
    /// The runbook [default: `runbook.toml` here or in a folder above]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Gate {
    /// List the gates and what each of them asks
    List,
    /// Judge gates: read-only, runs nothing, takes no lock
    ///
    /// With a run, its steps, sign-offs and evidence are judged too; without one, the chain checks alone, and nothing
    /// is opened. Exit codes: 0 passed, 10 failed, 11 unknown, 12 waiting for people, 15 something is missing and nothing
    /// was judged; of a replay, 0 consistent and 18 not.
    #[command(after_help = "Examples:
  citadel gate verify --network mainnet                   every gate, as it stands now
  citadel gate verify 3 --network mainnet --format github  one gate, as annotations in a GitHub workflow
  citadel gate verify 1 --network mainnet --at 21000000   as it stood at an older block; needs archive nodes
  citadel gate verify --replay gates/3.json               judge a record again, without network or run")]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct Verify {
    /// The gates [default: all]
    pub gates: Vec<String>,
    /// The gates of one phase, or of a range of them (`1..3`)
    #[arg(long, value_name = "N", conflicts_with = "gates")]
    pub phase: Option<String>,
    #[command(flatten)]
    pub net: OptionalNet,
    /// The folder of a run [default: the latest on the network]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// The checkout, where the run's own is not the one to look at
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// An older block, by number or hash; its state must still be there
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<BlockChoice>,
    /// Judge a gate's record again, offline: consistent or not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gates", "phase", "network", "local", "run", "workspace", "at"])]
    pub replay: Option<PathBuf>,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t = VerdictFormat::Human)]
    pub format: VerdictFormat,
}

/// How verdicts are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum VerdictFormat {
    /// Every check, for people
    Human,
    /// Versioned JSON: docs/gate-verify.schema.json
    Json,
    /// `JUnit` XML: a gate is a suite, a check a case
    Junit,
    /// Annotations in a GitHub workflow, and a step summary where `GITHUB_STEP_SUMMARY` is set
    Github,
    /// For a pull request or a ticket
    Markdown,
}

#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(flatten)]
    pub net: Net,
    /// Where to write it [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// An older block, by number or hash; its state must still be there
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<BlockChoice>,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier snapshot
    pub from: PathBuf,
    /// The later snapshot
    pub to: PathBuf,
    /// How to write what changed
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    pub format: DiffFormat,
}

/// How a difference is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Human,
    /// Versioned JSON
    Json,
    /// Annotations in a GitHub workflow
    Github,
}

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub net: Net,
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = DoctorFormat::Human)]
    pub format: DoctorFormat,
}

/// How the doctor's findings are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DoctorFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub net: OptionalNet,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
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

#[derive(Debug, Args)]
pub struct Archive {
    #[command(flatten)]
    pub of: OfRun,
    /// The file to write [default: `RUNBOOK-NETWORK-RUN.tar.zst` here]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub of: OfRun,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

#[derive(Debug, Args)]
pub struct VerifyRun {
    /// The folder of a run, or one that `citadel export` made or an archive holds
    pub dir: PathBuf,
    /// A journal head that was noted down: the journal must have it
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
    /// Accept a run that is not over
    #[arg(long)]
    pub unfinished: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    pub of: OfRun,
    #[arg(long, value_enum, default_value_t = ReportFormat::Markdown)]
    pub format: ReportFormat,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ReportFormat {
    Markdown,
    Json,
    Junit,
}

#[derive(Debug, Subcommand)]
pub enum SignOff {
    /// Ask for the sign-off of a gate whose steps are done
    Request(SignOffRequest),
    /// Show a request on one screen, with the commands to sign it
    ///
    /// With the path of a statement, or `-` for stdin, its copy is shown without a run: for another machine.
    Show(SignOffShow),
    /// Check a signature, and hand it in if it counts
    Add(SignOffAdd),
    /// List what was asked for, and who signed
    List(OptionalNet),
    /// Verify the signatures of a run, or one on a statement's copy; offline
    Verify(SignOffVerify),
    /// Write the keys of an OpenSSH `allowed_signers` file as `[signers]`, to be pasted after review
    Import(SignOffImport),
}

#[derive(Debug, Args)]
pub struct SignOffRequest {
    /// The gate, by its phase
    pub gate: String,
    #[command(flatten)]
    pub part: GatePart,
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

#[derive(Debug, Args)]
pub struct SignOffShow {
    /// A gate, `opening`, or the path of a statement [default: what is waited for]
    pub what: Option<String>,
    /// Write the exact bytes to sign
    #[arg(long, conflicts_with = "typed_data")]
    pub bytes: bool,
    /// Write them as EIP-712 typed data
    #[arg(long)]
    pub typed_data: bool,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffAdd {
    /// The signature's file, or `-` for stdin
    pub file: String,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffVerify {
    /// A statement's copy, or `-` for stdin [default: everything that the latest run counts]
    #[arg(long, value_name = "FILE", requires = "signature")]
    pub statement: Option<String>,
    /// The signature on it
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub signature: Option<String>,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct SignOffImport {
    /// The file
    pub file: PathBuf,
    /// The group's name
    #[arg(long, default_value = "people")]
    pub group: String,
}

#[derive(Debug, Subcommand)]
pub enum Contingency {
    /// List the contingencies, when to use them, and their steps
    List,
    /// Show one contingency: its steps, their evidence, and when it is over
    Show {
        /// The contingency
        id: String,
    },
    /// Face a contingency now: ready calldata first, then its steps, then watch until the chain says that it is over
    ///
    /// Never refused: not by a lock, a closed gate, a full disk or a dirty workspace. A running citadel starts nothing
    /// new, and no gate of the runs on this network opens until the contingency is closed. Ctrl-C ends the watch; the
    /// same command goes on. Exit codes: 0 over, 12 something is left for people, 13 a step failed.
    Run(ContingencyRun),
    /// Close a contingency that is over, so that runs go on and gates open again
    Close(ContingencyClose),
}

#[derive(Debug, Args)]
pub struct ContingencyRun {
    /// The contingency, such as `thermal-runaway`
    pub id: String,
    #[command(flatten)]
    pub net: Net,
    /// The checkout that steps run in [default: here or above; on a local chain, the practice workspace]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Say what is left and end, instead of watching
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct ContingencyClose {
    /// The contingency
    pub id: String,
    /// Why it is over; it is recorded with your name
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Subcommand)]
pub enum Step {
    /// Record that a step by hand was done, with what shows it
    Complete(Complete),
}

#[derive(Debug, Args)]
pub struct Complete {
    /// The step, such as `validator-outage.quorum`
    pub step: String,
    /// A transaction hash, a file to keep, or your own words; several times where there are several
    #[arg(long, required = true, value_name = "TX|FILE|TEXT")]
    pub evidence: Vec<String>,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
#[group(id = "answer", required = true, multiple = false, args = ["happened", "did_not_happen"])]
pub struct Decide {
    /// The step, such as `3.mission`
    pub step: String,
    /// Its effect is on the chain: it will not run again
    #[arg(long)]
    pub happened: bool,
    /// Nothing of it happened: it may run again
    #[arg(long)]
    pub did_not_happen: bool,
    /// What you looked at; it is recorded with your name
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub net: OptionalNet,
}

#[derive(Debug, Args)]
pub struct Handover {
    /// Who takes it over, as `CITADEL_OPERATOR` says on their machine
    #[arg(long, value_name = "PERSON")]
    pub to: String,
    /// The folder to write [default: `handover-RUN-to-PERSON` here]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub net: Net,
}

#[derive(Debug, Args)]
pub struct Take {
    /// The folder that `citadel handover` wrote
    pub folder: PathBuf,
    /// The checkout that the run goes on in [default: here or above]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Devchain {
    /// Start the local chain, set it up, and leave it running
    Up,
    /// Show whether one is running, and where
    Status,
    /// End it
    Down,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The exit code [default: all of them]
    pub code: Option<u8>,
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: Shell,
}
