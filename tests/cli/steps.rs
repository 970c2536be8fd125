//! Single steps: how they end, how they are ended, and what is known afterwards.

use citadel::process::started;
use rustix::process::Signal;

use super::builder::Test;
use super::stub::{Pipe, phase, step, stub, stub_on_chain, stub_phases};
use super::watchdog::Watchdog;

const RUN: &str = "run --network test";

#[test]
fn a_run_passes_and_has_nothing_more_to_do() {
    let test = stub(&step("hello", "echo hello from the step", ""));
    test.citadel(RUN).code(0).says("Gate 1 PASSED").says("COMPLETE").never_says("\x1b");
    test.citadel("status --network test").code(0).says("every gate passed (1 of 1)");
    test.citadel("gate verify --network test").code(0).says("Gate 1 PASSED");
}

#[test]
fn a_step_that_takes_too_long_is_ended_with_its_group() {
    let test = stub(&step("slow", "sleep 600 & echo waiting; wait", "timeout = \"1s\""));
    test.citadel(RUN).code(14).says("took longer than 1s and was ended").says("next: ");
    assert_eq!(test.processes(), [""; 0]);
    test.citadel("gate verify --network test").code(10).says("took longer than 1s");
}

#[test]
fn a_step_that_says_nothing_is_ended() {
    let test = stub(&step("mute", "sleep 600", "silence = \"1s\""));
    test.citadel(RUN).code(14).says("printed nothing for 1s and was ended");
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn the_whole_run_has_a_limit_that_is_named() {
    let steps = format!("{}\n{}", step("slow", "sleep 600", ""), step("next", "touch ran", ""));
    let test = stub(&steps);
    test.edit("runbook.toml", "[[phase]]", "[default]\nrun = \"1s\"\n\n[[phase]]");
    test.citadel("plan --network test").code(0).says("drain 2s, the whole run 1s").says("limits   10m, silent 2m");
    test.citadel(RUN).code(14).says("was ended: the whole run took longer than 1s");
    assert!(!test.path("ran").exists());
    assert_eq!(test.processes(), [""; 0]);
}

/// As some supervisors start what they supervise: the kernel would throw away how a child ended.
#[test]
fn how_a_step_ended_is_known_where_ends_of_children_are_ignored() {
    let test = stub(&step("ends", "exit 7", "exit = 7"));
    let (citadel, state) = (env!("CARGO_BIN_EXE_citadel"), test.state());
    let told = test.sh(&format!("env --ignore-signal=CHLD {citadel} --state {} {RUN}", state.display()));
    assert!(told.contains("COMPLETE"), "{told}");
}

#[test]
fn what_a_step_leaves_running_is_named_and_ended() {
    let test = stub(&step("leaves", "(setsid sleep 600 >/dev/null 2>&1 &); echo done", ""));
    test.citadel(RUN).code(0).says("ended what it left running: `sleep 600 (pid ");
    assert_eq!(test.processes(), [""; 0]);
}

/// A step that says who it is and then waits, once; the second time it is done at once.
fn waiting() -> (Test, Pipe) {
    let line = "test -e second && exit 0; touch second; echo $$ > ready; sleep 600 & wait";
    let test = stub(&step("wait", line, ""));
    let pipe = Pipe::new(&test.path("ready"));
    (test, pipe)
}

fn interrupted_by(signal: Signal, code: i32) {
    let (test, ready) = waiting();
    let running = test.start(RUN);
    let pid: u32 = ready.wait().parse().unwrap();
    assert!(started(pid).is_some());
    running.signal(signal);
    running.finish().code(code).says("run the same command again");
    assert!(started(pid).is_none(), "the step's process is alive");
    assert_eq!(test.processes(), [""; 0]);
    test.citadel("status --network test").code(0).never_says("running");
    test.citadel(RUN).code(0).says("COMPLETE");
    assert_eq!(test.runs("stub", "test").len(), 1, "it continues");
}

#[test]
fn ctrl_c_ends_the_step_and_the_run_continues_later() {
    interrupted_by(Signal::INT, 130);
}

#[test]
fn a_termination_signal_does_the_same() {
    interrupted_by(Signal::TERM, 143);
}

#[test]
fn a_lost_terminal_does_the_same() {
    interrupted_by(Signal::HUP, 130);
}

#[test]
fn a_second_ctrl_c_ends_a_step_that_does_not_listen() {
    let line = "trap 'echo heard > heard' INT; trap '' TERM; echo $$ > ready; while :; do sleep 600 & wait; done";
    let test = stub(&step("deaf", line, ""));
    let (ready, heard) = (Pipe::new(&test.path("ready")), Pipe::new(&test.path("heard")));
    let running = test.start(RUN);
    let pid: u32 = ready.wait().parse().unwrap();
    running.signal(Signal::INT);
    assert_eq!(heard.wait(), "heard");
    running.signal(Signal::INT);
    running.finish().code(130);
    assert!(started(pid).is_none());
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn one_citadel_a_network_and_readers_need_no_lock() {
    let line = "echo $$ > ready; cat go; exit 0";
    let test = stub(&step("hold", line, ""));
    let ready = Pipe::new(&test.path("ready"));
    let go = test.path("go");
    rustix::fs::mknodat(rustix::fs::CWD, &go, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let running = test.start(RUN);
    ready.wait();
    let second = test.citadel(RUN).code(16).says("tester on").says(&format!("(pid {})", running.pid()));
    second.says("run --network test").says("citadel status");
    test.citadel("status --network test").code(0).says("running");
    test.citadel("gate verify --network test").code(10).says("is running");
    test.citadel("plan --network test");
    std::fs::write(&go, "go").unwrap();
    running.finish().code(0);
    test.citadel(RUN).code(0);
}

#[test]
fn a_lock_does_not_outlive_a_citadel_that_was_killed() {
    let (test, ready) = waiting();
    let running = test.start(RUN);
    let pid: u32 = ready.wait().parse().unwrap();
    running.signal(Signal::KILL);
    running.finish().code(-1);
    // The step goes on without its citadel; somebody ends it.
    let group = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process_group(group, Signal::KILL).unwrap();
    test.citadel("status --network test").code(0).never_says("a citadel is working on it");
    test.citadel(RUN).code(0).says("COMPLETE");
    assert_eq!(test.runs("stub", "test").len(), 1);
}

#[test]
fn an_unexpected_exit_fails_with_the_last_lines() {
    let test = stub(&step("fail", "echo the reason >&2; exit 3", ""));
    let outcome = test.citadel(RUN).code(13).says("exited with 3").says("the reason").says("logs/1.fail.1.log");
    outcome.says("citadel status --network test");
    let log = test.runs("stub", "test")[0].join("logs/1.fail.1.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "the reason\n");
}

#[test]
fn the_declared_exit_is_the_expected_one() {
    let test = stub(&step("three", "exit 3", "exit = 3"));
    test.citadel(RUN).code(0);
    let test = stub(&step("three", "exit 0", "exit = 3"));
    test.citadel(RUN).code(13).says("exited with 0");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let test = stub("[[phase.step]]\nid = \"gone\"\ntitle = \"Gone\"\nrun = ['no-such-program']\n");
    test.citadel(RUN).code(13).says("cannot be started").says("no-such-program");
}

#[test]
fn a_file_left_over_never_counts() {
    let evidence = "  [[phase.step.evidence]]\n  file = \"out.json\"\n  json = [{ at = \"$.done\", eq = true }]\n";
    let test = stub(&step("write", "test -e work && cp work out.json; exit 0", evidence));
    test.write("out.json", "{ \"done\": true }");
    test.citadel(RUN).code(13).says("out.json");
    test.write("work", "{ \"done\": false }");
    test.citadel(RUN).code(13).says("$.done");
    test.write("work", "{ \"done\": true }");
    test.citadel(RUN).code(0);
}

#[test]
fn a_step_gets_the_declared_environment_only() {
    let line = "env | sort > env.txt; read answer || echo nobody answers > stdin.txt";
    let test = stub(&step("env", line, "env = { MINE = \"{{ network }}-{{ chain_id }}\" }"));
    let test =
        test.set("NETWORK", "mainnet").set("AWS_SECRET_ACCESS_KEY", "leftover").set("TEST_RPC_URL", "https://a.b");
    test.citadel(RUN).code(0);
    let env = test.read("env.txt");
    let value = |name: &str| env.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    assert_eq!(value("MINE"), Some("test-5"));
    assert_eq!(value("NETWORK"), None);
    assert_eq!(value("AWS_SECRET_ACCESS_KEY"), None);
    assert_eq!(value("TEST_RPC_URL"), Some(""), "an ungranted variable is set empty");
    assert_eq!(value("DOTENV_CONFIG_QUIET"), Some("true"));
    let shims = test.runs("stub", "test")[0].join("shims").display().to_string();
    assert!(value("PATH").unwrap().starts_with(&format!("{shims}:")), "{env}");
    assert_eq!(test.read("stdin.txt"), "nobody answers\n");
}

#[test]
fn a_step_done_by_another_definition_stops_the_run() {
    let test = stub(&(step("first", "echo one", "") + &step("second", "test -e there", "")));
    test.citadel(RUN).code(13);
    test.edit("runbook.toml", "echo one", "echo two");
    let outcome = test.citadel(RUN).code(17).says("1.first was done by another definition");
    outcome.says("\"echo one\" → \"echo two\"").says("citadel run --new --network test");
    test.edit("runbook.toml", "echo two", "echo one");
    test.write("there", "");
    test.citadel(RUN).code(0);
    test.edit("runbook.toml", "echo one", "echo two");
    test.citadel(RUN).code(17).says("STOPPED  step `1.first` was done by another definition").never_says("COMPLETE");
    test.citadel("run --new --network test").code(0);
    assert_eq!(test.runs("stub", "test").len(), 2);
}

#[test]
fn a_later_phase_wants_the_gates_before_it() {
    let phases = phase("1", &step("a", "exit 0", "")) + &phase("2", &step("b", "echo ran >> ran", ""));
    let test = stub_phases(&phases);
    let outcome = test.citadel("run --network test --phase 2").code(15).says("gate 1 has not passed");
    outcome.says("`citadel run --phase 1 --network test`").says("nothing was started");
    assert!(!test.path("ran").exists() && !test.state().exists());
    test.citadel("run --network test --phase 1").code(0);
    test.citadel("run --network test --phase 2").code(0);
    assert_eq!(test.read("ran"), "ran\n");
}

#[test]
fn a_closed_gate_stops_what_comes_after_it() {
    let phases = phase("1", &step("a", "exit 0", "")) + &phase("2", &step("b", "echo ran >> ran", ""));
    let test = stub_phases(&phases);
    test.write("gate.json", "{ \"open\": false }");
    test.citadel(RUN).code(10).says("Gate 1 FAILED").says("citadel gate verify 1 --network test");
    assert!(!test.path("ran").exists());
    std::fs::remove_file(test.path("gate.json")).unwrap();
    test.citadel(RUN).code(11).says("Gate 1 UNKNOWN");
    assert!(!test.path("ran").exists());
    test.write("gate.json", "{ \"open\": true }");
    test.citadel(RUN).code(0);
    assert_eq!(test.read("ran"), "ran\n");
}

/// A step with an effect on a chain, which leaves it unknown whether it happened until `settled` exists.
fn unsettled() -> String {
    let evidence = "effects = \"chain\"\n  [[phase.step.evidence]]\n  chain = { code = { of = \"thing\" } }\n";
    step("pay", "echo try >> tries; test -e settled", evidence)
}

#[test]
fn what_may_have_happened_is_never_done_again_by_itself() {
    let (test, _watchdog) = stub_on_chain(&unsettled());
    let outcome = test.citadel("run --local").code(20).says("citadel decide 1.pay --happened");
    outcome.says("citadel decide 1.pay --did-not-happen");
    test.citadel("run --local").code(20).says("citadel decide 1.pay");
    assert_eq!(test.read("tries"), "try\n", "it did not run again");
    test.citadel("status --local").code(0).says("may or may not have happened");

    test.citadel("decide 1.pay --happened --local").code(2).says("--reason");
    test.citadel_with(&["decide", "1.pax", "--happened", "--reason", "x", "--local"]).code(2).says("`1.pay`");
    let decide = ["decide", "1.pay", "--did-not-happen", "--reason", "no transaction of it is there", "--local"];
    test.citadel_with(&decide).code(0).says("did not happen");
    test.citadel_with(&decide).code(2).says("nothing is to be decided about 1.pay");

    test.write("settled", "");
    test.citadel("run --local").code(0);
    assert_eq!(test.read("tries"), "try\ntry\n");
    test.citadel("report --local").code(0).says("no transaction of it is there").says("tester");
    assert_eq!(test.runs("stub", "local").len(), 1);
}

#[test]
fn what_a_person_says_has_happened_is_not_done_again() {
    let (test, _watchdog) = stub_on_chain(&unsettled());
    test.citadel("run --local").code(20);
    test.citadel_with(&["decide", "1.pay", "--happened", "--reason", "it is in block 2", "--local"]).code(0);
    test.citadel("run --local").code(0).says("Gate 1 PASSED");
    assert_eq!(test.read("tries"), "try\n");
    test.citadel("gate verify --local").code(0);
}

/// A step that changes a chain each time it runs, and is done.
fn paid() -> (Test, Watchdog) {
    let evidence = "effects = \"chain\"\n  [[phase.step.evidence]]\n  chain = { code = { of = \"thing\" } }\n";
    let (test, watchdog) = stub_on_chain(&step("pay", "echo paid >> paid", evidence));
    test.citadel("run --local").code(0);
    (test, watchdog)
}

#[test]
fn a_step_that_changed_a_chain_is_not_run_under_another_name() {
    let (test, _watchdog) = paid();
    test.edit("gate.json", "true", "false");
    test.citadel("run --local --new").code(10);
    assert_eq!(test.read("paid"), "paid\npaid\n");
    test.edit("gate.json", "false", "true");
    test.edit("runbook.toml", "id = \"pay\"", "id = \"pay-them\"");
    test.citadel("plan --local").code(0).says("stop step 1.pay").says("the runbook does not have it any more");
    let outcome = test.citadel("run --local").code(17).says("1.pay                  done           stop");
    outcome.says("the runbook has no step 1.pay any more").says("citadel run --new").never_says("COMPLETE");
    test.edit("runbook.toml", "id = \"pay-them\"", "id = \"pay\"");
    test.edit("runbook.toml", "id = \"1\"", "id = \"9\"");
    test.citadel("run --local").code(17).says("the runbook has no step 1.pay any more");
    assert_eq!(test.read("paid"), "paid\npaid\n", "under no other name");
    test.edit("runbook.toml", "id = \"9\"", "id = \"1\"");
    test.citadel("run --local").code(0).says("COMPLETE");
    assert_eq!(test.read("paid"), "paid\npaid\n");
}

#[test]
fn a_step_that_changed_a_chain_is_done_again_where_that_is_said() {
    let (test, _watchdog) = paid();
    let refused = test.citadel("run --local --step pay").code(17).says("1.pay is done (attempt 1)");
    refused.says("nothing was started").says("citadel run --network local --step 1.pay --again 1");
    test.citadel("plan --local --step pay").code(0).says("stop step 1.pay").says("`--again 1` says so");
    assert_eq!(test.read("paid"), "paid\n");
    test.citadel("plan --local --step pay --again 1").code(0).says("run 1.pay");
    test.citadel("run --local --step pay --again 1").code(0);
    assert_eq!(test.read("paid"), "paid\npaid\n");
    // As whoever was interrupted would say it once more.
    test.citadel("run --local --step pay --again 1").code(17).says("1.pay is done (attempt 2)").says("--again 2");
    assert_eq!(test.read("paid"), "paid\npaid\n");
    test.citadel("run --local --again 2").code(2).says("--step");
}

#[test]
fn a_step_by_hand_waits_for_a_person() {
    let manual = "[[phase.step]]\nid = \"call\"\ntitle = \"Call them\"\nmanual = \"Call the signers.\"\n";
    let test = stub(manual);
    test.citadel(RUN).code(20).says("Call the signers.").says("citadel decide 1.call --happened");
    test.citadel_with(&["decide", "1.call", "--happened", "--reason", "called", "--network", "test"]).code(0);
    test.citadel(RUN).code(0);
}
