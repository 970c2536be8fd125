//! The SHA-256 of output as it comes: on a thread of its own once it is much, so that a command that says a lot waits for
//! its log alone and not for the digest.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::digest::Running;

/// How much is hashed without a thread: most commands say less.
const LITTLE: u64 = 4 * 1024 * 1024;

/// How many pieces may wait to be hashed.
const WAITING: usize = 2;

/// A digest in the making.
#[derive(Debug, Default)]
pub(super) struct Hashing {
    digest: Running,
    bytes: u64,
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    pieces: SyncSender<Vec<u8>>,
    /// Pieces that were hashed, to be used again.
    spare: Receiver<Vec<u8>>,
    made: usize,
    handle: JoinHandle<Running>,
}

impl Hashing {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if self.thread.is_none() && self.bytes > LITTLE {
            self.thread = Thread::start(self.digest.clone());
        }
        match &mut self.thread {
            Some(thread) => thread.push(bytes),
            None => self.digest.push(bytes),
        }
    }

    /// How much it is so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much it was and its digest; none where a thread could not do its part.
    pub(super) fn finish(self) -> Option<(String, u64)> {
        let digest = match self.thread {
            Some(Thread { pieces, handle, .. }) => {
                drop(pieces);
                handle.join().ok()?
            }
            None => self.digest,
        };
        Some((digest.finish(), self.bytes))
    }
}

impl Thread {
    /// None where the system gives no thread; then it goes on without.
    fn start(mut digest: Running) -> Option<Self> {
        let (pieces, to_hash) = sync_channel::<Vec<u8>>(WAITING);
        let (done, spare) = sync_channel(WAITING + 1);
        let work = move || {
            for piece in to_hash {
                digest.push(&piece);
                let _ = done.try_send(piece);
            }
            digest
        };
        let handle = Builder::new().name("digest".into()).spawn(work).ok()?;
        Some(Self { pieces, spare, made: 0, handle })
    }

    fn push(&mut self, bytes: &[u8]) {
        let mut piece = match self.spare.try_recv() {
            Ok(piece) => piece,
            Err(TryRecvError::Empty) if self.made > WAITING => self.spare.recv().unwrap_or_default(),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                self.made += 1;
                Vec::with_capacity(bytes.len())
            }
        };
        piece.clear();
        piece.extend_from_slice(bytes);
        // Where the thread is gone, its end says so.
        let _ = self.pieces.send(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    #[test]
    fn it_is_the_digest_of_everything_however_it_comes() {
        let much: Vec<u8> =
            (0..6_000_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
        for (length, piece) in
            [(0, 1), (10, 3), (4_194_304, 65_536), (4_194_305, 4096), (6_000_000, 262_144), (6_000_000, 4_999_999)]
        {
            let mut hashing = Hashing::default();
            much[..length].chunks(piece).for_each(|piece| hashing.push(piece));
            assert_eq!(hashing.thread.is_some(), length > 4_194_304, "{length}");
            assert_eq!(hashing.finish(), Some((sha256(&much[..length]), length as u64)), "{length} in {piece}");
        }
    }
}
