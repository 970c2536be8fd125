//! Values of secret variables: used, and never written or printed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use citadel::event::Event;

use super::builder::{Outcome, Test};
use super::stub::{step, stub};

const KEY: &str = "Zq83hLwP0sXk91TbVy";
const PASSWORD: &str = "hunter2-correct-horse";

fn url() -> String {
    format!("https://ops:{PASSWORD}@rpc.test.invalid/v2/{KEY}?token=tok-{KEY}")
}

/// Every way that the secret could be written down in.
fn forms() -> Vec<String> {
    vec![KEY.into(), PASSWORD.into(), url(), url().replace('/', "%2F"), url().replace('/', "\\/")]
}

#[track_caller]
fn holds_none(what: &str, text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what} holds `{form}`:\n{text}");
    }
}

#[track_caller]
fn told_none(outcome: &Outcome) {
    holds_none("stdout", &outcome.stdout);
    holds_none("stderr", &outcome.stderr);
}

/// Every file below `folder`.
fn files_hold_none(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files_hold_none(&entry.path());
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            holds_none(&entry.path().display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn an_endpoint_of_mainnet_is_never_shown() {
    let test = Test::empty().set("MAINNET_RPC_URL", &url());
    for command in ["plan", "run"] {
        for more in ["--phase 3", "", "--step 3.mission", "--workspace /no/such/folder"] {
            let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/runbook.toml");
            let outcome = test.citadel(&format!("-vv -f {runbook} {command} --network mainnet {more}")).code(15);
            told_none(&outcome);
            outcome.never_says("`MAINNET_RPC_URL` is not set").says("`MAINNET_RPC_URL_2` is not set");
        }
    }
}

#[test]
fn what_a_step_prints_of_it_is_masked() {
    let line = "echo \"at $TEST_RPC_URL\"; printf '%s' \"$TEST_RPC_URL\" | base64 -w0; echo; \
                node -p 'encodeURIComponent(process.env.TEST_RPC_URL)'; echo \"$TEST_RPC_URL\" >&2; exit 1";
    let test = stub(&step("leak", line, "needs = [\"rpc\"]")).set("TEST_RPC_URL", &url());
    let outcome = test.citadel("run --network test").code(13).says("at ");
    told_none(&outcome);
    let log = std::fs::read_to_string(test.runs("stub", "test")[0].join("logs/1.leak.1.log")).unwrap();
    assert!(log.contains("TEST_RPC_URL"), "the mask names the variable: {log}");
    let encoded = base64(&test, &url());
    assert!(!log.contains(&encoded), "base64 of it: {log}");
    for command in ["status", "report", "report --format json", "report --format junit", "gate verify", "plan"] {
        told_none(&test.citadel(&format!("{command} --network test")));
    }
    files_hold_none(&test.state());
    files_hold_none(&test.path("reports"));
}

#[test]
fn a_secret_that_nobody_declared_is_found_by_its_shape_at_the_end() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV";
    let test = stub(&step("leak", &format!("echo token {token}"), ""));
    let outcome = test.citadel("run --network test").code(19).says("1.leak.1.log` holds a JSON Web Token");
    let told = outcome.stderr.lines().find(|line| line.contains("holds a JSON Web Token")).unwrap();
    assert!(!told.contains("eyJ"), "{told}");
    outcome.says("rotate every secret");
}

#[test]
fn it_is_found_where_the_run_is_broken_off_too() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV";
    let leak = |more: &str| step("leak", &format!("cat token; {more}"), "");
    let found = "1.leak.1.log` holds a JSON Web Token";
    let told = |test: &Test, why: &str| {
        test.write("token", token);
        test.citadel("run --network test").code(19).says(found).says("broken off besides").says(why).never_says(token);
        let last = test.journal("stub", "test").pop().unwrap().event;
        assert!(matches!(last, Event::RunEnded { secrets: 1, .. }), "{last:?}");
    };
    let planted = "mkdir -p reports/test && ln -sf ../../victim reports/test/citadel-report.md";
    let test = stub(&leak(planted));
    test.write("victim", "mine");
    told(&test, "citadel does not write through it");
    assert_eq!(test.read("victim"), "mine");
    // A step that needs to know the newest block, of an endpoint that is not there.
    let sends = "effects = \"chain\"\n  [[phase.step.evidence]]\n  file = \"sent.json\"\n  keep = \"sent.json\"\n\
                 \x20 [[phase.step.evidence]]\n  transactions = { of = \"sent.json\", at = \"$.hash\", min = 1 }\n";
    let test = stub(&(leak("true") + &step("send", "touch sent", sends))).set("TEST_RPC_URL", "http://127.0.0.1:9");
    told(&test, "the block before 1.send is not known");
    assert!(!test.path("sent").exists());
}

#[test]
fn it_reaches_only_the_steps_that_need_it() {
    let steps = step("with", "test -n \"$TEST_RPC_URL\"", "needs = [\"rpc\"]")
        + &step("without", "test -z \"$TEST_RPC_URL\"", "");
    let test = stub(&steps).set("TEST_RPC_URL", &url());
    told_none(&test.citadel("run --network test").code(0));
    let from_file = stub(&steps).unset("TEST_RPC_URL");
    let file = from_file.write(".env", format!("TEST_RPC_URL={}\n", url()));
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refused = from_file.citadel("run --network test").code(15).says("can be read by others (mode 0644)");
    told_none(&refused);
    refused.says("chmod 600");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    told_none(&from_file.citadel("run --network test").code(0));
    files_hold_none(&from_file.state());
}

/// A class of its own for steps that verify sources, and one that no step here is granted.
const CLASSES: &str =
    "[secret.explorer]\nvariables = [\"TEST_EXPLORER\"]\n[secret.relay]\nvariables = [\"TEST_RELAY\"]\n";

/// Steps on a network with further classes of secrets, all of which have a value.
fn with_classes(steps: &str) -> Test {
    let test = stub(steps).set("TEST_EXPLORER", KEY).set("TEST_RELAY", PASSWORD);
    test.edit("runbook.toml", "\n[[phase]]", &format!("\n{CLASSES}\n[[phase]]"));
    test
}

#[test]
fn a_further_class_reaches_only_the_steps_that_need_it() {
    let granted = "test -n \"$TEST_EXPLORER\" && test -z \"$TEST_RPC_URL$TEST_RELAY\"; echo \"got $TEST_EXPLORER\"";
    let set =
        "test -z \"$TEST_EXPLORER$TEST_RELAY\" && test -n \"${TEST_RELAY+set}\" && test -n \"${TEST_EXPLORER+set}\"";
    let evidence = "needs = [\"explorer\"]\n[[phase.step.evidence]]\noutput = { has = [\"[TEST_EXPLORER]\"] }";
    let test = with_classes(&(step("with", granted, evidence) + &step("without", set, "needs = [\"rpc\"]")));
    test.citadel("plan --network test").code(0).says("given    TEST_EXPLORER").never_says(KEY);
    told_none(&test.citadel("run --network test").code(0));
    files_hold_none(&test.state());
    files_hold_none(&test.path("reports"));
}

#[test]
fn what_a_step_needs_of_a_further_class_must_have_a_value_before_it() {
    let steps = step("first", "true", "") + &step("verify", "true", "needs = [\"explorer\"]");
    let test = with_classes(&steps).unset("TEST_EXPLORER").unset("TEST_RELAY");
    let missing = "`TEST_EXPLORER` is not set: of `[secret.explorer]`, which 1.verify needs";
    test.citadel("run --network test").code(15).says(missing).never_says("TEST_RELAY");
    test.citadel("doctor --network test").code(15).says(missing).says("explorer: not set").says("relay: not set");
    test.citadel("run --network test --step 1.first").code(0);
    let file = test.write(".env", "TEST_EXPLORER=your-key\n");
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refused = test.citadel("run --network test").code(15).says("can be read by others (mode 0644)");
    refused.says("`TEST_EXPLORER` still has the placeholder of its template");
    std::fs::write(&file, format!("TEST_EXPLORER={KEY}\n")).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    told_none(&test.citadel("run --network test").code(0));
}

#[test]
fn a_step_of_the_kind_secrets_asks_for_further_classes_too() {
    let check = "[[phase.step]]\nid = \"look\"\ntitle = \"Look\"\n\
                 secrets = { template = \"env.example\", file = \".env\", requires = [\"TEST_RELAY\"] }\n";
    let test = with_classes(check).unset("TEST_RELAY");
    test.write("env.example", "TEST_RELAY=\n");
    let outcome = test.citadel("run --network test").code(13).says("`TEST_RELAY` has no value");
    assert_eq!(outcome.stderr.matches("✘ variable TEST_RELAY").count(), 1, "{}", outcome.stderr);
}

#[test]
fn what_was_written_of_a_further_class_is_found_at_the_end() {
    let write = "printf \"xx$TEST_EXPLORER\" | base64 > \"$(echo ../state/stub/test/2*)/planted\"";
    let test = with_classes(&step("leak", write, "needs = [\"explorer\"]"));
    let outcome = test.citadel("run --network test").code(19).says("planted` holds the value of `TEST_EXPLORER`");
    told_none(&outcome);
}

/// The base64 of a text, as a command would print it.
fn base64(test: &Test, plain: &str) -> String {
    test.write("plain.txt", plain);
    let encoded = test.sh("base64 -w0 plain.txt");
    std::fs::remove_file(test.path("plain.txt")).unwrap();
    encoded.trim().to_owned()
}
