//! When things go wrong: ready calldata at once, whatever else does not work; a running citadel that starts nothing new;
//! steps by hand with evidence from the chain; and the way out.

use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::builder::Test;
use super::fixture::{Lease, kept};
use super::stub::{Pipe, phase, step, stub};

const RUNAWAY: &str = "contingency run thermal-runaway --local";
const PAUSE_ALL: &str = "0x595c6a67";

/// The folder of the only contingency that was recorded.
fn folder(test: &Test, network: &str, runbook: &str) -> std::path::PathBuf {
    let all = citadel::journal::Home::new(&test.state(), runbook, network).contingencies();
    let [run] = &all.runs().unwrap()[..] else { panic!("one contingency is recorded") };
    all.run(run).path().to_owned()
}

/// Governance confirms and executes the files that citadel wrote.
fn governs(kept: &Lease) {
    let folder = folder(kept, "local", "astral-citadel");
    for file in ["schedule.safe.json", "execute.safe.json"] {
        kept.act(&format!("safe {}", folder.join(file).display()));
    }
}

/// Governance sets one parameter; its transaction.
fn sets(kept: &Lease, call: &str) -> String {
    let said =
        kept.sh(&format!("cd practice && ANVIL_RPC_URL={} npm run -s practice:act -- govern '{call}'", kept.url()));
    said.lines().find_map(|line| line.strip_prefix("transaction ")).unwrap().to_owned()
}

#[test]
fn a_running_citadel_starts_nothing_new_until_it_is_closed() {
    let kept = kept();
    kept.edit(
        "runbook.toml",
        "make = \"bootstrap\"\ndir = \"demo/astral-citadel\"",
        "shell = \"echo up > ../ready; cat ../go\"",
    );
    let made = "file = \"node_modules/.package-lock.json\"\n  json = [{ at = \"$.packages\", len = { ge = 1 } }]";
    kept.edit("runbook.toml", made, "output = { has = [\"go\"] }");
    let ready = Pipe::new(&kept.path("ready"));
    let go = kept.path("go");
    mknodat(CWD, &go, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let running = kept.start("run --local --new --phase 0");
    ready.wait();

    let first = kept.citadel(&format!("{RUNAWAY} --once")).code(12).says(PAUSE_ALL).says("pauseAll() covers");
    let first = first.says("its delay is 2s").says("schedule.safe.json").says("starts nothing new");
    first.says(&format!("kill -TERM {}", running.pid())).says("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65 may settle");
    std::fs::write(&go, "go").unwrap();
    running.finish().code(12).says("suspended by contingency thermal-runaway").never_says("0.installed");
    std::fs::remove_file(&go).unwrap();
    std::fs::remove_file(kept.path("ready")).unwrap();

    kept.citadel("run --local").code(12).says("SUSPENDED").says("citadel contingency close thermal-runaway");
    kept.citadel("status").code(0).says("suspended by contingency thermal-runaway").says("contingency close");
    kept.citadel("gate verify 0 --local").code(10).says("suspended by contingency thermal-runaway since");
    kept.citadel("report").code(0).says("not closed yet");

    kept.citadel("contingency close thermal-runaway").code(2);
    let close = ["contingency", "close", "thermal-runaway", "--reason", "a drill"];
    kept.citadel_with(&close).code(0).says("is closed");
    kept.citadel_with(&close).code(2).says("is not open");
    kept.citadel("status").code(0).never_says("suspended");
    kept.citadel("report").code(0).says("closed at").says("by tester: a drill");
    kept.citadel("gate verify 0 --local").never_says("suspended");
}

#[test]
fn governance_pauses_by_the_files_and_a_second_call_says_what_is_left() {
    let kept = kept();
    kept.citadel(&format!("{RUNAWAY} --once")).code(12).says("now: not scheduled yet");
    kept.act("pause all");
    let second = kept.citadel(&format!("{RUNAWAY} --once")).code(12).says("already paused: all 8 modules");
    second.says("what is left to call").says("setSettler(address,bool)").says("settlers-off: still allowed");
    governs(&kept);
    let third = kept.citadel(RUNAWAY).code(0).says("already paused").says("nothing is left to call");
    third.says("it is over, and the chain says so").says("Gate thermal-runaway PASSED");
    // The gates of the run see the same chain, and say why they are closed.
    kept.citadel("gate verify 4 --local").code(10).says("are paused").says("suspended by contingency thermal-runaway");
}

#[test]
fn where_one_module_is_paused_each_other_has_a_call_of_its_own() {
    let kept = kept();
    kept.act("pause FeePool");
    let outcome = kept.citadel(&format!("{RUNAWAY} --once")).code(12).says("partly paused: 1 of 8: feePool");
    let outcome = outcome.says("pauseAll() reverts now").says("executeGovernanceCall(address,bytes)");
    let data = outcome.stdout.matches("pauses `").count();
    assert_eq!(data, 3 * 7, "directly, scheduled and executed: {}", outcome.stdout);
    outcome.never_says("pauses `feePool`");
    governs(&kept);
    kept.citadel(RUNAWAY).code(0).says("already paused: all 8 modules");
}

#[test]
fn the_watch_sees_the_chain_and_takes_in_what_is_handed_in() {
    let kept = kept();
    let mut watch = kept.start("contingency run validator-outage --local");
    watch.until("waits for a person");
    let hash = sets(&kept, "ValidationModule.setCommitteeSize(2)");
    let complete = ["step", "complete", "validator-outage.quorum", "--evidence"];
    let words = [&complete[..], &[hash.as_str(), "--evidence", "two answer"]].concat();
    kept.citadel_with(&words).code(0).says("takes it in");
    let done = watch.finish().code(0).says("handed in by tester").says(&hash).says("it is over");
    done.says("Gate validator-outage PASSED");
}

#[test]
fn a_transaction_that_is_handed_in_must_be_on_the_chain_and_about_the_contract() {
    let kept = kept();
    let shock = "contingency run economic-shock --local --once";
    kept.citadel(shock).code(12).says("economic-shock.burn").says("a configured 1 has deployed as 100");
    let complete = |evidence: &str| {
        kept.citadel_with(&["step", "complete", "economic-shock.burn", "--evidence", evidence])
            .code(0)
            .says("recorded");
    };
    let nowhere = format!("0x{}", "ab".repeat(32));
    complete(&nowhere);
    kept.citadel(shock).code(12).says("is not on chain 31337");
    kept.citadel_with(&["contingency", "close", "economic-shock", "--reason", "a wrong hash"]).code(0);

    kept.citadel(shock).code(12);
    let hash = sets(&kept, "FeePool.setBurnPct(100)");
    complete(&hash);
    kept.citadel(shock).code(12).says("burnPct()");
    let hash = sets(&kept, "FeePool.setBurnPct(20)");
    complete(&hash);
    kept.citadel("contingency run economic-shock --local").code(0).says("Gate economic-shock PASSED");
}

/// The whole brake on the worst day: gate 1 is closed, another citadel holds the run's lock, and the disk takes nothing. What
/// governance gets on the screen and as files is enough to pause everything, and citadel sees that it is.
#[test]
fn thermal_runaway_with_the_lock_held_the_disk_full_and_gate_1_closed() {
    let kept = kept();
    kept.act("swap-owner");
    kept.citadel("gate verify 1 --network local").code(10).says("does not belong there");
    // The first time governance takes only the pause out of the files.
    let first_call = "const fs = require('node:fs'); const file = JSON.parse(fs.readFileSync(process.argv[1]));
        file.transactions.length = 1; fs.writeFileSync('only.safe.json', JSON.stringify(file));";
    kept.write("first-call.js", first_call);
    let script = format!(
        "cp -a '{state}' saved; mkdir state; mount -t tmpfs -o size=32m tmpfs state; cp -a saved/. state/
         exec 9>state/astral-citadel/local/lock; flock 9
         dd if=/dev/zero of=state/filler bs=4096 2>/dev/null || true
         face() {{ '{citadel}' --state state {RUNAWAY} --once >$1.out 2>$1.err 9>&-; echo $? >$1.code; }}
         told() {{ sed -n \"s|^  \\(/.*/$2.safe.json\\)  .*|\\1|p\" $1.out; }}
         govern() {{ (cd practice && ANVIL_RPC_URL={url} npm run -s practice:act -- safe $1) || exit 1; }}
         face first
         for half in schedule execute; do
           node -e \"$(cat first-call.js)\" $(told first $half) && govern $PWD/only.safe.json || exit 1
         done
         face second
         for half in schedule execute; do govern $(told second $half); done
         face third
         ls state/astral-citadel/local >marks.txt",
        state = kept.state().display(),
        citadel = env!("CARGO_BIN_EXE_citadel"),
        url = kept.url(),
    );
    let own: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-r", "-m"] };
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(own).args(["sh", "-c", &format!("cd '{}'; {script}", kept.here().display())]);
    command.env_clear().envs(kept.env()).env("TMPDIR", temporary.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = |turn: &str, code: &str, parts: &[&str]| {
        let [out, err, ended] = ["out", "err", "code"].map(|part| kept.read(&format!("{turn}.{part}")));
        assert_eq!(ended.trim(), code, "{turn}: {out}\n{err}");
        for part in parts {
            assert!(out.contains(part) || err.contains(part), "{turn}: no `{part}`: {out}\n{err}");
        }
    };
    let calldata = [PAUSE_ALL, "pauseAll() covers", "schedules: pauses all eight modules", "schedule.safe.json"];
    told("first", "12", &calldata);
    told("first", "12", &["cannot be recorded where it belongs", "No space left", "instead: keep it"]);
    told("second", "12", &["already paused: all 8 modules", "what is left to call", "setSettler(address,bool)"]);
    told("third", "0", &["already paused: all 8 modules", "nothing is left to call", "the chain says so"]);
    assert!(kept.read("marks.txt").contains("suspended.thermal-runaway"), "{}", kept.read("marks.txt"));
    for file in ["saved", "state"] {
        std::fs::remove_dir_all(kept.path(file)).unwrap();
    }
}

/// A contingency of one step by hand, in a runbook whose only endpoint does not exist.
fn by_hand(more: &str) -> Test {
    let test = stub(&step("hello", "true", ""));
    let contingency = format!(
        "\n[[contingency]]\nid = \"call\"\ntitle = \"Call them\"\nwhen = \"always\"\n\
         [[contingency.step]]\nid = \"phone\"\ntitle = \"Call\"\nmanual = \"call them\"\n{more}"
    );
    test.write("runbook.toml", test.read("runbook.toml") + &contingency);
    test
}

#[test]
fn without_a_chain_it_goes_on_and_a_persons_word_counts_where_nothing_else_is_asked() {
    let test = by_hand("");
    test.citadel("contingency list").code(0).says("citadel contingency show call");
    test.citadel("contingency show call").code(0).says("by hand: call them");
    test.citadel("contingency show cal").code(2).says("did you mean `call`?");
    test.citadel("contingency run call --network test --once").code(12).says("call.phone").says("waits for a person");
    test.citadel("status --network test").code(15).says("suspended by contingency call");
    let complete = ["step", "complete", "call.phone", "--network", "test", "--evidence"];
    test.write("notes.txt", "they answered");
    let words = [&complete[..], &["they hear us", "--evidence", "notes.txt"]].concat();
    test.citadel_with(&words).code(0).says("recorded for call.phone");
    test.citadel("contingency run call --network test").code(0).says("Gate call PASSED");
    let kept = std::fs::read_dir(folder(&test, "test", "stub").join("artefacts")).unwrap().count();
    assert_eq!(kept, 1, "the file is kept");
    test.citadel_with(&["step", "complete", "1.hello", "--evidence", "x", "--network", "test"])
        .code(2)
        .says("is not done by hand");
}

#[test]
fn a_step_by_hand_of_a_phase_takes_evidence_too() {
    let manual = "[[phase.step]]\nid = \"ask\"\ntitle = \"Ask\"\nmanual = \"ask the owner\"\n";
    let test = stub(manual);
    test.citadel("run --network test").code(20).says("ask the owner");
    test.citadel_with(&["step", "complete", "1.ask", "--network", "test", "--evidence", "she agreed"]).code(0);
    test.citadel("run --network test").code(0).says("handed in by").says("COMPLETE");
}

#[test]
fn files_of_one_name_are_all_kept_and_no_secret_is() {
    let key = "0x7d1f0a93c45be86237ab94d05ef1c68a2b3970de41f5862c9ab7e03d18c4f56a";
    let test = stub("[[phase.step]]\nid = \"ask\"\ntitle = \"Ask\"\nmanual = \"ask the owner\"\n");
    let test = test.set("TEST_KEY", key);
    test.edit("runbook.toml", "rpc = [", "key = [\"TEST_KEY\"]\nrpc = [");
    test.citadel("run --network test").code(20);
    let complete = |evidence: &[&str]| {
        let given = evidence.iter().flat_map(|one| ["--evidence", one]);
        let words: Vec<&str> = ["step", "complete", "1.ask", "--network", "test"].into_iter().chain(given).collect();
        test.citadel_with(&words)
    };
    let pem = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIKh3vUu9Zr2T0q8mXoW4nJ5bLxYc7dGfEaHsRtPyQw1ZoAoGCCqGSM49\n";
    test.write("a/key.pem", pem);
    complete(&["a/key.pem"]).code(19).says("`").says("holds a PEM private key, and is not kept");
    test.write("a/declared", key);
    complete(&["a/declared"]).code(19).says("holds the value of `TEST_KEY`, and is not kept");
    complete(&[key]).code(19).says("holds the value of `TEST_KEY`").never_says("7d1f0a93");
    test.sh("ln -s declared a/link");
    complete(&["a/link"]).code(2).says("is a symbolic link, not a regular file");
    let folder = test.runs("stub", "test").pop().unwrap();
    assert_eq!(std::fs::read_dir(folder.join("artefacts")).unwrap().count(), 0, "nothing of it is kept");
    test.write("x/receipt.json", "1");
    test.write("y/receipt.json", "2");
    complete(&["x/receipt.json", "y/receipt.json", &format!("privateKey=0x{}", "5e".repeat(32))]).code(0);
    test.write("z/receipt.json", "3");
    complete(&["z/receipt.json"]).code(0);
    test.citadel("run --network test").code(0).says("COMPLETE");
    let mut kept: Vec<String> = std::fs::read_dir(folder.join("artefacts"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["1", "2", "3"]);
    assert!(!std::fs::read_to_string(folder.join("journal.jsonl")).unwrap().contains("5e5e5e5e"));
    test.citadel_with(&["verify", &folder.display().to_string()]).code(0);
}

#[test]
fn a_second_watcher_goes_through_no_steps() {
    let test = by_hand("");
    let mut first = test.start("contingency run call --network test");
    first.until("waits for a person");
    let second = test.citadel("contingency run call --network test --once").says("this one only watches");
    second.says(&format!("pid {}", first.pid())).never_says("waits for a person");
    first.signal(rustix::process::Signal::INT);
    first.finish().code(130).says("goes on");
    let open: Vec<Value> = std::fs::read_to_string(folder(&test, "test", "stub").join("journal.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(open.iter().filter(|entry| entry["event"]["type"] == "run_opened").count(), 1);
}

#[test]
fn how_long_ago_it_was_rehearsed_is_told_by_the_list_and_every_report() {
    let test = stub_phases_with_contingency();
    test.edit("runbook.toml", "exit 7", "true");
    let report = || test.read("reports/test/citadel-report.md");
    test.citadel("contingency show both").code(0).says("never, as far as this machine knows");
    test.citadel("run --network test").code(0);
    assert!(report().contains("Contingency `both` was **never rehearsed**"), "{}", report());
    test.citadel("contingency run both --network test --once").code(0).says("Gate both PASSED");
    test.citadel("contingency show both").code(0).says("ago on test, as it is now");
    test.citadel("contingency close both --network test --reason drill").code(0);
    test.citadel("run --network test --new").code(0);
    assert!(report().contains("Contingency `both` was last rehearsed"), "{}", report());
    assert!(!report().contains("of it changed since"), "{}", report());
    test.edit("runbook.toml", "touch good", "touch better");
    test.citadel("contingency list").code(0).says("\"touch good\" → \"touch better\"");
    test.citadel("run --network test --new").code(0);
    assert!(report().contains("**1 field of it changed since**"), "{}", report());
}

/// A command that fails stops nothing after it.
#[test]
fn a_step_that_fails_does_not_stop_the_next() {
    let test = stub_phases_with_contingency();
    let outcome = test.citadel("contingency run both --network test --once").says("both.bad").says("both.good");
    outcome.says("exited with 7");
    assert!(test.path("good").exists());
}

/// A run of one step, and a contingency of one step, each a shell line that is granted a key.
fn with_a_key(of_run: &str, of_contingency: &str) -> Test {
    let needs = "needs = [\"key\"]";
    let test = stub(&step("hello", of_run, needs)).set("TEST_KEY", "Kw93hLxP0sBk71TbVyQz");
    test.edit("runbook.toml", "rpc = [", "key = [\"TEST_KEY\"]\nrpc = [");
    let contingency = format!(
        "\n[[contingency]]\nid = \"leak\"\ntitle = \"Leak\"\nwhen = \"always\"\n\
         [[contingency.step]]\nid = \"plant\"\ntitle = \"Plant\"\nshell = '''{of_contingency}'''\n{needs}\n"
    );
    test.write("runbook.toml", test.read("runbook.toml") + &contingency);
    test
}

/// Encodes the key into a file that nothing but a look through the whole folder finds.
const PLANT: &str = r#"printf "xx$TEST_KEY" | base64 > "$(echo ../state/stub/test/FOLDER)/planted""#;

#[test]
fn what_it_wrote_is_looked_through_at_its_end_and_holds_nothing_up() {
    let test = with_a_key("true", &PLANT.replace("FOLDER", "contingencies/*.leak"));
    let outcome = test.citadel("contingency run leak --network test").code(19).says("Gate leak PASSED");
    let outcome = outcome.says("citadel contingency close leak").says("it is over").says("SECRET FOUND");
    outcome.says("planted` holds the value of `TEST_KEY`").never_says("Kw93hLxP0s").never_says("aEx4UDBz");
    let ended = std::fs::read_to_string(folder(&test, "test", "stub").join("journal.jsonl")).unwrap();
    assert!(ended.lines().last().unwrap().contains(r#""type":"run_ended","complete":true,"secrets":1"#), "{ended}");
    test.citadel("run --network test").code(12).says("SUSPENDED");
    test.citadel_with(&["contingency", "close", "leak", "--network", "test", "--reason", "rotated"]).code(0);
}

#[test]
fn what_a_run_wrote_is_told_after_the_contingency_that_was_chosen() {
    let test = with_a_key(&format!("{}; exit 3", PLANT.replace("FOLDER", "2*")), "true");
    let outcome = test.citadel("run --network test --on-failure contingency:leak").code(19).says("Gate leak PASSED");
    outcome.says("planted` holds the value of `TEST_KEY`").never_says("Kw93hLxP0s");
}

fn stub_phases_with_contingency() -> Test {
    let test = super::stub::stub_phases(&phase("1", &step("hello", "true", "")));
    let steps = ["bad\"\ntitle = \"Bad\"\nshell = \"exit 7\"", "good\"\ntitle = \"Good\"\nshell = \"touch good\""];
    let steps: Vec<String> = steps.iter().map(|step| format!("[[contingency.step]]\nid = \"{step}\n")).collect();
    let head = "\n[[contingency]]\nid = \"both\"\ntitle = \"Both\"\nwhen = \"always\"\n";
    test.write("runbook.toml", test.read("runbook.toml") + head + &steps.concat());
    test
}
