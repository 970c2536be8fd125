//! Cuts a stream of bytes into lines in flat memory, and keeps only the last ones: of an endless line its beginning and
//! its end.

use std::collections::VecDeque;

use memchr::{memchr, memrchr, memrchr_iter};

use crate::secrets::LineShapes;

/// How much of a line is kept from its beginning.
const HEAD: usize = 8 * 1024;

/// How much of a longer line is kept from its end.
const TAIL: usize = 1024;

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
    shapes: LineShapes,
}

impl Lines {
    /// Takes bytes, and passes on the last lines that they end; says whether they end any.
    ///
    /// Lines that later ones of the same bytes push out of the last ones are never looked at.
    pub(super) fn push(&mut self, bytes: &[u8], last: &mut Last) -> bool {
        // The end before the last lines, and all ends after it.
        let Some(start) = memrchr_iter(b'\n', bytes).take(KEPT + 1).last() else {
            self.extend(bytes);
            return false;
        };
        self.extend(&bytes[..start]);
        // The line that ends there is looked at by itself.
        self.shapes.skip(&bytes[..memrchr(b'\n', &bytes[..start]).unwrap_or(0)]);
        last.push(self.take());
        let mut rest = &bytes[start + 1..];
        while let Some(end) = memchr(b'\n', rest) {
            self.extend(&rest[..end]);
            last.push(self.take());
            rest = &rest[end + 1..];
        }
        self.extend(rest);
        true
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
        self.head.clear();
        self.tail.clear();
        self.dropped = 0;
        self.shapes.hide(line)
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
