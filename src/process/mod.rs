//! Stub; the process branch replaces it.
use serde::{Deserialize, Serialize};
/// A child process that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub pid: u32,
    pub group: u32,
    pub start_time: u64,
}
/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Exited(i32),
    Signalled(i32),
    TimedOut,
    Silent,
    Interrupted,
    NotStarted(String),
}
