//! The state folder closed to what citadel starts: real steps that try, on a kernel that has Landlock.

use std::path::Path;

use citadel::event::{Event, Guards};
use citadel::process::Fence;

use super::builder::Test;
use super::stub::{phase, step, stub_in};

/// Tries everything that changes a folder, says what was possible, and tells whether ordinary work is.
const TRY: &str = r#"
run=$(dirname "${PATH%%:*}"); state=$(dirname "$(dirname "$(dirname "$run")")"); here=$PWD; echo mine > evil
try() { if ( eval "$1" ) >/dev/null 2>&1; then echo "POSSIBLE: $1"; fi; }
try 'echo x >> "$run/journal.jsonl"'
try ': > "$run/journal.jsonl"'
try 'truncate -s 0 "$run/journal.jsonl"'
try 'dd if=/dev/zero of="$run/journal.jsonl" count=1 conv=notrunc'
try 'mv "$run/journal.jsonl" "$run/other"'
try 'mv "$run/journal.jsonl" "$here/stolen"'
try 'mv -f evil "$run/journal.jsonl"'
try 'cp evil "$run/artefacts/evil"'
try 'ln "$run/journal.jsonl" "$here/second-name"'
try 'ln evil "$run/artefacts/evil"'
try 'ln -s "$here/evil" "$run/artefacts/evil"'
try 'mkdir "$run/sign-offs/mine"'
try 'mkfifo "$run/pipe"'
try 'rm -f "$run/journal.jsonl"; ! test -e "$run/journal.jsonl"'
try 'rmdir "$run/openings"'
try 'mv "$state" "$state.moved"'
try 'mv "$run" "$here/run"'
try 'echo x > "$state/lock"'
for fd in /proc/$PPID/fd/*; do try "echo x >> $fd"; done
# Whoever is root reads what they like.
[ "$(id -u)" = 0 ] || try 'grep -q . /proc/$PPID/environ'
test -s "$run/journal.jsonl" && echo readable
echo fine > work && mkdir -p deep/er && mv work deep/er && ln deep/er/work again && rm again && echo fine > "${TMPDIR:-/tmp}/citadel-fence.$$" \
  && rm "${TMPDIR:-/tmp}/citadel-fence.$$" && echo x > /dev/null && echo working
"#;

/// The log of `step`'s first attempt.
fn log(run: &Path, step: &str) -> String {
    std::fs::read_to_string(run.join(format!("logs/{step}.1.log"))).unwrap()
}

/// How the run's first record says it stood; `None` where this machine has nothing to test.
fn guards(test: &Test) -> Option<Guards> {
    let Event::RunOpened(opened) = test.journal("stub", "test").remove(0).event else { panic!("it opens the run") };
    is_closed(opened.guards.fence.as_ref()).then_some(opened.guards)
}

/// Set where the machine is known to have what closes the state folder: a test that has nothing to test fails then.
const DEMANDED: &str = "CITADEL_TESTS_NEED_FENCE";

/// Whether steps were kept out of the state folder, with which a test goes on; where there is nothing to test it says so.
#[expect(clippy::print_stderr, reason = "a test that has nothing to test says so")]
pub(crate) fn is_closed(fence: Option<&Fence>) -> bool {
    match fence {
        Some(Fence::Closed) => true,
        Some(Fence::Open(why)) if why.contains("no Landlock") || cfg!(not(target_os = "linux")) => {
            assert!(std::env::var_os(DEMANDED).is_none(), "{DEMANDED} is set, and the state folder is open: {why}");
            eprintln!("NOT TESTED: nothing keeps steps out of the state folder here: {why}");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn kept_out(log: &str) {
    let possible: Vec<&str> = log.lines().filter(|line| line.starts_with("POSSIBLE")).collect();
    assert!(possible.is_empty(), "{possible:#?}");
    assert!(log.contains("readable") && log.contains("working"), "{log}");
}

#[test]
fn no_step_changes_anything_in_the_state_folder() {
    let test = stub_in(Test::apart(), &phase("1", &(step("try", TRY, "") + &step("after", "echo goes on", ""))));
    let outcome = test.citadel("run --network test").code(0);
    let Some(guards) = guards(&test) else { return };
    kept_out(&log(&test.runs("stub", "test")[0], "1.try"));
    outcome.says("1.after").never_says("not isolated");
    test.citadel("plan --network test --new").code(0).never_says("not isolated");
    let report = test.read("reports/test/citadel-report.md");
    assert!(report.contains("| State folder | closed to steps |"), "{report}");
    let git = &guards.programs["git"];
    assert!(report.contains(&git.path) && report.contains(&git.sha256), "{report}");
}

#[test]
fn a_step_in_a_pid_namespace_and_a_contingency_are_kept_out_too() {
    let contingency = format!(
        "[[contingency]]\nid = \"call\"\ntitle = \"Call\"\nwhen = \"it burns\"\n{}",
        step("try", TRY, "").replace("[[phase.step]]", "[[contingency.step]]")
    );
    let isolated = step("try", &TRY.replace("$PPID", "1"), "isolation = \"pid\"");
    let test = stub_in(Test::apart(), &(phase("1", &isolated) + &contingency));
    let outcome = test.citadel("run --network test");
    if guards(&test).is_none() {
        return;
    }
    let run = test.runs("stub", "test").pop().unwrap();
    // Where the machine has no namespaces there is nothing to test.
    if !outcome.flat().contains("gives it no PID namespace") {
        assert_eq!(outcome.code, 0, "{}", outcome.flat());
        kept_out(&log(&run, "1.try"));
    }
    test.citadel("contingency run call --network test --once").says("try");
    let contingencies = run.parent().unwrap().join("contingencies");
    let one = std::fs::read_dir(&contingencies).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    kept_out(&log(&one.unwrap(), "call.try"));
}

#[test]
fn below_the_home_folder_tools_keep_their_places() {
    let line = "touch \"$HOME/.npm/it\" \"$HOME/.cache/it\" \"$HOME/.config/it\" \"$HOME/.local/share/it\" \"$HOME/project/it\"; \
                touch \"$HOME/new\" || echo refused; echo x > \"$HOME/.npmrc\"";
    let test = stub_in(Test::apart(), &phase("1", &step("work", line, ""))).default_state().unset("XDG_STATE_HOME");
    let home = test.root().join("home");
    std::fs::create_dir_all(home.join("project")).unwrap();
    std::fs::write(home.join(".npmrc"), "").unwrap();
    let test = test.set("HOME", &home.display().to_string());
    test.citadel("run --network test").code(0);
    let runs = citadel::journal::Home::new(&home.join(".local/state/citadel"), "stub", "test");
    let run = runs.run(&runs.runs().unwrap()[0]);
    let opened = citadel::journal::read(&run.journal()).unwrap().entries.remove(0).event;
    let Event::RunOpened(opened) = opened else { panic!("it opens the run") };
    if opened.guards.fence == Some(Fence::Closed) {
        assert!(log(run.path(), "1.work").contains("refused"));
        assert!(!home.join("new").exists());
    }
    for file in [".npm/it", ".cache/it", ".config/it", ".local/share/it", "project/it"] {
        assert!(home.join(file).is_file(), "{file}");
    }
}

#[test]
fn where_it_cannot_be_closed_everybody_is_told() {
    let test = stub_in(Test::empty(), &phase("1", &step("work", "true", "")));
    let gap = "steps are not isolated from the state folder: it lies in";
    test.citadel("plan --network test").code(0).says(gap);
    test.citadel("doctor --network test").says(gap);
    test.citadel("run --network test").code(0);
    let Event::RunOpened(opened) = test.journal("stub", "test").remove(0).event else { panic!("it opens the run") };
    assert!(matches!(opened.guards.fence, Some(Fence::Open(_))), "{:?}", opened.guards);
    assert!(test.read("reports/test/citadel-report.md").contains(gap));
    test.citadel("report --network test --format json").says("\"open\"");
}

#[test]
fn citadel_shows_its_memory_to_nobody() {
    let line = "grep -i 'core file' /proc/$PPID/limits /proc/self/limits; ls -l /proc/$PPID/mem";
    let test = stub_in(Test::empty(), &phase("1", &step("look", line, "")));
    test.citadel("run --network test").code(0);
    let log = log(&test.runs("stub", "test")[0], "1.look");
    assert_eq!(log.lines().filter(|line| line.contains("Max core file size")).count(), 2, "{log}");
    for line in log.lines().filter(|line| line.contains("Max core file size")) {
        assert_eq!(line.split_whitespace().rev().nth(1), Some("0"), "{line}");
    }
    // What cannot be dumped belongs to root in `/proc`, whoever runs it, and only root may look into it.
    assert!(log.lines().any(|line| line.contains(" root ") && line.contains("/mem")), "{log}");
}

#[test]
fn citadel_cannot_be_signalled_from_behind_it() {
    let line = "kill -0 $PPID && echo reached; sh -c 'kill -9 $$' ; echo own";
    let test = stub_in(Test::apart(), &phase("1", &step("kill", line, "")));
    test.citadel("run --network test").code(0);
    let log = log(&test.runs("stub", "test")[0], "1.kill");
    assert!(log.contains("own"), "{log}");
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let numbers: Vec<u32> = release.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    if guards(&test).is_some() && numbers[..2] >= [6, 12][..] {
        assert!(!log.contains("reached"), "{log}");
    }
}
