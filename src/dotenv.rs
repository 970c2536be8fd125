//! The workspace's file of variables: read as it stands, without following links, and what is wrong with it told by names
//! and lines. Never shows a value.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::beneath;
use crate::secrets::{is_harmless, is_secret_name};

/// What the file says, and what is wrong with it.
#[derive(Default)]
pub struct DotEnv {
    pub values: BTreeMap<String, String>,
    pub problems: Vec<Problem>,
}

/// Something wrong with the file: a sentence, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    pub how: String,
}

/// Reads the file `name` of `folder`; where there is none, nothing is wrong. `secret` tells which variables are secret
/// whatever they are called.
pub fn read(folder: &Path, name: &str, secret: &dyn Fn(&str) -> bool) -> DotEnv {
    let path = folder.join(name);
    let Ok(about) = std::fs::symlink_metadata(&path) else { return DotEnv::default() };
    let problem = |what: String, how: String| Problem { what, how };
    let text = match beneath::read(folder, name) {
        Ok(found) => found.bytes,
        Err(error) => {
            let how = format!("make `{}` a regular file that you alone can read", path.display());
            return DotEnv { problems: vec![problem(format!("{error:#}"), how)], ..DotEnv::default() };
        }
    };
    let (values, mut problems) = parse(name, &String::from_utf8_lossy(&text));
    let mut secrets = values.iter().filter(|(name, _)| secret(name) || is_secret_name(name));
    if about.mode() & 0o077 != 0 && secrets.any(|(_, value)| !is_harmless(value)) {
        let what = format!("`{name}` holds secrets and can be read by others (mode {:04o})", about.mode() & 0o7777);
        problems.push(problem(what, format!("chmod 600 {}", path.display())));
    }
    DotEnv { values, problems }
}

/// The last line of a name counts, as for the programs that steps run.
fn parse(name: &str, text: &str) -> (BTreeMap<String, String>, Vec<Problem>) {
    let (mut values, mut problems) = (BTreeMap::<String, String>::new(), Vec::new());
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        let Ok((variable, value)) = line else {
            let what = format!("`{name}` has a line that cannot be read as `NAME=value`");
            problems.push(Problem { what, how: "put values with spaces or `#` in quotes".to_owned() });
            continue;
        };
        let before = values.insert(variable.clone(), value.clone());
        if before.is_some_and(|before| before != value) {
            let what = format!("`{variable}` stands twice in `{name}`, with two values");
            problems.push(Problem { what, how: "keep one of the lines".to_owned() });
        }
    }
    problems.dedup();
    (values, problems)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[track_caller]
    fn check(text: &str, mode: u32, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let found = read(folder.path(), ".env", &|name| name == "DECLARED");
        let told: Vec<&str> = found.problems.iter().map(|problem| problem.what.as_str()).collect();
        assert_eq!(told, expected, "{text}");
        assert!(!format!("{:?}", found.problems).contains("Zq83"), "no value is told");
    }

    #[test]
    fn what_is_wrong_is_told_by_name() {
        let open = "`.env` holds secrets and can be read by others (mode 0644)";
        check("", 0o644, &[]);
        check("NETWORK=sepolia\n# PRIVATE_KEY=Zq83hLwP0sXk91TbVy\n", 0o644, &[]);
        check("PRIVATE_KEY=\n", 0o644, &[]);
        check("PRIVATE_KEY=Zq83hLwP0sXk91TbVy\n", 0o600, &[]);
        check("PRIVATE_KEY=Zq83hLwP0sXk91TbVy\n", 0o644, &[open]);
        check("DECLARED=Zq83hLwP0sXk91TbVy\n", 0o640, &["`.env` holds secrets and can be read by others (mode 0640)"]);
        check("A=1\nA=1\n", 0o600, &[]);
        check("A=1\nB=Zq83\nA=2\n", 0o600, &["`A` stands twice in `.env`, with two values"]);
        check("A=1\nthis is Zq83\n", 0o600, &["`.env` has a line that cannot be read as `NAME=value`"]);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("other"), "A=1\n").unwrap();
        symlink("other", folder.path().join(".env")).unwrap();
        let found = read(folder.path(), ".env", &|_| false);
        assert!(found.values.is_empty());
        assert!(found.problems[0].what.contains("symbolic link"), "{:?}", found.problems);
        assert!(read(folder.path(), "none", &|_| false).problems.is_empty());
    }
}
