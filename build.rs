//! Has the linker put the functions that run most often side by side, in what is published (the profile `dist`): the kernel
//! brings a program into memory by sixteen pages, and scattered functions bring in nearly all of it.
//!
//! The order is a hint: a name that no longer exists is passed over. `bench/order/run` measures and writes it anew.

#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything by variables")]

use std::env;
use std::path::Path;

const ORDER: &str = "bench/order/functions.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ORDER}");
    let order = env::var("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join(ORDER));
    if let Ok(order) = order
        && is_published()
        && links_with_lld()
        && order.exists()
    {
        println!("cargo::rustc-link-arg-bin=citadel=-Wl,--symbol-ordering-file={}", order.display());
        println!("cargo::rustc-link-arg-bin=citadel=-Wl,--no-warn-symbol-ordering");
    }
}

/// Custom profiles are told apart by what they set alone: `dist` has a level of its own for this package.
fn is_published() -> bool {
    env::var("OPT_LEVEL").is_ok_and(|level| level == "2")
}

/// What Rust links with there, unless somebody chose another linker.
fn links_with_lld() -> bool {
    let default = env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    default && env::var_os("RUSTC_LINKER").is_none() && !flags.contains("link")
}
