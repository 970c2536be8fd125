//! What only a doctor asks of an endpoint: how fast it answers, what time its server thinks it is, whether it takes batches.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE};
use serde_json::json;

use super::endpoint::Endpoint;

/// One bare request and its answer's head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    pub(crate) latency: Duration,
    /// The server's clock less this machine's, in seconds.
    pub(crate) ahead: Option<i64>,
}

impl Endpoint {
    /// Asks for the chain id once more; none where there is no answer.
    pub(crate) async fn probe(&self) -> Option<Probe> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": [] }).to_string();
        let began = Instant::now();
        let request = self.poster.client.post(self.at.url()).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.ok()?;
        let latency = began.elapsed();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
        let ahead = date.map(|date| date.as_second() - Timestamp::now().as_second());
        Some(Probe { latency, ahead })
    }

    /// Whether it takes more than one request in a batch, as far as was seen.
    pub(crate) fn takes_batches(&self) -> bool {
        self.batch.load(Ordering::Relaxed) > 1
    }
}
