//! When keeping records is hard: a full disk, a read-only or forbidden folder, somebody else in the journal, two citadels at
//! once. citadel stops before the next effect, says so, and leaves a journal that loads.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "starts citadel itself")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use citadel::event::Event;
use citadel::journal::{self, Contents, Home};
use serde_json::Value;

/// When a test is given up, so that it fails instead of hanging; nothing is measured by it.
const STUCK: Duration = Duration::from_mins(2);

const HEAD: &str = r#"format = 1
[runbook]
id = "small"
title = "Small"
reports = "reports"
[workspace]
marker = "marker"
[network.net]
chain_id = 31337
rpc = ["NET_RPC_URL"]
block = "latest"
[contract.any]
kind = "plain"
address = { net = "0x5FbDB2315678afecb367f032d93F642f64180aa3" }
[[phase]]
id = "0"
title = "Preparation"
"#;

const GATE: &str = r#"[phase.gate]
title = "There is code"
[[phase.gate.check]]
id = "code"
code = { of = "any" }
"#;

/// Nothing answers at the endpoint: a run that comes to its gate ends so.
const AT_THE_GATE: i32 = 11;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A runbook with these steps, each a script; `$STATE` in them is the state folder.
    fn new(steps: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Others may look in where citadel is run as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut text = HEAD.to_owned();
        for (index, script) in steps.iter().enumerate() {
            let script = script.replace("$STATE", folder.path().join("state").to_str().unwrap());
            let id = format!("s{}", index + 1);
            write!(text, "[[phase.step]]\nid = \"{id}\"\ntitle = \"Step {id}\"\nshell = '''{script}'''\n").unwrap();
        }
        fs::write(folder.path().join("runbook.toml"), text + GATE).unwrap();
        fs::write(folder.path().join("marker"), "").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `citadel WORDS` through `program`, whose last argument it becomes.
    fn through(&self, program: &[&str], words: &[&str]) -> Command {
        let mut argv = program.iter().map(ToString::to_string).chain([env!("CARGO_BIN_EXE_citadel").to_owned()]);
        let mut command = Command::new(argv.next().unwrap());
        command.args(argv).arg("--state").arg(self.path("state")).args(words).args(["--network", "net"]);
        command.env("NET_RPC_URL", "http://127.0.0.1:1").env("CITADEL_OPERATOR", "ann").env("HOME", self.path("home"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn citadel(&self, words: &[&str]) -> Output {
        self.through(&[], words).output().unwrap()
    }

    /// The latest run's journal, which loads.
    fn journal(&self) -> Option<Contents> {
        let home = Home::new(&self.path("state"), "small", "net");
        let run = home.runs().unwrap().pop()?;
        Some(journal::read(&home.run(&run).journal()).unwrap())
    }

    fn started(&self) -> usize {
        let entries = self.journal().map(|contents| contents.entries).unwrap_or_default();
        entries.iter().filter(|entry| matches!(entry.event, Event::StepStarted(_))).count()
    }

    /// Resumes with nothing in the way: it comes to its gate, every step done.
    fn recovers(&self, steps: usize) {
        let output = self.citadel(&["run"]);
        assert_eq!(output.status.code(), Some(AT_THE_GATE), "{}", said(&output));
        let contents = self.journal().unwrap();
        assert_eq!(contents.torn, 0);
        let progress = citadel::progress::Progress::replay(contents.entries.iter().map(|entry| &entry.event));
        let done = |step: &citadel::progress::StepProgress| step.state == citadel::progress::StepState::Done;
        assert_eq!(progress.steps.values().filter(|step| done(step)).count(), steps);
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < STUCK, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A script with mounts of its own, which end with it.
fn with_mounts(place: &Place, script: &str) -> Output {
    let citadel =
        format!("'{}' --state '{}' run --network net", env!("CARGO_BIN_EXE_citadel"), place.path("state").display());
    let script = script.replace("$STATE", place.path("state").to_str().unwrap()).replace("$CITADEL", &citadel);
    let own: &[&str] = if is_root() { &["unshare", "-m"] } else { &["unshare", "-r", "-m"] };
    let mut command = Command::new(own[0]);
    command.args(&own[1..]).args(["sh", "-euc", &script]).current_dir(place.folder.path());
    command
        .env("NET_RPC_URL", "http://127.0.0.1:1")
        .stdin(Stdio::null())
        .output()
        .expect("needs `unshare` of util-linux")
}

#[test]
fn a_full_disk_stops_before_the_next_effect() {
    // The journal's last page has room for some more records; a few steps later it has not.
    let mut steps = vec!["dd if=/dev/zero of=$STATE/filler bs=4096 2>/dev/null; true"];
    steps.extend(["true"; 8]);
    steps.push("touch last");
    let place = Place::new(&steps);
    fs::create_dir(place.path("state")).unwrap();
    let output = with_mounts(
        &place,
        "mount -t tmpfs -o size=256k tmpfs $STATE
         code=0; $CITADEL 2>first.txt || code=$?
         echo $code; test ! -e last
         cp $STATE/small/net/2*/journal.jsonl full.jsonl
         rm $STATE/filler
         code=0; $CITADEL 2>again.txt || code=$?
         echo $code; test -e last
         cp $STATE/small/net/2*/journal.jsonl after.jsonl",
    );
    let first = fs::read_to_string(place.path("first.txt")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{first}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n11\n", "{first}");
    assert!(first.contains("cannot write the journal") && first.contains("No space left on device"), "{first}");
    assert!(first.contains("nothing more was started; make room"), "{first}");
    let kept = |name: &str| {
        let Contents { entries, torn } = journal::read(&place.path(name)).unwrap();
        assert_eq!(torn, 0, "half a line was left");
        entries
    };
    let (full, after) = (kept("full.jsonl"), kept("after.jsonl"));
    assert_eq!(after[..full.len()], full);
}

/// `EFBIG` strikes at another place of the journal with each limit, in the middle of a line as a full disk does.
#[test]
fn wherever_a_write_fails_the_journal_loads_and_the_run_goes_on() {
    let mut refused = 0;
    for blocks in 1..=14 {
        let place = Place::new(&["echo 1 >> one", "echo 1 >> two", "echo 1 >> three"]);
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let output = place.through(&["sh", "-c", &limit, "sh"], &["run"]).output().unwrap();
        let code = output.status.code();
        if code == Some(AT_THE_GATE) {
            continue;
        }
        refused += 1;
        let text = said(&output);
        assert_eq!(code, Some(1), "{blocks} blocks: {text}");
        assert!(text.contains("File too large"), "{text}");
        let files = ["one", "two", "three"].iter().filter(|file| place.path(file).exists()).count();
        assert!(files <= place.started(), "{blocks} blocks: a step ran that was not recorded as started");
        let torn = place.journal().map_or(0, |contents| contents.torn);
        assert_eq!(torn, 0, "{blocks} blocks: half a line was left");
        place.recovers(3);
    }
    assert!(refused >= 3, "the limits were never in the way");
}

#[test]
fn a_read_only_state_folder_is_told() {
    let place = Place::new(&["touch first"]);
    fs::create_dir(place.path("state")).unwrap();
    let script = "mount -t tmpfs tmpfs $STATE
        REMOUNT
        code=0; $CITADEL 2>said.txt || code=$?
        echo $code";
    let read_only = "mount -o remount,ro $STATE; rm -f first";
    let check = |before: &str| {
        let output = with_mounts(&place, &script.replace("REMOUNT", before));
        let text = fs::read_to_string(place.path("said.txt")).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n", "{}{text}", said(&output));
        assert!(text.contains("Read-only file system"), "{text}");
        assert!(text.contains("hint"), "{text}");
        assert!(!place.path("first").exists(), "a step ran");
    };
    check(read_only);
    // A run that is there already, and cannot be written any more.
    check(&format!("$CITADEL 2>/dev/null || true; {read_only}"));
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let place = Place::new(&["touch first"]);
    let state = place.path("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o555)).unwrap();
    // Modes mean nothing to root, so that root becomes somebody else.
    let nobody: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let output = place.through(if is_root() { nobody } else { &[] }, &["run"]).output().expect("needs `setpriv`");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Permission denied") && text.contains("hint"), "{text}");
    assert!(!place.path("first").exists(), "a step ran");
}

#[test]
fn a_file_where_a_folder_should_be_is_told() {
    let place = Place::new(&["touch first"]);
    fs::write(place.path("state"), "").unwrap();
    let output = place.citadel(&["run"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Not a directory") || text.contains("File exists"), "{text}");
    assert!(text.contains("hint"), "{text}");
    assert!(!place.path("first").exists(), "a step ran");
}

#[test]
fn somebody_else_in_the_journal_stops_it_before_the_next_effect() {
    let check = |meddle: &str, wanted: &str| {
        // Whatever citadel has to record of the step itself stands there by then.
        let wait = "until grep -q step_spawned $STATE/small/net/2*/journal.jsonl; do sleep 0.01; done";
        let place = Place::new(&[&format!("{wait}; {meddle}"), "touch second"]);
        let output = place.citadel(&["run"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(18), "{text}");
        assert!(text.contains(wanted), "{text}");
        assert!(!place.path("second").exists(), "a step ran after it");
    };
    check("for f in $STATE/small/net/2*/journal.jsonl; do echo >> $f; done", "bytes, citadel wrote");
    check("truncate -s -1 $STATE/small/net/2*/journal.jsonl", "bytes, citadel wrote");
    check("rm $STATE/small/net/2*/journal.jsonl", "is gone");
    // What cannot be looked through for secrets any more holds none that anybody knows of.
    check("rm -r $STATE/small/net/2*", "is gone");
    // Every digit of the last line changes, and then a single one outside its hash.
    let changed =
        |with: &str| format!("f=$(echo $STATE/small/net/2*/journal.jsonl); {with} < $f > copy; cat copy > $f");
    check(&changed("tr 0-9a-f 1-9a-f0"), "does not end with");
    check(&changed("sed '$s/\"v\":1/\"v\":2/'"), "does not end with");
}

#[test]
fn a_second_citadel_is_told_who_works_and_readers_are_not_in_the_way() {
    let mut steps = vec!["while [ ! -e go ]; do sleep 0.02; done"];
    steps.extend(["true"; 12]);
    let place = Place::new(&steps);
    let mut first = place.through(&[], &["run"]).spawn().unwrap();
    until("the first step starts", || place.path("state").exists() && place.started() == 1);

    let second = place.citadel(&["run"]);
    let text = said(&second);
    assert_eq!(second.status.code(), Some(16), "{text}");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(text.contains(&format!("ann on {host} works on this network since 2")), "{text}");
    assert!(text.contains(&format!("(pid {}): `", first.id())) && text.contains(" run --network net`"), "{text}");
    assert!(text.contains("hint") && text.contains("citadel status"), "{text}");
    let decided = place.citadel(&["decide", "s1", "--happened", "--reason", "no"]);
    assert_eq!(decided.status.code(), Some(16), "{}", said(&decided));

    thread::scope(|scope| {
        for reader in 0..10 {
            let place = &place;
            scope.spawn(move || read_until_the_end(place, reader));
        }
        fs::write(place.path("go"), "").unwrap();
    });
    assert_eq!(first.wait().unwrap().code(), Some(AT_THE_GATE));
    assert!(!place.path("state/small/net/lock.owner.json").exists(), "the note outlived the lock");
    place.recovers(13);
}

/// Every answer is whole, is about the same run, and never says less than the one before.
fn read_until_the_end(place: &Place, reader: usize) {
    let (mut run, mut before, begun) = (None, 0, Instant::now());
    loop {
        let output = place.citadel(&["status", "--json"]);
        assert!(output.status.success(), "reader {reader}: {}", said(&output));
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        let steps = status["phases"][0]["steps"].as_array().unwrap();
        let done = steps.iter().filter(|step| step["state"] == "done").count();
        assert!(done >= before, "reader {reader}: {done} steps done after {before}");
        assert_eq!(*run.get_or_insert(status["run"].clone()), status["run"]);
        // The first thing that is not done is at work, or comes next: nothing is skipped.
        assert!(steps[..done].iter().all(|step| step["state"] == "done"), "reader {reader}: {status}");
        before = done;
        if status["running"] == false {
            return assert_eq!(done, steps.len(), "reader {reader}");
        }
        assert!(begun.elapsed() < STUCK, "reader {reader}");
    }
}
