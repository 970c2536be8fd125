//! The Anvil that outlives every citadel of the test, and what can be counted on it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// What a mission leaves on the chain; two missions would leave twice as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Transactions of employer, worker and validators.
    pub(crate) sent: Vec<u64>,
    pub(crate) jobs_created: usize,
    pub(crate) jobs_finalized: usize,
}

pub(crate) struct Chain {
    pub(crate) url: String,
    child: Child,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Chain {
    pub(crate) fn start(node_modules: &Path) -> Self {
        let mut command = Command::new(node_modules.join(".bin/anvil"));
        command.args(["--port", "0"]).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(format!("http://{}", line.strip_prefix("Listening on ")?))).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { url, child, client: reqwest::Client::new(), runtime }
    }

    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        let answer = self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() });
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub(crate) fn account(&self, index: usize) -> String {
        let accounts = self.rpc("eth_accounts", &json!([]));
        let address: ethers::types::Address = serde_json::from_value(accounts[index].clone()).unwrap();
        ethers::utils::to_checksum(&address, None)
    }

    pub(crate) fn counts(&self) -> Counts {
        let number = |value: &Value| u64::from_str_radix(&value.as_str().unwrap()[2..], 16).unwrap();
        let nonce = |index| number(&self.rpc("eth_getTransactionCount", &json!([self.account(index), "latest"])));
        let events = |signature: &str| {
            let topic = format!("0x{}", hex(&ethers::utils::keccak256(signature)));
            let filter = json!([{ "fromBlock": "0x0", "toBlock": "latest", "topics": [topic] }]);
            self.rpc("eth_getLogs", &filter).as_array().unwrap().len()
        };
        Counts {
            sent: (4..=8).map(nonce).collect(),
            jobs_created: events("JobCreated(uint256,address,uint256,uint64,bytes32,string)"),
            jobs_finalized: events("JobFinalized(uint256,address,uint256,uint256)"),
        }
    }

    pub(crate) fn snapshot(&self) -> Value {
        self.rpc("evm_snapshot", &json!([]))
    }

    pub(crate) fn revert(&self, snapshot: &Value) {
        assert_eq!(self.rpc("evm_revert", &json!([snapshot])), json!(true));
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
