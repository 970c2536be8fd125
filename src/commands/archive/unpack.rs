//! An archive's files, taken apart in memory and laid out in a temporary folder of citadel's own. Takes regular files below
//! one folder and nothing else: no link, no path that leaves it, no more than fits. Never writes anywhere else.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::Context as _;
use ruzstd::decoding::StreamingDecoder;
use tempfile::TempDir;

use super::pack;
use crate::beneath::MOST_OF_OURS;

/// How many files one may hold.
const MOST_FILES: usize = 100_000;

/// An archive that was unpacked; dropping it removes the files.
pub(in crate::commands) struct Unpacked {
    /// The one folder in it.
    pub(in crate::commands) name: String,
    pub(in crate::commands) folder: TempDir,
    /// When its files are dated, in Unix seconds.
    pub(in crate::commands) time: u64,
    /// Packing its files again gives its bytes.
    pub(in crate::commands) is_as_packed: bool,
}

/// Its files, by their path below the folder.
struct Taken {
    name: String,
    files: BTreeMap<String, Vec<u8>>,
    time: u64,
}

/// Unpacks an archive.
///
/// # Errors
/// It is no archive of a run, or not whole.
pub(in crate::commands) fn unpack(bytes: &[u8]) -> anyhow::Result<Unpacked> {
    // A small file can hold a great many zeros.
    let tar = decompressed(bytes, MOST_OF_OURS)?;
    let taken = take_apart(&tar)?;
    // What is not seen through the files, such as what stands between them, is held by the format: there is one way to pack.
    anyhow::ensure!(
        pack::tarred(&taken.name, &taken.files, taken.time)? == tar,
        "holds its files, and is not packed as citadel packs them"
    );
    let is_as_packed = pack::compressed(&tar) == bytes;
    drop(tar);
    let folder = tempfile::Builder::new().prefix("citadel-verify-").tempdir().context("has no room to be unpacked")?;
    for (file, bytes) in &taken.files {
        let path = folder.path().join(file);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        written.with_context(|| format!("cannot be unpacked: `{file}`"))?;
    }
    Ok(Unpacked { name: taken.name, folder, time: taken.time, is_as_packed })
}

fn decompressed(bytes: &[u8], most: u64) -> anyhow::Result<Vec<u8>> {
    let (mut left, mut tar) = (bytes, Vec::new());
    let decoder = StreamingDecoder::new(&mut left).map_err(|why| anyhow::anyhow!("is no Zstandard file: {why}"))?;
    decoder.take(most + 1).read_to_end(&mut tar).context("cannot be unpacked: it is cut or changed")?;
    anyhow::ensure!(
        tar.len() as u64 <= most,
        "holds more than {most} bytes: unpack it yourself, and verify the folder"
    );
    anyhow::ensure!(left.is_empty(), "goes on for {} bytes after its end", left.len());
    Ok(tar)
}

fn take_apart(tar: &[u8]) -> anyhow::Result<Taken> {
    let mut taken: Option<Taken> = None;
    for entry in tar::Archive::new(tar).entries().context("is no archive")? {
        let mut entry = entry.context("is cut or changed")?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = crate::text::clean(&path);
        anyhow::ensure!(entry.header().entry_type().is_file(), "`{shown}` in it is no regular file");
        let (name, file) =
            below(&path).with_context(|| format!("`{shown}` in it does not lie below its one folder"))?;
        let time = entry.header().mtime().with_context(|| format!("`{shown}` in it has no time"))?;
        let all = taken.get_or_insert_with(|| Taken { name: name.to_owned(), files: BTreeMap::new(), time });
        anyhow::ensure!(all.name == name, "`{shown}` in it does not lie below its one folder");
        anyhow::ensure!(all.files.len() < MOST_FILES, "holds more than {MOST_FILES} files");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(|| format!("is cut in `{shown}`"))?;
        anyhow::ensure!(all.files.insert(file.to_owned(), bytes).is_none(), "holds `{shown}` twice");
    }
    taken.context("is empty")
}

/// The folder and what is below it, of a path that is only names.
fn below(path: &str) -> Option<(&str, &str)> {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    path.split_once('/').filter(|_| path.split('/').all(is_name))
}

#[cfg(test)]
mod tests {
    use tar::{Builder, EntryType, Header};

    use super::*;

    /// What is said of an archive with one entry of this kind and path.
    fn told(kind: EntryType, path: &str, link: &str) -> String {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        // As nobody's tool would write it: the path stands in the header as it is.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        let mut tar = Builder::new(Vec::new());
        tar.append(&header, &[][..]).unwrap();
        let bytes = pack::compressed(&tar.into_inner().unwrap());
        unpack(&bytes).map_or_else(|error| format!("{error:#}"), |_| String::new())
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let outside = |path: &str| {
            let told = told(EntryType::Regular, path, "");
            assert!(told.contains("does not lie below its one folder"), "{path}: {told}");
        };
        for path in ["../x", "/etc/x", "run/../../x", "x", "run//", "./run/x"] {
            outside(path);
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::Char] {
            let told = told(kind, "run/x", "/etc/passwd");
            assert!(told.contains("is no regular file"), "{kind:?}: {told}");
        }
    }

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_else_is() {
        let files = BTreeMap::from([("a/b".to_owned(), b"one".to_vec()), ("c".to_owned(), Vec::new())]);
        let bytes = pack::tar_zst("run", &files, 7).unwrap();
        let unpacked = unpack(&bytes).unwrap();
        assert_eq!((unpacked.name.as_str(), unpacked.time, unpacked.is_as_packed), ("run", 7, true));
        assert_eq!(std::fs::read(unpacked.folder.path().join("a/b")).unwrap(), b"one");
        assert!(unpack(&[&bytes[..], b"more"].concat()).is_err());
        for length in 0..bytes.len() {
            assert!(unpack(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
        // What no entry shows is seen all the same.
        let mut tar = pack::tarred("run", &files, 7).unwrap();
        tar[512 + 100] ^= 1;
        assert!(unpack(&pack::compressed(&tar)).is_err(), "what stands behind a file");
    }

    #[test]
    fn a_small_file_of_many_zeros_is_not_unpacked_to_its_end() {
        let zeros = vec![0; 1 << 20];
        let bytes = pack::compressed(&zeros);
        assert!(bytes.len() < zeros.len() / 100);
        assert_eq!(decompressed(&bytes, 1 << 20).unwrap().len(), 1 << 20);
        let told = decompressed(&bytes, (1 << 20) - 1).unwrap_err().to_string();
        assert!(told.contains("holds more than 1048575 bytes"), "{told}");
    }
}
