//! citadel runs an operations runbook one step at a time; no gate opens unless the chain and the evidence say so.
//!
//! The modules, in the order of their dependencies: a module uses only those above it.

pub mod error;
pub mod digest;
pub mod text;
pub mod verdict;
pub mod runbook;
pub mod process;
pub mod secrets;
pub mod event;
pub mod progress;
pub mod plan;
pub mod journal;
pub mod recorder;
pub mod workspace;
pub mod chain;
pub mod signoff;
pub mod evidence;
pub mod devchain;
pub mod report;
pub mod operator;
pub mod engine;
pub mod terminal;
pub mod cli;
pub mod commands;
