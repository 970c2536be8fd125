//! The two pipes that a command writes into, read in large pieces.

use std::os::fd::AsFd;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdout};

use super::capture::Source;
use super::leftover;

/// How much is read at once, and how much the kernel keeps for it: as much as users may ask for on Linux.
const PIECE: usize = 256 * 1024;
const ROOM: usize = 1024 * 1024;

/// The reading ends; one that was closed at the other end is gone.
pub(super) struct Pipes {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    out_piece: Vec<u8>,
    err_piece: Vec<u8>,
}

impl Pipes {
    pub(super) fn of(child: &mut Child) -> Self {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        out.as_ref().map(widen);
        err.as_ref().map(widen);
        Self { out, err, out_piece: vec![0; PIECE], err_piece: vec![0; PIECE] }
    }

    /// What identifies them in other processes.
    pub(super) fn inodes(&self) -> Vec<u64> {
        leftover::inodes(self.out.as_ref(), self.err.as_ref())
    }

    pub(super) fn are_closed(&self) -> bool {
        self.out.is_none() && self.err.is_none()
    }

    /// The next piece of either; an empty one where a pipe was closed. Two closed pipes say nothing, forever.
    pub(super) async fn read(&mut self) -> (Source, &[u8]) {
        let Self { out, err, out_piece, err_piece } = self;
        tokio::select! {
            read = read(out, out_piece) => (Source::Stdout, &out_piece[..read]),
            read = read(err, err_piece) => (Source::Stderr, &err_piece[..read]),
        }
    }
}

/// Reads once; the end of a pipe, or its failure, closes it.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, piece: &mut [u8]) -> usize {
    let Some(open) = pipe else { return std::future::pending().await };
    let read = open.read(piece).await.unwrap_or(0);
    if read == 0 {
        *pipe = None;
    }
    read
}

/// With more room a command waits less often for citadel; where the system grants none, nothing is lost.
#[cfg(target_os = "linux")]
fn widen(pipe: &impl AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, ROOM);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &impl AsFd) {}
