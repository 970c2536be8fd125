//! What is kept: the events on disk, append-only, hash-chained, synced.
//!
//! A line is a JSON object whose last member, `hash`, is the SHA-256 of the line without it; `prev` is the hash of the
//! line before. Anyone can check a journal with `sha256sum`. Nothing here knows what an event means.

mod entry;
mod folder;
#[cfg(feature = "kill-points")]
pub mod kill_point;
mod lock;
mod network_filesystem;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::{Timestamp, Unit};

pub use entry::{Broken, Entry, GENESIS};
pub use folder::{
    Home, RunFolder, age, create as create_folder, files_below, sync as sync_folder, write_file, write_new_file,
};
pub use lock::{Lock, Owner};
pub use network_filesystem::network_filesystem;

use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::secrets::Mask;

/// A journal opened for writing. It holds the file's length and last line in memory, and refuses to append when the file
/// is not what it wrote. What is free text in an event goes through the mask first, whoever appends it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    mask: Mask,
    file: File,
    /// How it is brought to disk; tests have it refused.
    sync: fn(&File) -> io::Result<()>,
    /// Device and number: whether the path still leads to this file.
    identity: (u64, u64),
    end: End,
    /// Where it ended before the record that was begun and is not synced yet.
    begun: Option<End>,
}

/// How far it goes.
#[derive(Debug)]
struct End {
    length: u64,
    sequence: u64,
    head: String,
    /// The last line, whole: a change that spares its hash is a change.
    last_line: Vec<u8>,
    latest: Timestamp,
}

/// What reading a journal gave.
#[derive(Debug)]
pub struct Contents {
    pub entries: Vec<Entry>,
    /// Bytes of an unfinished last line, which a crash left and which is not a record.
    pub torn: usize,
}

impl Journal {
    /// Makes a new, empty journal.
    pub fn create(path: &Path, mask: &Mask) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)
            .with_context(|| format!("cannot create the journal `{}`", path.display()))
            .map_err(folder::unusable)?;
        let folder = path.parent().context("the journal has no folder")?;
        sync_folder(folder).context("cannot sync the run's folder")?;
        let (length, sequence, head, latest) = (0, 0, GENESIS.to_owned(), Timestamp::UNIX_EPOCH);
        let end = End { length, sequence, head, last_line: Vec::new(), latest };
        let identity = identity(&file.metadata()?);
        let (path, mask) = (path.to_owned(), mask.clone());
        Ok(Self { path, mask, file, sync: File::sync_data, identity, end, begun: None })
    }

    /// Opens an existing journal after checking all of it. A torn last line is cut off: it was never a record.
    pub fn open(path: &Path, mask: &Mask) -> anyhow::Result<(Self, Contents)> {
        let bytes = bytes_of(path)?;
        let contents = checked(path, &bytes)?;
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write the journal `{}`", path.display()))
            .map_err(folder::unusable)?;
        let about = file.metadata()?;
        let length = about.len() - contents.torn as u64;
        if contents.torn > 0 {
            file.set_len(length).context("cannot cut off the torn last line")?;
            file.sync_all()?;
        }
        let last = contents.entries.last();
        let lines = &bytes[..bytes.len() - contents.torn];
        let end = End {
            length,
            sequence: last.map_or(0, |entry| entry.seq),
            head: last.map_or_else(|| GENESIS.to_owned(), |entry| entry.hash.clone()),
            last_line: lines.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default().to_vec(),
            latest: last.map_or(Timestamp::UNIX_EPOCH, |entry| entry.time),
        };
        let (path, mask, identity) = (path.to_owned(), mask.clone(), identity(&about));
        let journal = Self { path, mask, file, sync: File::sync_data, identity, end, begun: None };
        Ok((journal, contents))
    }

    /// Writes one event and syncs it; when this returns, the record is on disk.
    pub fn append(&mut self, event: Event, now: Timestamp) -> Result<Entry, Failure> {
        let (entry, before) = self.put(event, now)?;
        self.begun = Some(before);
        self.settle()?;
        Ok(entry)
    }

    /// Writes one event, which the disk begins to take while citadel does something else; the record is on disk when
    /// [`Journal::settle`] returns.
    pub fn begin(&mut self, event: Event, now: Timestamp) -> Result<Entry, Failure> {
        let (entry, before) = self.put(event, now)?;
        begin_writing(&self.file, before.length, self.end.length);
        self.begun = Some(before);
        Ok(entry)
    }

    /// Waits until what was begun is on disk. What cannot be synced is no record.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let Some(before) = self.begun.take() else { return Ok(()) };
        if let Err(error) = (self.sync)(&self.file) {
            self.end = before;
            return Err(self.unwritten(error));
        }
        #[cfg(feature = "kill-points")]
        kill_point::reached(self.end.sequence, "after-sync");
        Ok(())
    }

    /// Writes one event that nobody needs after the machine itself went down. Every other death it survives, and the
    /// next record that is synced takes it along.
    pub fn append_unsynced(&mut self, event: Event, now: Timestamp) -> Result<Entry, Failure> {
        let (entry, _) = self.put(event, now)?;
        #[cfg(feature = "kill-points")]
        kill_point::reached(entry.seq, "after-sync");
        Ok(entry)
    }

    /// What it keeps out of its records.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Writes one event; also where the journal ended before.
    fn put(&mut self, mut event: Event, now: Timestamp) -> Result<(Entry, End), Failure> {
        self.settle()?;
        self.unchanged()?;
        event.retell(&|text| self.mask.clean(text));
        // A clock that went back must not make the record look older than the one before.
        let time = now.round(Unit::Millisecond).unwrap_or(now).max(self.end.latest);
        let (entry, line) = Entry::seal(self.end.sequence + 1, self.end.head.clone(), time, event)?;
        #[cfg(feature = "kill-points")]
        kill_point::around_write(entry.seq, &self.file, &line);
        self.file.write_all(line.as_bytes()).map_err(|error| self.unwritten(error))?;
        #[cfg(feature = "kill-points")]
        kill_point::reached(entry.seq, "after-write");
        let end = End {
            length: self.end.length + line.len() as u64,
            sequence: entry.seq,
            head: entry.hash.clone(),
            last_line: line.into_bytes(),
            latest: time,
        };
        let before = std::mem::replace(&mut self.end, end);
        Ok((entry, before))
    }

    /// Cuts off what could not be written. Half a line is no record; where even this fails, the next citadel cuts it off.
    fn unwritten(&self, error: io::Error) -> Failure {
        let _ = self.file.set_len(self.end.length);
        let what = format!("cannot write the journal `{}`", self.path.display());
        Failure::from(anyhow::Error::new(error).context(what)).hint(WRITE_HINT)
    }

    /// The hash of the last record.
    pub fn head(&self) -> &str {
        &self.end.head
    }

    /// The number of the last record.
    pub fn sequence(&self) -> u64 {
        self.end.sequence
    }

    /// From now on every sync is refused.
    #[cfg(test)]
    pub(crate) fn fail_to_sync(&mut self) {
        self.sync = |_| Err(io::ErrorKind::Other.into());
    }

    fn unchanged(&self) -> Result<(), Failure> {
        let broken = |what: String| {
            Failure::new(ExitCode::EvidenceBroken, format!("the journal `{}` {what}", self.path.display()))
                .hint("somebody else wrote to the run's folder; keep it as it is, then `citadel run --new`")
        };
        let on_disk = std::fs::metadata(&self.path).map_err(|error| broken(format!("is gone: {error}")))?;
        if on_disk.len() != self.end.length {
            return Err(broken(format!("has {} bytes, citadel wrote {}", on_disk.len(), self.end.length)));
        }
        if identity(&on_disk) != self.identity {
            return Err(broken("is another file than the one that citadel wrote".into()));
        }
        let mut seen = vec![0; self.end.last_line.len()];
        let start = self.end.length - self.end.last_line.len() as u64;
        if self.file.read_exact_at(&mut seen, start).is_err() || seen != self.end.last_line {
            return Err(broken("does not end with the record that citadel wrote last".into()));
        }
        Ok(())
    }
}

const WRITE_HINT: &str = "nothing more was started; make room or mend the permission, then run the same command again";

/// Reads and checks a whole journal. Anything wrong except a torn last line is an error with its line.
pub fn read(path: &Path) -> anyhow::Result<Contents> {
    checked(path, &bytes_of(path)?)
}

fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read the journal `{}`", path.display()))
}

fn checked(path: &Path, bytes: &[u8]) -> anyhow::Result<Contents> {
    parse(bytes).map_err(|broken| {
        anyhow::Error::new(
            Failure::new(ExitCode::EvidenceBroken, format!("the journal `{}` is broken: {broken}", path.display()))
                .hint("it is not what citadel wrote; keep the folder as it is, then `citadel run --new`"),
        )
    })
}

/// Checks the bytes of a journal.
pub fn parse(bytes: &[u8]) -> Result<Contents, Broken> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
    let mut entries: Vec<Entry> = Vec::new();
    for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
        let entry = Entry::open(&line[..line.len() - 1], entries.len() as u64 + 1, entries.last())?;
        entries.push(entry);
    }
    Ok(Contents { entries, torn: bytes.len() - end })
}

/// Has the system begin to write what lies between two places of a file. What need not stay in memory is written first, and a
/// piece of a page stays. No more than a hint: only a sync says that it is on disk.
#[cfg(target_os = "linux")]
fn begin_writing(file: &File, from: u64, to: u64) {
    use rustix::fs::{Advice, fadvise};
    let _ = fadvise(file, from, NonZeroU64::new(to - from), Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn begin_writing(_: &File, _: u64, _: u64) {}

fn identity(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(&folder.path().join("journal.jsonl"), &Mask::none()).unwrap();
        for signal in 1..=3 {
            journal.append(Event::Interrupted { signal }, Timestamp::from_second(signal.into()).unwrap()).unwrap();
        }
        (folder, journal)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let (_folder, journal) = journal();
        let contents = read(&journal.path).unwrap();
        assert_eq!(contents.entries.len(), 3);
        assert_eq!(contents.entries[2].event, Event::Interrupted { signal: 3 });
        assert_eq!(contents.entries[2].hash, journal.head());
    }

    #[test]
    fn every_truncation_is_a_torn_line_or_a_shorter_journal() {
        let (_folder, journal) = journal();
        let bytes = std::fs::read(&journal.path).unwrap();
        for length in 0..bytes.len() {
            let contents = parse(&bytes[..length]).unwrap();
            assert!(contents.entries.len() < 3);
        }
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let (_folder, journal) = journal();
        let bytes = std::fs::read(&journal.path).unwrap();
        for index in 0..bytes.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[index] ^= flip;
                // A flipped final newline leaves a torn line, which is dropped and reported.
                assert!(parse(&changed).map_or(true, |contents| contents.torn > 0), "byte {index} ^ {flip}");
            }
        }
    }

    #[test]
    fn a_torn_line_is_cut_off_and_writing_goes_on() {
        let (_folder, journal) = journal();
        let path = journal.path.clone();
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"v\":1,\"se").unwrap();
        let (mut journal, contents) = Journal::open(&path, &Mask::none()).unwrap();
        assert_eq!(contents.torn, 10);
        journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(read(&path).unwrap().entries.len(), 4);
    }

    #[test]
    fn a_journal_that_somebody_else_wrote_to_is_not_appended_to() {
        let (_folder, mut journal) = journal();
        OpenOptions::new().append(true).open(&journal.path).unwrap().write_all(b"x\n").unwrap();
        let failure = journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(failure.code, ExitCode::EvidenceBroken);
    }

    #[test]
    fn a_journal_that_was_exchanged_is_not_appended_to() {
        let (folder, mut journal) = journal();
        let copy = folder.path().join("copy");
        std::fs::copy(&journal.path, &copy).unwrap();
        std::fs::rename(&copy, &journal.path).unwrap();
        let failure = journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(failure.code, ExitCode::EvidenceBroken);
    }

    #[test]
    fn a_last_record_that_was_changed_is_noticed() {
        let (_folder, mut journal) = journal();
        let mut bytes = std::fs::read(&journal.path).unwrap();
        let last = bytes.len() - 10;
        bytes[last] ^= 1;
        std::fs::write(&journal.path, bytes).unwrap();
        let failure = journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(failure.code, ExitCode::EvidenceBroken);
    }

    #[test]
    fn what_was_not_synced_is_a_record_like_any_other() {
        let (_folder, mut journal) = journal();
        journal.append_unsynced(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(read(&journal.path).unwrap().entries.len(), 5);
    }

    #[test]
    fn what_was_begun_is_a_record_that_is_synced_before_the_next() {
        let (_folder, mut journal) = journal();
        let entry = journal.begin(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(read(&journal.path).unwrap().entries.last(), Some(&entry));
        assert!(journal.begun.is_some());
        journal.append_unsynced(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        assert!(journal.begun.is_none());
        journal.settle().unwrap();
        assert_eq!(read(&journal.path).unwrap().entries.len(), 5);
    }

    #[test]
    fn what_cannot_be_synced_is_no_record() {
        let (_folder, mut journal) = journal();
        let head = journal.head().to_owned();
        journal.fail_to_sync();
        for _ in 0..2 {
            journal.begin(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
            journal.settle().unwrap_err();
            journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!((journal.head(), journal.sequence()), (head.as_str(), 3));
            assert_eq!(read(&journal.path).unwrap().entries.len(), 3);
        }
    }

    #[test]
    fn time_never_goes_back() {
        let (_folder, mut journal) = journal();
        let entry = journal.append(Event::DevChainEnded, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(entry.time.as_second(), 3);
    }
}
