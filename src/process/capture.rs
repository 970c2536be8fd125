//! Takes the output of a command: masked into files as it comes, all of it, and its newest line to whoever watches.
//!
//! A file that cannot be written never stops a command; it is told at the end.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::lines::{Last, Lines};
use super::output::Output;
use super::prompt::looks_like_prompt;
use super::{Command, Watcher, Written, plain};
use crate::secrets::{Mask, Masker};

/// Up to how many bytes a file is on disk before the attempt's outcome is recorded, which names its SHA-256. More would make
/// a command wait for the disk that says very much.
const SYNCED: u64 = 16 * 1024 * 1024;

/// How much is written at once, at most: for longer writes Linux keeps longer stretches of memory together, which a virtual
/// machine may have to get back from its host first. Then a log took more than twice as long.
const AT_ONCE: usize = 256 * 1024;

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
    stdout: Option<Sink>,
    out: Stream,
    err: Stream,
    /// The pipe that spoke last.
    source: Source,
    bytes: u64,
    last: Last,
    /// A line ended that nobody was told of.
    untold: bool,
    /// Used again for every piece of output.
    masked: Vec<u8>,
}

/// What is told at the end.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) prompt: Option<String>,
    pub(super) tail: Vec<String>,
    pub(super) lost: Option<String>,
    pub(super) log: Option<Written>,
    pub(super) stdout: Option<Written>,
}

impl Capture {
    /// Opens the files, empty.
    pub(super) fn open(command: &Command, mask: &Mask) -> anyhow::Result<Self> {
        Ok(Self {
            log: Sink::create(&command.log, mask)?,
            stdout: command.stdout.as_deref().map(|path| Sink::create(path, mask)).transpose()?,
            out: Stream::new(mask),
            err: Stream::new(mask),
            source: Source::Stdout,
            bytes: 0,
            last: Last::default(),
            untold: false,
            masked: Vec::new(),
        })
    }

    /// Takes what one pipe said, the first `length` of `buffer`, which may be exchanged for another.
    pub(super) fn take(&mut self, source: Source, buffer: &mut Vec<u8>, length: usize) {
        self.bytes += length as u64;
        self.source = source;
        if self.stream(source).mask.is_idle() {
            return self.write(source, buffer, length);
        }
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        self.stream(source).mask.push(&buffer[..length], &mut masked);
        let length = masked.len();
        self.write(source, &mut masked, length);
        self.masked = masked;
    }

    /// Tells the newest line, if there is one since the last time. Lines in between are never told: a watcher costs
    /// nothing however much is said.
    pub(super) fn tell(&mut self, watcher: &mut dyn Watcher) {
        if !std::mem::take(&mut self.untold) {
            return;
        }
        self.settle();
        if let Some(line) = self.last.newest() {
            watcher.line(&plain(line));
        }
    }

    /// Looks at all lines that came.
    fn settle(&mut self) {
        self.out.lines.settle(&mut self.last);
        self.err.lines.settle(&mut self.last);
    }

    /// Nothing more can come.
    pub(super) fn finish(mut self, watcher: &mut dyn Watcher) -> Seen {
        for source in [Source::Stdout, Source::Stderr] {
            let mut masked = Vec::new();
            self.stream(source).mask.finish(&mut masked);
            let length = masked.len();
            self.write(source, &mut masked, length);
        }
        self.settle();
        let (before, mut prompt) = (if self.source == Source::Stdout { Source::Stderr } else { Source::Stdout }, None);
        for source in [before, self.source] {
            let Some(rest) = self.stream(source).lines.rest() else { continue };
            prompt = Some(plain(&rest)).filter(|rest| looks_like_prompt(rest)).or(prompt);
            self.last.push(rest);
            self.untold = true;
        }
        self.tell(watcher);
        let synced = [Some(&mut self.log), self.stdout.as_mut()].into_iter().flatten().filter_map(Sink::sync).count();
        if synced > 0 {
            self.log.name_durably();
        }
        let (log, stdout) = (self.log.finish(), self.stdout.map(Sink::finish));
        let lost = [log.as_ref().err(), stdout.as_ref().and_then(|stdout| stdout.as_ref().err())];
        let lost = lost.into_iter().flatten().next().cloned();
        let (log, stdout) = (log.ok(), stdout.and_then(Result::ok));
        let tail = self.last.into_lines().map(|line| plain(&line)).collect();
        Seen { bytes: self.bytes, prompt, tail, lost, log, stdout }
    }

    fn write(&mut self, source: Source, buffer: &mut Vec<u8>, length: usize) {
        let masked = &buffer[..length];
        let stream = match source {
            Source::Stdout => {
                // Lines stand in the order in which they ended.
                self.err.lines.settle(&mut self.last);
                for stdout in self.stdout.iter_mut().filter_map(|stdout| stdout.write(masked)) {
                    stdout.push(masked);
                }
                &mut self.out
            }
            Source::Stderr => {
                self.out.lines.settle(&mut self.last);
                &mut self.err
            }
        };
        self.untold |= stream.lines.push(masked, &mut self.last);
        if let Some(log) = self.log.write(masked) {
            log.take(buffer, length);
        }
    }

    fn stream(&mut self, source: Source) -> &mut Stream {
        match source {
            Source::Stdout => &mut self.out,
            Source::Stderr => &mut self.err,
        }
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
    path: PathBuf,
    file: File,
    output: Output,
    /// Why it is not complete.
    lost: Option<String>,
}

impl Sink {
    fn create(path: &Path, mask: &Mask) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), file, output: Output::new(mask), lost: None })
    }

    /// What must take the bytes now, unless they could not be written.
    fn write(&mut self, bytes: &[u8]) -> Option<&mut Output> {
        if self.lost.is_none() {
            let written = bytes.chunks(AT_ONCE).try_for_each(|piece| self.file.write_all(piece));
            self.lost = written.err().map(not_kept);
        }
        self.lost.is_none().then_some(&mut self.output)
    }

    /// Brings what the file holds to disk, where it is something and not too much.
    fn sync(&mut self) -> Option<()> {
        if self.lost.is_some() || !is_synced(self.output.bytes()) {
            return None;
        }
        self.lost = self.file.sync_data().err().map(not_kept);
        Some(())
    }

    /// Makes the names of the files in its folder durable.
    fn name_durably(&mut self) {
        let synced = self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all());
        self.lost = self.lost.take().or(synced.err().map(not_kept));
    }

    /// What the file holds, or why that is not all.
    fn finish(self) -> Result<Written, String> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let finished = self.output.finish(&self.file);
        let (bytes, digest, looked) = finished.map_err(|error| format!("the output could not be hashed: {error}"))?;
        Ok(Written { bytes, digest, looked })
    }
}

/// Whether a file of so many bytes is brought to disk when its attempt ends.
fn is_synced(bytes: u64) -> bool {
    (1..=SYNCED).contains(&bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn not_kept(error: std::io::Error) -> String {
    format!("the output could not be kept: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_nothing_nor_very_much_waits_for_the_disk() {
        let check = |bytes: u64, expected: bool| assert_eq!(is_synced(bytes), expected, "{bytes}");
        check(0, false);
        check(1, true);
        check(16 * 1024 * 1024, true);
        check(16 * 1024 * 1024 + 1, false);
    }
}
