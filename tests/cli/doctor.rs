//! `citadel doctor`: rows, exit codes, and that no URL is shown.

use serde_json::Value;

use super::fixture::kept;
use super::stub::{step, stub, stub_with_chain};

#[test]
fn a_chain_that_is_up_is_looked_at() {
    let kept = kept();
    let outcome = kept.citadel("doctor --local").code(0).says("ready: a run on local could start");
    let outcome = outcome.says("chain 31337").says("honours hashes").says("batches").says("state of every block");
    outcome.says("has code").says("node wanted").never_says("✘");
    let outcome = kept.citadel("doctor --local --format json").code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&answer["format"], &answer["ready"]), (&Value::from(1), &Value::from(true)));
    let endpoint = &answer["endpoints"]["endpoints"][0];
    assert_eq!(endpoint["is"]["counted"], true);
    assert!(endpoint["latency_ms"].is_u64() && endpoint["clock_ahead"].is_i64(), "{endpoint}");
    assert!(answer["addresses"].as_array().unwrap().iter().all(|row| row["code"] == true));
    // Without its code a contract closes the gates that speak of it.
    let registry = kept.address("JobRegistry");
    kept.rpc("anvil_setCode", &serde_json::json!([registry, "0x"]));
    kept.rpc("evm_mine", &serde_json::json!([]));
    kept.citadel("doctor --local").code(15).says("no code at").says("cannot pass").says("`[contract.job_registry]`");
}

#[test]
fn mainnet_lists_everything_that_is_missing() {
    let kept = kept();
    let outcome = kept.citadel("doctor --network mainnet").code(15).says("not ready");
    let outcome = outcome.says("MAINNET_RPC_URL endpoint: not set").says("system_pause is zero, for it has no address");
    outcome.says("gates 0, 1, 3 and 4 cannot pass").says("gate 1 will be unknown").says("no workspace");
}

#[test]
fn endpoints_that_are_down_have_a_row_and_no_secret_is_shown() {
    let url = "https://rpc.test.invalid/v3/0123456789SECRETKEY?token=HIDDENTOKEN";
    let test = stub(&step("hello", "echo hello", "")).set("TEST_RPC_URL", url);
    for format in ["human", "json"] {
        let outcome = test.citadel(&format!("doctor --network test --format {format}")).code(15);
        outcome.says("rpc.test.invalid").says("cannot connect").never_says("SECRETKEY").never_says("HIDDENTOKEN");
    }
    let test = test.set("TEST_RPC_URL", "http://rpc.test.invalid/SECRETKEY");
    test.citadel("doctor --network test").code(15).says("plain http").never_says("SECRETKEY");
    let test = test.set("TEST_RPC_URL", "http://127.0.0.1:9/SECRETKEY");
    test.citadel("doctor --network test").code(15).says("connection refused").never_says("SECRETKEY");
    let test = test.unset("TEST_RPC_URL");
    test.citadel("doctor --network test").code(15).says("TEST_RPC_URL endpoint: not set");
}

#[test]
fn a_local_run_needs_no_chain_beforehand() {
    let (test, _watchdog) = stub_with_chain(&step("hello", "echo hello", ""));
    test.citadel("doctor --local")
        .code(0)
        .says("is known once the dev chain is set up")
        .says("no dev chain is kept up");
    test.citadel("doctor").code(2);
}
