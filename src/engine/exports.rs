//! Files with exported Safe transactions, gathered before a judgement: a check finds them as an artefact of their folder, so
//! that a gate's record holds them. Reads files; judges none.

use std::collections::BTreeMap;
use std::path::Path;

use crate::chain::{EXPORT_MARK, Fetched, files_of};
use crate::runbook::{Check, CheckKind, Scope};
use crate::workspace::read_file;

/// More files than people export.
const MOST: usize = 1000;

/// The folders that the checks ask for.
pub(super) fn gather(checks: &[&Check], workspace: &Path, scope: &Scope) -> Fetched {
    let folder = |check: &&Check| match &check.kind {
        CheckKind::SafeTx { others, .. } => others.as_ref()?.render(scope).ok(),
        _ => None,
    };
    checks.iter().filter_map(folder).map(|folder| (files_of(&folder), files(workspace, &folder))).collect()
}

/// The texts of a folder's files by their names, as JSON: of those that may be an export; none where one cannot be read.
fn files(workspace: &Path, folder: &str) -> Result<Vec<u8>, String> {
    let entries = std::fs::read_dir(workspace.join(folder)).map_err(|error| format!("`{folder}`: {error}"))?;
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for entry in entries {
        let name = entry.map_err(|error| format!("`{folder}`: {error}"))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if Path::new(&name).extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("json")) {
            continue;
        }
        let text = read_file(workspace, &format!("{folder}/{name}")).ok();
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        if text.as_ref().is_none_or(|text| text.contains(EXPORT_MARK)) {
            found.insert(name, text);
        }
        if found.len() > MOST {
            return Err(format!("`{folder}` holds more than {MOST} files"));
        }
    }
    serde_json::to_vec(&found).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_an_export_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(here.join(name), bytes).unwrap();
        write("one.json", br#"{"safeTxHash":"0x"}"#);
        write("two.JSON", br#"{"safeTxHash":"0x"}"#);
        write("plan.json", br#"{"modules":[]}"#);
        write("three.txt", br#"{"safeTxHash":"0x"}"#);
        write("bytes.json", &[0xff, 0xfe]);
        std::os::unix::fs::symlink(here.join("one.json"), here.join("link.json")).unwrap();
        let found = files(folder.path(), "here").unwrap();
        let found: BTreeMap<String, Option<String>> = serde_json::from_slice(&found).unwrap();
        let names: Vec<(&str, bool)> = found.iter().map(|(name, text)| (name.as_str(), text.is_some())).collect();
        assert_eq!(names, [("bytes.json", false), ("link.json", false), ("one.json", true), ("two.JSON", true)]);
        assert!(files(folder.path(), "nowhere").unwrap_err().contains("`nowhere`"));
    }
}
