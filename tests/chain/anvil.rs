//! A real Anvil for a test: started on a port of its choice, ended with its whole group.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use citadel::chain::EndpointUrl;
use ethers::types::{Address, H256};
use serde_json::{Value, json};

use crate::contracts::node_modules;
use crate::world::endpoint;

pub(crate) struct Anvil {
    pub(crate) url: String,
    child: Child,
    client: reqwest::Client,
}

impl Anvil {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let program = node_modules().join(".bin/anvil");
        #[expect(clippy::disallowed_methods, reason = "the process room has no room for a test's own chain")]
        let mut command = Command::new(program);
        command.args(["--port", "0", "--code-size-limit", "100000"]).args(arguments);
        let mut child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let url = lines.find_map(|line| Some(format!("http://{}", line.strip_prefix("Listening on ")?))).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { url, child, client: reqwest::Client::new() }
    }

    pub(crate) fn endpoint(&self) -> EndpointUrl {
        endpoint("ANVIL_RPC_URL", &self.url)
    }

    pub(crate) async fn rpc(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The raw answer to whatever is asked.
    pub(crate) async fn forward(&self, asked: &Value) -> Vec<u8> {
        let request = self.client.post(&self.url).header("content-type", "application/json").body(asked.to_string());
        request.send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn accounts(&self) -> Vec<Address> {
        serde_json::from_value(self.rpc("eth_accounts", json!([])).await).unwrap()
    }

    /// Sends from an unlocked account and gives the receipt.
    pub(crate) async fn send(&self, from: Address, to: Option<Address>, data: &[u8]) -> Value {
        let mut transaction =
            json!({ "from": from, "data": ethers::types::Bytes::from(data.to_vec()), "gas": "0x1c9c380" });
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        let hash = self.rpc("eth_sendTransaction", json!([transaction])).await;
        loop {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).await;
            if !receipt.is_null() {
                return receipt;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn deploy(&self, from: Address, code: &[u8]) -> Address {
        let receipt = self.send(from, None, code).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
    }

    pub(crate) async fn set_code(&self, at: Address, code: &[u8]) {
        self.rpc("anvil_setCode", json!([at, ethers::types::Bytes::from(code.to_vec())])).await;
        self.mine().await;
    }

    pub(crate) async fn set_slot(&self, at: Address, slot: H256, value: H256) {
        self.rpc("anvil_setStorageAt", json!([at, slot, value])).await;
        self.mine().await;
    }

    /// What was set by hand is in the next block's state.
    pub(crate) async fn mine(&self) {
        self.rpc("anvil_mine", json!([])).await;
    }

    pub(crate) async fn number(&self) -> u64 {
        let number = self.rpc("eth_blockNumber", json!([])).await;
        u64::from_str_radix(number.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
