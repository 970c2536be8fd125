//! What somebody does who takes governance over, on the real Safe and timelock of the practice workspace: each closes the
//! right gates with a sentence that an operator understands and the command to see it, and a difference of two snapshots
//! tells it.

use serde_json::Value;

use super::fixture::{Lease, kept};

/// The check that must tell it, by gate and id, with words of its message and the command that shows it.
type Told<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Does `action` to the chain and holds what citadel says of it.
#[track_caller]
fn closes(action: &str, gates: &[&str], told: &[Told<'_>], differences: &[&str]) {
    let kept = kept();
    snapshot(&kept, "before.json");
    kept.act(action);
    let outcome = kept.citadel("gate verify --network local --format json").code(10);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let all = answer["gates"].as_array().unwrap();
    let closed: Vec<&str> =
        all.iter().filter(|gate| gate["verdict"] != "passed").map(|gate| gate["id"].as_str().unwrap()).collect();
    assert_eq!(closed, gates, "{action}");
    for (gate, id, words, command) in told {
        let gate = all.iter().find(|one| one["id"] == *gate).unwrap();
        let result = gate["results"].as_array().unwrap().iter().find(|result| result["id"] == *id).unwrap();
        assert_eq!(result["verdict"], "failed", "{result}");
        let said = |key: &str| result[key].as_str().unwrap_or_default();
        assert!(said("message").contains(words), "no `{words}` in {result}");
        assert!(
            said("reproduce").contains(command) && said("reproduce").starts_with("cast "),
            "no `{command}` in {result}"
        );
        assert!(!said("hint").is_empty(), "{result}");
    }
    snapshot(&kept, "after.json");
    let mut outcome = kept.citadel("diff before.json after.json").code(17);
    for words in differences {
        outcome = outcome.says(words);
    }
    kept.citadel("diff before.json before.json").code(0).says("nothing changed");
}

fn snapshot(kept: &Lease, file: &str) {
    kept.citadel(&format!("snapshot --network local --out {file}")).code(0);
}

const STRANGER: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";
const OWNER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

#[test]
fn an_owner_is_swapped() {
    let added = format!("owner {STRANGER} added");
    closes(
        "swap-owner",
        &["1", "3"],
        &[
            (
                "1",
                "safe",
                &format!("\"{STRANGER}\" does not belong there; \"{OWNER}\" is missing"),
                "getOwners()(address[])",
            ),
            (
                "3",
                "safe-unchanged",
                &format!("`safe` changed since gate 1: {added}; owner {OWNER} removed"),
                "getOwners()",
            ),
            ("3", "safe-signed", "not an owner of", "getOwners()"),
        ],
        &[&added, &format!("owner {OWNER} removed")],
    );
}

#[test]
fn the_threshold_is_lowered() {
    closes(
        "lower-threshold",
        &["1", "3"],
        &[
            ("1", "safe", "the threshold of", "getThreshold()"),
            ("3", "safe-unchanged", "changed since gate 1: threshold 2 to 1", "getThreshold()"),
        ],
        &["threshold 2 to 1"],
    );
}

#[test]
fn a_module_is_enabled() {
    let enabled = format!("module {STRANGER} enabled");
    let told = [
        ("1", "safe", "which can act without any signature", "getModulesPaginated(address,uint256)"),
        ("3", "safe-unchanged", enabled.as_str(), "getModulesPaginated"),
    ];
    closes("enable-module", &["1", "3"], &told, &[&enabled]);
}

#[test]
fn a_guard_is_set() {
    let told = [
        ("1", "safe", "has the guard", "cast storage"),
        (
            "3",
            "safe-unchanged",
            "guard set to 0x",
            "0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8",
        ),
    ];
    closes("set-guard", &["1", "3"], &told, &["guard set to 0x"]);
}

#[test]
fn the_singleton_is_replaced_as_at_bybit() {
    let zero = format!("0x{}", "0".repeat(64));
    let told = [
        ("1", "safe", "is no released Safe: its code has the hash 0x", zero.as_str()),
        ("1", "safe", "whoever put it there owns the Safe", "cast storage"),
        ("3", "safe-unchanged", "singleton 0x", "cast storage"),
        ("3", "safe-signed", "computes another hash", "cast storage"),
    ];
    closes("replace-singleton", &["1", "3"], &told, &["singleton 0x", "owners 0x"]);
}

#[test]
fn the_timelock_waits_no_more() {
    let told = [("1", "timelock", "its delay is 0s, less than 1s", "getMinDelay()(uint256)")];
    closes("shorten-delay", &["1"], &told, &["gate 1 timelock", "delay 2s to 0s"]);
}

#[test]
fn a_stranger_is_given_a_role() {
    let words = format!("{STRANGER} may propose, which the runbook does not declare");
    let told = [("1", "timelock", words.as_str(), "--data 0x91d14854")];
    closes("grant-role", &["1"], &told, &[&format!("{STRANGER} may propose now")]);
}

#[test]
fn a_pauser_is_removed() {
    let told = [("0", "brake-works", "`pauser()` of", "pauser()(address)")];
    closes("remove-pauser FeePool", &["0", "1", "2", "3", "4"], &told, &["feePool.pauser", "removed"]);
}

#[test]
fn one_module_is_paused() {
    let told = [("0", "not-paused", "is partly paused: 1 of eight modules is paused", "paused()(bool)")];
    closes("pause FeePool", &["0", "1", "2", "3", "4"], &told, &["feePool is paused now"]);
}

/// A tampered bundle passes its step, whose evidence counts transactions, and not its gate.
#[track_caller]
fn tampered(fault: &str, words: &[&str]) {
    let kept = kept();
    kept.fault(fault);
    kept.citadel("run --local --step 1.plan-safe").code(0);
    let outcome = kept.citadel("gate verify 1 --network local --format json").code(10);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results = answer["gates"][0]["results"].as_array().unwrap();
    let bundle = results.iter().find(|result| result["id"] == "bundle").unwrap();
    assert_eq!(bundle["verdict"], "failed", "{bundle}");
    for word in words {
        assert!(bundle["message"].as_str().unwrap().contains(word), "no `{word}` in {bundle}");
    }
    assert!(bundle["reproduce"].as_str().unwrap().starts_with("cast decode-calldata"), "{bundle}");
    assert!(bundle["hint"].as_str().unwrap().contains("do not sign"), "{bundle}");
}

/// The command exits 0 having planned nothing: the step fails, and the gate says of the bundle itself what is wrong with it.
#[test]
fn a_bundle_is_empty() {
    let kept = kept();
    kept.fault("empty-bundle");
    kept.citadel("run --local --step 1.plan-safe").code(13).says("No module addresses resolved");
    let outcome = kept.citadel("gate verify 1 --network local --format json").code(10);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results = answer["gates"][0]["results"].as_array().unwrap();
    let find = |id: &str| results.iter().find(|result| result["id"] == id).unwrap();
    assert!(find("step 1.plan-safe")["message"].as_str().unwrap().contains("failed: "), "{results:?}");
    let bundle = find("bundle");
    assert_eq!(bundle["verdict"], "failed", "{bundle}");
    assert!(bundle["message"].as_str().unwrap().contains("`bundle.json` holds no transaction"), "{bundle}");
    assert!(bundle["reproduce"].as_str().unwrap().starts_with("cast call"), "{bundle}");
    assert!(bundle["hint"].as_str().unwrap().contains("do not sign"), "{bundle}");
}

#[test]
fn a_bundle_hides_a_delegatecall() {
    tampered("bundle-delegatecall", &["transaction 3: `multiSend` carries a delegatecall"]);
}

#[test]
fn a_bundle_carries_another_call_than_it_describes() {
    tampered(
        "bundle-other-data",
        &["transaction 3: its data is not `schedule(", "is 0xab033ea9", "in the description"],
    );
}

#[test]
fn snapshots_are_the_same_bytes_at_one_block_and_read_in_ci() {
    let kept = kept();
    snapshot(&kept, "one.json");
    snapshot(&kept, "two.json");
    let (one, two) = (kept.read("one.json"), kept.read("two.json"));
    assert_eq!(one, two);
    let value: Value = serde_json::from_str(&one).unwrap();
    let observed = value["observed"].as_array().unwrap();
    let find = |of: &str, check: &str| {
        let found = observed.iter().find(|one| one["of"] == of && one["check"] == check);
        found.unwrap_or_else(|| panic!("no {of} {check}"))["observed"].clone()
    };
    assert_eq!(find("gate 1", "safe")["threshold"], "2");
    assert_eq!(find("gate 1", "timelock")["proposers"].as_array().unwrap().len(), 1);
    assert_eq!(find("invariant", "brake-works")["delay"], "2");
    assert!(find("contingency economic-shock", "burn").is_string());
    kept.act("lower-threshold");
    snapshot(&kept, "two.json");
    let outcome = kept.citadel("diff one.json two.json --format json").code(17);
    let drift: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(drift["changes"][0]["words"], "threshold 2 to 1");
    let outcome = kept.citadel("diff one.json two.json --format github").code(17);
    assert!(outcome.stdout.contains("::error title=gate 1 safe::threshold 2 to 1"), "{}", outcome.stdout);
    kept.citadel("diff one.json runbook.toml").code(2).says("is not JSON").says("citadel snapshot");
    kept.citadel("diff one.json nowhere.json").code(2).says("cannot read");
}

/// A bundle that a real checkout made, of 20 calls, sent to the practice contracts that stand where the real ones stood.
#[test]
fn the_real_bundle_is_unsafe_for_the_right_reasons() {
    let kept = kept();
    let mut bundle = include_str!("../chain/owner-safe-bundle.json").to_owned();
    for (real, here) in [
        ("0xa513E6E4b8f2a923D98304ec87F64353C4D5C853", "JobRegistry"),
        ("0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", "StakeManager"),
        ("0x5FC8d32690cc91D4c39d9d3abcBD16989F875707", "FeePool"),
        ("0x0DCd1Bf9A1b36cE34237eEaFef220932846BCD82", "RewardEngineMB"),
        ("0xB7f8BC63BbcaD18155201308C8f3540b07f84F5e", "Thermostat"),
    ] {
        bundle = bundle.replace(&format!("\"to\": \"{real}\""), &format!("\"to\": \"{here}\""));
    }
    for here in ["JobRegistry", "StakeManager", "FeePool", "RewardEngineMB", "Thermostat"] {
        bundle = bundle.replace(&format!("\"to\": \"{here}\""), &format!("\"to\": \"{}\"", kept.address(here)));
    }
    kept.write("practice/reports/other-bundle.json", bundle);
    kept.fault("other-bundle");
    kept.citadel("run --local --step 1.plan-safe").code(0);
    let outcome = kept.citadel("gate verify 1 --network local --format json").code(10);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results = answer["gates"][0]["results"].as_array().unwrap();
    let bundle = results.iter().find(|result| result["id"] == "bundle").unwrap();
    let list = |key: &str| -> Vec<&str> {
        bundle["observed"][key].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
    };
    let (calls, problems) = (list("transactions"), list("problems"));
    assert_eq!(calls.len(), 20, "every call is decoded: {calls:#?}");
    assert_eq!(problems.len(), 20, "not one may be signed: {problems:#?}");
    let unwired =
        problems.iter().filter(|line| line.contains("`setPauser` to the zero address takes the emergency brake away"));
    assert_eq!(unwired.count(), 2, "{problems:#?}");
    // The Safe governs nothing directly: the timelock does, and SystemPause owns the modules.
    let refused = problems.iter().filter(|line| line.contains("(`governance_safe`) reverts with NotGovernance("));
    assert!(refused.count() >= 6, "{problems:#?}");
    assert!(
        problems
            .iter()
            .any(|line| line.starts_with("16. it calls 0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512, which the runbook"))
    );
}
