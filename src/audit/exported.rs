//! Whether a folder that was exported holds what its list says, and the deliverables that the journal says were published.

use std::collections::BTreeMap;
use std::path::Path;

use super::files::{all, read};
use super::{Notes, Problem};
use crate::digest::sha256;
use crate::journal::RunFolder;
use crate::progress::Progress;

/// The list of all other files, as `sha256sum --check` reads it.
pub const SUMS: &str = "SHA256SUMS";

/// Where the deliverables are.
pub const DELIVERABLES: &str = "deliverables";

pub(super) fn look(path: &Path, progress: &Progress, notes: &mut Notes) {
    let folder = RunFolder::at(path);
    let mut wrong = |file: &str, what: String| {
        notes.problems.push(Problem { record: None, file: Some(file.to_owned()), what });
    };
    let sums = match read(&folder, SUMS) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(why) => return wrong(SUMS, why),
    };
    let listed: BTreeMap<&str, &str> =
        sums.lines().filter_map(|line| line.split_once("  ")).map(|(sum, file)| (file, sum)).collect();
    for (file, sum) in &listed {
        match read(&folder, file) {
            Ok(bytes) if sha256(&bytes) == **sum => {}
            Ok(_) => wrong(file, format!("is not what `{SUMS}` lists")),
            Err(why) => wrong(file, why),
        }
    }
    match all(path) {
        Ok(files) => {
            for file in files.iter().filter(|file| *file != SUMS && !listed.contains_key(file.as_str())) {
                wrong(file, format!("is not listed in `{SUMS}`"));
            }
        }
        Err(why) => wrong(SUMS, format!("cannot be compared with what is there: {why:#}")),
    }
    for published in &progress.published {
        let file = format!("{DELIVERABLES}/{}", published.path);
        if listed.get(file.as_str()) != Some(&published.sha256.as_str()) {
            wrong(&file, "is not what the journal says was published".into());
        }
    }
}
