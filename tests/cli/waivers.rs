//! Waivers: exactly one value, for a while, by the reviewed file alone; told everywhere, and never as passed.

use super::builder::Test;
use super::stub::{step, stub};

/// A gate whose file says `closed`, which the runbook accepts until `until`.
fn waived(expect: &str, until: &str) -> Test {
    let test = stub(&step("make", "true", ""));
    test.write("gate.json", "{ \"open\": false }");
    let before = test.read("runbook.toml");
    let waiver = format!(
        "waiver = {{ expect = {{ \"$.open\" = {expect} }}, reason = \"ticket 12\", until = \"{until}\", by = \"bob\" }}\n"
    );
    test.write("runbook.toml", format!("{before}{waiver}"));
    test
}

const LATER: &str = "2099-01-01T00:00:00Z";

#[test]
fn a_gate_opens_with_a_waiver_and_everything_says_so() {
    let test = waived("false", LATER);
    let outcome = test.citadel("run --network test").code(0).says("PASSED").says("2 checks, 1 waived");
    outcome.says("~ open waived: by bob until 2099-01-01T00:00:00Z: ticket 12").says("(1 of 1), 1 check waived");
    let report = test.read("reports/test/citadel-report.md");
    let (page_one, rest) = report.split_once("## Phase").unwrap();
    assert!(page_one.contains("every gate passed (1 of 1), 1 check waived"), "{page_one}");
    assert!(page_one.contains("- **Waiver** of check `open`: `{\"$.open\":false}` is accepted until"), "{page_one}");
    assert!(page_one.contains("by bob: ticket 12. It is **used** at gate 1."), "{page_one}");
    assert!(rest.contains("✔ passed, **1 check waived**") && rest.contains("~ **waived**"), "{rest}");
    test.citadel("status --network test").code(0).says("~ open").says("1 check waived");
    let verify = |format: &str| test.citadel(&format!("gate verify --network test --format {format}")).code(0);
    let sentence = "waived by the runbook, not as it must be: open of gate 1";
    assert!(verify("human").stdout.starts_with(sentence));
    verify("markdown").says(&format!("> **{sentence}**"));
    verify("github").says("::warning file=").says("title=gate 1%3A open is waived::by bob");
    verify("junit").says("skipped=\"1\"").says("<skipped message=\"waived: by bob");
    verify("json").says("\"waived\": 1").says("\"verdict\": \"waived\"").says("\"reason\": \"ticket 12\"");
    test.citadel("report --network test --format json").code(0).says("\"waivers\"");
    let record = test.runs("stub", "test").pop().unwrap().join("gates");
    let record = std::fs::read_dir(record).unwrap().next().unwrap().unwrap().path();
    test.citadel_with(&["gate", "verify", "--replay", &record.display().to_string()]).code(0).says("consistent");
}

#[test]
fn another_value_and_an_expired_waiver_fail() {
    let test = waived("true", LATER);
    test.citadel("run --network test").code(10).says("the waiver by bob is for {\"$.open\":true} alone");
    let report = test.read("reports/test/citadel-report.md");
    assert!(report.contains("It is not needed so far."), "{report}");
    let test = waived("false", "2026-01-01T00:00:00Z");
    test.citadel("run --network test").code(10).says("the waiver by bob expired at 2026-01-01T00:00:00Z");
    // What has become good needs no waiver, and is not waived.
    test.write("gate.json", "{ \"open\": true }");
    test.citadel("run --network test").code(0).never_says("waived");
}

#[test]
fn a_waiver_is_whole_and_stands_where_it_can_be_reviewed() {
    let check = |waiver: &str, expected: &str| {
        let test = stub(&step("make", "true", ""));
        let before = test.read("runbook.toml");
        test.write("runbook.toml", format!("{before}waiver = {waiver}\n"));
        test.citadel("check").code(3).says(expected);
    };
    check("{ expect = 1, reason = \"r\", by = \"b\" }", "`waiver` has no `until`");
    check("{ expect = 1, reason = \"r\", until = \"soon\", by = \"b\" }", "`soon` is no time");
    check("{ expect = 1.5e400, reason = \"r\", until = \"2099-01-01T00:00:00Z\", by = \"b\" }", "`expect` cannot hold");
    check("{ expect = 1, reason = \"\", until = \"2099-01-01T00:00:00Z\", by = \"b\" }", "`reason` is empty");
    let test = waived("false", LATER);
    test.citadel("run --network test --waive open").code(2);
    test.citadel("gate verify --network test --waive open").code(2);
}
