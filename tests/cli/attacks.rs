//! What an operator, an insider or a broken endpoint can do to a run that was complete: each closes the right gates,
//! with the right exit code and a message that names the place and the next step.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::fixture::{Lease, kept};

const ALL: [&str; 5] = ["0", "1", "2", "3", "4"];
const STRANGER: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";

/// What `gate verify` says of every gate.
struct Verified {
    gates: Vec<Value>,
}

/// Verifies every gate, which must end with `code`; each check that did not pass must say what to do next.
#[track_caller]
fn verify(kept: &Lease, code: i32) -> Verified {
    let outcome = kept.citadel("gate verify --network local --format json").code(code);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let gates = answer["gates"].as_array().unwrap().clone();
    for result in gates.iter().flat_map(|gate| gate["results"].as_array().unwrap()) {
        let hint = result["hint"].as_str().unwrap_or_default();
        assert!(result["verdict"] == "passed" || !hint.is_empty(), "no next step: {result}");
    }
    Verified { gates }
}

impl Verified {
    /// Exactly these gates did not pass, and they are all `verdict`.
    #[track_caller]
    fn closed(self, verdict: &str, gates: &[&str]) -> Self {
        let closed: Vec<(&str, &str)> = self
            .gates
            .iter()
            .map(|gate| (gate["id"].as_str().unwrap(), gate["verdict"].as_str().unwrap()))
            .filter(|(_, verdict)| *verdict != "passed")
            .collect();
        let expected: Vec<(&str, &str)> = gates.iter().map(|gate| (*gate, verdict)).collect();
        assert_eq!(closed, expected);
        self
    }

    /// At `gate`, the check `id` says all of `parts` in its message, its command or its hint.
    #[track_caller]
    fn says(self, gate: &str, id: &str, parts: &[&str]) -> Self {
        let gate = self.gates.iter().find(|one| one["id"] == gate).unwrap();
        let result = gate["results"].as_array().unwrap().iter().find(|result| result["id"] == id);
        let result = result.unwrap_or_else(|| panic!("gate {} has no check `{id}`", gate["id"]));
        let text = |key: &str| result[key].as_str().unwrap_or_default();
        let said = ["message", "reproduce", "hint"].map(text).join(" ");
        for part in parts {
            assert!(said.contains(part), "`{id}` never says `{part}`: {said}");
        }
        self
    }
}

#[test]
fn everything_paused() {
    let kept = kept();
    kept.act("pause all");
    let (pause, place) = (kept.address("SystemPause"), kept.address("JobRegistry"));
    let next = format!("cast call {place} \"paused()(bool)\" --block");
    let told = ["all eight modules of", &pause, "are paused", &next, "--rpc-url \"$ANVIL_RPC_URL\""];
    verify(&kept, 10).closed("failed", &ALL).says("3", "not-paused", &told);
}

#[test]
fn one_module_paused() {
    let kept = kept();
    kept.act("pause FeePool");
    let place = kept.address("FeePool");
    let told = ["is partly paused: 1 of eight modules is paused", &place, "`feePool`", "cast call"];
    let brake = ["reverts with EnforcedPause()", "pause each running module by itself"];
    verify(&kept, 10).closed("failed", &ALL).says("0", "not-paused", &told).says("0", "brake-works", &brake);
}

#[test]
fn some_modules_paused() {
    let kept = kept();
    for module in ["StakeManager", "ValidationModule", "DisputeModule"] {
        kept.act(&format!("pause {module}"));
    }
    let names = ["StakeManager", "ValidationModule", "DisputeModule"].map(|name| kept.address(name));
    let told: Vec<&str> =
        ["partly paused: 3 of eight modules are paused"].into_iter().chain(names.iter().map(String::as_str)).collect();
    verify(&kept, 10).closed("failed", &ALL).says("4", "not-paused", &told);
}

#[test]
fn governance_moved_to_another_address() {
    let kept = kept();
    kept.act(&format!("set-governance {STRANGER}"));
    let pause = kept.address("SystemPause");
    let next = format!("cast call {pause} \"governance()(address)\"");
    let told = ["`governance()` of", &pause, STRANGER, "`timelock`", &next];
    verify(&kept, 10).closed("failed", &ALL).says("1", "governed", &told).says("1", "bundle", &["NotGovernance()"]);
}

#[test]
fn a_contract_without_code() {
    let kept = kept();
    let place = kept.address("JobRegistry");
    kept.rpc("anvil_setCode", &json!([place, "0x"]));
    kept.rpc("evm_mine", &json!([]));
    let next = format!("cast code {place} --block");
    let told = ["no code at", &place, &next];
    let verified = verify(&kept, 10).closed("failed", &ALL);
    verified.says("2", "registry-code", &told).says("0", "not-paused", &told);
}

#[test]
fn a_bool_that_is_two() {
    let kept = kept();
    kept.act("bool-two StakeManager");
    let place = kept.address("StakeManager");
    let word = format!("0x{:064x}", 2);
    let told = ["`paused()` of", &place, "malformed return", &word, "cast call"];
    verify(&kept, 11).closed("unknown", &ALL).says("3", "not-paused", &told);
}

#[test]
fn another_chain_id_than_declared() {
    let kept = kept();
    kept.edit("runbook.toml", "chain_id = 31337", "chain_id = 31338");
    let told = ["is chain 31337, not 31338 (`local`)"];
    verify(&kept, 11).closed("unknown", &ALL).says("2", "registry-code", &told);
}

#[test]
fn a_published_receipt_edited_by_hand() {
    let kept = kept();
    let path = "reports/local/astral-citadel/receipts/mission.json";
    kept.edit(path, "\"scope\"", "\"Scope\"");
    let place = kept.path(path).display().to_string();
    let told = [&*place, "is not what citadel published", "run the phase again"];
    let verified = verify(&kept, 10).closed("failed", &["3", "4"]);
    verified.says("3", "deliverable receipts", &told).says("4", "deliverable receipts", &told);
}

#[test]
fn a_published_report_removed() {
    let kept = kept();
    let path = kept.path("reports/local/astral-citadel/astral-citadel-report.md");
    std::fs::remove_file(&path).unwrap();
    let place = path.display().to_string();
    verify(&kept, 10).closed("failed", &["4"]).says("4", "deliverable report", &[&place, "run the phase again"]);
}

#[test]
fn a_kept_receipt_with_a_zero_hash() {
    let kept = kept();
    let path = kept.run().join("artefacts/3.mission.1.mission.json");
    let mut mission: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    mission["jobs"][0]["txHash"] = json!(format!("0x{:064x}", 0));
    std::fs::write(&path, mission.to_string()).unwrap();
    let place = path.display().to_string();
    let told = [&*place, "was changed after it was kept", "citadel run --network local --step 3.mission"];
    verify(&kept, 10).closed("failed", &["3"]).says("3", "step 3.mission", &told);
}

#[test]
fn a_journal_edited_by_hand() {
    let kept = kept();
    let path = kept.run().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("\"gate_judged\"")).unwrap();
    std::fs::write(&path, text.replacen("\"verdict\":\"passed\"", "\"verdict\":\"failed\"", 1)).unwrap();
    for command in ["gate verify --network local", "status", "report", "run --local --step 3.mission"] {
        let outcome = kept.citadel(command).code(18).says(&path.display().to_string());
        assert!(outcome.flat().contains(&format!("line {line}")) || outcome.flat().contains("line "), "{outcome:?}");
        outcome.says("was changed: its hash does not fit").says("citadel run --new");
    }
}

#[test]
fn a_signature_by_a_stranger() {
    let kept = kept();
    let folder = signed_again(&kept, "stranger");
    std::fs::rename(folder.join("stranger.sig"), folder.join("signer-2.sig")).unwrap();
    let told = [
        "1 of 2 people signed",
        "`signer-2.sig`",
        "citadel sign-off show 1",
        "ssh-keygen -Y sign",
        "citadel run --phase 1 --network local",
    ];
    verify(&kept, 12).closed("waiting", &["1"]).says("1", "sign-off", &told);
    kept.citadel("gate verify 1").code(12).says("signer-2.sig");
}

#[test]
fn one_person_signing_twice() {
    let kept = kept();
    // Once with the same key, once with another key of the same person that nobody declared.
    let folder = signed_again(&kept, "signer-1");
    std::fs::copy(folder.join("signer-1.sig"), folder.join("signer-2.sig")).unwrap();
    let told = ["1 of 2 people signed", "`signer-1` already signed", "people are counted, not keys"];
    verify(&kept, 12).closed("waiting", &["1"]).says("1", "sign-off", &told);
    let folder = signed_again(&kept, "signer-1-b");
    std::fs::rename(folder.join("signer-1-b.sig"), folder.join("signer-2.sig")).unwrap();
    verify(&kept, 12).closed("waiting", &["1"]).says("1", "sign-off", &["1 of 2 people signed", "`signer-2.sig`"]);
}

#[test]
fn a_statement_edited_by_hand() {
    let kept = kept();
    let folder = sign_off(&kept);
    let statement = folder.join("statement.txt");
    let text = std::fs::read_to_string(&statement).unwrap();
    std::fs::write(&statement, text.replacen("I reviewed", "I never reviewed", 1)).unwrap();
    let told = ["0 of 2 people signed", "the statement is not the one that people were asked to sign"];
    verify(&kept, 12).closed("waiting", &["1"]).says("1", "sign-off", &told);
}

/// The folder of gate 1's signatures.
fn sign_off(kept: &Lease) -> PathBuf {
    let folders = std::fs::read_dir(kept.run().join("sign-offs")).unwrap().map(|entry| entry.unwrap().path());
    let of_gate = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("1.");
    folders.into_iter().find(of_gate).expect("gate 1 was signed")
}

/// Takes signer-2's signature away, and signs the same statement as somebody else.
fn signed_again(kept: &Lease, who: &str) -> PathBuf {
    let folder = sign_off(kept);
    std::fs::remove_file(folder.join("signer-2.sig")).unwrap();
    let at = folder.display();
    kept.sh(&format!(
        "SIGN_OFF_AS={who} SIGN_OFF_STATEMENT={at}/statement.txt SIGN_OFF_FOLDER={at} make -s -C practice sign"
    ));
    folder
}
