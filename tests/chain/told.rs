//! The small chain that scripted endpoints tell of: a hundred blocks and one contract, with what is wrong about it.

use serde_json::{Value, json};

use crate::fault::{Fault, Faults};

/// The one contract of the scripted chain.
pub(crate) const CONTRACT: &str = "0x00000000000000000000000000000000000c0de1";
pub(crate) const HEAD: u64 = 100;

/// The answer to one request.
pub(crate) fn reply(faults: &Faults, request: &Value) -> Value {
    let id = &request["id"];
    match result(faults, request["method"].as_str().unwrap_or_default(), &request["params"]) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    }
}

fn result(faults: &Faults, method: &str, params: &Value) -> Result<Value, Value> {
    match method {
        "eth_chainId" if faults.has(Fault::WrongChain) => Ok(json!("0x5")),
        "eth_chainId" => Ok(json!("0x7a69")),
        "eth_syncing" if faults.has(Fault::Syncing) => Ok(json!({ "currentBlock": "0x1" })),
        "eth_syncing" => Ok(json!(false)),
        "web3_clientVersion" if faults.has(Fault::Development) => Ok(json!("anvil/v1.7.1")),
        "web3_clientVersion" => Ok(json!("Geth/v1.16.0")),
        "eth_getBlockByNumber" => Ok(block(faults, params[0].as_str().unwrap_or_default())),
        "eth_getCode" => at(faults, &params[1]).map(|()| code(faults, params[0].as_str().unwrap_or_default())),
        "eth_call" => at(faults, &params[1]).and_then(|()| called(faults, &params[1])),
        _ => Err(json!({ "code": -32601, "message": "method not found" })),
    }
}

/// Only the hashes from some blocks below the newest are known, unless the endpoint ignores hashes.
fn at(faults: &Faults, block: &Value) -> Result<(), Value> {
    let head = head(faults);
    let known = (head.saturating_sub(20)..=head).any(|number| block["blockHash"] == hash(faults, number));
    if known || faults.has(Fault::IgnoresHashes) {
        return Ok(());
    }
    Err(json!({ "code": -32001, "message": "resource not found" }))
}

fn head(faults: &Faults) -> u64 {
    if faults.has(Fault::Lags) {
        HEAD - 1
    } else if faults.has(Fault::LagsFar) || faults.has(Fault::Frozen) {
        HEAD - 50
    } else {
        HEAD
    }
}

fn block(faults: &Faults, which: &str) -> Value {
    let head = head(faults);
    let number = match which {
        "latest" | "safe" | "finalized" => head,
        text => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap(),
    };
    if number > head {
        return Value::Null;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // One time for all endpoints of a test: the hour; half an hour between blocks.
    let time = match now / 3600 * 3600 - 1800 * (HEAD - number) {
        _ if faults.has(Fault::Stale) => 1_600_000_000,
        time if faults.has(Fault::Future) => time + 86_400,
        time => time,
    };
    json!({ "number": format!("{number:#x}"), "hash": hash(faults, number), "timestamp": format!("{time:#x}") })
}

fn hash(faults: &Faults, number: u64) -> String {
    let other = |fault, at| faults.has(fault) && number == at;
    let salt = match number {
        _ if other(Fault::OtherHash, HEAD) => 1,
        _ if other(Fault::OtherGenesis, 0) => 2,
        _ => 0,
    };
    format!("0x{salt:032x}{number:032x}")
}

fn code(faults: &Faults, address: &str) -> Value {
    if address.to_lowercase() != CONTRACT || faults.has(Fault::NoCode) {
        json!("0x")
    } else if faults.has(Fault::Delegates) {
        json!(format!("0xef0100{}", "ab".repeat(20)))
    } else {
        json!("0x6000")
    }
}

/// The answer to `paused()(bool)`: not paused.
fn called(faults: &Faults, block: &Value) -> Result<Value, Value> {
    let hash = block["blockHash"].as_str().unwrap_or_default();
    let number = u64::from_str_radix(hash.get(50..).unwrap_or_default(), 16).unwrap_or_default();
    if faults.has(Fault::PausedLately) && number >= HEAD - 5 {
        return Ok(json!(format!("0x{:064x}", 1)));
    }
    let word = |last: &str| Ok(json!(format!("0x{last:0>64}")));
    let error = |code: i64, message: &str| Err(json!({ "code": code, "message": message }));
    let told = [
        (Fault::BoolTwo, word("2")),
        (Fault::DirtyHigh, Ok(json!(format!("0x80{}", "0".repeat(62))))),
        (Fault::DirtyAddress, Ok(json!("0x01000000000000000000000041675c099f32341bf84bfc5382af534df5c7461a"))),
        (Fault::Short, Ok(json!("0x00"))),
        (Fault::Trailing, Ok(json!(format!("0x{}", "0".repeat(128))))),
        (Fault::NoReturn, Ok(json!("0x"))),
        (Fault::SaysPaused, word("1")),
        (Fault::ErrorsOnCalls, error(-32000, "execution reverted")),
        (Fault::RevertsBarely, error(3, "execution reverted")),
        (Fault::RevertsOnCalls, Err(json!({ "code": 3, "message": "execution reverted", "data": "0xb56f932c" }))),
        (Fault::LeaksUrl, error(-32000, "no project for /v3/secretkey")),
    ];
    let said = told.into_iter().find(|(fault, _)| faults.has(*fault));
    said.map_or_else(|| word("0"), |(_, said)| said)
}
