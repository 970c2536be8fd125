//! Runbooks that cannot be one: one clear error each, whatever lies there.

use std::os::unix::fs::PermissionsExt as _;

use super::builder::Test;
use super::stub::{step, stub};

/// Reads what lies at `runbook.toml` in every way; each ends with 3 and one error that has `told` and a hint.
#[track_caller]
fn refused(test: &Test, told: &str) {
    for args in ["check", "check runbook.toml", "plan --network test", "run --network test", "status", "gate list"] {
        let outcome = test.citadel(args).code(3).says(told).says("hint: ");
        assert_eq!(outcome.stderr.lines().filter(|line| line.starts_with("error")).count(), 1, "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.len() < 1000, "{} bytes of error", outcome.stderr.len());
    }
    assert!(!test.state().exists());
}

#[test]
fn an_empty_folder() {
    refused(&Test::empty(), "runbook.toml");
}

#[test]
fn no_bytes() {
    let test = Test::empty();
    test.write("runbook.toml", "");
    refused(&test, "is empty");
}

#[test]
fn ten_megabytes() {
    let test = Test::empty();
    test.write("runbook.toml", "# a comment that goes on\n".repeat(400_000));
    refused(&test, "is larger than 1 MiB");
}

#[test]
fn binary_data() {
    let test = Test::empty();
    let program = std::fs::read(env!("CARGO_BIN_EXE_citadel")).unwrap();
    test.write("runbook.toml", &program[..100_000]);
    refused(&test, "is a binary file");
}

#[test]
fn a_folder() {
    let test = Test::empty();
    std::fs::create_dir(test.path("runbook.toml")).unwrap();
    test.citadel("check runbook.toml").code(3).says("is a folder").says("hint: ");
    test.citadel("-f runbook.toml run --network test").code(3).says("is a folder");
    test.citadel("-f . run --network test").code(3).says("is a folder");
}

#[test]
fn a_device_is_not_waited_for() {
    let test = Test::empty();
    test.citadel("check /dev/zero").code(3).says("/dev/zero");
    let pipe = super::stub::Pipe::new(&test.path("pipe"));
    test.citadel("check pipe").code(3).says("pipe");
    drop(pipe);
}

#[test]
fn a_file_that_nobody_may_read() {
    let test = stub(&step("a", "exit 0", ""));
    let path = test.path("runbook.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // For the superuser every file can be read.
    let expected = if std::fs::read(&path).is_ok() { 0 } else { 3 };
    test.citadel("check runbook.toml").code(expected).says("runbook.toml");
}

#[test]
fn spaces_and_unicode_in_paths() {
    let test = stub(&step("a", "pwd; exit 0", ""));
    let folder = test.path("Fälle für ☂ & $HOME 'x'");
    std::fs::create_dir(&folder).unwrap();
    for file in ["runbook.toml", "marker", "gate.json"] {
        std::fs::rename(test.path(file), folder.join(file)).unwrap();
    }
    let runbook = folder.join("runbook.toml").display().to_string();
    let workspace = folder.display().to_string();
    test.citadel_with(&["check", &runbook]).code(0).says("Fälle für ☂");
    let args = ["-f", &runbook, "run", "--network", "test", "--workspace", &workspace];
    test.citadel_with(&args).code(0).says("COMPLETE");
    assert!(folder.join("reports/test/citadel-report.md").is_file());
    test.citadel_with(&["-f", &runbook, "gate", "verify", "--network", "test"]).code(0);
    std::fs::write(folder.join("runbook.toml"), "format = 2\n").unwrap();
    test.citadel_with(&["check", &runbook]).code(3).says(&format!("{runbook}:1:"));
}

#[test]
fn several_problems_are_shown_at_once() {
    let test = stub(&step("a", "exit 0", "tiemout = \"10m\"\nsilence = \"5\""));
    let outcome = test.citadel("check").code(3).says("`timeout`").says("runbook.toml:");
    assert!(outcome.stderr.matches("error").count() >= 2, "{}", outcome.stderr);
    test.citadel("run --network test").code(3);
    assert!(!test.state().exists());
}
