//! Real processes: whatever a command does, its output is kept, its end is told, and nothing of it is left.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod step;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use citadel::process::{Command, Daemon, Ended, Stop, environment, is_alive, run, shims, signals, which};
use rustix::process::Signal;
use step::{FOREVER, Seen, Step, in_group, is_running, number, until};

async fn check(script: &str, expected: Ended) {
    assert_eq!(Step::sh(script).run().await.ended, expected, "{script}");
}

#[tokio::test]
async fn tells_how_it_ended() {
    check("exit 0", Ended::Exited(0)).await;
    check("exit 7", Ended::Exited(7)).await;
    check("kill -9 $$", Ended::Signalled(9)).await;
    check("no-such-program", Ended::Exited(127)).await;
}

#[tokio::test]
async fn keeps_both_streams_and_stdout_alone() {
    let mut step = Step::sh("echo one; echo two >&2; printf three");
    let outcome = step.run().await;
    assert_eq!(step.stdout(), b"one\nthree");
    assert_eq!(step.log().len(), 13);
    assert_eq!(outcome.bytes, 13);
    let mut lines = outcome.tail.clone();
    lines.sort();
    assert_eq!(lines, ["one", "three", "two"]);
    assert_eq!(step.seen.lines.last(), outcome.tail.last());
    assert_eq!((outcome.prompt, outcome.lost, outcome.left), (None, None, vec![]));
}

#[tokio::test]
async fn only_the_owner_can_read_the_log() {
    let mut step = Step::sh("echo hi");
    step.run().await;
    assert_eq!(fs::metadata(&step.command.log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_cannot_be_started_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "no program").unwrap();
    let text = folder.path().join("text").display().to_string();
    let check = async |argv: &[&str], change: &dyn Fn(&mut Command), expected: &str| {
        let mut step = Step::argv(argv).with(change);
        let outcome = step.run().await;
        assert_eq!(outcome.ended, Ended::NotStarted(expected.to_owned()));
        assert_eq!(step.seen.started, None);
    };
    let missing = folder.path().join("missing");
    check(&[], &|_| {}, "there is no program to start").await;
    check(&["no-such-program"], &|_| {}, "`no-such-program` is not on the PATH").await;
    check(&["sh"], &|command| drop(command.env.remove("PATH")), "`sh` is not on the PATH").await;
    check(&[&text], &|_| {}, &format!("`{text}` is not an executable file")).await;
    let expected = format!("the folder `{}` does not exist", missing.display());
    check(&["sh"], &|command| command.dir.clone_from(&missing), &expected).await;
    check(&["./x"], &|command| command.dir = "/".into(), "`./x` does not exist in `/`").await;
}

#[tokio::test]
async fn nothing_starts_after_a_stop() {
    let mut step = Step::sh("echo hi");
    step.stop.send_replace(Stop::Graceful(2));
    let outcome = step.run().await;
    assert!(matches!(outcome.ended, Ended::NotStarted(_)));
    assert_eq!(step.seen.started, None);
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_citadels_failure() {
    let mut step = Step::sh("echo hi").with(|command| command.log = "/no/such/folder/log".into());
    let answer = run(&step.command, &step.mask, step.stop.subscribe(), &mut step.seen).await;
    assert!(answer.unwrap_err().to_string().contains("cannot write `/no/such/folder/log`"));
    assert_eq!(step.seen.started, None);
}

#[tokio::test]
async fn a_full_disk_is_told_and_stops_nothing() {
    let mut step = Step::sh("echo hi; exit 3").with(|command| command.log = "/dev/full".into());
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(3));
    assert!(outcome.lost.unwrap().starts_with("the output could not be kept: No space left"));
    assert_eq!(step.stdout(), b"hi\n");
}

#[tokio::test]
async fn an_error_of_the_watcher_ends_the_command() {
    let mut step = Step::sh("sleep 1000 & sleep 1000");
    step.seen.refuse = true;
    let answer = run(&step.command, &step.mask, step.stop.subscribe(), &mut step.seen).await;
    assert_eq!(answer.unwrap_err().to_string(), "the journal is full");
    assert_eq!(in_group(step.seen.started.unwrap().group), [0; 0]);
}

#[tokio::test]
async fn the_environment_is_exactly_what_was_given() {
    let mut step = Step::argv(&["env"]).with(|command| {
        let path = command.env.remove("PATH").unwrap();
        command.env = BTreeMap::from([("PATH".to_owned(), path), ("GIVEN".to_owned(), "yes".to_owned())]);
    });
    step.run().await;
    let text = String::from_utf8(step.stdout()).unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["GIVEN", "PATH"]);
}

#[tokio::test]
async fn stdin_is_empty() {
    let mut step = Step::sh("cat; read answer || echo nobody");
    assert_eq!(step.run().await.ended, Ended::Exited(0));
    assert_eq!(step.stdout(), b"nobody\n");
}

#[tokio::test]
async fn leads_a_group_of_its_own() {
    let mut step = Step::sh("echo $$");
    step.run().await;
    let started = step.seen.started.clone().unwrap();
    assert_eq!(started.pid, number(&step.stdout()));
    assert_eq!(started.pid, started.group);
    assert!(started.start_time > 0);
}

#[tokio::test]
async fn too_long_is_timed_out() {
    let mut step = Step::sh("trap 'echo term; exit 0' TERM; while :; do sleep 0.05; done")
        .with(|command| command.timeout = Duration::from_millis(1500));
    assert_eq!(step.run().await.ended, Ended::TimedOut);
    assert_eq!(step.stdout(), b"term\n");
}

#[tokio::test]
async fn too_quiet_is_silent() {
    let mut step = Step::sh("echo hi; sleep 1000").with(|command| command.silence = Duration::from_millis(1500));
    assert_eq!(step.run().await.ended, Ended::Silent);
    assert_eq!(step.stdout(), b"hi\n");
}

#[tokio::test]
async fn endless_output_does_not_hold_up_the_clock() {
    let mut step = Step::sh("tr '\\0' x </dev/zero").with(|command| command.timeout = Duration::from_millis(200));
    assert_eq!(step.run().await.ended, Ended::TimedOut);
}

#[tokio::test]
async fn signals_of_citadel_become_stops() {
    let mut stop = signals::listen().unwrap();
    let me = rustix::process::getpid();
    assert_eq!(*stop.borrow_and_update(), Stop::No);
    for (signal, expected) in [(Signal::TERM, Stop::Graceful(15)), (Signal::INT, Stop::Now)] {
        rustix::process::kill_process(me, signal).unwrap();
        stop.changed().await.unwrap();
        assert_eq!(*stop.borrow_and_update(), expected);
    }
}

#[tokio::test]
async fn what_ignores_every_signal_is_killed() {
    let mut step = Step::sh("trap '' INT TERM HUP; echo ready; while :; do sleep 0.05; done")
        .with(|command| command.grace = Duration::from_millis(100))
        .stop_when_ready(Stop::Graceful(2));
    assert_eq!(step.run().await.ended, Ended::Interrupted);
    let mut step = Step::sh("trap '' TERM; while :; do sleep 0.05; done").with(|command| {
        command.grace = Duration::from_millis(100);
        command.timeout = Duration::from_millis(100);
    });
    assert_eq!(step.run().await.ended, Ended::TimedOut);
}

#[tokio::test]
async fn an_interrupt_is_forwarded_once() {
    let mut step =
        Step::sh("trap 'echo int' INT; echo ready; sleep 0.3; sleep 0.3; sleep 0.3").stop_when_ready(Stop::Graceful(2));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Interrupted);
    assert_eq!(step.stdout(), b"ready\nint\n");
}

#[tokio::test]
async fn the_group_is_waited_for_not_the_first_process() {
    let script = "trap 'exit 0' TERM; (trap 'sleep 0.3; echo cleaned; exit' TERM; echo ready; \
                  while :; do sleep 0.05; done) & wait";
    let mut step = Step::sh(script).stop_when_ready(Stop::Graceful(15));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Interrupted);
    assert_eq!(step.stdout(), b"ready\ncleaned\n");
}

#[tokio::test]
async fn a_background_job_that_ignores_interrupts_is_terminated() {
    // Background jobs of a script ignore INT from the start.
    let mut step = Step::sh("sleep 1000 & echo ready; exec sleep 1000")
        .with(|command| command.grace = Duration::from_millis(100))
        .stop_when_ready(Stop::Graceful(2));
    assert_eq!(step.run().await.ended, Ended::Interrupted);
}

#[tokio::test]
async fn a_hard_stop_waits_for_nothing() {
    let mut step = Step::sh("trap '' INT TERM; echo ready; while :; do sleep 0.05; done").stop_when_ready(Stop::Now);
    assert_eq!(step.run().await.ended, Ended::Interrupted);
}

#[tokio::test]
async fn a_hard_stop_cuts_the_grace_short() {
    let mut step = Step::sh("trap 'echo ready' INT; echo begun; while :; do sleep 0.05; done")
        .stop_when_ready(Stop::Now)
        .with(|command| command.drain = Duration::from_millis(100));
    let sender = step.stop.clone();
    let stdout = step.command.stdout.clone().unwrap();
    let first = async {
        until(|| fs::read(&stdout).is_ok_and(|bytes| !bytes.is_empty())).await;
        sender.send(Stop::Graceful(2)).unwrap();
    };
    let (outcome, ()) = tokio::join!(step.run(), first);
    assert_eq!(outcome.ended, Ended::Interrupted);
}

#[tokio::test]
async fn a_grandchild_that_holds_stdout_is_named_and_ended() {
    let mut step = Step::sh("sleep 1000 & echo $!").with(|command| command.drain = Duration::from_millis(100));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    assert_eq!(outcome.left, [format!("sleep 1000 (pid {})", number(&step.stdout()))]);
}

#[tokio::test]
async fn what_is_left_in_the_group_is_named_and_ended() {
    let mut step =
        Step::sh("sleep 1000 >/dev/null 2>&1 & echo $!").with(|command| command.drain = Duration::from_millis(100));
    let outcome = step.run().await;
    assert_eq!(outcome.left, [format!("sleep 1000 (pid {})", number(&step.stdout()))]);
}

#[tokio::test]
async fn a_stop_cuts_the_wait_for_what_is_left_short() {
    // What runs in the background of a shell ignores INT, so that it is the end of the grace that ends it.
    let mut step = Step::sh("(echo ready; exec sleep 1000) & exit 4")
        .with(|command| command.grace = Duration::from_millis(200))
        .stop_when_ready(Stop::Graceful(2));
    let outcome = step.run().await;
    // Which came first is a race; either way nothing waits for the drain.
    assert!(matches!(outcome.ended, Ended::Exited(4) | Ended::Interrupted));
}

#[tokio::test]
async fn work_that_ends_within_the_drain_counts() {
    let mut step = Step::sh("(sleep 0.2; echo late) & exit 0");
    let outcome = step.run().await;
    assert_eq!((outcome.ended, outcome.left), (Ended::Exited(0), vec![]));
    assert_eq!(step.stdout(), b"late\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_double_fork_into_another_session_is_found_by_its_pipe() {
    let mut step = Step::sh("(setsid sh -c 'echo $$; exec sleep 1000' &) & sleep 0.3")
        .with(|command| command.drain = Duration::from_millis(200));
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    let pid = number(&step.stdout());
    assert_eq!(outcome.left, [format!("sleep 1000 (pid {pid})")]);
    until(|| !is_running(pid)).await;
}

#[tokio::test]
async fn a_secret_argument_of_what_is_left_is_masked() {
    let mut step = Step::sh("sh -c 'sleep 1000; :' hunter22 & :")
        .secret("KEY", "hunter22")
        .with(|command| command.drain = Duration::from_millis(100));
    let left = step.run().await.left.join("\n");
    assert!(left.contains("[KEY]") && !left.contains("hunter22"), "{left}");
}

#[tokio::test]
async fn dropping_the_run_ends_the_group() {
    let mut step = Step::sh("trap '' TERM; sleep 1000 & echo ready; while :; do sleep 0.05; done");
    let ready = Arc::clone(&step.seen.ready);
    tokio::select! {
        _ = run(&step.command, &step.mask, step.stop.subscribe(), &mut step.seen) => unreachable!("it never ends"),
        () = ready.notified() => {}
    }
    let group = step.seen.started.unwrap().group;
    until(|| in_group(group).is_empty()).await;
}

#[tokio::test]
async fn a_question_at_the_end_is_noticed_whatever_the_exit() {
    let mut step = Step::sh("echo begin; printf 'Proceed with the transaction? [y/N] '");
    let outcome = step.run().await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    assert_eq!(outcome.prompt.as_deref(), Some("Proceed with the transaction? [y/N] "));
    let mut step = Step::sh("printf 'Password: ' >&2");
    assert_eq!(step.run().await.prompt.as_deref(), Some("Password: "));
    let mut step = Step::sh("echo 'Really?'; printf done");
    assert_eq!(step.run().await.prompt, None);
    let mut step = Step::sh(r"printf '\033[32m?\033[0m Network \033[2m(y/N)\033[0m '");
    assert_eq!(step.run().await.prompt.as_deref(), Some("? Network (y/N) "));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_they_are() {
    let mut step = Step::sh(r"printf 'a\000b\377c\n\033[31mred\033[0m\033]0;title\007\n'");
    let outcome = step.run().await;
    assert_eq!(step.log(), b"a\0b\xffc\n\x1b[31mred\x1b[0m\x1b]0;title\x07\n");
    assert_eq!(outcome.tail, ["a\u{fffd}b\u{fffd}c", "red"]);
}

#[tokio::test]
async fn much_output_on_both_streams_blocks_nothing() {
    let mut step = Step::sh("head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; echo; echo end >&2");
    let outcome = step.run().await;
    assert_eq!(outcome.bytes, 10_000_005);
    assert_eq!(step.log().len(), 10_000_005);
    assert_eq!(step.stdout().len(), 5_000_001);
    // An endless line keeps its ends only.
    assert!(outcome.tail.iter().all(|line| line.len() < 64 * 1024));
    assert_eq!(outcome.tail.len(), 2);
}

#[tokio::test]
async fn the_last_lines_are_told() {
    let mut step = Step::sh("i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done");
    let outcome = step.run().await;
    assert_eq!(outcome.tail.len(), 20);
    assert_eq!((outcome.tail[0].as_str(), outcome.tail[19].as_str()), ("line 31", "line 50"));
    assert_eq!(step.seen.lines.last().unwrap(), "line 50");
}

#[tokio::test]
async fn a_secret_in_pieces_is_masked_everywhere() {
    let script = "printf 'key hunt'; sleep 0.1; printf er22; sleep 0.1; echo .; echo hunter22 >&2; printf 'aHVudGVyMjI= hunter22?'";
    let mut step = Step::sh(script).secret("KEY", "hunter22");
    let outcome = step.run().await;
    assert_eq!(step.stdout(), b"key [KEY].\n[KEY]I= [KEY]?");
    assert!(!String::from_utf8(step.log()).unwrap().contains("hunter"));
    assert!(!step.seen.lines.concat().contains("hunter") && !outcome.tail.concat().contains("hunter"));
    assert_eq!(outcome.prompt.as_deref(), Some("[KEY]I= [KEY]?"));
}

#[tokio::test]
async fn pkill_and_killall_reach_the_own_group_only() {
    let mut step = Step::sh("");
    let folder = step.folder.path().to_owned();
    // A name that nothing else on this machine has.
    let nap = format!("nap{}", std::process::id());
    let sleep = which::which("sleep", &step.command.env["PATH"], &folder).unwrap();
    fs::copy(sleep, folder.join(&nap)).unwrap();
    shims::write(&folder.join("shims"), &step.command.env["PATH"]).unwrap();
    let first: Vec<PathBuf> = vec![folder.join("shims")];
    step.command.env = environment::base(&std::env::vars().collect(), &first);
    // Written a second time with the shims on the PATH already, they still find the real one.
    shims::write(&folder.join("shims"), &step.command.env["PATH"]).unwrap();
    shims::write(&folder.join("inner"), &step.command.env["PATH"]).unwrap();
    step.command.env = environment::base(&step.command.env, &[folder.join("inner")]);
    let program = folder.join(&nap).display().to_string();
    let argv = [program, "1000".to_owned()];
    let outside = Daemon::start(&argv, &folder, &step.command.env, &folder.join("nap.log")).unwrap().unwrap();
    for (line, expected) in [
        (format!("pkill -x {nap}"), "0 143"),
        (format!("pkill -9 {nap}"), "0 137"),
        (format!("killall {nap}"), "0 143"),
        (format!("killall -q -9 {nap}"), "0 137"),
        (format!("killall -s KILL {nap}"), "0 137"),
        (format!("pkill -g {} {nap}", outside.started().group), "2 137"),
        (format!("killall -u root {nap}"), "2 137"),
    ] {
        let script = format!(
            "./{nap} 1000 >/dev/null 2>&1 & {line}; status=$?; kill -9 $! 2>/dev/null; wait $!; echo $status $?"
        );
        step.command.argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
        step.seen = Seen::default();
        step.run().await;
        assert_eq!(String::from_utf8(step.stdout()).unwrap().trim(), expected, "{line}");
        assert!(is_alive(outside.started()), "`{line}` reached another group");
    }
    let pid = outside.started().pid;
    assert!(outside.end(FOREVER).await);
    assert!(!is_running(pid));
}

#[test]
fn the_words_of_the_journal() {
    let check = |ended: Ended, expected: &str| {
        assert_eq!(serde_json::to_string(&ended).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Ended>(expected).unwrap(), ended);
    };
    check(Ended::Exited(0), r#"{"exited":0}"#);
    check(Ended::Signalled(9), r#"{"signalled":9}"#);
    check(Ended::TimedOut, r#""timed_out""#);
    check(Ended::Silent, r#""silent""#);
    check(Ended::Interrupted, r#""interrupted""#);
    check(Ended::NotStarted("why".to_owned()), r#"{"not_started":"why"}"#);
}
