//! `isolation = "pid"`: nothing outside is reached, signals arrive inside, nothing is left.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use citadel::process::{Daemon, Ended, Stop, is_alive};

use crate::alone;
use crate::step::{FOREVER, Step, is_running};

fn path() -> String {
    std::env::var("PATH").unwrap()
}

fn isolated(script: &str) -> Step {
    Step::sh(script).with(|command| command.isolation = Some(path()))
}

/// Says so where the kernel gives no namespaces to anyone: there is nothing to test then.
async fn is_possible() -> bool {
    let ended = isolated("true").run().await.ended;
    if let Ended::NotStarted(why) = &ended {
        println!("not tested: {why}");
        return false;
    }
    assert_eq!(ended, Ended::Exited(0));
    true
}

#[tokio::test]
async fn the_exit_code_and_the_output_come_through() {
    let _alone = alone().await;
    if !is_possible().await {
        return;
    }
    let mut step = isolated("echo out; echo err >&2; echo $$ $PPID; ls -d /proc/[0-9]* | wc -l; exit 7");
    let outcome = step.run().await;
    assert_eq!((outcome.ended, outcome.left), (Ended::Exited(7), vec![]));
    let out = String::from_utf8(step.stdout()).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines[0], lines[1]), ("out", "2 1"));
    assert!(lines[2].trim().parse::<u32>().unwrap() <= 5, "{out}");
    assert!(String::from_utf8(step.log()).unwrap().contains("err\n"));
    assert_eq!(isolated("kill -9 $$").run().await.ended, Ended::Exited(137));
}

#[tokio::test]
async fn no_pattern_reaches_anything_outside() {
    let _alone = alone().await;
    if !is_possible().await {
        return;
    }
    let first = Step::sh("");
    let folder = first.folder.path();
    let argv = ["sleep", "1000"].map(str::to_owned);
    let outside = Daemon::start(&argv, folder, &first.command.env, &folder.join("daemon.log")).unwrap().unwrap();
    for (line, expected) in [
        ("kill -9 -1; echo alive", Ended::Exited(0)),
        ("sleep 1000 & pkill -9 -f . ; echo alive", Ended::Exited(137)),
        ("sleep 1000 & pkill -9 sleep; wait; echo alive", Ended::Exited(0)),
        ("killall -9 sleep; kill -9 1; echo alive", Ended::Exited(0)),
    ] {
        let mut step = isolated(line);
        assert_eq!(step.run().await.ended, expected, "{line}");
        assert!(is_alive(outside.started()), "`{line}` reached a process outside");
        assert_eq!(step.stdout() == b"alive\n", expected == Ended::Exited(0), "{line}");
    }
    let number = outside.started().pid;
    let mut step = isolated(&format!("kill -9 {number}; echo $?"));
    step.run().await;
    assert_eq!(step.stdout(), b"1\n");
    assert!(outside.end(FOREVER).await);
}

#[tokio::test]
async fn signals_arrive_inside_once() {
    let _alone = alone().await;
    if !is_possible().await {
        return;
    }
    let script = "trap 'echo int' INT; trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut step =
        isolated(script).with(|command| command.grace = Duration::from_millis(500)).stop_when_ready(Stop::Graceful(2));
    assert_eq!(step.run().await.ended, Ended::Interrupted);
    assert_eq!(step.stdout(), b"ready\nint\nterm\n");
    let script = "trap 'echo hup; exit 5' HUP; echo ready; while :; do sleep 0.05; done";
    let mut step = isolated(script).stop_when_ready(Stop::Graceful(1));
    assert_eq!(step.run().await.ended, Ended::Interrupted);
    assert_eq!(step.stdout(), b"ready\nhup\n");
    let script = "trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    // Long enough for the namespace and the shell in it to be there on a busy machine.
    let mut step = isolated(script).with(|command| command.timeout = Duration::from_secs(4));
    assert_eq!(step.run().await.ended, Ended::TimedOut);
    assert_eq!(step.stdout(), b"ready\nterm\n");
}

#[tokio::test]
async fn what_ignores_every_signal_is_killed() {
    let _alone = alone().await;
    if !is_possible().await {
        return;
    }
    let mut step = isolated("trap '' INT TERM; echo ready; while :; do sleep 0.05; done")
        .with(|command| command.grace = Duration::from_millis(100))
        .stop_when_ready(Stop::Graceful(2));
    assert_eq!(step.run().await.ended, Ended::Interrupted);
    let mut step = isolated("trap '' INT TERM; echo ready; while :; do sleep 0.05; done").stop_when_ready(Stop::Now);
    assert_eq!(step.run().await.ended, Ended::Interrupted);
}

#[tokio::test]
async fn what_is_left_is_named_and_ended_and_late_work_counts() {
    let _alone = alone().await;
    if !is_possible().await {
        return;
    }
    let mut step = isolated("(sleep 0.3; echo late) & exit 4");
    let outcome = step.run().await;
    assert_eq!((outcome.ended, outcome.left), (Ended::Exited(4), vec![]));
    assert_eq!(step.stdout(), b"late\n");
    let script = "(setsid sh -c 'sleep 1001 & ' >/dev/null 2>&1 &); sleep 1001 & sleep 0.2; exit 6";
    let mut step = isolated(script).with(|command| command.drain = Duration::from_millis(200));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(6));
    assert_eq!(outcome.left.len(), 2, "{:?}", outcome.left);
    for left in outcome.left {
        let pid = left.strip_prefix("sleep 1001 (pid ").and_then(|left| left.strip_suffix(')')).unwrap();
        assert!(!is_running(pid.parse().unwrap()));
    }
}

#[tokio::test]
async fn without_a_namespace_nothing_starts_and_the_reason_is_told() {
    let _alone = alone().await;
    let check = async |path: &str, expected: &str| {
        let mut step = Step::sh("echo hi").with(|command| command.isolation = Some(path.to_owned()));
        let outcome = step.run().await;
        assert_eq!(outcome.ended, Ended::NotStarted(expected.to_owned()));
        assert_eq!(step.seen.started, None);
    };
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}:{}", folder.path().display(), path());
    let fake = folder.path().join("unshare");
    let refuses = "#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n";
    fs::write(&fake, refuses).unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let expected = "this machine gives it no PID namespace, which `isolation = \"pid\"` asks for: unshare: unshare \
                    failed: Operation not permitted";
    check(&path, expected).await;
    check("/no/such/folder", "there is no `unshare` on this machine, which `isolation = \"pid\"` needs").await;
}
