//! What citadel tells: plans, lists, explanations, colours; and readers that go away.

use citadel::error::EXIT_CODES;

use super::builder::Test;
use super::fixture::fresh;
use super::stub::{step, stub, stub_phases};

#[test]
fn every_exit_code_is_explained() {
    let test = Test::empty();
    let all = test.citadel("explain").code(0);
    for (code, meaning, next) in EXIT_CODES {
        assert!(all.stdout.lines().any(|line| line.trim() == format!("{}  {meaning}", code.number())), "{meaning}");
        test.citadel(&format!("explain {}", code.number())).code(0).says(meaning).says(next);
    }
    assert_eq!(all.stdout.lines().count(), EXIT_CODES.len());
}

#[test]
fn completions_are_scripts_that_the_shell_reads() {
    let test = Test::empty();
    let script = test.citadel("completions bash").code(0).stdout;
    let path = test.write("citadel.bash", &script);
    test.sh(&format!("bash -n {0} && bash -c '. {0} && complete -p citadel'", path.display()));
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(test.citadel(&format!("completions {shell}")).code(0).stdout.contains("contingency"));
    }
}

#[test]
fn a_plan_shows_exactly_what_would_run_and_touches_nothing() {
    let test = fresh();
    let before = test.sh("find . | sort");
    let outcome = test.citadel("plan --local").code(0);
    assert_eq!(outcome.stderr, "");
    let lines = [
        "run 0.bootstrap",
        "command make -C demo/astral-citadel bootstrap",
        "command npm run -s owner:plan:safe -- --network anvil --json --out owner-plan.json",
        "command OWNER_DASHBOARD_JSON=1 npm run -s owner:dashboard -- --network anvil",
        "command NETWORK=anvil make -C demo/astral-citadel mission",
        "command AURORA_REPORT_SCOPE=astral-citadel make -C demo/astral-citadel dry-run",
        "given ANVIL_RPC_URL",
        "gate 4",
        "people 2 of `governance`",
        "differs the exit code is worthless",
        "it has not run yet",
    ];
    let outcome = lines.into_iter().fold(outcome, super::builder::Outcome::says);
    let steps = outcome.stdout.lines().filter(|line| line.starts_with("run ")).count();
    assert_eq!(steps, 24, "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().filter(|line| line.starts_with("gate ")).count(), 5);
    assert_eq!(outcome.stdout.lines().filter(|line| *line == "chain").count(), 1, "one line starts the chain");
    let one = test.citadel("plan --local --step 3.mission").code(0).says("run 3.mission");
    one.never_says("run 3.thermostat").never_says("gate 3");
    test.citadel("plan --local --phase 1").code(0).says("gate 0").says("gate 1").never_says("run 2.dry-run");
    assert_eq!(test.sh("find . | sort"), before);
    assert!(!test.state().exists());
}

#[test]
fn a_plan_says_what_is_left() {
    let test = stub(&(step("first", "exit 0", "") + &step("second", "test -e there", "")));
    test.citadel("run --network test").code(13);
    let state = format!("cd {} && find . -type f | sort | xargs sha256sum", test.state().display());
    let before = test.sh(&state);
    let outcome = test.citadel("plan --network test").code(0).says("goes on with run").says("skip step 1.first");
    outcome.says("done by attempt 1").says("run 1.second").says("attempt 1 failed").says("gate 1");
    test.citadel("status --network test").code(0).says("run 1.second").says("citadel run --network test");
    test.citadel("gate verify --network test").code(10);
    assert_eq!(test.sh(&state), before, "a reader wrote to the state folder");
}

#[test]
fn lists_say_what_there_is() {
    let test = fresh();
    let gates = test.citadel("gate list").code(0).says("with every gate: not-paused, brake-works, governed");
    assert_eq!(gates.stdout.lines().filter(|line| line.starts_with("gate ")).count(), 5);
    let contingencies = test.citadel("contingency list").code(0).says("thermal-runaway").says("validator-outage");
    contingencies.says("economic-shock").says("`citadel contingency show economic-shock`");
    test.citadel("contingency show thermal-runaway").code(0).says("pauseAll()").says("over when");
    test.citadel("check").code(0).says("5 phases, 24 steps, 5 gates, 3 contingencies, 4 deliverables");
    test.citadel("--version").code(0).says(env!("CARGO_PKG_VERSION"));
    test.citadel("--help").code(0).says("contingency").says("gate verify");
    assert!(!test.state().exists());
}

#[test]
fn colours_are_for_those_who_want_them() {
    let plain = stub(&step("a", "exit 0", ""));
    assert!(!plain.citadel("run --network test").code(0).stderr.contains('\x1b'));
    for command in ["status --network test", "gate verify --network test"] {
        assert!(!plain.citadel(command).code(0).stdout.contains('\x1b'), "{command}");
    }
    let forced = stub(&step("a", "exit 0", "")).set("CLICOLOR_FORCE", "1");
    assert!(forced.citadel("run --network test").code(0).stderr.contains("\x1b["));
    assert!(forced.citadel("gate verify --network test").code(0).stdout.contains("\x1b["));
    for format in ["json", "junit"] {
        let outcome = forced.citadel(&format!("gate verify --network test --format {format}")).code(0);
        assert!(!outcome.stdout.contains('\x1b'), "{format}");
    }
    let never = forced.set("NO_COLOR", "1");
    assert!(!never.citadel("gate verify --network test").code(0).stdout.contains('\x1b'));
    assert!(!never.citadel("run --new --network test").code(0).stderr.contains('\x1b'));
}

#[test]
fn a_reader_that_has_seen_enough_breaks_nothing() {
    let test = stub(&step("a", "seq 1 20000", ""));
    test.citadel_unread("run --network test").code(0);
    let commands = [
        "--help",
        "--version",
        "explain",
        "completions bash",
        "check",
        "plan --network test",
        "status --network test",
        "status --network test --json",
        "report --network test",
        "report --network test --format json",
        "gate list",
        "gate verify --network test",
        "gate verify --network test --format junit",
        "contingency list",
    ];
    for command in commands {
        let outcome = test.citadel_unread(command).code(0);
        assert!(outcome.stderr.is_empty(), "{command}: {}", outcome.stderr);
    }
    test.sh(&format!("{} --state {} explain | head -1", env!("CARGO_BIN_EXE_citadel"), test.state().display()));
}

#[test]
fn a_terminal_that_is_gone_does_not_end_a_run() {
    let test = stub(&step("a", "seq 1 2000; exit 0", ""));
    let script = format!(
        "{{ {} --state {} run --network test; echo $? > code; }} 2>&1 | true; cat code",
        env!("CARGO_BIN_EXE_citadel"),
        test.state().display()
    );
    assert_eq!(test.sh(&script).trim(), "0");
    test.citadel("status --network test").code(0).says("every gate passed");
}

#[test]
fn json_for_programs() {
    let test = stub_phases(&super::stub::phase("1", &step("a", "printf \"\\\\033[31mred\\\\033[0m\"; exit 1", "")));
    test.citadel("run --network test").code(13).never_says("\x1b[31m");
    let status = test.citadel("status --network test --json").code(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["format"], 1);
    assert_eq!(status["phases"][0]["steps"][0]["state"], "failed");
    let report = test.citadel("report --network test --format json").code(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["format"], 1);
}
