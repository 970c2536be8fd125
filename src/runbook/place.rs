//! Where in the runbook file a thing is declared, for messages that point at it.

use serde::{Deserialize, Serialize};

/// A position in the runbook file: byte offsets, and the line and column (from 1) of the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub column: usize,
}
