//! The chain room against endpoints that lie (a scripted JSON-RPC server) and against a real chain (Anvil with the real
//! `TimelockController` and Safe). Whatever goes wrong, nothing passes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "chain/anvil.rs"]
mod anvil;
#[path = "chain/attacks.rs"]
mod attacks;
#[path = "chain/between.rs"]
mod between;
#[path = "chain/bytecode.rs"]
mod bytecode;
#[path = "chain/compiled.rs"]
mod compiled;
#[path = "chain/contracts.rs"]
mod contracts;
#[path = "chain/elsewhere.rs"]
mod elsewhere;
#[path = "chain/endpoints.rs"]
mod endpoints;
#[path = "chain/events.rs"]
mod events;
#[path = "chain/fault.rs"]
mod fault;
#[path = "chain/governance.rs"]
mod governance;
#[path = "chain/kinds.rs"]
mod kinds;
#[path = "chain/liars.rs"]
mod liars;
#[path = "chain/openzeppelin.rs"]
mod openzeppelin;
#[path = "chain/owners.rs"]
mod owners;
#[path = "chain/pool.rs"]
mod pool;
#[path = "chain/proxy.rs"]
mod proxy;
#[path = "chain/relations.rs"]
mod relations;
#[path = "chain/safes.rs"]
mod safes;
#[path = "chain/scripted.rs"]
mod scripted;
#[path = "chain/sequences.rs"]
mod sequences;
#[path = "chain/signed.rs"]
mod signed;
#[path = "chain/site.rs"]
mod site;
#[path = "chain/told.rs"]
mod told;
#[path = "chain/world.rs"]
mod world;
