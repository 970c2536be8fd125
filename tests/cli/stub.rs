//! Small runbooks whose steps are shell lines, with or without a chain.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::builder::Test;
use super::fixture::anvil;
use super::watchdog::Watchdog;

const HEAD: &str = r#"format = 1

[runbook]
id = "stub"
title = "Stub"
reports = "reports/{{ network }}"

[workspace]
marker = "marker"

[network.test]
chain_id = 5
rpc = ["TEST_RPC_URL"]
"#;

/// A network whose chain citadel starts, with one contract on it that answers 1 to everything.
const CHAIN: &str = r#"
[network.local]
chain_id = 31337
passed_as = "anvil"
rpc = ["ANVIL_RPC_URL"]
block = "latest"
dev_chain = { program = "anvil", version = "1.7.1", dir = "chain", setup = "setup", deployment = "deployed.json" }

[contract.thing]
kind = "plain"
address = { local = { dev_chain = "Thing" } }
"#;

/// The phase's gate, which asks a file of the workspace.
const GATE: &str = r#"
[phase.gate]
title = "The file says so"
[[phase.gate.check]]
id = "open"
json = { file = "gate.json", rules = [{ at = "$.open", eq = true }] }
"#;

const SETUP: &str = "setup:\n\t@node setup.js\n";

/// For scripts of steps: asks the dev chain.
pub(crate) const ASK_JS: &str = r"
const ask = (method, params) => fetch(process.env.ANVIL_RPC_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
}).then((answer) => answer.json());
";

const SETUP_JS: &str = r"
const Thing = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
(async () => {
  await ask('anvil_setCode', [Thing, '0x600160005260206000f3']);
  await ask('evm_mine', []);
  const text = JSON.stringify({ network: 'anvil', chainId: 31337, contracts: { Thing } });
  require('node:fs').writeFileSync('deployed.json', text);
})();
";

/// One phase of `steps` on the network `test`, behind an open gate. No chain is needed.
pub(crate) fn stub(steps: &str) -> Test {
    stub_phases(&phase("1", steps))
}

/// The same with phases as they are given.
pub(crate) fn stub_phases(phases: &str) -> Test {
    stub_in(Test::empty(), phases)
}

/// The same in a folder that is there already.
pub(crate) fn stub_in(test: Test, phases: &str) -> Test {
    let test = test.set("TEST_RPC_URL", "https://rpc.test.invalid");
    test.write("runbook.toml", format!("{HEAD}{phases}"));
    test.write("marker", "");
    test.write("gate.json", "{ \"open\": true }");
    test
}

/// A phase of steps with a gate.
pub(crate) fn phase(id: &str, steps: &str) -> String {
    format!("\n[[phase]]\nid = \"{id}\"\ntitle = \"Phase {id}\"\n{steps}\n{GATE}")
}

/// A step that is a shell line; `more` are further keys.
pub(crate) fn step(id: &str, line: &str, more: &str) -> String {
    format!("[[phase.step]]\nid = \"{id}\"\ntitle = \"Step {id}\"\nrun = ['sh', '-c', '''{line}''']\n{more}\n")
}

/// A complete run that was begun here and went on in another checkout, of steps that are told where they work.
pub(crate) fn went_on_elsewhere() -> Test {
    let tells = |id: &str| step(id, "echo {{ workspace }} {{ reports }}", "env = { AT = \"{{ workspace }}\" }");
    let test = stub(&(tells("one") + &step("late", "test -e there", "") + &tells("two")));
    test.sh("cp -r . ../other");
    test.citadel("-f ./runbook.toml run --network test").code(13);
    test.write("../other/there", "");
    test.citadel("-f ../other/runbook.toml run --network test --workspace ../other").code(0);
    test
}

/// One phase of `steps` on a real chain that is kept up.
pub(crate) fn stub_on_chain(steps: &str) -> (Test, Watchdog) {
    let (test, watchdog) = stub_with_chain(steps);
    test.citadel("devchain up").code(0);
    (test, watchdog)
}

/// One phase of `steps` on a real chain, which is not up yet.
pub(crate) fn stub_with_chain(steps: &str) -> (Test, Watchdog) {
    let test = stub(steps).set("ANVIL", &anvil().display().to_string());
    let check =
        "[[phase.gate.check]]\nid = \"one\"\ncall = { of = \"thing\", function = \"value()(uint256)\", eq = 1 }\n";
    test.write("runbook.toml", format!("{HEAD}{CHAIN}{}{check}", phase("1", steps)));
    test.write("chain/Makefile", SETUP);
    test.write("chain/setup.js", ASK_JS.to_owned() + SETUP_JS);
    let watchdog = Watchdog::over(&test);
    (test, watchdog)
}

/// A pipe by which a step says that it has come so far.
pub(crate) struct Pipe {
    path: PathBuf,
}

impl Pipe {
    pub(crate) fn new(path: &Path) -> Self {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Self { path: path.to_owned() }
    }

    /// Waits for what the step writes.
    pub(crate) fn wait(&self) -> String {
        let (send, receive) = mpsc::channel();
        let path = self.path.clone();
        std::thread::spawn(move || send.send(std::fs::read_to_string(path).unwrap()));
        receive.recv_timeout(Duration::from_mins(2)).expect("the step came so far").trim().to_owned()
    }
}
