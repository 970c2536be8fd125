//! What a step is: its action, what it may touch, and the evidence that it happened.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{Check, JsonRule, Place, StepId, Template};

/// One command, or one thing a person does, with the evidence that it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub id: StepId,
    #[serde(skip)]
    pub title: String,
    pub action: Action,
    pub env: BTreeMap<String, Template>,
    pub needs: Vec<Need>,
    pub effects: Effects,
    pub exit: ExpectedExit,
    #[serde(skip)]
    pub timeout: Duration,
    #[serde(skip)]
    pub silence: Duration,
    /// What its processes cannot reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    pub evidence: Vec<Evidence>,
    /// Checked before the step starts.
    pub before: Vec<Check>,
    /// Tells, after a crash, whether the step's effect happened.
    pub probe: Option<Box<Check>>,
    pub idempotent: bool,
    /// Further attempts without asking; with chain effects only after "did not happen".
    pub retry: Option<Retry>,
    /// The step starts a chain of its own: its transactions are never looked up.
    pub own_chain: bool,
    /// Why this step differs from the prose.
    #[serde(skip)]
    pub differs: Option<String>,
    #[serde(skip)]
    pub place: Place,
}

/// How often a step is tried again by itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Retry {
    /// Further attempts after the first.
    pub max: u32,
    /// The wait before the first of them; it doubles each time.
    #[serde(skip)]
    pub backoff: Duration,
}

/// What a step does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Npm {
        script: Template,
        args: Vec<Template>,
    },
    Make {
        target: Template,
        dir: Option<Template>,
        args: Vec<Template>,
    },
    Run {
        argv: Vec<Template>,
    },
    Shell {
        script: Template,
    },
    Manual {
        instructions: Template,
    },
    /// Checks that the secrets which later steps read are there and sane; creates the file from its template once.
    Secrets {
        template: Template,
        file: Template,
        requires: Vec<Template>,
    },
}

/// A class of secrets that a step is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Rpc,
    Key,
    /// A class of `[secret]`.
    #[serde(untagged)]
    Secret(String),
}

impl Need {
    /// The class of this name.
    pub fn of(class: &str) -> Self {
        match class {
            "rpc" => Self::Rpc,
            "key" => Self::Key,
            other => Self::Secret(other.to_owned()),
        }
    }
}

/// What a step may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    None,
    Files,
    Chain,
}

/// What keeps the processes of a step to themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A PID namespace: no process outside can be seen or signalled, and none inside survives the step.
    Pid,
}

/// Which exit codes count as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedExit {
    Code(i32),
    /// Evidence alone decides.
    Any,
}

/// What must be seen for a step to count as done.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    pub kind: EvidenceKind,
    #[serde(skip)]
    pub place: Place,
}

/// The kinds of evidence.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    File(FileEvidence),
    Output(OutputEvidence),
    Chain(Check),
    Transactions(TransactionsEvidence),
}

/// A file that the step wrote during this attempt, relative to the workspace.
#[derive(Debug, Clone, Serialize)]
pub struct FileEvidence {
    pub path: Template,
    pub json: Vec<JsonRule>,
    pub contains: Vec<Template>,
    pub never: Vec<Template>,
    /// Names the file's lines that are keys of OpenSSH `allowed_signers`, each parsed strictly.
    pub allowed_signers: bool,
    /// `false`: the step reads it but need not write it.
    pub written: bool,
    /// The step must leave it as it was.
    pub unchanged: bool,
    /// The 32-byte hashes in the text include every value at a place in an artefact.
    pub mentions: Option<Mentions>,
    /// A place (RFC 9535) of `{ file, sha256 }` entries: each file, beside this one, must have its hash.
    pub manifest: Option<String>,
    /// The artefact's name from here on.
    pub keep: Option<String>,
}

/// Values at a place in an artefact that a text must contain.
#[derive(Debug, Clone, Serialize)]
pub struct Mentions {
    pub of: String,
    pub at: String,
}

/// What the step's output must and must not say; stdout and stderr together.
#[derive(Debug, Clone, Serialize)]
pub struct OutputEvidence {
    pub has: Vec<Template>,
    pub never: Vec<Template>,
    /// Rules on stdout read as JSON, from the first line that starts a JSON value.
    pub json: Vec<JsonRule>,
    /// Keeps that JSON (or, without rules, the whole stdout) as an artefact.
    pub keep: Option<String>,
}

/// Transaction hashes in an artefact, or given by a person: present, distinct, non-zero, mined with status 1 after the step began.
#[derive(Debug, Clone, Serialize)]
pub struct TransactionsEvidence {
    /// The hashes are those that a person hands in for a step by hand; `of` and `at` are empty then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub handed_in: bool,
    pub of: String,
    pub at: String,
    pub min: u64,
    /// Contracts of which each transaction must have called or logged one; empty: any.
    pub to: Vec<String>,
}
