//! Digests of files, read in pieces: however large a file is, little of it is kept in memory.

use std::fs::File;
use std::io::{self, Read as _};

use crate::digest::{Digest, Running, Tree};

/// The SHA-256 of a file, however large it is.
pub fn sha256_in(file: File) -> io::Result<String> {
    let mut digest = Running::default();
    in_pieces(file, |piece| digest.push(piece))?;
    Ok(digest.finish())
}

/// The BLAKE3 of a file, however large it is.
pub fn blake3_in(file: File) -> io::Result<Digest> {
    let mut digest = Tree::default();
    in_pieces(file, |piece| digest.push(piece))?;
    Ok(digest.finish())
}

fn in_pieces(mut file: File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            read => take(&piece[..read]),
        }
    }
}
