//! Reads a runbook file, or says in one sentence why it cannot be read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::diagnostic::Problems;
use super::{Runbook, parse};
use crate::error::{ExitCode, Failure};

/// No runbook that people read is longer, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A runbook read from a file, and the text it was read from.
#[derive(Debug)]
pub struct Loaded {
    pub runbook: Runbook,
    pub text: String,
}

/// Reads and resolves a runbook file.
///
/// # Errors
/// Always with the code `RunbookInvalid`. If the file was read but is no valid runbook, `source` is a [`Problems`]:
/// print its `render`, which needs no prefix. Otherwise it is one sentence about the file.
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let text = read(path)?;
    match parse(&text, path) {
        Ok(runbook) => Ok(Loaded { runbook, text }),
        Err(problems) => Err(invalid(problems)),
    }
}

fn invalid(problems: Problems) -> Failure {
    Failure { code: ExitCode::RunbookInvalid, source: anyhow::Error::new(problems), details: Vec::new(), hint: None }
}

fn read(path: &Path) -> Result<String, Failure> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        let inside = path.join("runbook.toml");
        return Err(refuse(path, "is a folder", &format!("name the file in it, as in `{}`", inside.display())));
    }
    // Opening a pipe or a device could wait for ever.
    if !metadata.is_file() {
        return Err(refuse(path, "is not a regular file", "name a file of TOML"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    check_bytes(path, bytes)
}

fn check_bytes(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    if bytes.is_empty() {
        return Err(refuse(path, "is empty", "a runbook begins with `format = 1`; restore the file, or write one"));
    }
    if bytes.len() as u64 > LARGEST {
        return Err(refuse(
            path,
            "is larger than 1 MiB, which no runbook is",
            "name the runbook, not a log or an archive",
        ));
    }
    if bytes.contains(&0) {
        return Err(refuse(path, "is a binary file", "name a file of TOML"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        refuse(path, &format!("is not UTF-8: line {line} has a byte that no text has"), "save it as UTF-8")
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => refuse(
            path,
            "does not exist",
            "run citadel in the folder that has `runbook.toml`, or point to one with `--runbook FILE`",
        ),
        io::ErrorKind::PermissionDenied => {
            refuse(path, "may not be read", &format!("look at `ls -l {}`, then `chmod u+r` it", path.display()))
        }
        io::ErrorKind::NotADirectory => {
            refuse(path, "lies in something that is not a folder", "look at the path again")
        }
        _ => refuse(path, &format!("cannot be read: {error}"), "look at the path again"),
    }
}

fn refuse(path: &Path, what: &str, hint: &str) -> Failure {
    let message = format!("the runbook `{}` {what}", path.display());
    Failure::new(ExitCode::RunbookInvalid, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &Path, expected: &str) {
        let failure = load(path).unwrap_err();
        assert_eq!(failure.code, ExitCode::RunbookInvalid);
        assert!(failure.hint.is_some());
        assert_eq!(failure.to_string(), format!("the runbook `{}` {expected}", path.display()));
    }

    #[test]
    fn files_that_are_no_runbook() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        check(&folder.path().join("none.toml"), "does not exist");
        check(folder.path(), "is a folder");
        check(&file("empty", b""), "is empty");
        check(&file("large", &vec![b'#'; 10_000_000]), "is larger than 1 MiB, which no runbook is");
        check(&file("binary", b"\x7fELF\0\0"), "is a binary file");
        check(&file("latin1", b"format = 1\n# caf\xe9\n"), "is not UTF-8: line 2 has a byte that no text has");
        check(&file("file", b"x").join("runbook.toml"), "lies in something that is not a folder");
        check(Path::new("/dev/null"), "is not a regular file");
    }

    #[test]
    fn what_may_not_be_read_says_so() {
        let failure = unreadable(Path::new("a.toml"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(failure.to_string(), "the runbook `a.toml` may not be read");
    }

    #[test]
    fn an_invalid_runbook_carries_its_problems() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runbook.toml");
        std::fs::write(&path, "format = 2\n").unwrap();
        let failure = load(&path).unwrap_err();
        assert_eq!(failure.code, ExitCode::RunbookInvalid);
        let problems = failure.source.downcast_ref::<Problems>().unwrap();
        assert!(problems.render(false).starts_with("error: "));
        assert!(problems.list().len() > 1);
    }
}
