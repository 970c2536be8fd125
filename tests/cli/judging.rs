//! `gate verify` beyond the plain verdict: records judged again, older blocks, what is told of a check that did not pass,
//! and the forms for CI.

use citadel::digest::sha256;
use citadel::engine::replay::{GateRecord, replay};
use serde_json::{Value, json};

use super::builder::Test;
use super::fixture::{Lease, kept, rpc};
use super::stub::{step, stub, stub_with_chain};

/// The newest record of a gate in a run's folder.
fn record(kept: &Lease, gate: &str) -> std::path::PathBuf {
    let files = std::fs::read_dir(kept.run().join("gates")).unwrap().map(|file| file.unwrap().path());
    let of = |file: &std::path::PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with(&format!("{gate}."));
    files.filter(of).max().unwrap()
}

#[test]
fn a_record_follows_from_what_it_holds() {
    let kept = kept();
    for gate in ["0", "1", "2", "3", "4"] {
        let file = record(&kept, gate).display().to_string();
        let outcome = kept.citadel(&format!("gate verify --replay {file}")).code(0);
        let outcome = outcome.says("consistent; the run's journal names exactly this file").never_says("PASSED");
        // Steps, deliverables and people are judged again by the journal, the kept files and the signatures.
        let outcome = outcome.says("= step ").says("- endpoints not judged again, because of the examination");
        outcome.says("1 of").never_says("rests on");
        // The published copy is the same record, without the journal beside it.
        let copy = kept.path(&format!("reports/local/astral-citadel/gates/{gate}.json"));
        assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());
    }
    // Nothing is needed but the file: no runbook, no chain, no run.
    let alone = Test::empty();
    alone.write("record.json", std::fs::read(record(&kept, "3")).unwrap());
    let outcome = alone.citadel("gate verify --replay record.json").code(0).says("= safe-signed follows");
    let outcome = outcome.says("= sign-off follows").says("= transactions mission.json follows");
    let outcome = outcome.says("not judged again, because it rests on the run's journal");
    outcome.says("were not judged again").never_says("journal names");
    let outcome = alone.citadel("gate verify --replay record.json --format json").code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&answer["consistent"], &answer["format"]), (&json!(true), &json!(1)));
    alone.citadel("gate verify --replay record.json --format junit").code(2);
    alone.citadel("gate verify --replay nothing.json").code(2).says("gates/GATE.N.json");
    alone.write("other.json", "{\"format\": 1}");
    alone.citadel("gate verify --replay other.json").code(18).says("its format is 1");
    alone.write("other.json", "{");
    alone.citadel("gate verify --replay other.json").code(18);
}

/// Writes a changed record under a right seal, as somebody would who knows how it is made.
fn sealed(record: &Value) -> Vec<u8> {
    let record: GateRecord = serde_json::from_value(record.clone()).unwrap();
    record.sealed().unwrap()
}

/// A record that was changed in one place.
fn changed(test: &Test, written: &str, what: &str, words: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(written).unwrap();
    value.as_object_mut().unwrap().remove("seal");
    let before = value.clone();
    change(&mut value);
    assert_ne!(value, before, "{what} changes nothing");
    test.write("changed.json", sealed(&value));
    let outcome = test.citadel("gate verify --replay changed.json").code(18);
    outcome.says("the record is not consistent").says(words).never_says("what was sealed");
}

fn result<'a>(record: &'a mut Value, id: &str) -> &'a mut Value {
    record["results"].as_array_mut().unwrap().iter_mut().find(|result| result["id"] == id).unwrap()
}

/// The first read whose answer is 0, which is what a module that is not paused says.
fn not_paused(record: &mut Value) -> &mut Value {
    let reads = record["reading"]["reads"].as_array_mut().unwrap();
    reads.iter_mut().find(|read| read.to_string().contains("0x5c975abb")).unwrap()
}

#[test]
fn whoever_changes_a_record_is_found_out() {
    let kept = kept();
    let written = std::fs::read_to_string(record(&kept, "3")).unwrap();
    let test = Test::empty();
    let one = format!("0x{:064x}", 1);
    let check = |what: &str, words: &str, change: &dyn Fn(&mut Value)| changed(&test, &written, what, words, change);
    check("an answer", "`not-paused` was recorded as passed; the recorded bytes say failed", &|record| {
        let read = not_paused(record);
        read["answer"] = json!(one);
        read["said"][0]["said"]["result"] = json!(one);
    });
    check("what an endpoint said", "`not-paused` was recorded as passed", &|record| {
        not_paused(record)["said"][0]["said"]["result"] = json!(one);
    });
    check("what was agreed", "the record says 0x00", &|record| not_paused(record)["answer"] = json!("0x00"));
    check("a silent endpoint", "`not-paused` was recorded as passed; the recorded bytes say unknown", &|record| {
        not_paused(record)["said"] = json!([]);
    });
    check("a stranger's answer", "answers more often than it is counted", &|record| {
        let said = not_paused(record)["said"][0].clone();
        not_paused(record)["said"].as_array_mut().unwrap().push(said);
    });
    check("a question", "`not-paused` was recorded as passed", &|record| {
        let reads = record["reading"]["reads"].as_array_mut().unwrap();
        reads.retain(|read| !read.to_string().contains("0x5c975abb"));
    });
    check("the end of the block", "the record holds no answer to `eth_getBlockByNumber`", &|record| {
        let block = format!("{:#x}", record["reading"]["block"]["number"].as_u64().unwrap());
        let reads = record["reading"]["reads"].as_array_mut().unwrap();
        reads.retain(|read| read["params"][0] != json!(block));
    });
    check("a verdict", "`governed` was recorded as failed; the recorded bytes say passed", &|record| {
        result(record, "governed")["verdict"] = json!("failed");
        record["verdict"] = json!("failed");
    });
    check("the gate's verdict", "the gate was recorded as failed; its results say passed", &|record| {
        record["verdict"] = json!("failed");
    });
    check("an observed value", "`safe` was recorded as having observed", &|record| {
        result(record, "safe")["observed"]["threshold"] = json!("1");
    });
    check("a result", "`safe-signed` has no result in the record", &|record| {
        record["results"].as_array_mut().unwrap().retain(|result| result["id"] != "safe-signed");
    });
    check("a step", "`step 3.mission` has no result in the record", &|record| {
        record["results"].as_array_mut().unwrap().retain(|result| result["id"] != "step 3.mission");
    });
    check("the people", "`sign-off` has no result in the record", &|record| {
        record["results"].as_array_mut().unwrap().retain(|result| result["id"] != "sign-off");
    });
    check("a signature", "`sign-off` was recorded as passed; the recorded bytes say waiting", &|record| {
        let signatures = record["sign_off"]["signatures"].as_object_mut().unwrap();
        let other = signatures.values().next_back().unwrap().clone();
        *signatures.values_mut().next().unwrap() = other;
    });
    check("all signatures", "`sign-off` rests on signatures that the record does not hold", &|record| {
        record.as_object_mut().unwrap().remove("sign_off");
    });
    check("the statement", "`sign-off` rests on a statement that does not say what the record says", &|record| {
        let statement = record["sign_off"]["statement"].as_str().unwrap().replacen("passed", "failed", 1);
        record["sign_off"]["statement"] = json!(statement);
    });
    check("how many must sign", "`sign-off` rests on a request that the runbook does not make", &|record| {
        record["sign_off"]["request"]["threshold"] = json!(1);
    });
    check(
        "what a step's word is",
        "rests on a statement that does not say what the record says: check step",
        &|record| {
            result(record, "step 3.mission")["verdict"] = json!("failed");
        },
    );
    check("a transaction", "the chain was asked about other transactions than the evidence names", &|record| {
        record["transactions"][0]["hashes"].as_array_mut().unwrap().pop();
    });
    check("what transactions are taken from", "does not say what the transactions of `3.mission`", &|record| {
        record["inputs"]["transactions"].as_object_mut().unwrap().remove("3.mission");
    });
    check("an invented check", "`all-good` is no check of this gate", &|record| {
        let mut invented = result(record, "governed").clone();
        invented["id"] = json!("all-good");
        record["results"].as_array_mut().unwrap().push(invented);
    });
    check("an artefact", "`safe-signed` was recorded as passed; the recorded bytes say", &|record| {
        let bundle = record["inputs"]["artefacts"]["bundle.json"]["text"].as_str().unwrap().to_owned();
        record["inputs"]["artefacts"]["bundle.json"]["text"] = json!(bundle.replacen("0x", "0X", 1));
    });
    check("what was seen before", "`safe-unchanged` was recorded as passed", &|record| {
        record["inputs"]["earlier"][0]["observed"]["threshold"] = json!("3");
    });
    check("an address", "`not-paused` was recorded as passed; the recorded bytes say", &|record| {
        record["inputs"]["contracts"]["system_pause"] = record["inputs"]["contracts"]["timelock"].clone();
    });
    check("the chain", "is not on chain", &|record| record["reading"]["endpoints"][0]["chain_id"] = json!(1));
    check("the runbook", "is not the one that the record names", &|record| {
        let runbook = record["runbook"].as_str().unwrap().to_owned();
        record["runbook"] = json!(runbook + "\n# a comment\n");
    });
}

#[tokio::test]
async fn every_changed_byte_of_a_record_is_found() {
    let (written, journal) = {
        let kept = kept();
        let file = record(&kept, "0");
        (std::fs::read(&file).unwrap(), std::fs::read(kept.run().join("journal.jsonl")).unwrap())
    };
    assert!(replay(&written, None).await.unwrap().first_problem().is_none());
    for at in (0..written.len()).step_by(4999).chain([written.len() - 3]) {
        let mut bytes = written.clone();
        bytes[at] ^= 1;
        if let Ok(replay) = replay(&bytes, None).await {
            assert!(replay.first_problem().is_some(), "byte {at} of {} was changed and nobody noticed", written.len());
        }
    }
    // In a run's folder the journal has the last word, even over a right seal.
    let test = Test::empty();
    test.write("journal.jsonl", journal);
    let mut value: Value = serde_json::from_slice(&written).unwrap();
    value.as_object_mut().unwrap().remove("seal");
    result(&mut value, "step 0.docs")["message"] = json!("done by attempt 2");
    let changed = sealed(&value);
    let name = test.write("gates/elsewhere.json", &changed);
    test.citadel("gate verify --replay gates/elsewhere.json").code(18).says("the run's journal names no");
    assert_ne!(sha256(&changed), sha256(&written));
    let real = journal_name(&test);
    std::fs::rename(name, test.path(&real)).unwrap();
    test.citadel(&format!("gate verify --replay {real}")).code(18).says("is not what record").says("names");
}

/// The name under which the journal here knows gate 0's record.
fn journal_name(test: &Test) -> String {
    let entries = citadel::journal::read(&test.path("journal.jsonl")).unwrap().entries;
    let judged = entries.iter().find_map(|entry| match &entry.event {
        citadel::event::Event::GateJudged(judged) if judged.gate.0 == "0" => Some(judged.record.clone()),
        _ => None,
    });
    judged.unwrap()
}

#[test]
fn an_older_block_is_judged_as_it_was() {
    let kept = kept();
    let before = kept.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    let number = u64::from_str_radix(before["number"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    kept.act("pause FeePool");
    kept.citadel("gate verify 2 --local").code(10);
    for at in [number.to_string(), before["hash"].as_str().unwrap().to_owned()] {
        let outcome = kept.citadel(&format!("gate verify 2 --local --at {at}")).code(0);
        outcome.says(&format!("Gate 2 PASSED block {number}")).says("not at the newest: this opens nothing");
    }
    kept.citadel(&format!("gate verify 2 --local --at {}", number + 1)).code(10).says("`feePool`");
    kept.citadel("gate verify 2 --local --at 999999").code(11).says("does not know block 999999");
    let nowhere = format!("0x{}", "ab".repeat(32));
    kept.citadel(&format!("gate verify 2 --local --at {nowhere}")).code(11).says("does not know block 0xabab");
    // Transactions of the phase are not in so old a block.
    kept.citadel("gate verify 3 --local --at 1").code(11).says("is older than block").never_says("Gate 3 PASSED");
    kept.citadel("gate verify 2 --local --at 0x12").code(2).says("neither a block number nor a block hash");
}

#[test]
fn a_node_that_forgot_the_state_is_no_archive() {
    let (test, watchdog) = stub_with_chain(&step("hello", "echo hello", ""));
    let anvil = test.env()["ANVIL"].clone();
    let program = test.write("forgetful", format!("#!/bin/sh\nexec {anvil} --prune-history 2 \"$@\"\n"));
    test.sh("chmod +x forgetful");
    let test = test.set("ANVIL", &program.display().to_string());
    // Ends the chain before the folder goes.
    let _watchdog = watchdog;
    test.citadel("devchain up").code(0);
    let up = test.citadel("devchain status").code(0);
    let url = up.stdout.lines().find_map(|line| line.strip_prefix("url ")).unwrap().trim().to_owned();
    (0..12).for_each(|_| drop(rpc(&url, "evm_mine", &json!([]))));
    let outcome = test.citadel("gate verify --local").code(0).says("no run");
    outcome.says("Gate 1 PASSED");
    let outcome = test.citadel("gate verify --local --at 2").code(11).says("no longer has the state of block 2");
    outcome.says("an archive node, which keeps the state of every block, is needed");
    test.citadel("doctor --local").code(0).says("state of").never_says("state of every block");
    test.citadel("devchain down").code(0);
}

#[test]
fn a_check_that_did_not_pass_says_all_there_is_to_know() {
    let kept = kept();
    kept.act("pause FeePool");
    let outcome = kept.citadel("gate verify 2 --local --format json").code(10);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let gate = &answer["gates"][0];
    for result in gate["results"].as_array().unwrap().iter().filter(|result| result["verdict"] != "passed") {
        assert!(
            ["expected", "reproduce", "hint"].iter().all(|key| !result[key].as_str().unwrap().is_empty()),
            "{result}"
        );
        assert_eq!(result["said"][0]["endpoint"].as_str(), kept.url().strip_prefix("http://"), "{result}");
        let command = result["reproduce"].as_str().unwrap();
        assert!(command.starts_with("cast call 0x") && command.ends_with("--rpc-url \"$ANVIL_RPC_URL\""), "{command}");
        assert!(command.contains(&format!("--block {}", gate["block"]["hash"].as_str().unwrap())), "{command}");
    }
    // What the command repeats is what was read.
    let paused = gate["results"].as_array().unwrap().iter().find(|result| result["id"] == "not-paused").unwrap();
    let address = paused["reproduce"].as_str().unwrap().split(' ').nth(2).unwrap();
    let at = json!({ "blockHash": gate["block"]["hash"] });
    let again = kept.rpc("eth_call", &json!([{ "to": address, "data": "0x5c975abb" }, at]));
    assert_eq!(again, paused["said"][0]["answer"]);
    let outcome = kept.citadel("gate verify 2 --local").code(10);
    let outcome =
        outcome.says("expected eight modules, none paused").says(&format!("block {}", gate["block"]["number"]));
    outcome.says("repeat cast call").says("hint find out who changed the pause state");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let kept = kept();
    kept.act("pause FeePool");
    let test = Test::empty();
    // The same state and runbook, seen from a checkout that GitHub names.
    let summary = test.path("summary.md").display().to_string();
    let test = test.set("GITHUB_STEP_SUMMARY", &summary).set("GITHUB_WORKSPACE", &kept.here().display().to_string());
    let runbook = kept.path("runbook.toml").display().to_string();
    let state = kept.state().display().to_string();
    let ask = format!("--runbook {runbook} --state {state} gate verify 2 --local --format github");
    let outcome = test.citadel(&ask).code(10);
    let runbook_text = kept.read("runbook.toml");
    let annotations: Vec<&str> = outcome.stdout.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(annotations.len(), 2, "{}", outcome.stdout);
    for (annotation, id) in annotations.iter().zip(["not-paused", "brake-works"]) {
        let line = annotation.strip_prefix("::error file=runbook.toml,line=").unwrap().split(',').next().unwrap();
        let declared: Vec<&str> = runbook_text.lines().skip(line.parse::<usize>().unwrap() - 1).take(2).collect();
        assert_eq!(declared, ["[[invariant]]", &format!("id = \"{id}\"")]);
    }
    let summary = test.read("summary.md");
    assert!(summary.starts_with("# Gates: ✘ **failed**") && summary.contains("| `not-paused` |"), "{summary}");
    test.citadel(&ask.replace("github", "markdown")).code(10).says("# Gates: ✘ **failed**");
    test.citadel(&ask).code(10);
    assert_eq!(test.read("summary.md"), summary.repeat(2), "a summary is added to, as other steps do");
    let test = test.set("GITHUB_STEP_SUMMARY", "/nowhere/at/all");
    test.citadel(&ask).code(10).says("warning: the step summary `/nowhere/at/all` cannot be written");
    kept.act("unpause FeePool");
    let outcome = test.citadel(&ask).code(0);
    assert!(!outcome.stdout.contains("::error"), "{}", outcome.stdout);
}

#[test]
fn programs_get_what_the_schema_says() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gate-verify.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let check = |test: &Test, args: &str, code: i32| {
        let outcome = test.citadel(&format!("{args} --format json")).code(code);
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let problems: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{args}: {problems:?}\n{answer:#}");
        let verdict = match code {
            0 => "passed",
            10 => "failed",
            11 => "unknown",
            _ => "waiting",
        };
        assert_eq!(answer["verdict"], verdict);
    };
    let kept = kept();
    check(&kept, "gate verify --local", 0);
    check(&kept, "gate verify --local --at 999999", 11);
    kept.act("pause FeePool");
    check(&kept, "gate verify --local", 10);
    let test = stub(&step("hello", "echo hello", ""));
    check(&test, "gate verify --network test", 11);
    assert!(!validator.is_valid(&json!({ "format": 2, "verdict": "passed", "note": "", "gates": [] })));
    assert!(!validator.is_valid(&json!({ "format": 1, "verdict": "PASSED", "note": "", "gates": [] })));
}

#[test]
fn without_endpoints_nothing_is_judged() {
    let test = stub(&step("hello", "echo hello", "")).unset("TEST_RPC_URL");
    for format in ["human", "json", "junit", "github", "markdown"] {
        let outcome = test.citadel(&format!("gate verify --network test --format {format}")).code(15);
        assert_eq!(outcome.stdout, "");
        outcome.says("nothing was judged").says("export TEST_RPC_URL=");
    }
}

/// The shell lines of the example workflow, but the one that installs citadel.
fn workflow_lines() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci/gates.yml");
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<String> =
        text.lines().filter_map(|line| line.trim().strip_prefix("run: ")).map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    lines.into_iter().filter(|line| !line.starts_with("cargo install")).collect()
}

#[test]
fn the_example_workflow_runs_with_the_binary_alone() {
    let kept = kept();
    let xdg = kept.root().join("xdg");
    std::fs::create_dir_all(xdg.join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_citadel"), xdg.join("bin/citadel")).unwrap();
    std::os::unix::fs::symlink(kept.state(), xdg.join("citadel")).unwrap();
    let set = format!("export PATH={0}/bin:$PATH XDG_STATE_HOME={0} NETWORK=local; cd {0}/..", xdg.display());
    let run = |line: &str| {
        // As GitHub's runner does it.
        let script = format!("{set}/here; bash -e -c '{line}'; echo \"exit $?\"");
        let said = kept.sh(&script);
        said.trim_end().rsplit_once("exit ").unwrap().1.to_owned()
    };
    let codes = || workflow_lines().iter().map(|line| run(line)).collect::<Vec<_>>();
    assert_eq!(codes(), ["0", "0", "0", "0"]);
    assert_eq!(
        roxmltree::Document::parse(&kept.read("gates.xml")).unwrap().root_element().tag_name().name(),
        "testsuites"
    );
    kept.act("pause FeePool");
    assert_eq!(codes(), ["0", "0", "10", "0"]);
    std::fs::remove_dir_all(&xdg).unwrap();
    std::fs::remove_file(kept.path("gates.xml")).unwrap();
}
