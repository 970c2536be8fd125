//! The names of phases and steps, as types that cannot be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a phase, and of the gate that closes it.
#[derive(Default, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhaseId(pub String);

/// The full id of a step: phase (or contingency), a dot, and its own name, as in `1.plan-safe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl StepId {
    /// The step `name` of the phase or contingency `of`.
    pub fn new(of: &str, name: &str) -> Self {
        Self(format!("{of}.{name}"))
    }
}

impl fmt::Display for PhaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
