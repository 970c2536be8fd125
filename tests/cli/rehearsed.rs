//! `rehearsed`: a phase that must have passed elsewhere, by the same definition, at the same commit.

use super::builder::Test;
use super::stub::{step, stub};

const CHECK: &str = "[[phase.gate.check]]\nid = \"rehearsed\"\nrehearsed = { on = [\"stage\"], max_age = \"7d\" }\n";

/// Two networks and a repository; gate 1 on `test` wants a rehearsal on `stage`.
fn rehearsing() -> Test {
    let test = stub(&step("make", "echo 1", "")).set("STAGE_RPC_URL", "https://stage.test.invalid");
    let network = "[network.stage]\nchain_id = 6\nrpc = [\"STAGE_RPC_URL\"]\n";
    let before = test.read("runbook.toml");
    test.write("runbook.toml", format!("{before}{CHECK}{network}"));
    test.write(".gitignore", "reports\n");
    test.sh("git init -q . && git add -A");
    commit(&test);
    test
}

fn commit(test: &Test) {
    test.sh("git -c user.name=t -c user.email=t@t commit -qam more --allow-empty");
}

#[test]
fn a_rehearsal_counts_while_nothing_changed() {
    let test = rehearsing();
    test.citadel("run --network test").code(10).says("phase 1 never passed its gate on stage");
    test.citadel("run --network test").code(10).says("`citadel run --phase 1 --network stage`");
    test.citadel("run --network stage").code(0).says("this run on stage is the rehearsal");
    test.citadel("run --network test").code(0).says("gate 1 passed on stage");
    // Without another commit the definition alone decides, and each field is shown.
    test.edit("runbook.toml", "echo 1", "echo 2");
    test.citadel("gate verify --network test").code(0).says("when the gate opened");
    let outcome = test.citadel("run --network test --new").code(11);
    outcome.says("the workspace has changes that no commit names");
    commit(&test);
    let outcome = test.citadel("run --network test --new").code(10).says("workspace commit ");
    outcome.says("step 1.make `definition.action.run.argv[2]`: \"echo 1\" → \"echo 2\"");
    test.citadel("run --network stage").code(17).says("was done by another definition");
    test.citadel("run --network stage --new").code(0);
    test.citadel("run --network test").code(0).says("gate 1 passed on stage");
    let record = test.runs("stub", "test").pop().unwrap().join("gates");
    let mut records: Vec<_> = std::fs::read_dir(record).unwrap().map(|entry| entry.unwrap().path()).collect();
    records.sort();
    for record in records {
        test.citadel_with(&["gate", "verify", "--replay", &record.display().to_string()]).code(0).says("consistent");
    }
    // A gate that was opened elsewhere by another gate's rules is no rehearsal.
    test.edit("runbook.toml", "max_age = \"7d\"", "max_age = \"6d\"");
    commit(&test);
    test.citadel("run --network test --new")
        .code(10)
        .says("definition `phase.gate.checks[1].kind.rehearsed.max_age.secs`");
}

#[test]
fn a_checkout_without_a_commit_is_unknown() {
    let test = rehearsing();
    test.citadel("run --network stage").code(0);
    test.sh("rm -rf .git");
    test.citadel("run --network test").code(11).says("the workspace is no git repository");
}

/// The very same files in a copy of the practice workspace prove nothing about a checkout where people's money is.
#[test]
fn a_rehearsal_in_the_practice_workspace_never_counts_for_a_real_checkout() {
    let test = stub(&step("make", "echo 1", "")).set("ANVIL", "none is needed");
    let runbook = test.read("runbook.toml") + &CHECK.replace("stage", "local");
    let runbook = runbook.replace(
        "marker = \"marker\"",
        "marker = \"marker\"\npractice = { dir = \"practice\", marker = \"practice.json\" }",
    );
    let local = "[network.local]\nchain_id = 31337\nrpc = [\"ANVIL_RPC_URL\"]\nblock = \"latest\"\n\
        dev_chain = { program = \"anvil\", version = \"1.7.1\", dir = \"chain\", setup = \"setup\", deployment = \"deployed.json\" }\n";
    test.write("runbook.toml", runbook + local);
    test.write(".gitignore", "reports\n");
    for file in ["practice/marker", "practice/practice.json"] {
        test.write(file, "");
    }
    test.write("practice/gate.json", test.read("gate.json"));
    test.sh("git init -q . && git add -A");
    commit(&test);
    test.citadel("run --local --workspace practice").code(0);
    let outcome = test.citadel("run --network test").code(10);
    outcome.says("it was of the practice workspace, which never counts for another");
}

#[test]
fn what_is_to_be_rehearsed_is_checked() {
    let check = |from: &str, to: &str, expected: &str| {
        let test = rehearsing();
        test.edit("runbook.toml", from, to);
        test.citadel("check").code(3).says(expected);
    };
    check("on = [\"stage\"]", "on = [\"stag\"]", "no network `stag` is declared");
    check("on = [\"stage\"]", "on = []", "`on` is empty: no rehearsal would do");
    check("\"7d\"", "\"soon\"", "`soon` is not a duration");
    check("\"7d\"", "\"7d\", phase = \"9\"", "no phase `9` is declared");
}
