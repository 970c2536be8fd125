//! The two questions that tell whether a dev chain answers: its chain id and who it is. Everything else is `chain`'s.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

/// How long a loopback answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The chain id that an endpoint on this machine answers with.
pub(super) async fn chain_id(url: &str) -> anyhow::Result<u64> {
    let answer = ask(url, "eth_chainId").await?;
    let digits = answer.strip_prefix("0x").context("the chain id is not a hex number")?;
    u64::from_str_radix(digits, 16).context("the chain id is not a hex number")
}

/// The client's own name and version.
pub(super) async fn client(url: &str) -> anyhow::Result<String> {
    ask(url, "web3_clientVersion").await
}

async fn ask(url: &str, method: &str) -> anyhow::Result<String> {
    let policy = reqwest::redirect::Policy::none();
    let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().redirect(policy).timeout(PATIENCE).build()?;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] }).to_string();
    let request = http.post(url).header("content-type", "application/json").body(body);
    let bytes = request.send().await?.error_for_status()?.bytes().await?;
    let answer: Value = serde_json::from_slice(&bytes).context("the answer is not JSON")?;
    answer["result"].as_str().map(str::to_owned).context("the answer has no result")
}
