//! Contracts of a few lines that inherit everything from `OpenZeppelin`, whose package has no code of abstract ones: compiled once
//! a process, with the solc of npm.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::contracts::node_modules;

const SOURCE: &str = include_str!("Inheritors.sol");

/// Reads the source from stdin, prints the creation code of each contract in it.
const COMPILE: &str = r"
const [solc, fs] = [require('solc'), require('node:fs')];
const settings = { evmVersion: 'cancun', optimizer: { enabled: true }, outputSelection: { 'own.sol': { '*': ['evm.bytecode.object'] } } };
const request = { language: 'Solidity', sources: { 'own.sol': { content: fs.readFileSync(0, 'utf8') } }, settings };
const find = (name) => ({ contents: fs.readFileSync(require.resolve(name), 'utf8') });
const output = JSON.parse(solc.compile(JSON.stringify(request), { import: find }));
const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join(' '));
const codes = Object.entries(output.contracts['own.sol']).map(([name, { evm }]) => [name, evm.bytecode.object]);
console.log(JSON.stringify(Object.fromEntries(codes)));
";

/// The creation code of a contract of that source.
pub(crate) fn compiled(name: &str) -> Vec<u8> {
    static ALL: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let all = ALL.get_or_init(compile);
    ethers::utils::hex::decode(&all[name]).unwrap()
}

fn compile() -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "tests compile their contracts themselves")]
    let mut node = Command::new("node");
    node.args(["-e", COMPILE]).env("NODE_PATH", node_modules()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = node.spawn().expect("node runs");
    node.stdin.take().unwrap().write_all(SOURCE.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "solc compiles");
    serde_json::from_slice(&output.stdout).unwrap()
}
