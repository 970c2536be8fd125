//! What a complete run publishes is enough for a stranger: `verify` takes the published folder alone, and rejects whatever
//! was changed in it, with the place.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::builder::{Outcome, Test};
use super::rehearsal::rehearsed;
use super::stub::{Pipe, phase, step, stub, stub_phases};

const SUFFIX: &str = ".tar.zst";

/// A run of two steps whose outputs are published, and its archive with them.
fn site() -> Test {
    let kept = |name: &str| format!("[[phase.step.evidence]]\noutput = {{ keep = \"{name}\" }}");
    let steps = step("one", "echo first; date +%N", &kept("one.txt")) + &step("two", "echo second", &kept("two.txt"));
    let test = stub(&steps);
    test.edit("runbook.toml", "title = \"Stub\"", "title = \"Stub\"\narchive = true");
    let of = |name: &str| {
        format!(
            "\n[[deliverable]]\nid = \"{name}\"\ntitle = \"{name}\"\nof = [\"{name}.txt\"]\npath = \"said/{name}.txt\"\n"
        )
    };
    test.write("runbook.toml", test.read("runbook.toml") + &of("one") + &of("two"));
    test
}

fn published(test: &Test) -> PathBuf {
    test.path("reports/test")
}

/// The archives in a folder, the oldest first.
fn archives(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.to_string_lossy().ends_with(SUFFIX)).collect();
    // A second run of one second has `.2` at the end.
    all.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    all
}

fn verify(path: &Path) -> Outcome {
    // On a machine without the runbook and the state folder.
    Test::empty().citadel_with(&["verify", &path.display().to_string()])
}

#[test]
fn a_complete_run_publishes_its_archive_before_it_says_so() {
    let test = site();
    let outcome = test.citadel("run --network test").code(0).says("COMPLETE").says(SUFFIX);
    let [archive] = &archives(&published(&test))[..] else { panic!("one archive: {}", outcome.stderr) };
    test.citadel("archive --network test --out again.tar.zst").code(0);
    assert_eq!(
        fs::read(archive).unwrap(),
        fs::read(test.path("again.tar.zst")).unwrap(),
        "the same run, the same bytes"
    );
    let told = verify(&published(&test)).code(0).says("CONSISTENT").says("every gate passed").says("published copies");
    told.says(&format!("archive     {}", archive.file_name().unwrap().to_string_lossy())).never_says("no copy that");
    verify(archive).code(0).says("CONSISTENT").never_says("published copies");
    verify(&test.path("again.tar.zst")).code(0).says("CONSISTENT");
    let head = test.journal("stub", "test").pop().unwrap().hash;
    let folder = published(&test).display().to_string();
    test.citadel_with(&["verify", &folder, "--head", &head]).code(0);
    test.citadel_with(&["verify", &folder, "--head", &"ab".repeat(32)]).code(18).says("that was noted down");
    test.write("reports/test/notes.txt", "mine");
    verify(&published(&test)).code(0).says("`notes.txt`: no copy that this run's records name");
}

#[test]
fn the_newest_runs_archive_is_taken_and_older_ones_stay() {
    let test = site();
    test.citadel("run --network test").code(0);
    let older = archives(&published(&test)).pop().unwrap();
    test.citadel("run --network test --new").code(0);
    let all = archives(&published(&test));
    assert_eq!((all.len(), &all[0]), (2, &older));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let told = verify(&published(&test)).code(0).says(&format!("archive     {}", name(&all[1])));
    told.says(&format!("`{}`: no copy that this run's records name", name(&older)));
    verify(&older).code(0);
    // With the newer one gone, the copies are of a run that no archive here is about.
    fs::remove_file(&all[1]).unwrap();
    verify(&published(&test)).code(18).says("is complete, and no archive of it is there").says(&name(&older));
    test.edit("gate.json", "true", "false");
    test.citadel("run --network test --new").code(10);
    verify(&published(&test)).code(15).says("no archive of it");
}

#[test]
fn a_complete_run_that_goes_on_takes_its_archive_away_until_it_is_complete_again() {
    let test = stub(&step("one", "test ! -e broken", ""));
    test.edit("runbook.toml", "title = \"Stub\"", "title = \"Stub\"\narchive = true");
    test.citadel("run --network test").code(0);
    let archive = archive_in(&published(&test));
    test.write("broken", "");
    test.citadel("run --network test --step 1.one --again 1").code(13);
    assert!(archives(&published(&test)).is_empty(), "it is not of what was done since");
    verify(&published(&test)).code(15).says("no archive of it").says("`citadel run` goes on");
    fs::remove_file(test.path("broken")).unwrap();
    test.citadel("run --network test").code(0);
    assert_eq!(archive_in(&published(&test)), archive);
    verify(&published(&test)).code(0).says("CONSISTENT");
}

#[test]
fn copies_that_were_made_elsewhere_or_are_gone_are_made_again() {
    let test = stub_phases(&(phase("1", &step("one", "true", "")) + &phase("2", &step("two", "true", ""))));
    test.edit("runbook.toml", "title = \"Stub\"", "title = \"Stub\"\narchive = true");
    test.citadel("run --network test --phase 1").code(0);
    fs::remove_dir_all(published(&test)).unwrap();
    test.citadel("run --network test").code(0);
    verify(&published(&test)).code(0).says("3 published copies");
}

#[test]
fn what_is_not_complete_publishes_none_and_verify_says_so() {
    let test = site();
    test.edit("gate.json", "true", "false");
    test.citadel("run --network test").code(10);
    assert!(archives(&published(&test)).is_empty());
    verify(&published(&test)).code(15).says("no archive of it").says("`citadel run` goes on");
    test.edit("gate.json", "false", "true");
    test.citadel("run --network test").code(0);
    verify(&published(&test)).code(0).says("CONSISTENT");
    // A runbook that does not ask for one gets none.
    let plain = stub(&step("one", "true", ""));
    plain.citadel("run --network test").code(0);
    assert!(archives(&published(&plain)).is_empty());
    verify(&published(&plain)).code(15).says("archive = true");
    plain.citadel("run --network test --new --sign-with cat --signer key.pub").code(2).says("publishes none");
    verify(plain.here()).code(2).says("holds no run and no archive");
}

#[test]
fn a_run_with_a_secret_publishes_none() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV";
    let test = stub(&step("leak", &format!("echo {token}"), ""));
    test.edit("runbook.toml", "title = \"Stub\"", "title = \"Stub\"\narchive = true");
    test.citadel("run --network test").code(19).says("SECRET FOUND");
    assert!(archives(&published(&test)).is_empty());
}

#[test]
fn an_archive_that_cannot_be_written_leaves_the_run_complete() {
    let test = site();
    // The archive's name holds the second in which the run begins, which the step learns from its folder.
    let plant = "ln -s /etc/passwd \"reports/test/stub-test-$(basename \"$(echo ../state/stub/test/2*)\").tar.zst\"";
    test.edit("runbook.toml", "echo second", &format!("mkdir -p reports/test; {plant}; echo second"));
    let outcome = test.citadel("run --network test").code(15).says("COMPLETE").says("could not be published");
    outcome.says("is not a regular file").says("citadel archive --network test --out");
    test.citadel("status --network test").says("nothing: every gate passed");
    verify(&published(&test)).code(18).says("not a regular file");
}

#[test]
fn the_archive_is_signed_where_a_command_is_given() {
    let test = site();
    test.sh("ssh-keygen -q -t ed25519 -N '' -f key");
    let sign = "ssh-keygen -Y sign -n citadel-attestation@v1 -f key";
    test.citadel_with(&["run", "--network", "test", "--sign-with", sign, "--signer", "key.pub"]).code(0);
    let folder = published(&test).display().to_string();
    test.citadel_with(&["verify", &folder, "--signer", "key.pub"]).code(0).says("attested by SHA256:");
    test.citadel("run --network test --new").code(0);
    test.citadel_with(&["verify", &folder, "--signer", "key.pub"]).code(18);
}

#[test]
fn whoever_stops_citadel_does_not_wait_for_a_signature() {
    let test = site();
    test.sh("ssh-keygen -q -t ed25519 -N '' -f key");
    let asked = Pipe::new(&test.path("asked"));
    let sign = "echo asked > asked; exec sleep 600";
    let running = test.start_with(&["run", "--network", "test", "--sign-with", sign, "--signer", "key.pub"]);
    assert_eq!(asked.wait(), "asked");
    running.signal(Signal::TERM);
    let outcome = running.finish().code(143).says("COMPLETE").says("interrupted while the archive was made");
    outcome.says("citadel archive --network test --out");
    assert!(archives(&published(&test)).is_empty());
    test.citadel("status --network test").says("nothing: every gate passed");
}

/// A published folder that is changed and put back.
struct Changed {
    folder: PathBuf,
    tried: usize,
}

impl Changed {
    /// With another content of `file`, or without it: rejected, and one of `places` is named.
    #[track_caller]
    fn rejects(&mut self, file: &str, bytes: Option<&[u8]>, places: &[&str]) {
        let path = self.folder.join(file);
        let before = fs::read(&path).unwrap();
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let told = verify(&self.folder).code(18);
        let error = told.stderr.lines().find(|line| line.contains("error")).unwrap_or_default();
        assert!(places.iter().any(|place| error.contains(place)), "{file}: none of {places:?}: {}", told.stderr);
        fs::write(&path, before).unwrap();
        self.tried += 1;
    }
}

/// Every file below `folder`, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let found = citadel::journal::files_below(folder).unwrap();
    found.iter().map(|file| file.display().to_string()).collect()
}

/// Another run's archive, whole and consistent.
fn of_another_run() -> Vec<u8> {
    let other = site();
    other.citadel("run --network test").code(0);
    fs::read(archives(&published(&other)).pop().unwrap()).unwrap()
}

fn archive_in(folder: &Path) -> String {
    archives(folder).pop().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

/// What was changed inside an archive is named by its own place.
const INSIDE: [&str; 4] = ["record ", "`run/", "`SHA256SUMS`", "`deliverables/"];

#[test]
fn whatever_was_changed_in_the_published_folder_is_rejected_with_its_place() {
    let test = site();
    test.citadel("run --network test").code(0);
    let folder = published(&test);
    let archive = archive_in(&folder);
    let copies: Vec<String> = files(&folder).into_iter().filter(|file| *file != archive).collect();
    assert_eq!(copies, ["citadel-report.md", "gates/1.json", "said/one.txt", "said/two.txt"]);
    let mut changed = Changed { folder: folder.clone(), tried: 0 };
    for (index, file) in copies.iter().enumerate() {
        let bytes = fs::read(folder.join(file)).unwrap();
        for part in 1..6 {
            let mut edited = bytes.clone();
            edited[bytes.len() * part / 6] ^= 1;
            changed.rejects(file, Some(&edited), &[file]);
        }
        changed.rejects(file, Some(&bytes[..bytes.len() - 1]), &[file]);
        changed.rejects(file, Some(b""), &[file]);
        changed.rejects(file, Some(&[&bytes[..], b"\n"].concat()), &[file]);
        changed.rejects(file, None, &[file]);
        let other = fs::read(folder.join(&copies[(index + 1) % copies.len()])).unwrap();
        changed.rejects(file, Some(&other), &[file]);
        fs::remove_file(folder.join(file)).unwrap();
        symlink("/etc/passwd", folder.join(file)).unwrap();
        verify(&folder).code(18).says(file).says("symbolic link");
        fs::remove_file(folder.join(file)).unwrap();
        fs::write(folder.join(file), bytes).unwrap();
    }
    let bytes = fs::read(folder.join(&archive)).unwrap();
    for part in 0..12 {
        changed.rejects(&archive, Some(&bytes[..bytes.len() * part / 12]), &[&archive]);
    }
    changed.rejects(&archive, Some(&[&bytes[..], b"\0"].concat()), &[&archive]);
    let places: Vec<&str> = INSIDE.into_iter().chain([archive.as_str()]).collect();
    for part in 0..56 {
        let mut flipped = bytes.clone();
        // The first bytes, which say what the file is, and places all over it.
        let at = if part < 8 { part } else { bytes.len() * (part - 8) / 48 };
        flipped[at] ^= 1 << (part % 8);
        changed.rejects(&archive, Some(&flipped), &places);
    }
    changed.rejects(&archive, Some(&of_another_run()), &["record "]);
    assert!(changed.tried > 100, "{} changes", changed.tried);
    verify(&folder).code(0).says("CONSISTENT");
}

#[test]
fn the_rehearsed_run_is_verified_from_what_it_published() {
    let (test, outcome) = rehearsed();
    let elsewhere = tempfile::tempdir().unwrap();
    let from = test.path("reports/local/astral-citadel");
    for file in files(&from) {
        let to = elsewhere.path().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to).unwrap();
    }
    let folder = elsewhere.path().to_owned();
    verify(&folder).code(0).says("CONSISTENT").never_says("no copy that");
    let archive = archive_in(&folder);
    assert!(outcome.stderr.contains(&archive), "the end names it: {}", outcome.stderr);
    let copies: Vec<String> = files(&folder).into_iter().filter(|file| *file != archive).collect();
    assert!(copies.len() > 10, "{copies:?}");
    let mut changed = Changed { folder: folder.clone(), tried: 0 };
    // One way for each copy, and every way several times.
    for (index, file) in copies.iter().enumerate() {
        let bytes = fs::read(folder.join(file)).unwrap();
        let other = fs::read(folder.join(&copies[(index + 1) % copies.len()])).unwrap();
        let mut edited = bytes.clone();
        edited[bytes.len() / 2] ^= 1;
        let ways = [Some(&edited[..]), None, Some(&other[..]), Some(&bytes[..bytes.len() - 1])];
        changed.rejects(file, ways[index % ways.len()], &[file]);
    }
    let bytes = fs::read(folder.join(&archive)).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let places: Vec<&str> = INSIDE.into_iter().chain([archive.as_str()]).collect();
    changed.rejects(&archive, Some(&flipped), &places);
    changed.rejects(&archive, Some(&bytes[..bytes.len() / 2]), &[&archive]);
    changed.rejects(&archive, Some(&of_another_run()), &["record "]);
    verify(&folder).code(0);
}

/// Two runs of one runbook: their archives, and the copies of one beside the archive of the other.
#[test]
fn another_runs_archive_does_not_stand_for_this_one() {
    let test = site();
    test.citadel("run --network test").code(0);
    let folder = published(&test);
    let first = archives(&folder).pop().unwrap();
    let kept = fs::read(folder.join("said/one.txt")).unwrap();
    test.citadel("run --network test --new").code(0);
    let second = archives(&folder).pop().unwrap();
    assert_ne!(first, second);
    let newer = fs::read(&second).unwrap();
    fs::copy(&first, &second).unwrap();
    verify(&folder).code(18).says("holds the run");
    fs::write(&second, newer).unwrap();
    fs::write(folder.join("said/one.txt"), kept).unwrap();
    verify(&folder).code(18).says("said/one.txt").says("not what the record says");
}
