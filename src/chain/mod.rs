//! Reads chains and judges checks: several endpoints, one pinned block, three answers.
//!
//! A check passes only if enough endpoints gave the same bytes at the same block hash and those bytes decode strictly.
//! Nothing here signs, sends a transaction, prints, or believes a single endpoint.

mod abi;
mod address;
mod at;
mod board;
mod brake;
mod bundle;
mod checks;
mod comparison;
mod events;
mod finding;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod judge;
mod pin;
mod pool;
mod preflight;
mod question;
mod ranges;
mod reader;
mod reading;
mod related;
mod repeat;
mod replay;
mod revert;
mod rpc;
mod safe;
mod sequence;
mod service;
mod surroundings;
mod survey;
mod telling;
mod text;
mod together;
mod value;
mod view;

pub use abi::Signature;
pub use address::{checksum, checksummed};
pub use at::BlockChoice;
pub use brake::{Call, Operation, safe_file};
pub use judge::{head, judge};
pub use pool::{Pool, pool};
pub use reading::{EndpointReport, PinnedBlock, Raw, RawAnswer, ReadRecord, Reading};
pub use replay::{Replayed, replay};
pub use rpc::EndpointUrl;
pub use safe::beside::MARK as EXPORT_MARK;
pub use service::{Fetched, fetch, files_of};
pub use surroundings::{Known, Limits, Seen, Surroundings, Target, TransactionsAsk, Wait};
pub use survey::{StateDepth, Survey, SurveyedEndpoint, survey};
