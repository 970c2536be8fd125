//! `citadel archive` and `citadel export`: everything of a finished run in one file or folder, for people who have neither
//! this machine nor this runbook. The same run always gives the same bytes. Nothing incomplete, inconsistent or secret
//! leaves.

mod attesting;
mod contents;
mod pack;
mod unpack;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::context::Context;
use super::opening::Existing;
use crate::audit::{Expected, audit};
use crate::cli::{Archive, Attesting, Export, OfRun};
use crate::engine::{Packed, SUFFIX, name_of, scan};
use crate::error::{ExitCode, Failure};
use crate::journal::{self, RunFolder};
use crate::terminal;
use crate::text::count;
pub(super) use attesting::read_key;
use contents::Contents;
pub(super) use unpack::{Unpacked, unpack};

/// Packs a run.
pub(super) async fn archive(context: &Context, args: &Archive) -> Result<ExitCode, Failure> {
    let (name, contents) = gather(context, &args.of, &args.attesting).await?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(name.clone() + SUFFIX));
    let out = context.here.join(out);
    refuse_to_overwrite(&out)?;
    let bytes = pack::tar_zst(&name, contents.files(), contents.time)?;
    crate::journal::write_file(&out, &bytes)?;
    let unpack = format!("tar --zstd -xf {}; cd {name}", out.file_name().unwrap_or_default().to_string_lossy());
    say(&out, &contents, &unpack);
    Ok(ExitCode::Ok)
}

/// Writes a run into a folder.
pub(super) async fn export(context: &Context, args: &Export) -> Result<ExitCode, Failure> {
    let (_, contents) = gather(context, &args.of, &args.attesting).await?;
    let to = context.here.join(&args.to);
    refuse_to_overwrite(&to)?;
    for (file, bytes) in contents.files() {
        let path = to.join(file);
        let folder = path.parent().context("a file has a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        crate::journal::write_file(&path, bytes)?;
    }
    say(&to, &contents, &format!("cd {}", to.display()));
    Ok(ExitCode::Ok)
}

fn say(out: &Path, contents: &Contents, first: &str) {
    terminal::data(&format!(
        "{}\n  {}\n  journal head {}\ncheck it anywhere:\n  {first}\n  sha256sum --check SHA256SUMS\n  citadel verify . --head {}\n",
        out.display(),
        count(contents.files().len(), "file"),
        contents.head,
        contents.head,
    ));
}

fn refuse_to_overwrite(out: &Path) -> Result<(), Failure> {
    match std::fs::symlink_metadata(out) {
        Err(_) => Ok(()),
        Ok(_) => Err(Failure::new(ExitCode::Usage, format!("`{}` is there already", out.display()))
            .hint("name another place; nothing was written")),
    }
}

/// The archive of the run in `folder`, as `citadel archive` makes it.
///
/// # Errors
/// It may not leave.
pub(super) async fn packed(context: &Context, folder: &RunFolder, attesting: &Attesting) -> Result<Packed, Failure> {
    let (name, contents) = leaving(context, folder, attesting).await?;
    let bytes = pack::tar_zst(&name, contents.files(), contents.time)?;
    Ok(Packed { name: name + SUFFIX, bytes })
}

async fn gather(context: &Context, of: &OfRun, attesting: &Attesting) -> Result<(String, Contents), Failure> {
    let folder = match &of.run {
        Some(folder) => Some(RunFolder::at(&context.here.join(folder))),
        None => Existing::latest(&context.home(context.network(of.net.network.as_deref())?))?.map(|run| run.folder),
    };
    let Some(folder) = folder.filter(|folder| folder.journal().is_file()) else {
        return Err(Failure::new(ExitCode::Precondition, "there is no such run")
            .hint("`citadel status` shows the latest; `--run DIR` names one that is kept elsewhere"));
    };
    leaving(context, &folder, attesting).await
}

/// What leaves, once it is known that it may.
async fn leaving(context: &Context, folder: &RunFolder, attesting: &Attesting) -> Result<(String, Contents), Failure> {
    let found = audit(folder.path(), &Expected { unfinished: true, ..Expected::default() }).await?;
    if let Some(first) = found.problems.first() {
        return Err(Failure::new(ExitCode::EvidenceBroken, format!("the run is not consistent: {}", first.what))
            .hint(format!("`citadel verify {}` lists everything", folder.path().display())));
    }
    let entries = journal::read(&folder.journal())?.entries;
    let progress = contents::complete(&context.runbook, &entries)?;
    let attestations = attesting::attest(context, attesting, &entries).await?;
    let contents = Contents::of(folder, &entries, &progress, attestations)?;
    // Where it was worked on last: whoever took it over has no other.
    let workspace = progress.run.as_ref().map_or("", |run| &run.workspace);
    let mask = context.mask(Path::new(workspace))?;
    scan::look_through(contents.files(), &mask)?;
    Ok((name_of(&found.run), contents))
}
