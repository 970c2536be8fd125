//! citadel from the outside: the real program in folders of its own, with the real npm, make, node and Anvil. Nothing
//! here reaches the public network but npm's registry, and nothing that it starts outlives it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "these tests start citadel itself, as a shell would")]

mod answers;
mod archives;
mod attacks;
mod attested;
mod builder;
mod contingencies;
mod corpus;
mod doctor;
mod dotenv;
mod endpoints;
mod faults;
mod files;
mod fence;
mod fixture;
mod formats;
mod handover;
mod hostile;
mod judging;
mod links;
mod mempool;
mod plans;
mod pseudo_terminal;
mod published;
#[path = "../pty/mod.rs"]
mod pty;
#[cfg(target_os = "linux")]
mod races;
mod refusals;
mod rehearsal;
mod rehearsed;
mod resume;
mod secrets;
mod sign_offs;
mod steps;
mod stub;
mod takeovers;
mod tampered;
mod telling;
mod untrusted;
mod waivers;
mod watchdog;
