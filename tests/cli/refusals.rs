//! What citadel refuses before anything is started: all that is missing at once, each with how to supply it.

use super::builder::Test;
use super::fixture::fresh;
use super::stub::{step, stub};

/// The repository's runbook, away from any workspace.
fn runbook() -> String {
    format!("{}/runbook.toml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn mainnet_on_a_fresh_machine_is_refused_with_all_that_is_missing() {
    let test = Test::empty();
    let outcome = test.citadel(&format!("-f {} run --phase 3 --network mainnet", runbook())).code(15);
    let listed = [
        "no workspace: ",
        "name it with `--workspace DIR`",
        "gate 0 has not passed (there is no open run on mainnet)",
        "gate 1 has not passed",
        "gate 2 has not passed",
        "`citadel run --phase 0 --network mainnet`",
        "`MAINNET_RPC_URL` is not set: the URL of an endpoint for mainnet",
        "`MAINNET_RPC_URL_2` is not set",
        "`MAINNET_RPC_URL_3` is not set",
        "`export MAINNET_RPC_URL=…`, or a line in the workspace's `.env`",
        "`MAINNET_PRIVATE_KEY` is not set: a private key for mainnet",
        "gate 3 needs 2 signatures, `[signers.governance]` names 0 people",
        "add their keys to `[signers.governance]`",
        "things are missing before phase 3 can run on mainnet; nothing was started",
    ];
    let outcome = listed.into_iter().fold(outcome, super::builder::Outcome::says);
    // Every contract that phase 3 names anywhere, in its checks, its evidence or its commands.
    let contracts = [
        "system_pause",
        "timelock",
        "governance_safe",
        "thermostat",
        "reward_engine",
        "job_registry",
        "stake_manager",
        "platform_registry",
    ];
    let outcome = contracts.into_iter().fold(outcome, |outcome, contract| {
        outcome.says(&format!("the contract `{contract}` has no address on mainnet ({}:", runbook()))
    });
    let outcome = outcome.says("add `mainnet = \"0x…\"` to its `address`, after review");
    outcome.never_says("no address on local").never_says("Phase 3");
    nothing_was_done(&test);
}

fn nothing_was_done(test: &Test) {
    assert!(!test.state().exists(), "a state folder was made");
    assert_eq!(std::fs::read_dir(test.here()).unwrap().count(), 0, "something was written");
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn the_same_is_told_by_plan() {
    let test = Test::empty();
    let outcome = test.citadel(&format!("-f {} plan --phase 3 --network mainnet", runbook())).code(15);
    outcome.says("missing: `MAINNET_RPC_URL` is not set").says("missing: gate 2 has not passed").says("run 3.mission");
    nothing_was_done(&test);
}

#[test]
fn placeholders_and_other_machines_in_plain_http_are_refused() {
    let test =
        Test::empty().set("MAINNET_RPC_URL", "http://rpc.example.net/key").set("MAINNET_RPC_URL_2", "<your-url>");
    let test = test.set("MAINNET_PRIVATE_KEY", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let outcome = test.citadel(&format!("-f {} run --phase 3 --network mainnet", runbook())).code(15);
    let outcome = outcome.says("`MAINNET_RPC_URL` is a plain http URL").says("`MAINNET_RPC_URL_2`");
    outcome.says("`MAINNET_PRIVATE_KEY`").never_says("rpc.example.net").never_says("ac0974bec39a17e3");
    nothing_was_done(&test);
}

#[test]
fn the_practice_workspace_is_for_local_chains() {
    let test = fresh();
    for args in ["run --network mainnet --workspace practice", "run --network sepolia --workspace practice --phase 0"] {
        let outcome = test.citadel(args).code(15).says("is the practice workspace, which is for local chains only");
        outcome.says("name a real checkout with `--workspace DIR`");
    }
    assert!(!test.state().exists());
    assert!(!test.path("practice/node_modules").exists());
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let test = stub(&step("mission", "exit 0", ""));
    let says = |args: &str, text: &str| drop(test.citadel(args).code(2).says(text));
    says("run", "no network was named");
    says("", "Usage: citadel");
    says("run --network test --local", "cannot be used with");
    says("run --network test --phase 1 --step 1.mission", "cannot be used with");
    says("runn --network test", "run");
    says("run --network tset", "did you mean `test`?");
    says("run --network sepolia", "there are: test");
    says("run --network test --phase 7", "there is no phase `7`");
    says("run --network test --phase 7", "there are: 1");
    says("run --network test --step 1.misson", "did you mean `1.mission`?");
    says("run --local", "no network of this runbook has a `dev_chain`");
    says("gate verify --network test 2", "there is no gate `2`");
    says("gate verify --network test --format html", "junit");
    says("explain eleven", "eleven");
    says("explain 99", "its codes are 0, 1, 2, 3, 10");
    assert!(!test.state().exists());
}

#[test]
fn a_workspace_that_is_none() {
    let test = stub(&step("a", "exit 0", ""));
    std::fs::remove_file(test.path("marker")).unwrap();
    test.citadel("run --network test").code(15).says("has `marker`").says("--workspace DIR");
    test.citadel("run --network test --workspace gone").code(15).says("`gone`");
    assert!(!test.state().exists());
}

#[test]
fn nothing_to_read_is_no_success() {
    let test = stub(&step("a", "exit 0", ""));
    test.citadel("status --network test").code(15).says("there is no run on test").says("citadel run --network test");
    test.citadel("report --network test").code(15).says("there is no run to report on");
    test.citadel("report --run gone").code(1).says("gone");
    let decide = ["decide", "1.a", "--happened", "--reason", "x", "--network", "test"];
    test.citadel_with(&decide).code(2).says("there is no open run on test");
    assert!(!test.state().exists());
}

#[test]
fn runs_are_kept_where_the_system_keeps_state() {
    let test = stub(&step("a", "exit 0", "")).default_state();
    let (home, xdg) = (test.root().join("home"), test.root().join("xdg"));
    let test = test.set("HOME", &home.display().to_string()).set("XDG_STATE_HOME", &xdg.display().to_string());
    test.citadel("run --network test").code(0);
    assert!(xdg.join("citadel/stub/test").is_dir() && !home.exists());
    let test = test.unset("XDG_STATE_HOME");
    test.citadel("run --network test").code(0);
    let kept = home.join(".local/state/citadel/stub/test");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&kept).unwrap());
    assert_eq!(mode & 0o777, 0o700);
    let test = test.unset("HOME");
    test.citadel("run --network test").code(2).says("citadel --state DIR");
}
