//! citadel runs an operations runbook one step at a time; no gate opens unless the chain and the evidence say so.
//!
//! The modules, in the order of their dependencies: a module uses only those above it.

// Words that all share.
pub mod beneath;
pub mod digest;
pub mod hashed;
pub mod error;
pub mod secrets;
pub mod text;
pub mod difference;
pub mod verdict;

// What is declared, and how commands run.
pub mod process;
pub mod runbook;

// What happened.
pub mod event;

// What is kept of it, and what it adds up to.
pub mod journal;
pub mod progress;

// What comes next; the one door that facts go through; where steps run.
pub mod plan;
pub mod recorder;
pub mod programs;
pub mod dotenv;
pub mod workspace;

// What the world is asked: chains, people, signatures.
pub mod chain;
pub mod devchain;
pub mod operator;
pub mod signoff;

// Whether a step did what it says, how a run is told afterwards, and attested to other people's tools.
pub mod evidence;
pub mod report;
pub mod attest;

// Doing it, looking through what was done, and telling it meanwhile.
pub mod engine;
pub mod audit;
pub mod terminal;

// What can be asked of the program.
pub mod cli;
pub mod commands;
