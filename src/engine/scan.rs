//! The last look at everything that was written: no file may hold a secret, in whatever form. Names files and rules, never
//! a value, and changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::world::World;
use crate::error::{ExitCode, Failure};
use crate::event::PublishedFile;
use crate::journal::files_below;
use crate::secrets::{Mask, shapes, shapes_in};

/// Larger files are looked through for known values alone.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Looks through the run's folder and what was published of it.
///
/// # Errors
/// With the code `SecretFound` and every place, where something holds a secret.
pub(super) fn scan(world: &World, published: &[PublishedFile]) -> Result<(), Failure> {
    let folder = world.folder.path();
    let kept = files_below(folder)?.into_iter().map(|file| folder.join(file));
    let mut files: Vec<PathBuf> = kept.filter(|file| is_regular(file)).collect();
    files.extend(published.iter().map(|file| world.reports.join(&file.path)).filter(|path| path.is_file()));
    files.push(world.reports.join("citadel-report.md"));
    let mut details = Vec::new();
    for file in files {
        let rules = rules(&file, &world.mask).with_context(|| format!("cannot look through `{}`", file.display()))?;
        details.extend(rules.into_iter().map(|rule| format!("`{}` holds {rule}", file.display())));
    }
    clean(details)
}

/// Looks through files that are about to leave the machine.
///
/// # Errors
/// As at the end of a run: with the code `SecretFound` and every place.
pub fn look_through(files: &BTreeMap<String, Vec<u8>>, mask: &Mask) -> Result<(), Failure> {
    let of = |(file, bytes): (&String, &Vec<u8>)| {
        let names = mask.found(bytes).into_iter().map(|name| format!("the value of `{name}`"));
        let rules = names.chain(shapes(bytes).into_iter().map(str::to_owned));
        rules.map(|rule| format!("`{file}` holds {rule}")).collect::<Vec<_>>()
    };
    clean(files.iter().flat_map(of).collect())
}

/// Whether it is a file itself, and no link, pipe or socket.
fn is_regular(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file())
}

fn clean(details: Vec<String>) -> Result<(), Failure> {
    if details.is_empty() {
        return Ok(());
    }
    let what = match details.len() {
        1 => "a secret was written".to_owned(),
        many => format!("secrets were written in {many} places"),
    };
    let hint = "rotate every secret that is named, then remove the files; nothing of this run must be passed on";
    Err(Failure { details, ..Failure::new(ExitCode::SecretFound, what).hint(hint) })
}

/// What a file holds that it must not.
fn rules(file: &Path, mask: &Mask) -> anyhow::Result<Vec<String>> {
    let names = mask.found_in(File::open(file)?)?;
    let mut rules: Vec<String> = names.into_iter().map(|name| format!("the value of `{name}`")).collect();
    if std::fs::metadata(file)?.len() <= LARGEST {
        rules.extend(shapes_in(File::open(file)?)?.into_iter().map(str::to_owned));
    }
    Ok(rules)
}
