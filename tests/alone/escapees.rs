//! Whoever leaves the process group of a step, or will not end: found, named, ended.

use std::fs;
use std::time::Duration;

use citadel::process::{Daemon, Ended, Stop, is_alive};

use crate::alone;
use crate::step::{FOREVER, Step, is_running, number, until};

/// Runs a script that leaves a process behind which writes its pid into the file `pid`; gives what was left, and the pid.
async fn leaves(script: &str) -> (Vec<String>, u32) {
    let waits = format!("{script}\nuntil [ -s pid ]; do sleep 0.01; done");
    let mut step = Step::sh(&waits).with(|command| command.drain = Duration::from_millis(100));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(0), "{script}");
    let pid = number(&fs::read(step.folder.path().join("pid")).unwrap());
    assert!(!is_running(pid), "{script} left {pid}");
    (outcome.left, pid)
}

async fn check(script: &str) {
    let _alone = alone().await;
    let (left, pid) = leaves(script).await;
    assert_eq!(left, [format!("sleep 1000 (pid {pid})")], "{script}");
}

#[tokio::test]
async fn a_session_of_its_own() {
    check("setsid sh -c 'echo $$ >pid; exec sleep 1000' >/dev/null 2>&1 &").await;
}

#[tokio::test]
async fn a_session_of_its_own_that_holds_the_pipe() {
    check("setsid sh -c 'echo $$ >pid; exec sleep 1000' &").await;
}

#[tokio::test]
async fn a_daemon_forked_twice() {
    check("(setsid sh -c '(echo $$ >/dev/null; sh -c \"echo \\$\\$ >pid; exec sleep 1000\") & ' >/dev/null 2>&1 &)")
        .await;
}

#[tokio::test]
async fn a_daemon_forked_twice_that_holds_the_pipe() {
    check("(setsid sh -c 'sh -c \"echo \\$\\$ >pid; exec sleep 1000\" & ' &)").await;
}

#[tokio::test]
async fn a_daemon_without_environment_folder_or_files() {
    check("setsid sh -c 'env -i sh -c \"echo \\$\\$ >pid; cd /; exec sleep 1000\" & ' </dev/null >/dev/null 2>&1")
        .await;
}

#[tokio::test]
async fn escapees_get_the_signal_once_and_may_clean_up() {
    let _alone = alone().await;
    // What a script starts in the background ignores INT, whatever it does about it.
    let escapee = "trap 'echo term >>told; sleep 0.3; echo cleaned >>told; exit' TERM; echo ready; \
                   while :; do sleep 0.05; done";
    let script = format!("setsid sh -c \"{escapee}\" & trap 'exit 3' TERM; while :; do sleep 0.05; done");
    let mut step = Step::sh(&script).stop_when_ready(Stop::Graceful(15));
    let outcome = step.run().await;
    assert_eq!((outcome.ended, outcome.left), (Ended::Interrupted, vec![]));
    assert_eq!(fs::read_to_string(step.folder.path().join("told")).unwrap(), "term\ncleaned\n");
}

#[tokio::test]
async fn an_escapee_that_ignores_every_signal_is_killed_and_named() {
    let _alone = alone().await;
    let script = "setsid sh -c \"trap '' INT TERM HUP; echo \\$\\$ >pid; echo ready; exec sleep 1000\" & wait";
    let mut step =
        Step::sh(script).with(|command| command.grace = Duration::from_millis(100)).stop_when_ready(Stop::Graceful(2));
    let outcome = step.run().await;
    let pid = number(&fs::read(step.folder.path().join("pid")).unwrap());
    assert_eq!((outcome.ended, outcome.left), (Ended::Interrupted, vec![format!("sleep 1000 (pid {pid})")]));
    assert!(!is_running(pid));
}

#[tokio::test]
async fn a_process_that_stopped_itself_still_gets_its_signal() {
    let _alone = alone().await;
    let script = "trap 'echo term; exit' TERM; kill -STOP $$; while :; do sleep 0.05; done";
    let mut step = Step::sh(script).with(|command| command.timeout = Duration::from_millis(1500));
    assert_eq!(step.run().await.ended, Ended::TimedOut);
    assert_eq!(step.stdout(), b"term\n");
}

#[tokio::test]
async fn a_reader_that_stops_reading_blocks_nobody_for_ever() {
    let _alone = alone().await;
    let mut step = Step::sh("yes | (read line; echo $line; exec sleep 1000)")
        .with(|command| command.silence = Duration::from_millis(1500));
    assert_eq!(step.run().await.ended, Ended::Silent);
    assert_eq!(step.stdout(), b"y\n");
}

#[tokio::test]
async fn adopted_orphans_do_not_stay_as_zombies() {
    let _alone = alone().await;
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do (setsid sleep 0.2 >/dev/null 2>&1 &); done; sleep 0.5";
    assert_eq!(Step::sh(script).run().await.ended, Ended::Exited(0));
    assert_eq!(zombies(), [0; 0]);
}

#[tokio::test]
async fn what_works_beside_the_step_is_left_alone() {
    let _alone = alone().await;
    let first = Step::sh("");
    let argv = ["sh", "-c", "sleep 1000 & wait"].map(str::to_owned);
    let folder = first.folder.path();
    let beside = Daemon::start(&argv, folder, &first.command.env, &folder.join("daemon.log")).unwrap().unwrap();
    let (left, pid) = leaves("(setsid sh -c 'echo $$ >pid; exec sleep 1000' >/dev/null 2>&1 &)").await;
    assert_eq!(left, [format!("sleep 1000 (pid {pid})")]);
    assert!(is_alive(beside.started()));
    assert!(beside.end(FOREVER).await);
}

#[tokio::test]
async fn dropping_the_run_ends_escapees_too() {
    let _alone = alone().await;
    let mut step = Step::sh("setsid sh -c 'echo $$ >pid; echo ready; exec sleep 1000' & wait");
    let ready = std::sync::Arc::clone(&step.seen.ready);
    tokio::select! {
        _ = citadel::process::run(&step.command, &step.mask, step.stop.subscribe(), &mut step.seen) => unreachable!(),
        () = ready.notified() => {}
    }
    let pid = number(&fs::read(step.folder.path().join("pid")).unwrap());
    until(|| !is_running(pid)).await;
}

/// Dead children of this process that nobody asked for their status.
fn zombies() -> Vec<u32> {
    let me = std::process::id().to_string();
    let names = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let fields = |pid: u32| crate::step::fields(pid).unwrap_or_else(|| vec![String::new(); 2]);
    names.filter(|&pid| fields(pid)[0] == "Z" && fields(pid)[1] == me).collect()
}
