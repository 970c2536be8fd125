//! The last look at everything that was written: no file may hold a secret, in whatever form. Names files and rules, never
//! a value, and changes nothing.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::world::World;
use crate::error::{ExitCode, Failure};
use crate::event::PublishedFile;
use crate::journal::{RunFolder, files_below};
use crate::process::Looked;
use crate::report::markdown;
use crate::secrets::{Mask, Search};

/// How much of a file is read at once.
const PIECE: usize = 128 * 1024;

/// Looks through the run's folder and what was published of it: every place that holds a secret, with the rule. Of what was
/// looked through before, and not touched since, it repeats what was found.
///
/// # Errors
/// A file cannot be looked through.
pub(super) fn scan(
    world: &World,
    published: &[PublishedFile],
    looked: &BTreeMap<PathBuf, Looked>,
) -> Result<Vec<String>, Failure> {
    places(world.folder.path(), &world.reports, published, looked, &world.mask)
}

/// The same of a run that is about to be passed on.
///
/// # Errors
/// As at the end of a run: with the code `SecretFound` and every place.
pub fn before_passing_on(
    folder: &RunFolder,
    reports: &Path,
    published: &[PublishedFile],
    mask: &Mask,
) -> Result<(), Failure> {
    failure(places(folder.path(), reports, published, &BTreeMap::new(), mask)?).map_or(Ok(()), Err)
}

fn places(
    folder: &Path,
    reports: &Path,
    published: &[PublishedFile],
    looked: &BTreeMap<PathBuf, Looked>,
    mask: &Mask,
) -> Result<Vec<String>, Failure> {
    let kept = files_below(folder)?.into_iter().map(|file| folder.join(file));
    let published = published.iter().map(|file| reports.join(&file.path));
    let mut places = Vec::new();
    for (file, about) in kept.chain(published).filter_map(regular) {
        match looked.get(&file).filter(|looked| looked.is_of(&about)) {
            Some(looked) => places.extend(told(&file, looked.found.clone())),
            None if about.len() == 0 => {}
            None => places.extend(places_in(&file, mask)?),
        }
    }
    Ok(places)
}

/// The same for citadel's own report, which is written last.
pub(super) fn report(world: &World) -> Result<Vec<String>, Failure> {
    Ok(places_in(&world.reports.join(markdown::FILE), &world.mask)?)
}

fn places_in(file: &Path, mask: &Mask) -> anyhow::Result<Vec<String>> {
    let rules = rules(file, mask).with_context(|| format!("cannot look through `{}`", file.display()))?;
    Ok(told(file, rules).collect())
}

fn told(file: &Path, rules: Vec<String>) -> impl Iterator<Item = String> {
    rules.into_iter().map(move |rule| format!("`{}` holds {rule}", file.display()))
}

/// Looks through files that are about to leave the machine.
///
/// # Errors
/// As at the end of a run: with the code `SecretFound` and every place.
pub fn look_through(files: &BTreeMap<String, Vec<u8>>, mask: &Mask) -> Result<(), Failure> {
    let of = |(file, bytes): (&String, &Vec<u8>)| {
        mask.problems(bytes).into_iter().map(|rule| format!("`{file}` holds {rule}")).collect::<Vec<_>>()
    };
    failure(files.iter().flat_map(of).collect()).map_or(Ok(()), Err)
}

/// A file itself, and no link, pipe or socket.
fn regular(path: PathBuf) -> Option<(PathBuf, Metadata)> {
    let about = std::fs::symlink_metadata(&path).ok().filter(Metadata::is_file)?;
    Some((path, about))
}

/// With the code `SecretFound` and every place; none where there is no place.
pub(super) fn failure(details: Vec<String>) -> Option<Failure> {
    let what = match details.len() {
        0 => return None,
        1 => "a secret was written".to_owned(),
        many => format!("secrets were written in {many} places"),
    };
    let hint = "rotate every secret that is named, then remove the files; nothing of this run must be passed on";
    Some(Failure { details, ..Failure::new(ExitCode::SecretFound, what).hint(hint) })
}

/// A failure with what was found beside it: a secret is told first, and the failure with it.
pub(super) fn beside(places: Vec<String>, other: Failure) -> Failure {
    let Some(mut found) = failure(places) else { return other };
    found.details.push(format!("the run was broken off besides: {other}"));
    found.details.extend(other.details);
    found.details.extend(other.hint);
    found
}

/// What a file holds that it must not.
fn rules(file: &Path, mask: &Mask) -> anyhow::Result<Vec<String>> {
    let (mut file, mut search) = (File::open(file)?, Search::new(mask));
    let mut piece = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(PIECE).clamp(1, PIECE)];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(search.finish()),
            read => search.push(&piece[..read]),
        }
    }
}
