//! The one predicate vocabulary: `eq ne lt le gt ge in has len set_eq`.
//!
//! Judges values that others read; never reads a file or a chain.

mod integer;
mod judge;
mod relation;
mod rule;
mod values;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Place, Template};
use crate::verdict::Verdict;

pub(super) use integer::is_integer;

/// A JSON place (RFC 9535) and what must hold there.
#[derive(Debug, Clone, Serialize)]
pub struct JsonRule {
    pub at: String,
    pub all: Vec<Predicate>,
}

/// What a value is compared with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// A value of the runbook; strings in it are templates.
    Literal(Value),
    /// The value at a place in a kept artefact. Among several operands (`in`, `set_eq`) a list there stands for its items.
    From { of: String, at: String },
    /// The value at a place in what another check of the same judgement observed.
    Observed {
        check: String,
        at: String,
        #[serde(skip)]
        place: Place,
    },
    /// A template alone.
    Text(Template),
}

/// One condition. Integers are compared as integers, however large and however written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    Eq(Operand),
    Ne(Operand),
    Lt(Operand),
    Le(Operand),
    Gt(Operand),
    Ge(Operand),
    In(Vec<Operand>),
    Has(Operand),
    Len(Vec<Predicate>),
    SetEq(Vec<Operand>),
}

/// What a predicate may ask of its surroundings while it is judged.
pub trait Lookup {
    /// Fills a template.
    ///
    /// # Errors
    /// A name has no value: one sentence.
    fn render(&self, template: &Template) -> Result<String, String>;

    /// A kept artefact, read as JSON.
    ///
    /// # Errors
    /// It is not available, or is not JSON: one sentence.
    fn artefact(&self, name: &str) -> Result<Value, String>;

    /// What another check of the same judgement observed.
    ///
    /// # Errors
    /// It is not known: one sentence.
    fn observed(&self, check: &str) -> Result<Value, String> {
        Err(format!("what `{check}` observed is not known here"))
    }
}

/// Why a predicate does not hold: one sentence of what was expected and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The value is another.
    Failed(String),
    /// What it is compared with is not available, or cannot be read exactly.
    Unknown(String),
}

impl Unmet {
    /// The verdict that a check with this predicate gets.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Failed,
            Self::Unknown(_) => Verdict::Unknown,
        }
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        match self {
            Self::Failed(message) | Self::Unknown(message) => message,
        }
    }

    /// The same with words after it.
    fn followed(self, words: &str) -> Self {
        match self {
            Self::Failed(message) => Self::Failed(format!("{message}{words}")),
            Self::Unknown(message) => Self::Unknown(format!("{message}{words}")),
        }
    }

    /// The same with words before it.
    fn prefixed(self, prefix: &str) -> Self {
        match self {
            Self::Failed(message) => Self::Failed(format!("{prefix}{message}")),
            Self::Unknown(message) => Self::Unknown(format!("{prefix}{message}")),
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Unmet {}

impl From<Unmet> for String {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Failed(message) | Unmet::Unknown(message) => message,
        }
    }
}

/// The answer of several conditions that must all hold: a failed one outweighs an unknown one.
fn all(answers: impl IntoIterator<Item = Result<(), Unmet>>) -> Result<(), Unmet> {
    let mut unknown = Ok(());
    for answer in answers {
        match answer {
            Ok(()) => {}
            Err(failed @ Unmet::Failed(_)) => return Err(failed),
            Err(other) => unknown = unknown.and(Err(other)),
        }
    }
    unknown
}
