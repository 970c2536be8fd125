//! Ctrl-Z, with real signals: the step stops and goes on with citadel, and no limit counts the time between.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::alone;
use crate::citadel_process::{said, start};
use crate::step::{fields, number, until};

/// Every limit of the step. It works for a fraction of this, and is suspended for longer.
const LIMIT: Duration = Duration::from_secs(6);
const SUSPENDED: Duration = Duration::from_secs(7);

/// Suspends citadel when the script has written `pid`, lets it go on later than any limit, then writes `go`.
async fn suspend(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let citadel = start(script, folder.path(), LIMIT);
    until(|| fs::read(file("pid")).is_ok_and(|pid| !pid.is_empty())).await;
    let (pid, step) = (citadel.id().unwrap(), number(&fs::read(file("pid")).unwrap()));
    let is = |pid: u32, state: &str| fields(pid).is_some_and(|fields| fields[0] == state);
    // A shell whose child was stopped before its exec waits for that, and stops afterwards.
    let rests = |pid: u32| is(pid, "T") || is(pid, "D");
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::TSTP).unwrap();
    until(|| is(pid, "T") && rests(step)).await;
    // What is tested is that this time passes without effect.
    tokio::time::sleep(SUSPENDED).await;
    assert!(is(pid, "T") && rests(step));
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::CONT).unwrap();
    until(|| !rests(step)).await;
    fs::write(file("go"), "").unwrap();
    said(citadel).await
}

#[tokio::test]
async fn timeout_and_silence_stand_still() {
    let _alone = alone().await;
    let said = suspend("echo $$ >pid; until [ -e go ]; do sleep 0.05; done; exit 3").await;
    assert!(said.contains("ended Exited(3) left [] bytes 0"), "{said}");
}

#[tokio::test]
async fn the_drain_stands_still_and_escapees_are_suspended_too() {
    let _alone = alone().await;
    let waits = "echo $$ >pid; until [ -e go ]; do sleep 0.05; done; echo late";
    let said = suspend(&format!("setsid sh -c '{waits}' & until [ -s pid ]; do sleep 0.05; done; exit 4")).await;
    assert!(said.contains("ended Exited(4) left [] bytes 5"), "{said}");
}
