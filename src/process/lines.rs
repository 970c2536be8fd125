//! Cuts a stream of bytes into lines in flat memory, and keeps only the last ones: of an endless line its beginning and
//! its end.

use std::collections::VecDeque;

use memchr::{memchr, memrchr_iter};

use crate::secrets::LineShapes;

/// How much of a line is kept from its beginning.
const HEAD: usize = 8 * 1024;

/// How much of a longer line is kept from its end.
const TAIL: usize = 1024;

/// How much of whole lines waits to be looked at: more may push them out of the last ones before.
const WAITING: usize = 32 * 1024;

/// How many last lines are kept.
pub(super) const KEPT: usize = 20;

/// The last lines of all streams, in the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct Last {
    lines: VecDeque<String>,
}

impl Last {
    pub(super) fn push(&mut self, line: String) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(super) fn newest(&self) -> Option<&str> {
        self.lines.back().map(String::as_str)
    }

    pub(super) fn into_lines(self) -> impl Iterator<Item = String> {
        self.lines.into_iter()
    }
}

/// The line of one stream that is being read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes between head and tail that were dropped.
    dropped: u64,
    /// Whole lines before it, which nobody has looked at yet.
    waiting: Vec<u8>,
    shapes: LineShapes,
}

impl Lines {
    /// Takes bytes, and passes on the lines that they end, at the latest with [`Lines::settle`]; says whether they end any.
    ///
    /// Lines that later ones push out of the last ones are never looked at, however much comes.
    pub(super) fn push(&mut self, bytes: &[u8], last: &mut Last) -> bool {
        // The ends of lines from the last on: of as many lines as are kept, and the one before them.
        let mut ends = memrchr_iter(b'\n', bytes).take(KEPT + 1);
        let newest = ends.next();
        match ends.nth(KEPT - 1).zip(newest) {
            Some((before, newest)) if newest - before <= WAITING => {
                self.push_out(&bytes[..=before]);
                self.waiting.extend_from_slice(&bytes[before + 1..=newest]);
                self.extend(&bytes[newest + 1..]);
            }
            _ => {
                self.settle(last);
                let rest = self.each(bytes, last);
                self.extend(rest);
            }
        }
        newest.is_some()
    }

    /// Looks at the lines that wait.
    pub(super) fn settle(&mut self, last: &mut Last) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let (head, tail) = (std::mem::take(&mut self.head), std::mem::take(&mut self.tail));
        let dropped = std::mem::take(&mut self.dropped);
        self.each(&waiting, last);
        (self.head, self.tail, self.dropped) = (head, tail, dropped);
    }

    /// Passes on every line that `bytes` end; what follows the last of them.
    fn each<'b>(&mut self, bytes: &'b [u8], last: &mut Last) -> &'b [u8] {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            self.extend(&rest[..end]);
            last.push(self.take());
            rest = &rest[end + 1..];
        }
        rest
    }

    /// Takes lines that nobody is shown: what waits, what was begun, and `bytes`, which end with an end of line.
    fn push_out(&mut self, bytes: &[u8]) {
        self.shapes.skip(&self.waiting);
        self.waiting.clear();
        let first = memchr(b'\n', bytes).unwrap_or(bytes.len());
        self.extend(&bytes[..first]);
        self.shapes.skip(&self.head);
        self.shapes.skip(&self.tail);
        self.clear();
        self.shapes.skip(&bytes[first..]);
    }

    /// What came after the last end of line, if anything.
    pub(super) fn rest(&mut self) -> Option<String> {
        (!self.head.is_empty()).then(|| self.take())
    }

    fn extend(&mut self, bytes: &[u8]) {
        let (first, more) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(&more[more.len().saturating_sub(TAIL)..]);
        let skipped = more.len().saturating_sub(TAIL);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        self.dropped += (skipped + over) as u64;
    }

    fn take(&mut self) -> String {
        let mut line = String::from_utf8_lossy(&self.head).into_owned();
        if self.dropped > 0 {
            line.push_str(" … ");
        }
        line.push_str(&String::from_utf8_lossy(&self.tail));
        self.clear();
        self.shapes.hide(line)
    }

    fn clear(&mut self) {
        self.head.clear();
        self.tail.clear();
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]], expected: &[&str], rest: Option<&str>) {
        let (mut lines, mut last) = (Lines::default(), Last::default());
        for piece in pieces {
            assert_eq!(lines.push(piece, &mut last), piece.contains(&b'\n'));
        }
        lines.settle(&mut last);
        assert_eq!(last.newest(), expected.last().copied());
        assert_eq!(last.into_lines().collect::<Vec<_>>(), expected);
        assert_eq!(lines.rest().as_deref(), rest);
    }

    #[test]
    fn cuts() {
        check(&[], &[], None);
        check(&[b"a\nb\n"], &["a", "b"], None);
        check(&[b"a", b"b\nc", b"\n\nd"], &["ab", "c", ""], Some("d"));
        check(&[b"\xc3", b"\xa9\n"], &["é"], None);
        check(&[b"\xff\n"], &["\u{fffd}"], None);
    }

    #[test]
    fn the_last_lines_are_the_same_however_they_come() {
        let text = (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n") + "\n";
        let expected: Vec<String> = (80..100).map(|number| format!("line {number}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        for size in [1, 2, 7, 8, 9, 100, 180, 200, 5000] {
            check(&text.as_bytes().chunks(size).collect::<Vec<_>>(), &expected, None);
        }
    }

    #[test]
    fn lines_that_wait_come_before_what_follows_them() {
        let many = "line\n".repeat(30) + "begun";
        check(&[many.as_bytes(), b" here\n", b"next"], &[&["line"; 19][..], &["begun here"]].concat(), Some("next"));
        check(&[many.as_bytes(), many.as_bytes()], &["line"; 20], Some("begun"));
        let long = format!("{}\n", "x".repeat(2000)).repeat(30);
        let (mut lines, mut last) = (Lines::default(), Last::default());
        lines.push(long.as_bytes(), &mut last);
        assert!(lines.waiting.is_empty() && last.newest().is_some(), "too much waits for nothing");
    }

    #[test]
    fn a_key_that_began_in_lines_nobody_saw_is_hidden() {
        let body = "MIIEpAIBAAKCAQEA75Zw0o9Q2vKfZ0cW3nq0rG6a8yE1bT5sX9dLkJhGfDsAqWeR\n";
        let text = format!("a\n-----BEGIN RSA PRIVATE KEY-----\n{}", body.repeat(60));
        for size in [text.len(), 50, 700, 2500] {
            let (mut lines, mut last) = (Lines::default(), Last::default());
            for piece in text.as_bytes().chunks(size) {
                lines.push(piece, &mut last);
            }
            lines.settle(&mut last);
            assert!(last.into_lines().all(|line| line == "[a PEM private key]"), "in pieces of {size}");
        }
    }

    #[test]
    fn an_endless_line_keeps_its_ends() {
        let (mut lines, mut last) = (Lines::default(), Last::default());
        lines.push(b"begin", &mut last);
        for _ in 0..100 {
            lines.push(&[b'.'; 9999], &mut last);
            assert!(lines.head.len() <= HEAD && lines.tail.len() <= TAIL);
        }
        lines.push(b" the end", &mut last);
        assert_eq!(last.newest(), None);
        let line = lines.rest().unwrap();
        assert!(line.starts_with("begin.") && line.contains(" … ") && line.ends_with(". the end"));
    }
}
