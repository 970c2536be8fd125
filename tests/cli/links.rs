//! What a step can put where its evidence belongs: links, pipes, devices, endless files.

use std::fs;

use super::stub::{step, stub};

const FILE: &str = "  [[phase.step.evidence]]\n  file = \"out/made.json\"\n  keep = \"made.json\"\n";

#[track_caller]
fn check(script: &str, says: &str) {
    let test = stub(&step("make", &format!("mkdir -p out outside; echo old > outside/made.json; {script}"), FILE));
    test.write("before.json", "from before");
    let outcome = test.citadel("run --network test --yes");
    if says.is_empty() {
        outcome.code(0);
        return;
    }
    outcome.code(13).says(says);
    let kept = fs::read_dir(test.runs("stub", "test")[0].join("artefacts")).unwrap();
    let names: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn evidence_is_a_file_of_this_attempt_alone() {
    check("echo new > out/made.json", "");
    check("ln -s ../outside/made.json out/made.json", "is a symbolic link, not a regular file");
    check("ln -s /etc/passwd out/made.json", "is a symbolic link, not a regular file");
    check("rmdir out; ln -s outside out", "`out` is a link or no folder, and citadel follows no links");
    check("ln before.json out/made.json", "it has 2 names (hard links)");
    check("mkfifo out/made.json", "is a pipe, not a regular file");
    check("truncate -s 10G out/made.json", "has 10737418240 bytes, more than 67108864");
    check("mkdir out/made.json", "is a folder, not a regular file");
    check("true", "is not there");
}

#[test]
fn a_file_behind_a_planted_folder_link_is_not_moved_aside() {
    let later = step("make", "echo new > out/made.json", FILE);
    let test = stub(&(step("plant", "mkdir theirs; echo precious > theirs/made.json; ln -s theirs out", "") + &later));
    test.citadel("run --network test --yes").code(15).says("citadel follows no links").says("remove it");
    assert_eq!(test.read("theirs/made.json").trim(), "precious");
}

#[test]
fn a_file_that_is_only_read_may_have_more_names() {
    let evidence = "  [[phase.step.evidence]]\n  file = \"installed.json\"\n  written = false\n";
    let test = stub(&step("look", "true", evidence));
    let file = test.write("store.json", "{}");
    fs::hard_link(file, test.path("installed.json")).unwrap();
    test.citadel("run --network test --yes").code(0);
}
