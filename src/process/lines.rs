//! Cuts a stream of bytes into lines in flat memory: of an endless line only its beginning and its end are kept.

/// How much of a line is kept from its beginning.
const HEAD: usize = 8 * 1024;

/// How much of a longer line is kept from its end.
const TAIL: usize = 1024;

/// The line that is being read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes between head and tail that were dropped.
    dropped: u64,
}

impl Lines {
    /// Takes bytes and calls `each` for every line that they end.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(String)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.extend(&rest[..end]);
            each(self.take());
            rest = &rest[end + 1..];
        }
        self.extend(rest);
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
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]], expected: &[&str], rest: Option<&str>) {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece, |line| seen.push(line));
        }
        assert_eq!(seen, expected);
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
    fn an_endless_line_keeps_its_ends() {
        let mut lines = Lines::default();
        lines.push(b"begin", |_| unreachable!());
        for _ in 0..100 {
            lines.push(&[b'.'; 9999], |_| unreachable!());
            assert!(lines.head.len() <= HEAD && lines.tail.len() <= TAIL);
        }
        lines.push(b" the end", |_| unreachable!());
        let line = lines.rest().unwrap();
        assert!(line.starts_with("begin.") && line.contains(" … ") && line.ends_with(". the end"));
    }
}
