//! A run that leaves the machine: the same bytes every time, checked by other people's programs, and nothing secret or
//! incomplete in it.

use std::fs;
use std::path::Path;

use citadel::audit::{Expected, audit, files, sums};
use citadel::digest::sha256;

use super::builder::Test;
use super::rehearsal::{rehearsed, run_folder};
use super::stub::{step, stub, went_on_elsewhere};

fn export(to: &Path) {
    let (test, _) = rehearsed();
    let (run, to) = (run_folder().display().to_string(), to.display().to_string());
    test.citadel_with(&["export", "--run", &run, "--to", &to]).code(0);
}

fn problems(folder: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let audit = runtime.block_on(audit(folder, &Expected::default())).unwrap();
    audit
        .problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.file.unwrap_or_default(), problem.what))
        .collect()
}

#[test]
fn an_exported_run_is_checked_by_others_and_every_change_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("run of today");
    export(&to);
    let told = Test::empty().sh(&format!("cd '{}' && sha256sum --check --strict SHA256SUMS", to.display()));
    assert!(told.lines().count() > 50 && told.lines().all(|line| line.ends_with(": OK")), "{told}");
    assert_eq!(problems(&to), [""; 0]);
    for file in ["deliverables/governance.md", "deliverables/receipts/mission.json", "report.md", "run/journal.jsonl"] {
        assert!(to.join(file).is_file(), "{file}");
    }
    assert!(!to.join("run/shims").exists(), "working files stay");

    let check = |file: &str, bytes: Option<&[u8]>| {
        let path = to.join(file);
        let before = fs::read(&path).ok();
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let found = problems(&to);
        assert!(found.iter().any(|problem| problem.starts_with(file)), "{file}: {found:?}");
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    };
    check("deliverables/governance.md", Some(b"another"));
    check("deliverables/receipts/mission.json", None);
    check("deliverables/more.md", Some(b"more"));
    check("report.md", Some(b"all is well"));
    check("run/logs/3.mission.1.log", Some(b"nothing happened"));
    check("SHA256SUMS", None);
    assert_eq!(problems(&to), [""; 0]);
}

/// Writes the list anew, as somebody would who changed something: every sum in it fits.
fn listed_anew(folder: &Path) {
    let all = files::all(folder).unwrap();
    let files = all.iter().filter(|file| *file != "SHA256SUMS");
    let list = sums(files.map(|file| (file, sha256(&fs::read(folder.join(file)).unwrap()))));
    fs::write(folder.join("SHA256SUMS"), list).unwrap();
}

#[test]
fn a_change_is_noticed_although_the_list_was_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("run");
    export(&to);
    listed_anew(&to);
    assert_eq!(problems(&to), [""; 0], "the test lists as citadel does");
    for (file, bytes) in [
        ("report.md", Some("all is well")),
        ("report.md", None),
        ("deliverables/treasury.md", Some("more")),
        ("deliverables/governance.md", None),
        ("SIGNED-BY-EVERYONE.txt", Some("yes")),
        ("run/definitions.json", Some("{}")),
        ("run/definitions.json", None),
        ("run/artefacts/3.mission.9.before.safe-tx.json", Some("{}")),
        ("run/handed-in/0000.json", Some("{}")),
        ("run/shims/pkill", Some("#!/bin/sh")),
        ("run/note", Some("of somebody")),
        ("attestations/more.json", Some("{}")),
    ] {
        let path = to.join(file);
        let before = fs::read(&path).ok();
        match bytes {
            Some(bytes) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, bytes).unwrap();
            }
            None => fs::remove_file(&path).unwrap(),
        }
        listed_anew(&to);
        let found = problems(&to);
        let inside = file.strip_prefix("run/").unwrap_or(file);
        assert!(found.iter().any(|problem| problem.starts_with(inside)), "{file}: {found:?}");
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    listed_anew(&to);
    let list = fs::read_to_string(to.join("SHA256SUMS")).unwrap();
    let first = list.lines().next().unwrap();
    for list in [
        format!("# of today\n{list}"),
        format!("{list}{first}\n"),
        list.replacen("  ", " *", 1),
        list.trim_end().to_owned(),
    ] {
        fs::write(to.join("SHA256SUMS"), &list).unwrap();
        assert!(!problems(&to).is_empty(), "{list:.80}");
    }
}

#[test]
fn an_archive_has_the_same_bytes_every_time() {
    let (test, _) = rehearsed();
    let folder = tempfile::tempdir().unwrap();
    let pack = |name: &str| {
        let out = folder.path().join(name);
        let told = test.citadel(&format!("archive --run {} --out {}", run_folder().display(), out.display())).code(0);
        assert!(told.stdout.contains("journal head"), "{}", told.stdout);
        fs::read(&out).unwrap()
    };
    let bytes = pack("one.tar.zst");
    assert_eq!(bytes, pack("two.tar.zst"));
    let mut plain = Vec::new();
    std::io::copy(&mut ruzstd::decoding::StreamingDecoder::new(bytes.as_slice()).unwrap(), &mut plain).unwrap();
    tar::Archive::new(plain.as_slice()).unpack(folder.path()).unwrap();
    let unpacked = fs::read_dir(folder.path()).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    assert_eq!(problems(&unpacked), [""; 0]);
    let there = folder.path().join("one.tar.zst");
    let again = test.citadel(&format!("archive --run {} --out {}", run_folder().display(), there.display()));
    again.code(2).says("is there already");
}

#[test]
fn what_is_incomplete_or_holds_a_secret_does_not_leave() {
    let test = stub(&step("one", "exit 1", ""));
    test.citadel("run --network test").code(13);
    test.citadel("archive --network test").code(15).says("not every gate is open");

    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV";
    let test = stub(&step("leak", &format!("echo {token}"), ""));
    let outcome = test.citadel("run --network test").code(19).never_says("COMPLETE");
    let told =
        ["SECRET FOUND  something secret was written in ", "made in ", "journal head ", "secrets were written in "];
    let places: Vec<usize> =
        told.iter().map(|text| outcome.stderr.find(text).unwrap_or_else(|| panic!("{text}"))).collect();
    assert!(places.is_sorted(), "{}", outcome.stderr);
    test.citadel("status --network test").says("something secret was written in ");
    test.citadel("report --network test").says("nothing of this run must be passed on");
    test.citadel("export --network test --to out").code(19).says("run/logs/1.leak.1.log` holds a JSON Web Token");
    assert!(!test.path("out").exists());

    let test = stub(&step("one", "true", ""));
    test.citadel("run --network test").code(0);
    test.citadel("archive --network test --out a.tar.zst").code(0);
    let journal = test.runs("stub", "test")[0].join("journal.jsonl");
    fs::write(&journal, fs::read_to_string(&journal).unwrap().replacen("true", "tru3", 1)).unwrap();
    test.citadel("archive --network test --out b.tar.zst").code(18).says("is broken: line");
}

#[test]
fn a_run_with_a_step_by_hand_and_one_that_failed_leaves_too() {
    let manual = "[[phase.step]]\nid = \"call\"\ntitle = \"Call them\"\nmanual = \"Call the signers.\"\n";
    let test = stub(&format!("{manual}{}", step("late", "test -e there", "")));
    test.citadel("run --network test").code(20);
    test.citadel_with(&["decide", "1.call", "--happened", "--reason", "called", "--network", "test"]).code(0);
    test.citadel("run --network test").code(13);
    test.write("there", "");
    test.citadel("run --network test").code(0);
    let run = test.runs("stub", "test")[0].display().to_string();
    let told = test.citadel_with(&["verify", &run]).code(0);
    assert!(told.stdout.contains("CONSISTENT"), "{}", told.stdout);
    test.citadel("export --network test --to out").code(0);
    assert_eq!(problems(&test.path("out")), [""; 0]);
}

#[test]
fn a_kept_file_that_is_called_like_one_that_was_moved_aside_leaves_too() {
    let keep = "[[phase.step.evidence]]\nfile = \"out.json\"\nkeep = \"state.before.json\"\n";
    let test = stub(&step("one", "echo 1 > out.json", keep));
    test.citadel("run --network test").code(0);
    test.citadel("export --network test --to out").code(0);
    assert!(test.path("out/run/artefacts/1.one.1.state.before.json").is_file());
    assert_eq!(problems(&test.path("out")), [""; 0]);
}

#[test]
fn a_run_that_went_on_under_another_title_leaves_too() {
    let test = stub(&step("late", "test -e there", ""));
    test.citadel("run --network test").code(13);
    test.edit("runbook.toml", "title = \"Stub\"", "title = \"Stub of today\"");
    test.write("there", "");
    test.citadel("run --network test").code(0);
    test.citadel("export --network test --to out").code(0);
    assert_eq!(problems(&test.path("out")), [""; 0]);
}

#[test]
fn a_run_that_went_on_from_another_checkout_leaves_too() {
    let test = went_on_elsewhere();
    let opened = &test.journal("stub", "test")[0].event;
    let citadel::event::Event::RunOpened(opened) = opened else { panic!("{opened:?}") };
    assert_eq!(Path::new(&opened.reports), test.path("reports/test"), "as without `--runbook`");
    // What must not leave is what stands in the `.env` of the workspace that it went on in.
    fs::write(test.root().join("other/.env"), format!("RELEASE_TOKEN={}\n", opened.runbook_sha256)).unwrap();
    let export = "-f ../other/runbook.toml export --network test --to out";
    test.citadel(export).code(19).says("RELEASE_TOKEN");
    fs::remove_file(test.root().join("other/.env")).unwrap();
    test.citadel(export).code(0);
    assert_eq!(problems(&test.path("out")), [""; 0]);
}
