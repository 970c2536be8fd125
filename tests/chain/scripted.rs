//! A JSON-RPC server that says what a test wants: a small chain of its own, told with or without a fault.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use citadel::chain::EndpointUrl;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::endpoint;

/// The one contract of the scripted chain.
pub(crate) const CONTRACT: &str = "0x00000000000000000000000000000000000c0de1";
pub(crate) const HEAD: u64 = 100;

/// What is wrong with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    WrongChain,
    Syncing,
    Development,
    Stale,
    Status500,
    Redirect,
    Html,
    Truncated,
    Empty,
    Silent,
    Closes,
    Unauthorized,
    SwappedIds,
    DoubledIds,
    MissingIds,
    NoBatches,
    ClosesOnBatches,
    LimitsOnce,
    IgnoresHashes,
    BoolTwo,
    DirtyHigh,
    Short,
    Trailing,
    NoReturn,
    SaysPaused,
    NoCode,
    Delegates,
    OtherHash,
    OtherGenesis,
    Reorganised,
    ErrorsOnCalls,
    RevertsOnCalls,
    LeaksUrl,
    Lags,
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Scripted {
    port: u16,
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) bodies: Arc<Mutex<Vec<Value>>>,
}

#[derive(Clone)]
struct State {
    fault: Fault,
    requests: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl State {
    /// The fault of this turn: a reorganisation comes after the contract was read.
    fn now(&self, asked: Value) -> Fault {
        let mut bodies = self.bodies.lock().unwrap();
        bodies.push(asked);
        let read = bodies.iter().take(bodies.len() - 1).any(|body| body.to_string().contains(CONTRACT));
        match self.fault {
            Fault::Reorganised if read => Fault::OtherHash,
            Fault::Reorganised => Fault::None,
            other => other,
        }
    }
}

impl Scripted {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { fault, requests: Arc::default(), bodies: Arc::default() };
        let (requests, bodies) = (state.requests.clone(), state.bodies.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone()));
            }
        });
        Self { port, requests, bodies }
    }

    pub(crate) fn endpoint(&self, variable: &str) -> EndpointUrl {
        endpoint(variable, &format!("http://127.0.0.1:{}/v3/secretkey", self.port))
    }
}

async fn serve(mut stream: TcpStream, state: State) {
    let Some(body) = read(&mut stream).await else { return };
    let turn = state.requests.fetch_add(1, Ordering::SeqCst);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = state.now(asked.clone());
    let answer = match &asked {
        Value::Array(all) => Value::Array(all.iter().map(|one| reply(fault, one)).collect()),
        one => reply(fault, one),
    };
    let text = spoil(state.fault, answer).to_string();
    let (status, extra, text) = match state.fault {
        Fault::Status500 => ("500 Internal Server Error", "", text),
        Fault::Redirect => ("302 Found", "Location: http://127.0.0.1:1/\r\n", text),
        Fault::Unauthorized => ("401 Unauthorized", "", text),
        Fault::Html => ("200 OK", "", "<html>busy</html>".to_owned()),
        Fault::Empty => ("200 OK", "", String::new()),
        Fault::LimitsOnce if turn == 0 => {
            ("429 Too Many Requests", "Retry-After: 0\r\n", "<html>slow</html>".to_owned())
        }
        Fault::NoBatches if asked.is_array() => (
            "200 OK",
            "",
            json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": "no batches" } }).to_string(),
        ),
        Fault::Silent => return tokio::time::sleep(Duration::from_mins(1)).await,
        Fault::Closes => return,
        Fault::ClosesOnBatches if asked.is_array() => return,
        _ => ("200 OK", "", text),
    };
    let length = if state.fault == Fault::Truncated { text.len() + 100 } else { text.len() };
    let head = format!(
        "HTTP/1.1 {status}\r\n{extra}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The body of one HTTP request.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse::<usize>().ok()?;
        if bytes.len() >= end + 4 + length {
            return Some(bytes.split_off(end + 4));
        }
    }
}

/// Mixes up the ids of a good answer.
fn spoil(fault: Fault, mut answer: Value) -> Value {
    match (fault, &mut answer) {
        (Fault::SwappedIds, Value::Array(all)) => {
            for one in all.iter_mut() {
                one["id"] = json!(one["id"].as_u64().unwrap_or_default() + 1000);
            }
        }
        (Fault::SwappedIds, one) => one["id"] = json!(99999),
        (Fault::DoubledIds, Value::Array(all)) => {
            let again = all.clone();
            all.extend(again);
        }
        (Fault::MissingIds, Value::Array(all)) => {
            for one in all.iter_mut() {
                one.as_object_mut().map(|one| one.remove("id"));
            }
        }
        (Fault::MissingIds | Fault::DoubledIds, one) => {
            one.as_object_mut().map(|one| one.remove("id"));
        }
        _ => {}
    }
    answer
}

fn reply(fault: Fault, request: &Value) -> Value {
    let id = &request["id"];
    match result(fault, request["method"].as_str().unwrap_or_default(), &request["params"]) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    }
}

fn result(fault: Fault, method: &str, params: &Value) -> Result<Value, Value> {
    match method {
        "eth_chainId" if fault == Fault::WrongChain => Ok(json!("0x5")),
        "eth_chainId" => Ok(json!("0x7a69")),
        "eth_syncing" if fault == Fault::Syncing => Ok(json!({ "currentBlock": "0x1" })),
        "eth_syncing" => Ok(json!(false)),
        "web3_clientVersion" if fault == Fault::Development => Ok(json!("anvil/v1.7.1")),
        "web3_clientVersion" => Ok(json!("Geth/v1.16.0")),
        "eth_getBlockByNumber" => Ok(block(fault, params[0].as_str().unwrap_or_default())),
        "eth_getCode" => at(fault, &params[1]).map(|()| code(fault, params[0].as_str().unwrap_or_default())),
        "eth_call" => at(fault, &params[1]).and_then(|()| called(fault)),
        _ => Err(json!({ "code": -32601, "message": "method not found" })),
    }
}

/// Only the newest hashes are known, unless the endpoint ignores hashes.
fn at(fault: Fault, block: &Value) -> Result<(), Value> {
    let newest = [hash(fault, HEAD), hash(fault, HEAD - 1)];
    if fault == Fault::IgnoresHashes || newest.iter().any(|hash| block["blockHash"] == *hash) {
        return Ok(());
    }
    Err(json!({ "code": -32001, "message": "resource not found" }))
}

fn block(fault: Fault, which: &str) -> Value {
    let head = if fault == Fault::Lags { HEAD - 1 } else { HEAD };
    let number = match which {
        "latest" | "safe" | "finalized" => head,
        text => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap(),
    };
    if number > head {
        return Value::Null;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // One time for all endpoints of a test: the hour.
    let time = if fault == Fault::Stale { 1_600_000_000 } else { now / 3600 * 3600 };
    json!({ "number": format!("{number:#x}"), "hash": hash(fault, number), "timestamp": format!("{time:#x}") })
}

fn hash(fault: Fault, number: u64) -> String {
    let salt = match fault {
        Fault::OtherHash if number == HEAD => 1,
        Fault::OtherGenesis if number == 0 => 2,
        _ => 0,
    };
    format!("0x{salt:032x}{number:032x}")
}

fn code(fault: Fault, address: &str) -> Value {
    match fault {
        _ if address.to_lowercase() != CONTRACT => json!("0x"),
        Fault::NoCode => json!("0x"),
        Fault::Delegates => json!(format!("0xef0100{}", "ab".repeat(20))),
        _ => json!("0x6000"),
    }
}

/// The answer to `paused()(bool)`: not paused.
fn called(fault: Fault) -> Result<Value, Value> {
    let word = |last: &str| Ok(json!(format!("0x{last:0>64}")));
    match fault {
        Fault::BoolTwo => word("2"),
        Fault::DirtyHigh => Ok(json!(format!("0x80{}", "0".repeat(62)))),
        Fault::Short => Ok(json!("0x00")),
        Fault::Trailing => Ok(json!(format!("0x{}", "0".repeat(128)))),
        Fault::NoReturn => Ok(json!("0x")),
        Fault::SaysPaused => word("1"),
        Fault::ErrorsOnCalls => Err(json!({ "code": -32000, "message": "execution reverted" })),
        Fault::RevertsOnCalls => Err(json!({ "code": 3, "message": "execution reverted", "data": "0xb56f932c" })),
        Fault::LeaksUrl => Err(json!({ "code": -32000, "message": "no project for /v3/secretkey" })),
        _ => word("0"),
    }
}
