//! A run that goes on: what is told before anything happens, what is left of a citadel that was killed, and attempts
//! after attempts.

use std::os::unix::fs::PermissionsExt as _;

use citadel::event::Event;
use citadel::process::started;
use rustix::process::{Pid, Signal, kill_process_group};

use super::builder::Test;
use super::stub::{Pipe, step, stub};

const RUN: &str = "run --network test";

/// The part of what was told that explains the resumption.
fn table(stderr: &str) -> &str {
    let from = stderr.find("going on with run").expect("a table is told");
    let table = &stderr[from..];
    &table[..table.find("\n\nPhase").unwrap_or(table.len())]
}

#[test]
fn nothing_is_started_beside_what_a_killed_citadel_left_running() {
    let line = "test -e second && exit 0; touch second; echo $$ > ready; sleep 600 & wait";
    let test = stub(&step("wait", line, ""));
    let ready = Pipe::new(&test.path("ready"));
    let running = test.start(RUN);
    let pid: u32 = ready.wait().parse().unwrap();
    running.signal(Signal::KILL);
    running.finish().code(-1);
    let group = Group(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap());
    assert!(started(pid).is_some());

    let refused = test.citadel(RUN).code(16).says("a citadel that died left a step running; nothing was started");
    refused.says(&format!("step 1.wait: pid {pid} `")).says(&format!("`kill -TERM -- -{pid}`"));
    let new = test.citadel("run --network test --new").code(16).says("a citadel that died left a step running");
    new.says(&format!("step 1.wait: pid {pid} `"));
    assert_eq!(test.runs("stub", "test").len(), 1, "no run was opened beside it");
    let decide = ["decide", "wait", "--did-not-happen", "--reason", "none is seen", "--network", "test"];
    test.citadel_with(&decide).code(16).says("a citadel that died left a step running");
    assert_eq!(test.journal("stub", "test").iter().filter(|entry| is_start(&entry.event)).count(), 1);

    drop(group);
    let told = test.citadel(RUN).code(0).says("COMPLETE").stderr;
    assert!(
        table(&told).contains("1.wait                 not known      run       its outcome is not known"),
        "{told}"
    );
}

/// A step's processes, which do not outlive the test.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

fn is_start(event: &Event) -> bool {
    matches!(event, Event::StepStarted(_))
}

#[test]
fn a_resumption_tells_what_changed_and_what_will_happen() {
    let evidence = "  [[phase.step.evidence]]\n  file = \"in.json\"\n  written = false\n";
    let test = stub(&(step("first", "true", "") + &step("second", "test -e there", evidence)));
    let tool = "[[tool]]\nname = \"wrench\"\nversion_file = \"wrench.version\"\n\n[network.test]";
    test.edit("runbook.toml", "[network.test]", tool);
    test.write("wrench.version", "1");
    wrench(&test, "1.2");
    test.write("in.json", "{}");
    test.sh("git init -q . && git add marker && git -c user.name=a -c user.email=a@b.c commit -qm one");
    let path = format!("{}:{}", test.here().display(), test.env()["PATH"]);
    let test = test.set("PATH", &path);
    test.citadel(RUN).code(13);
    let told = test.citadel(RUN).code(13).stderr;
    assert!(!table(&told).contains("changed since"), "{told}");

    test.write("in.json", "{ \"more\": 1 }");
    wrench(&test, "1.3");
    test.edit("runbook.toml", "test -e there", "test -e here");
    test.sh("git add in.json && git -c user.name=a -c user.email=a@b.c commit -qm two");
    let told = test.citadel(RUN).code(13).stderr;
    let table = table(&told);
    let says = |text: &str| assert!(table.contains(text), "no `{text}` in\n{table}");
    says("1.first                done           skip      done by attempt 1");
    says("1.second               failed         run       attempt 2 failed");
    says("changed since: `in.json`");
    says("changed since: wrench 1.2 → 1.3");
    says("changed since: workspace commit ");
    says("\"test -e there\" → \"test -e here\"");
}

fn wrench(test: &Test, version: &str) {
    let path = test.write("wrench", format!("#!/bin/sh\necho wrench v{version}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_declared_retry_passes_and_is_told_as_one() {
    let retry = "retry = { max = 2, backoff = \"1s\" }";
    let test = stub(&step("flaky", "echo try >> tries; test $(wc -l < tries) -ge 3", retry));
    let outcome = test.citadel(RUN).code(0).says("retry 1 of 2 of 1.flaky in 1.0 s");
    outcome.says("retry 2 of 2 of 1.flaky in 2.0 s").says("(attempt 3)").says("done by attempt 3");
    test.citadel("report --network test").code(0).says("`1.flaky` failed (attempt 2): exited with 1. A later attempt");
}

#[test]
fn retries_come_to_an_end() {
    let test = stub(&step("broken", "echo try >> tries; exit 1", "retry = { max = 1, backoff = \"1s\" }"));
    test.citadel(RUN).code(13);
    assert_eq!(test.read("tries"), "try\ntry\n");
}

#[test]
fn nothing_is_retried_that_was_not_declared() {
    let test = stub(&step("broken", "echo try >> tries; exit 1", ""));
    test.citadel(RUN).code(13);
    assert_eq!(test.read("tries"), "try\n");
}

/// What was opened while the clock was a day ahead never is the latest again, once it was given up.
#[test]
fn a_run_of_a_clock_that_was_ahead_does_not_hide_a_later_one() {
    let test = stub(&(step("send", "echo sent >> sent", "") + &step("stuck", "test -e there", "")));
    test.citadel(RUN).code(13);
    let run = test.runs("stub", "test").pop().unwrap();
    std::fs::rename(&run, run.with_file_name("2126-01-01T00-00-00Z")).unwrap();
    test.citadel("run --network test --new").code(13);
    assert_eq!(test.read("sent"), "sent\nsent\n");
    test.citadel(RUN).code(13).says("going on with run 2126-01-01T00-00-01Z");
    assert_eq!(test.read("sent"), "sent\nsent\n", "the same command continues");
    assert_eq!(test.runs("stub", "test").len(), 2);
}

/// Older citadels named the run after the clock alone.
#[test]
fn an_open_run_is_the_latest_whatever_its_name() {
    let test = stub(&(step("send", "echo sent >> sent", "") + &step("stuck", "test -e there", "")));
    test.citadel(RUN).code(13);
    let first = test.runs("stub", "test").pop().unwrap();
    test.citadel("run --network test --new").code(13);
    std::fs::rename(&first, first.with_file_name("2126-01-01T00-00-00Z")).unwrap();
    test.citadel("status --network test").code(0).says("`1.stuck`");
    test.citadel(RUN).code(13).says("going on with run");
    assert_eq!(test.read("sent"), "sent\nsent\n", "the same command continues");
}
