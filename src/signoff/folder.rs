//! The files that people hand their signatures in with. Whatever lies there is read with limits or refused, never waited
//! for.

use std::io::Read;
use std::path::Path;

/// Real signatures are far below this many bytes.
const LIMIT: u64 = 64 * 1024;

/// Every `*.sig` in `folder`, sorted by name, with its text or why it could not be read.
pub fn signatures(folder: &Path) -> Vec<(String, Result<String, String>)> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![(folder.display().to_string(), Err(format!("cannot be read: {error}")))],
    };
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "sig"))
        .map(|name| {
            let content = read(&folder.join(&name));
            (name, content)
        })
        .collect();
    found.sort();
    found
}

/// The text of one file, or why it could not be read.
pub fn read(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    // A named pipe would be waited for, and a link could point anywhere.
    if !std::fs::symlink_metadata(path).map_err(cannot)?.is_file() {
        return Err("is not a regular file".into());
    }
    let mut text = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut text)).map_err(cannot)?;
    if text.len() as u64 > LIMIT {
        return Err(format!("is larger than {LIMIT} bytes: not a signature"));
    }
    String::from_utf8(text).map_err(|_| "is not text; `ssh-keygen -Y sign` writes an armored signature".into())
}

/// A person's name as part of a file name.
pub fn file_name(who: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    who.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_regular_text_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("b.sig", b"text");
        write("a.sig", &vec![b'x'; 70_000]);
        write("c.sig", &[0xff, 0xfe]);
        write("statement.txt", b"not a signature file");
        std::fs::create_dir(folder.path().join("d.sig")).unwrap();
        std::os::unix::fs::symlink("b.sig", folder.path().join("e.sig")).unwrap();
        let found = signatures(folder.path());
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.sig", "b.sig", "c.sig", "d.sig", "e.sig"]);
        let readable: Vec<bool> = found.iter().map(|(_, content)| content.is_ok()).collect();
        assert_eq!(readable, [false, true, false, false, false]);
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        assert!(signatures(Path::new("/nonexistent/citadel")).is_empty());
    }
}
