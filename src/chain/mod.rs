//! Reads chains and judges checks: several endpoints, one pinned block, three answers.
//!
//! A check passes only if enough endpoints gave the same bytes at the same block hash and those bytes decode strictly.
//! Nothing here signs, sends a transaction, prints, or believes a single endpoint.

mod abi;
mod address;
mod board;
mod bundle;
mod checks;
mod comparison;
mod finding;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod judge;
mod pin;
mod preflight;
mod question;
mod reader;
mod reading;
mod revert;
mod rpc;
mod safe;
mod surroundings;
mod text;
mod together;
mod value;
mod view;

pub use abi::Signature;
pub use address::{checksum, checksummed};
pub use judge::{head, judge};
pub use reading::{EndpointReport, PinnedBlock, ReadRecord, Reading};
pub use rpc::EndpointUrl;
pub use surroundings::{Known, Limits, Surroundings, Target, TransactionsAsk, Wait};
