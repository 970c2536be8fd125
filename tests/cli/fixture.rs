//! What is costly and therefore shared: an installed practice workspace, and a kept dev chain with a complete run on it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ethers::utils::{hex, id};
use serde_json::{Value, json};

use super::builder::Test;
use super::watchdog::Watchdog;

/// What a run leaves in the practice workspace and no fresh clone has.
const MADE: [&str; 8] =
    ["node_modules", "build", "reports", ".keys", ".env", "faults.txt", "owner-plan.json", "owner-safe-bundle.json"];

/// What tests may change in the kept workspace, beside the state folder; it is put back afterwards.
const CHANGES: [&str; 7] = [
    "runbook.toml",
    "reports",
    "practice/reports",
    "practice/faults.txt",
    "practice/.env",
    "practice/owner-plan.json",
    "practice/owner-safe-bundle.json",
];

/// The repository's runbook and practice workspace as in a fresh clone, with nothing installed.
pub(crate) fn fresh() -> Test {
    let test = Test::empty();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["runbook.toml", ".nvmrc"] {
        std::fs::copy(repository.join(file), test.path(file)).unwrap();
    }
    let skip = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        MADE.contains(&&*name) && path.parent() == Some(&*repository.join("practice"))
            || name.starts_with("latest-deployment")
    };
    copy(&repository.join("practice"), &test.path("practice"), &skip, false);
    test
}

/// A workspace that is installed once and only read.
static INSTALLED: LazyLock<(Test, Watchdog)> = LazyLock::new(|| {
    let test = fresh();
    let watchdog = Watchdog::over(&test);
    test.sh("cd practice && npm ci --no-audit --no-fund");
    (test, watchdog)
});

/// The real Anvil, for runbooks that have no workspace of their own to find it in.
pub(crate) fn anvil() -> PathBuf {
    INSTALLED.0.path("practice/node_modules/.bin/anvil")
}

/// A dev chain that is kept up, and a complete run on it.
struct Kept {
    test: Test,
    url: String,
    _watchdog: Watchdog,
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    // Both take a while and neither needs the other.
    std::thread::spawn(super::rehearsal::begin);
    let test = fresh();
    let installed = INSTALLED.0.path("practice/node_modules");
    copy(&installed, &test.path("practice/node_modules"), &|_| false, true);
    let watchdog = Watchdog::over(&test);
    let up = test.citadel("devchain up").code(0);
    let url = up.stdout.lines().find_map(|line| line.strip_prefix("url ")).expect("the URL is told").trim().to_owned();
    test.citadel("run --local").code(0);
    Kept { test, url, _watchdog: watchdog }
});

/// The kept chain and its run, for one test at a time. Dropped, everything is as it was.
pub(crate) struct Lease {
    kept: &'static Kept,
    snapshot: String,
    saved: tempfile::TempDir,
    _one: MutexGuard<'static, ()>,
}

/// Waits until no other test uses the kept chain.
pub(crate) fn kept() -> Lease {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = LazyLock::force(&KEPT);
    let saved = tempfile::tempdir().unwrap();
    for (from, to) in pairs(kept, saved.path()) {
        copy(&from, &to, &|_| false, false);
    }
    let snapshot = rpc(&kept.url, "evm_snapshot", &json!([])).as_str().unwrap().to_owned();
    Lease { kept, snapshot, saved, _one: one }
}

fn pairs(kept: &Kept, saved: &Path) -> Vec<(PathBuf, PathBuf)> {
    let changes = CHANGES.iter().map(|name| (kept.test.path(name), saved.join(name)));
    changes.chain([(kept.test.state(), saved.join("state"))]).collect()
}

impl std::ops::Deref for Lease {
    type Target = Test;

    fn deref(&self) -> &Test {
        &self.kept.test
    }
}

impl Lease {
    pub(crate) fn url(&self) -> &str {
        &self.kept.url
    }

    /// The folder of the complete run.
    pub(crate) fn run(&self) -> PathBuf {
        self.runs("astral-citadel", "local").pop().unwrap()
    }

    /// Asks the chain itself.
    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Value {
        rpc(self.url(), method, params)
    }

    /// Does to the chain what an incident would.
    pub(crate) fn act(&self, action: &str) {
        self.sh(&format!("cd practice && ANVIL_RPC_URL={} npm run -s practice:act -- {action}", self.url()));
    }

    /// Sets a parameter of a contract that the timelock governs, so that the next update has work to do.
    pub(crate) fn detune(&self, contract: &str, setter: &str, value: u64) {
        let timelock = self.address("TimelockController");
        let data = format!("0x{}{value:064x}", hex::encode(id(setter)));
        self.rpc("anvil_impersonateAccount", &json!([timelock]));
        self.rpc("anvil_setBalance", &json!([timelock, "0xde0b6b3a7640000"]));
        let call = json!({ "from": timelock, "to": self.address(contract), "data": data });
        let hash = self.rpc("eth_sendTransaction", &json!([call]));
        self.rpc("anvil_stopImpersonatingAccount", &json!([timelock]));
        // It is mined in a moment: Anvil mines every transaction at once.
        let mut receipts = (0..10_000).map(|_| self.rpc("eth_getTransactionReceipt", &json!([hash])));
        let receipt = receipts.find(|receipt| !receipt.is_null()).expect("the transaction is mined");
        assert_eq!(receipt["status"], "0x1", "{setter} of {contract}: {receipt}");
    }

    /// A getter's answer, as the number that it is.
    pub(crate) fn number(&self, contract: &str, getter: &str) -> u64 {
        let data = format!("0x{}", hex::encode(id(getter)));
        let answer = self.rpc("eth_call", &json!([{ "to": self.address(contract), "data": data }, "latest"]));
        u64::from_str_radix(answer.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    /// Makes a command of the workspace misbehave.
    pub(crate) fn fault(&self, name: &str) {
        let known: Value = serde_json::from_str(&self.read("practice/practice.json")).unwrap();
        assert!(known["faults"]["names"].get(name).is_some(), "practice has no fault `{name}`");
        self.write("practice/faults.txt", format!("{name}\n"));
    }

    /// The address that a contract was deployed at.
    pub(crate) fn address(&self, contract: &str) -> String {
        let file = self.read("practice/deployment-config/latest-deployment.anvil.json");
        let deployment: Value = serde_json::from_str(&file).unwrap();
        deployment["contracts"][contract].as_str().unwrap().to_owned()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        rpc(&self.kept.url, "evm_revert", &json!([self.snapshot]));
        for (there, saved) in pairs(self.kept, self.saved.path()) {
            remove(&there);
            copy(&saved, &there, &|_| false, false);
        }
    }
}

/// Asks a JSON-RPC endpoint on this machine.
pub(crate) fn rpc(url: &str, method: &str, params: &Value) -> Value {
    let at = url.strip_prefix("http://").unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let head = format!("POST / HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{method}: {error}: {body}"));
    assert!(answer["error"].is_null(), "{method}: {answer}");
    answer["result"].clone()
}

fn remove(path: &Path) {
    if path.is_dir() {
        std::fs::remove_dir_all(path).unwrap();
    } else if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
}

/// Copies a file or a folder, if it is there; `link` shares the bytes of files that are only ever replaced.
fn copy(from: &Path, to: &Path, skip: &dyn Fn(&Path) -> bool, link: bool) {
    let Ok(about) = std::fs::symlink_metadata(from) else { return };
    if skip(from) {
        return;
    }
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    if about.is_symlink() {
        std::os::unix::fs::symlink(std::fs::read_link(from).unwrap(), to).unwrap();
    } else if about.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        std::fs::set_permissions(to, about.permissions()).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()), skip, link);
        }
    } else if !link || std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to).unwrap();
    }
}
