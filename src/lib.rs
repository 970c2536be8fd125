//! citadel runs an operations runbook one step at a time; no gate opens unless the chain and the evidence say so.
//!
//! The modules, in the order of their dependencies: a module uses only those above it.

pub mod chain;
pub mod error;
pub mod event;
pub mod journal;
pub mod plan;
pub mod process;
pub mod progress;
pub mod recorder;
pub mod report;
pub mod runbook;
pub mod signoff;
pub mod terminal;
pub mod verdict;
