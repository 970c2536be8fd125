//! The chain room against endpoints that lie (a scripted JSON-RPC server) and against a real chain (Anvil with the real
//! `TimelockController` and Safe). Whatever goes wrong, nothing passes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "chain/anvil.rs"]
mod anvil;
#[path = "chain/bytecode.rs"]
mod bytecode;
#[path = "chain/contracts.rs"]
mod contracts;
#[path = "chain/endpoints.rs"]
mod endpoints;
#[path = "chain/governance.rs"]
mod governance;
#[path = "chain/kinds.rs"]
mod kinds;
#[path = "chain/safes.rs"]
mod safes;
#[path = "chain/scripted.rs"]
mod scripted;
#[path = "chain/world.rs"]
mod world;
