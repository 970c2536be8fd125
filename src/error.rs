//! How citadel ends: one table of exit codes that `main`, `explain` and the documents share, and the failure type that
//! carries one of them.

use std::fmt;

/// Why citadel ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    Ok = 0,
    Internal = 1,
    Usage = 2,
    RunbookInvalid = 3,
    GateFailed = 10,
    GateUnknown = 11,
    Waiting = 12,
    StepFailed = 13,
    TimedOut = 14,
    Precondition = 15,
    Locked = 16,
    Changed = 17,
    EvidenceBroken = 18,
    SecretFound = 19,
    NeedsDecision = 20,
    Interrupted = 130,
    Terminated = 143,
}

/// Every exit code with its meaning and what to do: the one table.
pub const EXIT_CODES: &[(ExitCode, &str, &str)] = &[
    (ExitCode::Ok, "everything asked for was done", "nothing"),
    (
        ExitCode::Internal,
        "citadel itself failed, or cannot write its records",
        "read the message: it names the disk or the permission; else run again with `-v` and report the defect",
    ),
    (ExitCode::Usage, "the command line makes no sense", "`citadel --help`"),
    (ExitCode::RunbookInvalid, "the runbook cannot be used", "`citadel check` lists every problem with its place"),
    (
        ExitCode::GateFailed,
        "a gate failed: the chain or the evidence says no",
        "read the failed checks; mend the cause, then run the phase again",
    ),
    (
        ExitCode::GateUnknown,
        "a gate is unknown: it could not be judged",
        "mend the endpoint or the missing evidence, then `citadel gate verify`",
    ),
    (
        ExitCode::Waiting,
        "people are waited for: to sign a gate or the opening of a run, to do a step by hand, or to close a contingency",
        "sign the statement that was printed, or do what `next` says, then run again",
    ),
    (
        ExitCode::StepFailed,
        "a step failed, or its evidence does not hold",
        "read the step's log, mend the cause, then run again",
    ),
    (
        ExitCode::TimedOut,
        "a step ran out of time and was ended",
        "read the step's log; raise its `timeout` or mend what hangs",
    ),
    (
        ExitCode::Precondition,
        "something needed is missing: a tool, a variable, an address, an earlier gate",
        "supply what the list names, then run again",
    ),
    (
        ExitCode::Locked,
        "another citadel works on this network and runbook",
        "wait for it, or end it; the lock frees itself when it ends",
    ),
    (
        ExitCode::Changed,
        "something changed since it was done or approved",
        "look at the difference; `citadel run --new` starts over",
    ),
    (
        ExitCode::EvidenceBroken,
        "the journal or the evidence is not what citadel wrote",
        "keep the folder as it is and find out who changed it",
    ),
    (
        ExitCode::SecretFound,
        "a secret was found where it must not be",
        "rotate the secret, remove it from the file that is named",
    ),
    (
        ExitCode::NeedsDecision,
        "it cannot be known whether a step's effect happened",
        "look at the chain, then record it with `citadel decide`",
    ),
    (
        ExitCode::Interrupted,
        "interrupted from the keyboard or by a lost terminal",
        "run the same command again: it continues",
    ),
    (ExitCode::Terminated, "ended by a signal", "run the same command again: it continues"),
];

impl ExitCode {
    /// The number that the process ends with.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// citadel could not do what was asked: the code, the reason, and the next command.
#[derive(Debug)]
pub struct Failure {
    pub code: ExitCode,
    pub source: anyhow::Error,
    /// The parts of what is wrong, where there are several.
    pub details: Vec<String>,
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a message of its own: a lowercase fragment without a final period.
    pub fn new(code: ExitCode, message: impl fmt::Display) -> Self {
        Self { code, source: anyhow::anyhow!("{message}"), details: Vec::new(), hint: None }
    }

    /// The same failure with the next command.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.source)
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(source: anyhow::Error) -> Self {
        match source.downcast::<Self>() {
            Ok(failure) => failure,
            Err(source) => Self { code: ExitCode::Internal, source, details: Vec::new(), hint: None },
        }
    }
}
