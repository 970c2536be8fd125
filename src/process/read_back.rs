//! What a file of output holds: its digest, and of a long one also whether a secret is in it. A long one is read back from
//! the disk as it grows, on a thread of its own, so that a command that says a lot waits for its log alone.
//!
//! Never writes, and never says what a secret is.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use crate::digest::{Digest, Running, Tree};
use crate::secrets::{Mask, Search};

/// How much is hashed as it comes: most commands say less.
const SHORT: u64 = 4 * 1024 * 1024;

/// How much is read back at once.
const PIECE: u64 = 128 * 1024;

/// A file that is being written.
#[derive(Debug)]
pub(super) struct ReadBack {
    bytes: u64,
    /// Of a short file.
    digest: Running,
    reader: Option<Reader>,
}

#[derive(Debug)]
struct Reader {
    /// How long the file is by now.
    grown: Sender<u64>,
    handle: JoinHandle<io::Result<(Digest, Looked)>>,
}

/// What a look for secrets through a whole file found, and which state of the file it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    pub found: Vec<String>,
    seen: Seen,
}

type Seen = (u64, u64, u64, i64, i64);

impl Looked {
    /// Whether the file has not been touched since.
    pub fn is_of(&self, about: &Metadata) -> bool {
        self.seen == seen(about)
    }
}

fn seen(about: &Metadata) -> Seen {
    (about.dev(), about.ino(), about.len(), about.mtime(), about.mtime_nsec())
}

impl ReadBack {
    pub(super) fn new() -> Self {
        Self { bytes: 0, digest: Running::default(), reader: None }
    }

    /// Takes note of what was just written at the end of `file`.
    pub(super) fn wrote(&mut self, bytes: &[u8], file: &File, mask: &Mask) {
        self.bytes += bytes.len() as u64;
        match &self.reader {
            // Where the thread is gone, its end says why.
            Some(reader) => drop(reader.grown.send(self.bytes)),
            None => self.digest.push(bytes),
        }
        if self.reader.is_none() && self.bytes > SHORT {
            self.reader = Reader::start(file, mask, self.bytes);
        }
    }

    /// How much it was, its digest, and of a long file what a look through it found.
    pub(super) fn finish(self) -> io::Result<(u64, Digest, Option<Looked>)> {
        let Some(Reader { grown, handle }) = self.reader else {
            return Ok((self.bytes, Digest::Sha256(self.digest.finish()), None));
        };
        drop(grown);
        let ended = handle.join().unwrap_or_else(|_| Err(io::Error::other("its reader ended early")));
        ended.map(|(digest, looked)| (self.bytes, digest, Some(looked)))
    }
}

impl Reader {
    /// None where the system gives no thread; then it goes on without.
    fn start(file: &File, mask: &Mask, length: u64) -> Option<Self> {
        let (file, search) = (file.try_clone().ok()?, Search::new(mask));
        let (grown, told) = channel();
        let _ = grown.send(length);
        let handle = Builder::new().name("read-back".into()).spawn(move || read(&file, &told, search)).ok()?;
        Some(Self { grown, handle })
    }
}

/// Reads all of the file until nobody can write more.
fn read(file: &File, told: &Receiver<u64>, mut search: Search) -> io::Result<(Digest, Looked)> {
    let (mut digest, mut piece) = (Tree::default(), vec![0; usize::try_from(PIECE).unwrap_or_default()]);
    let mut at = 0;
    while let Ok(mut length) = told.recv() {
        while at < length {
            let now = usize::try_from((length - at).min(PIECE)).unwrap_or_default();
            file.read_exact_at(&mut piece[..now], at)?;
            digest.push(&piece[..now]);
            search.push(&piece[..now]);
            at += now as u64;
            // Nothing piles up while this reads.
            length = told.try_iter().last().unwrap_or(length);
        }
    }
    Ok((digest.finish(), Looked { found: search.finish(), seen: seen(&file.metadata()?) }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::digest::sha256;
    use crate::secrets::Secret;

    fn read_back(bytes: &[u8], piece: usize) -> (u64, Digest, Option<Looked>) {
        let mut file = tempfile::tempfile().unwrap();
        let mask = Mask::new([("KEY", Secret::new("hunter22-hunter22"))]).unwrap();
        let mut read_back = ReadBack::new();
        for piece in bytes.chunks(piece) {
            file.write_all(piece).unwrap();
            read_back.wrote(piece, &file, &mask);
        }
        let (length, digest, looked) = read_back.finish().unwrap();
        assert!(looked.as_ref().is_none_or(|looked| looked.is_of(&file.metadata().unwrap())));
        (length, digest, looked)
    }

    #[test]
    fn it_is_the_digest_of_everything_however_it_comes() {
        let much: Vec<u8> =
            (0..6_000_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
        for (length, piece) in [(0, 1), (10, 3), (4_194_304, 65_536)] {
            let short = (length as u64, Digest::Sha256(sha256(&much[..length])), None);
            assert_eq!(read_back(&much[..length], piece), short, "{length} in {piece}");
        }
        for (length, piece) in [(4_194_305, 4096), (6_000_000, 262_144), (6_000_000, 4_999_999)] {
            let (bytes, digest, looked) = read_back(&much[..length], piece);
            let mut tree = Tree::default();
            tree.push(&much[..length]);
            assert_eq!((bytes, digest), (length as u64, tree.finish()), "{length} in {piece}");
            assert_eq!(looked.unwrap().found, [""; 0]);
        }
    }

    #[test]
    fn a_secret_in_a_long_file_is_found() {
        let mut much = vec![b'x'; 5_000_000];
        much.extend(b"hunter22-hunter22");
        assert_eq!(read_back(&much, 100_000).2.unwrap().found, ["the value of `KEY`"]);
    }

    #[test]
    fn a_file_that_somebody_cut_is_told() {
        let mut file = tempfile::tempfile().unwrap();
        let mut read_back = ReadBack::new();
        let much = vec![b'x'; 5_000_000];
        file.write_all(&much).unwrap();
        file.set_len(10).unwrap();
        read_back.wrote(&much, &file, &Mask::none());
        assert!(read_back.finish().is_err());
    }
}
