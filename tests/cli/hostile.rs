//! One step that does all that a hostile package could: each thing is prevented or detected as SECURITY.md says.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use citadel::event::Event;

use super::builder::{Outcome, Test};
use super::fence::is_closed;
use super::pseudo_terminal::shown;

const KEY: &str = "0x7d1f0a93c45be86237ab94d05ef1c68a2b3970de41f5862c9ab7e03d18c4f56a";

const RUNBOOK: &str = r#"format = 1
[runbook]
id = "hostile"
title = "Hostile"
reports = "reports/{{ network }}"
[workspace]
marker = "marker"
path = ["node_modules/.bin"]
[network.test]
chain_id = 5
rpc = ["TEST_RPC_URL"]
key = ["TEST_PRIVATE_KEY"]
[[phase]]
id = "1"
title = "Phase 1"
[[phase.step]]
id = "make"
title = "Makes something good"
run = ["sh", "-c", "echo '{\"good\": true}' > made.json"]
  [[phase.step.evidence]]
  file = "made.json"
  keep = "made.json"
[[phase.step]]
id = "evil"
title = "Does everything"
run = ["sh", "evil.sh"]
[[phase.step]]
id = "after"
title = "Goes on"
run = ["sh", "-c", "true"]
[phase.gate]
title = "Good"
[[phase.gate.check]]
id = "good"
json = { of = "made.json", rules = [{ at = "$.good", eq = true }] }
[[deliverable]]
id = "made"
title = "What was made"
of = ["made.json"]
path = "out/made.json"
"#;

const EVIL: &str = r#"
run=$(dirname "${PATH%%:*}")
edit() {
  EDITS
}
edit 2>/dev/null
printf '#!/bin/sh\necho planted %s >> "%s/shadowed"\nexec /bin/false\n' '"$0"' "$PWD" > node_modules/.bin/git
chmod +x node_modules/.bin/git
cp node_modules/.bin/git node_modules/.bin/npm
printf '[core]\n\tfsmonitor = %s\n' "$PWD/node_modules/.bin/git" >> .git/config
echo "key=[$TEST_PRIVATE_KEY] url=[$TEST_RPC_URL]"
printf '\033[2J\033[H\033]0;owned\007\n::error::owned\n::stop-commands::x\n\342\200\256desrever\n'
LINKS
"#;

const EDITS: &str = r#"sed -i 's/evil/good/' "$run/journal.jsonl"; echo x >> "$run/journal.jsonl"
  mkdir -p "$run/sign-offs/1.x" && echo signed > "$run/sign-offs/1.x/signer-1.sig"
  echo '{"good": "swapped"}' > "$run"/artefacts/1.make.1.made.json"#;

const LINKS: &str = "mkdir -p reports/test outside; ln -s ../../outside reports/test/out; ln -s ../../victim reports/test/citadel-report.md";

fn site(test: Test, edits: &str, links: &str) -> Test {
    let test = test.set("TEST_RPC_URL", "https://rpc.test.invalid/v2/0123456789abcdef").set("TEST_PRIVATE_KEY", KEY);
    test.write("runbook.toml", RUNBOOK);
    test.write("marker", "");
    test.write("victim", "mine");
    test.write("evil.sh", EVIL.replace("EDITS", edits).replace("LINKS", links));
    test.write("node_modules/.bin/nothing", "");
    test.sh("git init -q . && git add marker && git -c user.name=a -c user.email=a@b commit -qm one");
    test
}

fn run_folder(test: &Test) -> PathBuf {
    test.runs("hostile", "test").pop().unwrap()
}

/// Whether this machine keeps steps out of the state folder.
fn closed(test: &Test) -> bool {
    let Event::RunOpened(opened) = test.journal("hostile", "test").remove(0).event else { panic!("it opens the run") };
    is_closed(opened.guards.fence.as_ref())
}

#[track_caller]
fn harmless(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
}

#[test]
fn what_it_does_to_the_run_is_prevented() {
    let test = site(Test::apart(), EDITS, "true");
    let outcome = test.citadel("run --network test --yes");
    if !closed(&test) {
        // This machine has no Landlock.
        return;
    }
    harmless(&outcome);
    outcome.code(0);
    let run = run_folder(&test);
    assert_eq!(fs::read_to_string(run.join("artefacts/1.make.1.made.json")).unwrap().trim(), r#"{"good": true}"#);
    assert!(!run.join("sign-offs/1.x").exists());
    test.citadel_with(&["verify", &run.display().to_string()]).code(0);
    let log = fs::read(run.join("logs/1.evil.1.log")).unwrap();
    let told = String::from_utf8_lossy(&log);
    assert!(told.contains("key=[] url=[]"), "it was granted nothing: {told}");
    assert!(told.contains("\u{1b}[2J\u{1b}[H\u{1b}]0;owned\u{7}\n::error::owned\n"), "the log is exact: {told:?}");
    let shadowed = test.path("shadowed");
    assert!(!shadowed.exists(), "citadel ran a planted git: {:?}", fs::read_to_string(&shadowed));
    assert_eq!(test.read("reports/test/out/made.json").trim(), r#"{"good": true}"#);
    for format in ["", "--format json", "--format junit"] {
        harmless(&test.citadel(&format!("report --network test {format}")));
    }
    test.citadel("run --network test --yes");
    assert!(!shadowed.exists(), "a later citadel ran a planted git");
}

#[test]
fn without_the_fence_an_edited_journal_stops_the_run() {
    let test = site(Test::empty(), r#"echo x >> "$run/journal.jsonl""#, "true");
    let outcome = test.citadel("run --network test --yes").code(18);
    harmless(&outcome);
    assert!(!test.path("reports/test/out/made.json").exists());
}

#[test]
fn without_the_fence_a_swapped_artefact_closes_the_gate() {
    let edit = r#"echo '{"good": "swapped"}' > "$run"/artefacts/1.make.1.made.json"#;
    let test = site(Test::empty(), edit, "true");
    let outcome = test.citadel("run --network test --yes");
    assert!([10, 11].contains(&outcome.code), "{outcome:?}");
    outcome.says("was changed after it was kept");
    let run = run_folder(&test).display().to_string();
    test.citadel_with(&["verify", &run]).code(18).says("artefacts/1.make.1.made.json");
}

#[test]
fn nothing_is_published_through_a_planted_link() {
    let test = site(Test::apart(), "true", LINKS);
    let outcome = test.citadel("run --network test --yes").code(15);
    outcome.says("citadel follows no links").says("remove it, then run the same command again");
    assert_eq!(fs::read_dir(test.path("outside")).unwrap().count(), 0);
    assert_eq!(test.read("victim"), "mine");
    fs::remove_file(test.path("reports/test/out")).unwrap();
    let outcome = test.citadel("run --network test --yes").code(15);
    outcome.says("citadel-report.md").says("citadel does not write through it");
    assert_eq!(test.read("victim"), "mine");
    fs::remove_file(test.path("reports/test/citadel-report.md")).unwrap();
    test.citadel("run --network test --yes").code(0);
    assert_eq!(test.read("reports/test/out/made.json").trim(), r#"{"good": true}"#);
}

#[test]
fn the_terminal_shows_its_text_harmless() {
    let test = site(Test::apart(), "true", "exit 1");
    let (code, screen) = shown(&test, &["run", "--network", "test", "--yes"]);
    let told = String::from_utf8_lossy(&screen);
    assert_eq!(code, 13, "{told}");
    for bad in ["\u{1b}[2J\u{1b}[H", "\u{1b}]0;owned", "\u{202e}"] {
        assert!(!told.contains(bad), "{told:?}");
    }
    assert!(told.contains("owned"), "it is shown all the same: {told:?}");
}

#[test]
fn a_program_of_the_workspace_is_never_taken_for_citadels_own() {
    let test = site(Test::apart(), "true", "true");
    let planted = test.write("node_modules/.bin/git", "#!/bin/sh\ntouch \"$(dirname \"$0\")/../../shadowed\"\n");
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", planted.parent().unwrap().display(), test.env()["PATH"]);
    let test = test.set("PATH", &path);
    fs::remove_file(test.path("evil.sh")).unwrap();
    test.write("evil.sh", "true");
    test.citadel("run --network test --yes").code(0);
    assert!(!test.path("shadowed").exists());
    let Event::RunOpened(opened) = test.journal("hostile", "test").remove(0).event else { panic!("it opens the run") };
    let git = &opened.guards.programs["git"];
    assert!(!git.path.contains("node_modules"), "{git:?}");
    let bytes = fs::read(&git.path).unwrap();
    assert_eq!(git.sha256, citadel::digest::sha256(&bytes));
    test.citadel("doctor --network test").says(&git.path).says(&git.sha256[..16]);
}
