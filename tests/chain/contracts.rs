//! Real contracts and the real Anvil, from npm: those of the practice workspace, else installed once beside the build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

const PACKAGES: [&str; 4] =
    ["@foundry-rs/anvil@1.7.1", "@openzeppelin/contracts@5.7.0", "@safe-global/safe-contracts@1.4.1", "solc@0.8.37"];

/// A folder `node_modules` that has all of them.
pub(crate) fn node_modules() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let practice = Path::new(env!("CARGO_MANIFEST_DIR")).join("practice/node_modules");
        if has_all(&practice) {
            return practice;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts-and-solc");
        if !has_all(&folder.join("node_modules")) {
            install(&folder, &PACKAGES, has_all);
        }
        folder.join("node_modules")
    })
}

fn has_all(folder: &Path) -> bool {
    [".bin/anvil", "@openzeppelin/contracts/build", "@safe-global/safe-contracts/build", "solc/package.json"]
        .iter()
        .all(|path| folder.join(path).exists())
}

/// Older and newer releases, which the practice workspace has no use for.
const OTHERS: [&str; 3] = [
    "oz4@npm:@openzeppelin/contracts@4.9.6",
    "@gnosis.pm/safe-contracts@1.3.0",
    "@safe-global/safe-smart-account@1.5.0",
];

/// A folder `node_modules` that has the other releases.
fn others() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-contracts");
        let there = |folder: &Path| folder.join("oz4/build").exists();
        if !there(&folder.join("node_modules")) {
            install(&folder, &OTHERS, there);
        }
        folder.join("node_modules")
    })
}

/// Installs elsewhere and moves it there whole: other tests may be doing the same at this moment.
fn install(folder: &Path, packages: &[&str], there: fn(&Path) -> bool) {
    let own = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "tests install their contracts themselves")]
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--no-save", "--prefix"]);
    let output = npm.arg(own.path()).args(packages).output().expect("npm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let moved = std::fs::rename(own.path(), folder);
    assert!(moved.is_ok() || there(&folder.join("node_modules")), "{moved:?}");
}

/// The creation code in an artifact.
pub(crate) fn creation(path: &str) -> Vec<u8> {
    in_artifact(&node_modules().join(path))
}

/// The creation code in an artifact of another release.
pub(crate) fn other(path: &str) -> Vec<u8> {
    in_artifact(&others().join(path))
}

fn in_artifact(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap();
    let artifact: Value = serde_json::from_str(&text).unwrap();
    artifact["bytecode"].as_str().unwrap().parse::<ethers::types::Bytes>().unwrap().to_vec()
}

pub(crate) const TIMELOCK: &str = "@openzeppelin/contracts/build/contracts/TimelockController.json";
pub(crate) const SAFE: &str = "@safe-global/safe-contracts/build/artifacts/contracts/Safe.sol/Safe.json";
pub(crate) const FACTORY: &str =
    "@safe-global/safe-contracts/build/artifacts/contracts/proxies/SafeProxyFactory.sol/SafeProxyFactory.json";
pub(crate) const MULTI_SEND: &str =
    "@safe-global/safe-contracts/build/artifacts/contracts/libraries/MultiSendCallOnly.sol/MultiSendCallOnly.json";
