//! A transaction that was sent and is in no block yet: its step is not run again before it is mined or gone.

use serde_json::{Value, json};

use super::builder::Test;
use super::fixture::rpc;
use super::stub::{ASK_JS, step, stub_with_chain};
use super::watchdog::Watchdog;

/// The second account's first contract.
const MADE: &str = "0x8464135c8F25Da09e49BC8782676a84730C318bC";
const SENDER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

const SEND: &str = r"
(async () => {
  await ask('evm_setAutomine', [false]);
  await ask('eth_sendTransaction', [{ from: '@sender@', data: '0x600160005360016000f3', gas: '0x30000' }]);
  process.exit(1);
})();
";

/// A step that sends a transaction and fails, on a chain that does not mine; it may be tried twice.
fn sends() -> (Test, String, Watchdog) {
    let more = "effects = \"chain\"\nneeds = [\"rpc\"]\nretry = { max = 1, backoff = \"1s\" }\n\
                probe = { code = { of = \"made\" } }\n\
                [[phase.step.evidence]]\n  chain = { code = { of = \"made\" } }\n";
    let made = format!("[contract.made]\nkind = \"plain\"\naddress = {{ local = \"{MADE}\" }}\n");
    let (test, watchdog) = stub_with_chain(&(step("send", "echo try >> tries; node send.js", more) + &made));
    test.write("send.js", ASK_JS.to_owned() + &SEND.replace("@sender@", SENDER));
    let up = test.citadel("devchain up").code(0);
    let url = up.stdout.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    (test, url, watchdog)
}

fn sent(url: &str, tag: &str) -> Value {
    rpc(url, "eth_getTransactionCount", &json!([SENDER, tag]))
}

#[test]
fn what_waits_to_be_mined_is_not_sent_again() {
    let (test, url, _watchdog) = sends();
    for _ in 0..2 {
        let outcome = test.citadel("run --local").code(20).says("1 transaction not mined yet");
        outcome.says("run the same command again once it is mined or dropped").says("citadel decide 1.send");
        assert_eq!((test.read("tries").as_str(), sent(&url, "pending")), ("try\n", json!("0x1")));
    }
    rpc(&url, "evm_mine", &json!([]));
    test.citadel("run --local").code(0).says("COMPLETE");
    assert_eq!((test.read("tries").as_str(), sent(&url, "latest")), ("try\n", json!("0x1")));
}

#[test]
fn what_was_dropped_did_not_happen() {
    let (test, url, _watchdog) = sends();
    test.citadel("run --local").code(20);
    rpc(&url, "anvil_dropAllTransactions", &json!([]));
    test.citadel("run --local").code(20).says("1 transaction not mined yet");
    assert_eq!(test.read("tries"), "try\ntry\n");
    rpc(&url, "evm_mine", &json!([]));
    test.citadel("run --local").code(0).says("COMPLETE");
    assert_eq!((test.read("tries").as_str(), sent(&url, "latest")), ("try\ntry\n", json!("0x1")));
}
