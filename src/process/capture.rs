//! Takes the output of a command: masked into files as it comes, and as plain lines to whoever watches.
//!
//! A file that cannot be written never stops a command; it is told at the end.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::lines::Lines;
use super::prompt::looks_like_prompt;
use super::{Command, Watcher, plain};
use crate::secrets::{Mask, Masker};

/// How many last lines an outcome shows.
const TAIL: usize = 20;

/// How much of an output is kept: enough for any honest command, too little to fill a disk.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The two pipes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Stdout,
    Stderr,
}

/// Everything that a command says.
#[derive(Debug)]
pub(super) struct Capture {
    log: Sink,
    stdout: Sink,
    out: Stream,
    err: Stream,
    /// The pipe that spoke last.
    last: Source,
    seen: Seen,
}

/// What is told at the end.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) prompt: Option<String>,
    pub(super) tail: VecDeque<String>,
    pub(super) lost: Option<String>,
}

impl Capture {
    /// Opens both files, empty.
    pub(super) fn open(command: &Command, mask: &Mask) -> anyhow::Result<Self> {
        Ok(Self {
            log: Sink::create(&command.log)?,
            stdout: Sink::create(&command.stdout)?,
            out: Stream::new(mask),
            err: Stream::new(mask),
            last: Source::Stdout,
            seen: Seen::default(),
        })
    }

    /// Takes what one pipe said.
    pub(super) fn take(&mut self, source: Source, bytes: &[u8], watcher: &mut dyn Watcher) {
        self.seen.bytes += bytes.len() as u64;
        self.last = source;
        let mut masked = Vec::with_capacity(bytes.len());
        self.stream(source).mask.push(bytes, &mut masked);
        self.write(source, &masked, watcher);
    }

    /// Nothing more can come.
    pub(super) fn finish(mut self, watcher: &mut dyn Watcher) -> Seen {
        for source in [Source::Stdout, Source::Stderr] {
            let mut masked = Vec::new();
            self.stream(source).mask.finish(&mut masked);
            self.write(source, &masked, watcher);
        }
        let before = if self.last == Source::Stdout { Source::Stderr } else { Source::Stdout };
        for source in [before, self.last] {
            let Some(rest) = self.stream(source).lines.rest() else { continue };
            let rest = plain(&rest);
            if looks_like_prompt(&rest) {
                self.seen.prompt = Some(rest.clone());
            }
            self.seen.line(rest, watcher);
        }
        self.seen.lost = self.log.lost.or(self.stdout.lost);
        self.seen
    }

    fn write(&mut self, source: Source, masked: &[u8], watcher: &mut dyn Watcher) {
        self.log.write(masked);
        let stream = match source {
            Source::Stdout => {
                self.stdout.write(masked);
                &mut self.out
            }
            Source::Stderr => &mut self.err,
        };
        stream.lines.push(masked, |line| self.seen.line(plain(&line), watcher));
    }

    fn stream(&mut self, source: Source) -> &mut Stream {
        match source {
            Source::Stdout => &mut self.out,
            Source::Stderr => &mut self.err,
        }
    }
}

impl Seen {
    fn line(&mut self, line: String, watcher: &mut dyn Watcher) {
        watcher.line(&line);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

/// One pipe: each has its own mask and its own unfinished line.
#[derive(Debug)]
struct Stream {
    mask: Masker,
    lines: Lines,
}

impl Stream {
    fn new(mask: &Mask) -> Self {
        Self { mask: mask.stream(), lines: Lines::default() }
    }
}

/// A file that output goes to.
#[derive(Debug)]
struct Sink {
    file: File,
    room: u64,
    /// Why it is not complete.
    lost: Option<String>,
}

impl Sink {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { file, room: LARGEST, lost: None })
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.lost.is_some() {
            return;
        }
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let kept = &bytes[..bytes.len().min(room)];
        if let Err(error) = self.file.write_all(kept) {
            self.lost = Some(format!("the output could not be kept: {error}"));
        } else if kept.len() < bytes.len() {
            self.lost = Some(format!("only the first {LARGEST} bytes of the output were kept"));
        }
        self.room -= kept.len() as u64;
    }
}
