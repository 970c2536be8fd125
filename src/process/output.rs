//! What was written into a file of output: its digest, and of a long one also whether a secret is in it. Of a long one both
//! are made on a thread of their own, so that a command that says a lot waits for its log alone.
//!
//! Made of what citadel wrote, not of what the file holds: whatever somebody else writes there does not fit.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::digest::{Digest, Running, Tree};
use crate::secrets::{Mask, Search};

/// How much is no long output: most commands say less. It has a SHA-256, which everybody can check.
const SHORT: u64 = 4 * 1024 * 1024;

/// Output in the making.
#[derive(Debug)]
pub(super) struct Output {
    bytes: u64,
    /// As long as it is short.
    sha256: Running,
    whole: Whole,
}

#[derive(Debug)]
enum Whole {
    /// Most commands say nothing.
    Nothing(Mask),
    /// From the first byte on, since it may become long.
    Here(Box<(Tree, Search)>),
    There(Thread),
}

#[derive(Debug)]
struct Thread {
    pieces: SyncSender<(Vec<u8>, usize)>,
    /// The buffer that was worked on, to be used again: there are two, one here and one there.
    spare: Receiver<Vec<u8>>,
    handle: JoinHandle<(Tree, Search)>,
}

/// What a look for secrets through a whole file found, and which state of the file it is about.
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

impl Output {
    pub(super) fn new(mask: &Mask) -> Self {
        Self { bytes: 0, sha256: Running::default(), whole: Whole::Nothing(mask.clone()) }
    }

    /// How much it was so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes what was just written.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self.whole {
            Whole::There(_) => self.take(&mut bytes.to_vec(), bytes.len()),
            Whole::Nothing(_) | Whole::Here(_) => self.here(bytes),
        }
    }

    /// Takes what was just written, the first `length` of `buffer`, which may be exchanged for another: nothing is copied.
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>, length: usize) {
        match &mut self.whole {
            Whole::There(thread) => {
                self.bytes += length as u64;
                thread.take(buffer, length);
            }
            Whole::Nothing(_) | Whole::Here(_) => self.here(&buffer[..length]),
        }
    }

    fn here(&mut self, bytes: &[u8]) {
        if let (Whole::Nothing(mask), false) = (&self.whole, bytes.is_empty()) {
            self.whole = Whole::Here(Box::new((Tree::default(), Search::new(mask))));
        }
        let Whole::Here(here) = &mut self.whole else { return };
        self.bytes += bytes.len() as u64;
        self.sha256.push(bytes);
        here.0.push(bytes);
        here.1.push(bytes);
        if self.bytes > SHORT
            && let Some(thread) = Thread::start(here)
        {
            self.whole = Whole::There(thread);
        }
    }

    /// How much it was, its digest, and of a long one what a look through it found.
    pub(super) fn finish(self, file: &File) -> io::Result<(u64, Digest, Option<Looked>)> {
        if self.bytes <= SHORT {
            return Ok((self.bytes, Digest::Sha256(self.sha256.finish()), None));
        }
        let (tree, search) = match self.whole {
            // Of so much it is not.
            Whole::Nothing(mask) => (Tree::default(), Search::new(&mask)),
            Whole::Here(here) => *here,
            Whole::There(Thread { pieces, handle, .. }) => {
                drop(pieces);
                handle.join().map_err(|_| io::Error::other("the thread that hashes it ended early"))?
            }
        };
        let about = file.metadata()?;
        let untouched = about.len() == self.bytes;
        let looked = untouched.then(|| Looked { found: search.finish(), seen: seen(&about) });
        Ok((self.bytes, tree.finish(), looked))
    }
}

impl Thread {
    /// Takes over from here. None where the system gives no thread; then it goes on without.
    fn start((tree, search): &(Tree, Search)) -> Option<Self> {
        let (pieces, taken) = sync_channel::<(Vec<u8>, usize)>(1);
        let (done, spare) = sync_channel(1);
        let (mut tree, mut search) = (tree.clone(), search.clone());
        let work = move || {
            let _ = done.try_send(Vec::new());
            for (buffer, length) in taken {
                tree.push(&buffer[..length]);
                search.push(&buffer[..length]);
                let _ = done.try_send(buffer);
            }
            (tree, search)
        };
        let handle = Builder::new().name("output".into()).spawn(work).ok()?;
        Some(Self { pieces, spare, handle })
    }

    fn take(&mut self, buffer: &mut Vec<u8>, length: usize) {
        // Where the thread is gone, its end says so.
        let spare = self.spare.recv().unwrap_or_default();
        let _ = self.pieces.send((std::mem::replace(buffer, spare), length));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::digest::sha256;
    use crate::secrets::Secret;

    fn output(bytes: &[u8], piece: usize) -> (u64, Digest, Option<Looked>) {
        let mut file = tempfile::tempfile().unwrap();
        let mask = Mask::new([("KEY", Secret::new("hunter22-hunter22"))]).unwrap();
        let mut output = Output::new(&mask);
        for piece in bytes.chunks(piece) {
            file.write_all(piece).unwrap();
            output.push(piece);
        }
        let (length, digest, looked) = output.finish(&file).unwrap();
        assert!(looked.as_ref().is_none_or(|looked| looked.is_of(&file.metadata().unwrap())));
        (length, digest, looked)
    }

    #[test]
    fn it_is_the_digest_of_everything_however_it_comes() {
        let much: Vec<u8> =
            (0..6_000_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
        for (length, piece) in [(0, 1), (10, 3), (4_194_304, 65_536)] {
            let short = (length as u64, Digest::Sha256(sha256(&much[..length])), None);
            assert_eq!(output(&much[..length], piece), short, "{length} in {piece}");
        }
        for (length, piece) in [(4_194_305, 4096), (6_000_000, 262_144), (6_000_000, 4_999_999)] {
            let (bytes, digest, looked) = output(&much[..length], piece);
            let mut tree = Tree::default();
            tree.push(&much[..length]);
            assert_eq!((bytes, digest), (length as u64, tree.finish()), "{length} in {piece}");
            assert_eq!(looked.unwrap().found, [""; 0]);
        }
    }

    #[test]
    fn a_secret_in_a_long_output_is_found_wherever_it_is() {
        for before in [0, 4_000_000, 4_194_300, 5_000_000] {
            let much = [&vec![b'x'; before][..], b"hunter22-hunter22", &vec![b'y'; 4_500_000]].concat();
            assert_eq!(output(&much, 100_000).2.unwrap().found, ["the value of `KEY`"], "after {before}");
        }
    }

    #[test]
    fn a_file_that_somebody_else_wrote_to_counts_as_not_looked_through() {
        let mut file = tempfile::tempfile().unwrap();
        let mut output = Output::new(&Mask::none());
        let much = vec![b'x'; 5_000_000];
        file.write_all(&much).unwrap();
        output.push(&much);
        file.write_all(b"more").unwrap();
        assert_eq!(output.finish(&file).unwrap().2, None);
    }
}
