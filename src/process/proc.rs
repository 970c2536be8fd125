//! What Linux tells about processes under `/proc`. Elsewhere every question has the empty answer.
//!
//! Only reads.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::OnceLock;

/// The fields of `/proc/PID/stat` that matter here. A group or session made outside citadel's PID namespace is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) name: String,
    pub(super) state: char,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) session: u32,
    pub(super) start_time: u64,
}

impl Stat {
    /// Dead processes stay listed until their parent asks for them.
    pub(super) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Whether this system has a `/proc` to ask.
pub(super) fn is_here() -> bool {
    static HERE: OnceLock<bool> = OnceLock::new();
    *HERE.get_or_init(|| Path::new("/proc/self/stat").exists())
}

/// A file of `/proc`.
fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    whole(|bytes, _| file.read(bytes))
}

/// All that `read` gives, piece by piece from the place that it is told. A file of `/proc` does not tell its size, so that it
/// is not asked: most are read at once.
fn whole(mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>) -> io::Result<Vec<u8>> {
    let (mut bytes, mut length) = (vec![0; 1024], 0);
    loop {
        match read(&mut bytes[length..], length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length == bytes.len() {
            bytes.resize(4 * length, 0);
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// The state of one process.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    let bytes = read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&bytes))
}

/// The name may hold spaces and parentheses: the last `)` ends it.
fn parse(text: &str) -> Option<Stat> {
    let (head, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        state: fields.next()?.chars().next()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
        // Field 22.
        start_time: fields.nth(15)?.parse().ok()?,
    })
}

/// Every process there is.
pub(super) fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Every process with its state.
pub(super) fn all() -> Vec<(u32, Stat)> {
    pids().into_iter().filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// The orphans that the kernel handed to citadel, dead ones too, and other children of its. Orphans are handed to the first
/// living thread, which is the main one, and are looked for after every step: the other threads' lists are not read.
pub(super) fn adopted() -> Vec<u32> {
    static LIST: OnceLock<Option<File>> = OnceLock::new();
    let own = std::process::id();
    let list = LIST.get_or_init(|| File::open(format!("/proc/{own}/task/{own}/children")).ok());
    let listed = list.as_ref().and_then(|list| whole(|bytes, from| list.read_at(bytes, from)).ok());
    listed.map_or_else(|| children_of(own), |list| pids_in(&list).collect())
}

/// The children of a process, dead ones too.
pub(super) fn children_of(parent: u32) -> Vec<u32> {
    if let Some(children) = listed_children(parent) {
        return children;
    }
    all().into_iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| pid).collect()
}

/// As the kernel lists them, by threads, where it is built to do so.
fn listed_children(parent: u32) -> Option<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{parent}/task")).ok()?.flatten() {
        match read(thread.path().join("children")) {
            Ok(list) => children.extend(pids_in(&list)),
            // A thread may end while it is looked at; a kernel without the list has it for none.
            Err(_) if thread.path().exists() => return None,
            Err(_) => {}
        }
    }
    Some(children)
}

fn pids_in(list: &[u8]) -> impl Iterator<Item = u32> {
    list.split(u8::is_ascii_whitespace).filter_map(|pid| str::from_utf8(pid).ok()?.parse().ok())
}

/// The command line of a process, its arguments joined by spaces; its short name if it has none.
pub(super) fn command_line(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy).collect();
    let line = words.join(" ").trim().to_owned();
    if line.is_empty() { stat(pid).map(|stat| stat.name) } else { Some(line) }
}

/// Whether the process was started with this variable, as far as the system tells.
pub(super) fn has_variable(pid: u32, name: &str, value: &str) -> bool {
    let wanted = format!("{name}={value}");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
}

/// Whether the process has one of these pipes open.
pub(super) fn holds(pid: u32, pipes: &[u64]) -> bool {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.any(|link| pipe(&link).is_some_and(|inode| pipes.contains(&inode)))
}

/// The other processes that have one of these pipes open.
pub(super) fn holders(pipes: &[u64]) -> Vec<u32> {
    pids().into_iter().filter(|&pid| pid != std::process::id() && holds(pid, pipes)).collect()
}

fn pipe(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok()
}

/// Whether citadel ignores this signal.
pub(super) fn ignores(signal: rustix::process::Signal) -> bool {
    let status = read("/proc/self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// A living process as a later citadel would look for it.
pub fn started(pid: u32) -> Option<super::Started> {
    let stat = stat(pid).filter(Stat::is_alive)?;
    Some(super::Started { pid, group: stat.group, start_time: stat.start_time })
}

/// A name for the time since the system started: pids and start times mean nothing across it.
pub fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // Containers restart without a boot, and count their processes from anew.
    let space = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    Some(format!("{}/{space}", id.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses() {
        let rest = "S 1 77 76 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1000 1";
        let stat = parse(&format!("99 (a) b (c)) {rest}")).unwrap();
        assert_eq!(
            stat,
            Stat { name: "a) b (c)".to_owned(), state: 'S', parent: 1, group: 77, session: 76, start_time: 4242 }
        );
    }

    #[test]
    fn what_is_longer_than_one_piece_is_read_whole() {
        let long: Vec<u8> = (0..5000_u16).map(|number| number.to_le_bytes()[0]).collect();
        let most_of = |limit: usize, long: &[u8]| {
            whole(|bytes, from| {
                let rest = &long[usize::try_from(from).unwrap()..];
                let length = rest.len().min(bytes.len()).min(limit);
                bytes[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            })
        };
        for limit in [700, 1024, 9999] {
            assert_eq!(most_of(limit, &long).unwrap(), long);
            assert_eq!(most_of(limit, &long[..1024]).unwrap(), long[..1024]);
        }
    }

    #[test]
    fn nonsense_is_nobody() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("1 (x) S 2"), None);
    }
}
