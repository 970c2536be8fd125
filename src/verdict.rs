//! What a check or a gate answers. Only *passed* opens a gate.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer, from best to worst; a gate's answer is the worst of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Passed,
    /// It is not as it must be, and the reviewed runbook accepts exactly this for a while. Only checks are waived, never
    /// gates: a gate opens with it, and says so.
    Waived,
    /// All else passed; people have not signed yet. Only gates wait, never checks.
    Waiting,
    /// It could not be known: no answer, a late, lone, malformed or contradicted answer.
    Unknown,
    /// The chain or the evidence says no.
    Failed,
}

impl Verdict {
    /// Whether it keeps nothing from going on: passed, or waived.
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Passed | Self::Waived)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Waived => "waived",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        })
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id in the runbook, or a name made for it, such as `step 1.plan-safe`.
    pub id: String,
    /// The kind, as the runbook's key names it.
    pub kind: String,
    pub verdict: Verdict,
    /// What would have passed, in a few words.
    pub expected: String,
    /// What was seen: decoded values, as JSON.
    pub observed: Value,
    /// One sentence an operator understands; a lowercase fragment without a final period.
    pub message: String,
    /// What each endpoint said to the question that decided, where a chain was asked and the check did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
    /// A command that repeats that question; it names the variable of an endpoint, never its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
    /// What to do next, with the exact command where there is one.
    pub hint: Option<String>,
    /// The waiver that the runbook declares for it, whether or not it made a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
}

/// What a reviewed runbook accepts instead of what a check demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Exactly this observed value.
    pub expect: Value,
    pub reason: String,
    pub until: Timestamp,
    /// Who answers for it.
    pub by: String,
}

/// What one endpoint said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its host; never its URL.
    pub endpoint: String,
    /// The answer in short, or why there was none.
    pub answer: String,
}

impl CheckResult {
    /// A passed result.
    pub fn passed(id: &str, kind: &str, message: impl Into<String>) -> Self {
        Self::new(id, kind, Verdict::Passed, message)
    }

    /// A failed result: what was seen is not what must be.
    pub fn failed(id: &str, kind: &str, message: impl Into<String>) -> Self {
        Self::new(id, kind, Verdict::Failed, message)
    }

    /// An unknown result: it could not be seen.
    pub fn unknown(id: &str, kind: &str, message: impl Into<String>) -> Self {
        Self::new(id, kind, Verdict::Unknown, message)
    }

    /// The same result with what would have passed.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// The same result with what was seen.
    #[must_use]
    pub fn observed(mut self, observed: Value) -> Self {
        self.observed = observed;
        self
    }

    /// The same result with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts every text that may quote a file, a chain or a person through `say`.
    pub fn retell(&mut self, say: &dyn Fn(&str) -> String) {
        let more = self.said.iter_mut().map(|said| &mut said.answer);
        let more = more.chain(&mut self.reproduce).chain(&mut self.hint);
        for text in [&mut self.message, &mut self.expected].into_iter().chain(more) {
            *text = say(text);
        }
        // As a whole: what a value is, its key may tell.
        let observed = self.observed.to_string();
        let said = say(&observed);
        if said != observed {
            self.observed = serde_json::from_str(&said).unwrap_or(Value::String(said));
        }
    }

    fn new(id: &str, kind: &str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            verdict,
            expected: String::new(),
            observed: Value::Null,
            message: message.into(),
            said: Vec::new(),
            reproduce: None,
            hint: None,
            waiver: None,
        }
    }
}

/// The worst of several verdicts, where a waived one is as good as a passed one; nothing to judge is *unknown*.
pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    match verdicts.into_iter().max().unwrap_or(Verdict::Unknown) {
        Verdict::Waived => Verdict::Passed,
        worst => worst,
    }
}
