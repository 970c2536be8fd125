//! The two pipes that a command writes into, read in pieces that grow with what it says.

use std::io::{self, PipeReader};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStderr, ChildStdout};

use super::capture::Source;
use super::leftover;

/// How much is read at once: at first, and from commands that say more and much. Many say nothing.
const FIRST: usize = 1024;
const MORE: usize = 16 * 1024;
const LARGE: usize = 512 * 1024;

/// How much the kernel keeps for citadel to read: as much as users may ask for on Linux.
const ROOM: usize = 1024 * 1024;

/// The reading ends.
pub(super) struct Pipes {
    out: Pipe<ChildStdout>,
    err: Pipe<ChildStderr>,
}

struct Pipe<P> {
    /// Gone once it was closed at the other end.
    end: Option<P>,
    /// Whoever takes what was read may leave another buffer.
    piece: Vec<u8>,
    /// How much is read at once.
    room: usize,
}

/// The reading ends before anybody reads.
pub(super) struct Ends {
    out: PipeReader,
    err: PipeReader,
}

/// Makes both, with the ends that a command writes into: its stdout and its stderr.
pub(super) fn pair() -> io::Result<(Ends, [Stdio; 2])> {
    let ((out, to_out), (err, to_err)) = (io::pipe()?, io::pipe()?);
    Ok((Ends { out, err }, [to_out.into(), to_err.into()]))
}

impl Pipes {
    pub(super) fn of(Ends { out, err }: Ends) -> io::Result<Self> {
        let out = ChildStdout::from_std(OwnedFd::from(out).into())?;
        let err = ChildStderr::from_std(OwnedFd::from(err).into())?;
        Ok(Self { out: Pipe::new(out), err: Pipe::new(err) })
    }

    /// What identifies them in other processes.
    pub(super) fn inodes(&self) -> Vec<u64> {
        leftover::inodes(self.out.end.as_ref(), self.err.end.as_ref())
    }

    pub(super) fn are_closed(&self) -> bool {
        self.out.end.is_none() && self.err.end.is_none()
    }

    /// The next piece of either, as so many bytes of a buffer; none where a pipe was closed. Two closed pipes say nothing,
    /// forever.
    pub(super) async fn read(&mut self) -> (Source, &mut Vec<u8>, usize) {
        tokio::select! {
            read = self.out.read() => (Source::Stdout, &mut self.out.piece, read),
            read = self.err.read() => (Source::Stderr, &mut self.err.piece, read),
        }
    }
}

impl<P: AsyncRead + AsFd + Unpin> Pipe<P> {
    fn new(end: P) -> Self {
        Self { end: Some(end), piece: Vec::new(), room: FIRST }
    }

    /// Reads once; the end of a pipe, or its failure, closes it.
    async fn read(&mut self) -> usize {
        let Some(end) = &mut self.end else { return std::future::pending().await };
        if self.piece.len() != self.room {
            self.piece.resize(self.room, 0);
        }
        let read = end.read(&mut self.piece).await.unwrap_or(0);
        if read == self.room {
            self.room = match self.room {
                FIRST => MORE,
                MORE => {
                    widen(end);
                    LARGE
                }
                most => most,
            };
        }
        if read == 0 {
            self.end = None;
        }
        read
    }
}

/// With more room a command waits less often for citadel; where the system grants none, nothing is lost.
#[cfg(target_os = "linux")]
fn widen(pipe: &impl AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, ROOM);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &impl AsFd) {}
