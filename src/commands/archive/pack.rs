//! One file of many, the same bytes from the same content: sorted, owned by nobody, dated by the run's last record.

use anyhow::Context as _;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use super::contents::Contents;

/// A Zstandard-compressed tar archive (RFC 8878, POSIX ustar) with everything below the folder `name`.
pub(super) fn tar_zst(name: &str, contents: &Contents) -> anyhow::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (file, bytes) in contents.files() {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(contents.time);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{name}/{file}");
        tar.append_data(&mut header, &path, bytes.as_slice()).with_context(|| format!("cannot pack `{path}`"))?;
    }
    let tar = tar.into_inner().context("cannot end the archive")?;
    Ok(compress_to_vec(tar.as_slice(), CompressionLevel::Fastest))
}
