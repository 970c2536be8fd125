//! Files below a folder, reached step by step without following any link: what a step planted on the way leads nowhere.
//!
//! Knows nothing of what a file is for.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};
use std::time::SystemTime;

use anyhow::Context as _;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// Something that nobody should have put there; what, in a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct InTheWay(String);

impl std::fmt::Display for InTheWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InTheWay {}

/// No larger file is read, unless more is asked for.
pub const MOST: u64 = 64 * 1024 * 1024;

/// No larger file of citadel's own is read: an archive, a gate's record.
pub const MOST_OF_OURS: u64 = 1 << 30;

/// A regular file that was read whole.
#[derive(Debug)]
pub struct Found {
    pub bytes: Vec<u8>,
    pub modified: SystemTime,
    /// How many names it has; more than one are hard links.
    pub names: u64,
}

/// Reads a regular file of at most [`MOST`] bytes.
///
/// # Errors
/// It is not there, is something else, or is behind a link; the message says which.
pub fn read(folder: &Path, relative: &str) -> anyhow::Result<Found> {
    read_up_to(MOST, folder, relative)
}

/// The same of at most `most` bytes.
///
/// # Errors
/// As with [`read`].
pub fn read_up_to(most: u64, folder: &Path, relative: &str) -> anyhow::Result<Found> {
    use std::os::unix::fs::MetadataExt as _;
    let (parent, name) = parent(folder, relative, false)?;
    // A pipe that nobody writes would be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let kind = kind(&parent, name).with_context(|| format!("`{relative}` is not there"))?;
    anyhow::ensure!(kind == FileType::RegularFile, "`{relative}` is {}, not a regular file", word(kind));
    let file = File::from(openat(&parent, name, flags, Mode::empty()).with_context(|| cannot("read", relative))?);
    let about = file.metadata().with_context(|| cannot("read", relative))?;
    anyhow::ensure!(about.is_file(), "`{relative}` is not a regular file");
    anyhow::ensure!(about.len() <= most, "`{relative}` has {} bytes, more than {most}", about.len());
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
    // It may grow meanwhile.
    file.take(most + 1).read_to_end(&mut bytes).with_context(|| cannot("read", relative))?;
    anyhow::ensure!(bytes.len() as u64 <= most, "`{relative}` grew beyond {most} bytes while it was read");
    Ok(Found { bytes, modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH), names: about.nlink() })
}

/// Writes a whole file, with the folders on the way to it: all of it is there afterwards, or what was there before.
///
/// # Errors
/// Something on the way is no folder, or what is there is no regular file.
pub fn write(folder: &Path, relative: &str, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let (parent, name) = parent(folder, relative, true)?;
    let regular = |kind: FileType| kind == FileType::RegularFile;
    if !kind(&parent, name).is_none_or(regular) {
        let path = folder.join(relative);
        let what = format!("`{}` is not a regular file: citadel does not write through it", path.display());
        return Err(InTheWay(what).into());
    }
    let new = format!(".{name}.{}.new", std::process::id());
    let _ = unlinkat(&parent, &new, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let wrote = openat(&parent, &new, flags, Mode::from_raw_mode(0o600)).map_err(std::io::Error::from);
    let wrote = wrote.and_then(|file| {
        let mut file = File::from(file);
        file.write_all(bytes).and_then(|()| file.sync_all())?;
        renameat(&parent, &new, &parent, name)?;
        // The new name is on the disk only with its folder.
        File::from(openat(&parent, ".", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?).sync_all()
    });
    if wrote.is_err() {
        let _ = unlinkat(&parent, &new, AtFlags::empty());
    }
    wrote.with_context(|| format!("cannot write `{}`", folder.join(relative).display()))
}

/// Moves whatever is called so to `to`, a path of citadel's own; says whether there was anything.
///
/// # Errors
/// It cannot be moved, or something on the way is no folder.
pub fn take_away(folder: &Path, relative: &str, to: &Path) -> anyhow::Result<bool> {
    let Some((parent, name)) = parent_if_any(folder, relative)? else { return Ok(false) };
    let Some(kind) = kind(&parent, name) else { return Ok(false) };
    let moved = match renameat(&parent, name, CWD, to) {
        // On another file system: a file is copied, anything else only removed.
        Err(Errno::XDEV) if kind == FileType::RegularFile => std::fs::write(to, read(folder, relative)?.bytes)
            .and_then(|()| Ok(unlinkat(&parent, name, AtFlags::empty())?)),
        Err(Errno::XDEV) => unlinkat(&parent, name, AtFlags::empty()).map_err(Into::into),
        other => other.map_err(Into::into),
    };
    moved.with_context(|| format!("cannot move the old `{relative}` aside"))?;
    Ok(true)
}

/// Removes whatever is called so and is no folder; says whether there was anything.
///
/// # Errors
/// It cannot be removed, or something on the way is no folder.
pub fn remove(folder: &Path, relative: &str) -> anyhow::Result<bool> {
    let Some((parent, name)) = parent_if_any(folder, relative)? else { return Ok(false) };
    match unlinkat(&parent, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(false),
        removed => removed.map(|()| true).with_context(|| cannot("remove", relative)),
    }
}

fn parent_if_any<'a>(folder: &Path, relative: &'a str) -> anyhow::Result<Option<(OwnedFd, &'a str)>> {
    match parent(folder, relative, false) {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            let missing = error.downcast_ref::<std::io::Error>().is_some_and(|why| why.kind() == ErrorKind::NotFound);
            if missing { Ok(None) } else { Err(error) }
        }
    }
}

/// The folder that a file stands in, and the file's name.
fn parent<'a>(folder: &Path, relative: &'a str, make: bool) -> anyhow::Result<(OwnedFd, &'a str)> {
    let leaves = || format!("`{relative}` leaves its folder");
    let mut names = Vec::new();
    for part in Path::new(relative).components() {
        match part {
            Component::Normal(name) => names.push(name.to_str().with_context(leaves)?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => anyhow::bail!(leaves()),
        }
    }
    let name = names.pop().with_context(leaves)?;
    let mut at = openat(CWD, folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(std::io::Error::from)
        .with_context(|| format!("cannot open the folder `{}`", folder.display()))?;
    for step in names {
        at = enter(&at, step, make).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => {
                InTheWay(format!("`{relative}`: `{step}` is a link or no folder, and citadel follows no links")).into()
            }
            other => anyhow::Error::from(std::io::Error::from(other)).context(format!("`{relative}` is not there")),
        })?;
    }
    Ok((at, name))
}

fn enter(folder: &OwnedFd, name: &str, make: bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(folder, name, flags, Mode::empty()) {
        Err(Errno::NOENT) if make => {
            mkdirat(folder, name, Mode::from_raw_mode(0o755))?;
            openat(folder, name, flags, Mode::empty())
        }
        other => other,
    }
}

fn kind(folder: impl AsFd, name: &str) -> Option<FileType> {
    let about = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(RawMode::from(about.st_mode)))
}

fn cannot(what: &str, relative: &str) -> String {
    format!("cannot {what} `{relative}`")
}

fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "nothing known",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::mknodat;

    use super::*;

    /// A folder with a neighbour outside that nothing must reach.
    fn site() -> (tempfile::TempDir, std::path::PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("inside");
        fs::create_dir_all(inside.join("real")).unwrap();
        fs::create_dir(root.path().join("outside")).unwrap();
        fs::write(root.path().join("outside/file"), "theirs").unwrap();
        fs::write(inside.join("real/file"), "ours").unwrap();
        symlink("../outside", inside.join("folder-link")).unwrap();
        symlink("real", inside.join("inner-link")).unwrap();
        symlink("../outside/file", inside.join("file-link")).unwrap();
        fs::hard_link(inside.join("real/file"), inside.join("second-name")).unwrap();
        mknodat(CWD, inside.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let sparse = File::create(inside.join("sparse")).unwrap();
        sparse.set_len(10 * 1024 * 1024 * 1024).unwrap();
        (root, inside)
    }

    #[test]
    fn only_regular_files_on_a_way_without_links_are_read() {
        let (_root, inside) = site();
        let check = |path: &str, expected: Result<u64, &str>| match (read(&inside, path), expected) {
            (Ok(found), Ok(names)) => {
                assert_eq!((found.bytes.as_slice(), found.names), (&b"ours"[..], names), "{path}");
            }
            (Err(error), Err(says)) => assert!(format!("{error:#}").contains(says), "{path}: {error:#}"),
            (found, _) => panic!("{path}: {found:?}"),
        };
        check("real/file", Ok(2));
        check("./real/file", Ok(2));
        check("second-name", Ok(2));
        check("file-link", Err("`file-link` is a symbolic link, not a regular file"));
        check("folder-link/file", Err("`folder-link` is a link or no folder, and citadel follows no links"));
        check("inner-link/file", Err("citadel follows no links"));
        check("real/file/x", Err("`file` is a link or no folder"));
        check("real", Err("is a folder"));
        check("pipe", Err("is a pipe"));
        check("sparse", Err("has 10737418240 bytes, more than 67108864"));
        check("nothing", Err("`nothing` is not there"));
        check("no/thing", Err("is not there"));
        check("../outside/file", Err("leaves its folder"));
        check("/etc/passwd", Err("leaves its folder"));
        check("", Err("leaves its folder"));
        assert!(format!("{:#}", read(Path::new("/dev"), "null").unwrap_err()).contains("is a device"));
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let (root, inside) = site();
        let check = |path: &str, expected: Result<(), &str>| match (write(&inside, path, b"new"), expected) {
            (Ok(()), Ok(())) => assert_eq!(fs::read(inside.join(path)).unwrap(), b"new", "{path}"),
            (Err(error), Err(says)) => assert!(format!("{error:#}").contains(says), "{path}: {error:#}"),
            (wrote, _) => panic!("{path}: {wrote:?}"),
        };
        check("made/for/it", Ok(()));
        check("made/for/it", Ok(()));
        check("second-name", Ok(()));
        check("file-link", Err("citadel does not write through it"));
        check("folder-link/file", Err("citadel follows no links"));
        check("folder-link/new", Err("citadel follows no links"));
        check("inner-link/file", Err("citadel follows no links"));
        check("pipe", Err("citadel does not write through it"));
        check("real", Err("citadel does not write through it"));
        check("../outside/file", Err("leaves its folder"));
        assert_eq!(fs::read(root.path().join("outside/file")).unwrap(), b"theirs");
        assert_eq!(fs::read(inside.join("real/file")).unwrap(), b"ours", "the other name of a hard link");
        assert_eq!(fs::read_dir(root.path().join("outside")).unwrap().count(), 1);
        let names = fs::read_dir(inside.join("made/for")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["it"], "nothing unfinished is left");
    }

    #[test]
    fn removing_follows_no_link() {
        let (root, inside) = site();
        assert!(remove(&inside, "real/file").unwrap());
        assert!(!remove(&inside, "real/file").unwrap(), "it is gone");
        assert!(remove(&inside, "file-link").unwrap());
        assert!(remove(&inside, "folder-link/file").is_err());
        assert!(remove(&inside, "real").is_err(), "a folder stays");
        assert!(!remove(&inside, "no/thing").unwrap());
        assert_eq!(fs::read(root.path().join("outside/file")).unwrap(), b"theirs");
    }

    #[test]
    fn taking_away_moves_the_thing_itself() {
        let (root, inside) = site();
        let to = root.path().join("aside");
        assert!(take_away(&inside, "real/file", &to).unwrap());
        assert_eq!(fs::read(&to).unwrap(), b"ours");
        assert!(take_away(&inside, "file-link", &to).unwrap());
        assert!(to.is_symlink() && root.path().join("outside/file").is_file());
        assert!(take_away(&inside, "folder-link/file", &to).is_err());
        assert!(!take_away(&inside, "nothing", &to).unwrap());
        assert!(!take_away(&inside, "no/thing", &to).unwrap());
        assert_eq!(fs::read(root.path().join("outside/file")).unwrap(), b"theirs");
    }
}
