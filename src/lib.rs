//! citadel runs an operations runbook one step at a time; no gate opens unless the chain and the evidence say so.
//!
//! The modules, in the order of their dependencies: a module uses only those above it.

pub mod chain;
pub mod cli;
pub mod commands;
pub mod devchain;
pub mod digest;
pub mod engine;
pub mod error;
pub mod event;
pub mod evidence;
pub mod journal;
pub mod operator;
pub mod plan;
pub mod process;
pub mod progress;
pub mod recorder;
pub mod report;
pub mod runbook;
pub mod secrets;
pub mod signoff;
pub mod terminal;
pub mod text;
pub mod verdict;
pub mod workspace;
