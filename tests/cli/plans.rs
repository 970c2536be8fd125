//! A plan in a file: exactly that, once, or refused with what differs.

use std::os::unix::fs::PermissionsExt as _;

use super::builder::Test;
use super::stub::stub;

const STEPS: &str = "
[[phase.step]]
id = \"hello\"
title = \"Hello\"
npm = \"hello\"
args = [\"--run\", \"{{ run }}\"]
[[phase.step.evidence]]
file = \"input.txt\"
written = false
contains = [\"in\"]
";

const TOOL: &str = "[[tool]]\nname = \"thing\"\nversion_file = \".thing\"\n";

fn tool(test: &Test, version: &str) {
    let path = test.write("bin/thing", format!("#!/bin/sh\necho {version}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A step with an npm script, an input and a tool, in a repository.
fn planned() -> Test {
    let test = stub(STEPS);
    let path = format!("{}:{}", test.path("bin").display(), test.env()["PATH"]);
    let test = test.set("PATH", &path);
    let before = test.read("runbook.toml");
    test.write("runbook.toml", before.replace("[network.test]", &format!("{TOOL}[network.test]")));
    test.write("package.json", "{ \"scripts\": { \"hello\": \"true\" } }");
    test.write("input.txt", "in");
    test.write("tracked.txt", "1");
    test.write(".thing", "1");
    tool(&test, "1.0.0");
    test.write(".gitignore", "reports\ninput.txt\nplan.json\nbin\n");
    test.sh("git init -q . && git add -A && git -c user.name=t -c user.email=t@t commit -qm first");
    test.citadel("plan --network test --out plan.json").code(0).says("citadel run --plan plan.json");
    test
}

#[test]
fn exactly_the_plan_runs_and_once() {
    let test = planned();
    let outcome = test.citadel("run --plan plan.json").code(0).says("COMPLETE");
    let plan: serde_json::Value = serde_json::from_str(&test.read("plan.json")).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    outcome.says(&format!("plan {digest}, once"));
    let report = test.read("reports/test/citadel-report.md");
    assert!(report.contains(&format!("ran the plan `{digest}`, and no other")), "{report}");
    test.citadel("run --plan plan.json").code(17).says("this plan was run already, in run");
    test.citadel("status --network test").code(0);
    // Not in another run either.
    test.citadel("run --network test --new").code(0);
    test.citadel("run --plan plan.json").code(17).says("was run already");
}

#[test]
fn whatever_changed_is_refused_by_its_field() {
    let test = planned();
    let check = |file: &str, from: &str, to: &str, expected: &str| {
        let before = test.read(file);
        assert!(before.contains(from), "{file}: {from}");
        test.write(file, before.replacen(from, to, 1));
        let outcome = test.citadel("run --plan plan.json").code(17).says("this is not what was planned on");
        outcome.says(expected).says("nothing was started");
        test.write(file, before);
    };
    let args = "`steps.1.hello.definition.action.npm.args[0]`: \"--run\" → \"--jog\"";
    check("runbook.toml", "\"--run\"", "\"--jog\"", args);
    check(
        "runbook.toml",
        "\"--run\"",
        "\"--jog\"",
        "`steps.1.hello.command`: \"npm run -s hello -- --run '{{ run }}'\" →",
    );
    check(
        "runbook.toml",
        "eq = true",
        "ne = false",
        "`phases.1.phase.gate.checks[0].kind.json.rules[0].all[0].eq` is gone",
    );
    check("package.json", "\"true\"", "\"true 2\"", "`steps.1.hello.script`: \"true\" → \"true 2\"");
    check("input.txt", "in", "in another", "`steps.1.hello.inputs.input.txt`: \"");
    check("tracked.txt", "1", "2", "`workspace.changed_files.tracked.txt`: null → \"");
    check("tracked.txt", "1", "2", "with changes\"");
    tool(&test, "1.0.1");
    test.citadel("run --plan plan.json").code(17).says("`tools.thing`: \"1.0.0\" → \"1.0.1\"");
    tool(&test, "1.0.0");
    let reads = "title = \"Hello\"";
    test.edit("runbook.toml", reads, "title = \"Good day\" # a comment");
    test.sh("git -c user.name=t -c user.email=t@t commit -qam second");
    test.citadel("run --plan plan.json").code(17).says("`workspace.commit`: \"").never_says("`steps");
    test.sh("git reset -q --hard HEAD~1");
    assert!(test.runs("stub", "test").is_empty());
    test.citadel("run --network test --step hello").code(0);
    let outcome = test.citadel("run --plan plan.json").code(17).says("`state.opens_after`: \"no run\" → null");
    outcome.says("`run 1.hello` would not be next").says("`skip step 1.hello` was not planned");
}

#[test]
fn a_plan_says_what_it_is() {
    let test = planned();
    let before = test.read("plan.json");
    test.write("plan.json", before.replace("\"--run\"", "\"--jog\""));
    test.citadel("run --plan plan.json").code(18).says("its content was changed after it was written");
    test.write("plan.json", "{}");
    test.citadel("run --plan plan.json").code(18).says("is not a plan as citadel wrote it");
    test.citadel("run --plan nowhere.json").code(2);
    test.citadel("run --plan plan.json --network test").code(2);
    test.citadel("run").code(2).says("no network was named");
    assert!(test.runs("stub", "test").is_empty());
    // What could not run is not planned.
    let test = test.unset("TEST_RPC_URL");
    test.citadel("plan --network test --out other.json").code(15);
    assert!(!test.path("other.json").exists());
}
