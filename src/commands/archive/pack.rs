//! One file of many, the same bytes from the same content: sorted, owned by nobody, dated by the run's last record.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

/// A Zstandard-compressed tar archive (RFC 8878, POSIX ustar) with everything below the folder `name`.
pub(super) fn tar_zst(name: &str, files: &BTreeMap<String, Vec<u8>>, time: u64) -> anyhow::Result<Vec<u8>> {
    Ok(compressed(&tarred(name, files, time)?))
}

pub(super) fn compressed(tar: &[u8]) -> Vec<u8> {
    compress_to_vec(tar, CompressionLevel::Fastest)
}

pub(super) fn tarred(name: &str, files: &BTreeMap<String, Vec<u8>>, time: u64) -> anyhow::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (file, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{name}/{file}");
        tar.append_data(&mut header, &path, bytes.as_slice()).with_context(|| format!("cannot pack `{path}`"))?;
    }
    tar.into_inner().context("cannot end the archive")
}
