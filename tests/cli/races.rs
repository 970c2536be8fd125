//! What a command that records something saw before it had the lock, and what another citadel recorded in between: what
//! stands under the lock counts.

use std::os::fd::OwnedFd;

use citadel::event::{Event, StepEnded, StepStarted};
use citadel::journal::{Home, Journal};
use citadel::secrets::Mask;
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};

use super::builder::{Outcome, Test};
use super::stub::{step, stub};

/// Runs citadel with `args`; once it has read the run's journal, and before it can have the lock, `between` happens.
fn overtaken(test: &Test, args: &[&str], between: impl FnOnce(&mut Journal)) -> Outcome {
    let home = Home::new(&test.state(), "stub", "test");
    let journal = test.runs("stub", "test").pop().unwrap().join("journal.jsonl");
    // The lock is a pipe for once: who opens it to write waits until somebody opens it to read.
    std::fs::remove_file(home.lock()).unwrap();
    mknodat(CWD, home.lock(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let watch = inotify::init(CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, &journal, WatchFlags::CLOSE_NOWRITE).unwrap();
    let running = test.start_with(args);
    closed(&watch);
    between(&mut Journal::open(&journal, &Mask::none()).unwrap().0);
    let reader = open(home.lock(), OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let outcome = running.finish();
    drop(reader);
    std::fs::remove_file(home.lock()).unwrap();
    std::fs::write(home.lock(), "").unwrap();
    outcome
}

/// Waits until the file has been read.
fn closed(watch: &OwnedFd) {
    let patience = Timespec { tv_sec: 120, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(watch, PollFlags::IN)], Some(&patience)).unwrap(), 1, "the journal is read");
}

fn append(journal: &mut Journal, event: Event) {
    journal.append(event, Timestamp::now()).unwrap();
}

fn handed_over(journal: &mut Journal) {
    append(journal, Event::HandedOver { by: "tester".into(), to: "bob".into(), nonce: "0123".into() });
}

/// A second attempt at the step that is done.
fn done(journal: &mut Journal, started: StepStarted) {
    let step = started.step.clone();
    append(journal, Event::StepStarted(StepStarted { attempt: 2, ..started }));
    append(journal, Event::StepEnded(StepEnded::done(step, 2)));
}

#[test]
fn what_is_done_by_now_is_not_decided() {
    let test = stub(&step("pay", "exit 1", ""));
    test.citadel("run --network test").code(13);
    let started = test.journal("stub", "test").into_iter().find_map(|entry| match entry.event {
        Event::StepStarted(started) => Some(started),
        _ => None,
    });
    let decide = ["decide", "1.pay", "--did-not-happen", "--reason", "not there", "--network", "test"];
    let outcome = overtaken(&test, &decide, |journal| done(journal, started.unwrap()));
    outcome.code(2).says("nothing is to be decided about 1.pay: it is known how it came out");
    let decided = |event: &Event| matches!(event, Event::StepDecided { .. });
    assert!(!test.journal("stub", "test").iter().any(|entry| decided(&entry.event)));
}

#[test]
fn nothing_is_recorded_after_a_handover() {
    let test = stub("[[phase.step]]\nid = \"ask\"\ntitle = \"Ask\"\nmanual = \"ask the owner\"\n");
    test.citadel("run --network test").code(20);
    let complete = ["step", "complete", "1.ask", "--network", "test", "--evidence", "she agreed"];
    overtaken(&test, &complete, handed_over).code(16).says("was handed over to bob");
    let last = |test: &Test| test.journal("stub", "test").pop().unwrap().event;
    assert!(matches!(last(&test), Event::HandedOver { .. }));
}

#[test]
fn a_run_that_was_closed_is_not_handed_over() {
    let test = stub(&step("pay", "exit 1", ""));
    test.citadel("run --network test").code(13);
    let closed = |journal: &mut Journal| {
        append(journal, Event::RunClosed { by: "tester".into(), reason: "given up".into() });
    };
    overtaken(&test, &["handover", "--to", "bob", "--network", "test"], closed).code(15).says("no run is open on test");
}

#[test]
fn the_end_of_a_suspension_is_told_where_the_run_still_is() {
    let test = stub(&step("pay", "exit 1", ""));
    let contingency = "\n[[contingency]]\nid = \"call\"\ntitle = \"Call\"\nwhen = \"always\"\n\
                       [[contingency.step]]\nid = \"phone\"\ntitle = \"Call\"\nmanual = \"call them\"\n";
    test.write("runbook.toml", test.read("runbook.toml") + contingency);
    test.citadel("run --network test").code(13);
    test.citadel("contingency run call --network test --once").code(12);
    let close = ["contingency", "close", "call", "--reason", "a drill", "--network", "test"];
    overtaken(&test, &close, handed_over).code(0);
    assert!(matches!(test.journal("stub", "test").pop().unwrap().event, Event::HandedOver { .. }));
}
