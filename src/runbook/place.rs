//! Where in the runbook file a thing is declared, for messages that point at it.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A position in the runbook file: byte offsets, and the line and column (from 1) of the start. Long runbooks have very
/// many, so they are small; what lies beyond 4 GiB is placed there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    start: u32,
    end: u32,
    line: u32,
    column: u32,
}

impl Place {
    /// Where a file begins.
    pub(super) const BEGINNING: Self = Self { start: 0, end: 0, line: 1, column: 1 };

    pub fn start(self) -> usize {
        self.start as usize
    }

    pub fn end(self) -> usize {
        self.end as usize
    }

    pub fn line(self) -> usize {
        self.line as usize
    }

    pub fn column(self) -> usize {
        self.column as usize
    }
}

/// The lines of a text, so that an offset becomes a line and a column without reading the text again. A clone is for
/// another thread.
#[derive(Clone)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Arc<[usize]>,
    /// Offsets of the bytes that do not start a character.
    inner: Arc<[usize]>,
    /// The line that was last looked for, from 1: the next one most likely is near.
    near: Cell<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let inside = |at: &usize| !text.is_char_boundary(*at);
        let inner = if text.is_ascii() { Arc::default() } else { (0..text.len()).filter(inside).collect() };
        Self { text, starts: starts.into(), inner, near: Cell::new(1) }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The place of a range of bytes; a range that cuts a character or passes the end is made to fit.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end).max(start);
        let line = self.line(start);
        let first = self.starts[line - 1];
        let inner = |offset| self.inner.partition_point(|at| *at < offset);
        let column = start - first - (inner(start) - inner(first)) + 1;
        let [start, end, line, column] = [start, end, line, column].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        Place { start, end, line, column }
    }

    /// The line of an offset, from 1.
    fn line(&self, offset: usize) -> usize {
        let holds =
            |line: usize| self.starts[line - 1] <= offset && self.starts.get(line).is_none_or(|next| offset < *next);
        let near = self.near.get();
        let mut lines = near.saturating_sub(2).max(1)..=(near + 2).min(self.starts.len());
        let line = lines.find(|line| holds(*line));
        let line = line.unwrap_or_else(|| self.starts.partition_point(|at| *at <= offset));
        self.near.set(line);
        line
    }

    /// The whole lines that a place touches, cut to the first where there are many: offset and text.
    pub(super) fn around(&self, place: Place) -> (usize, &'t str) {
        let first = self.starts[place.line() - 1];
        let last = self.starts.partition_point(|at| *at < place.end()).max(place.line());
        let last = if last - place.line() > 3 { place.line() } else { last };
        let end = self.starts.get(last).copied().unwrap_or(self.text.len());
        (first, self.text[first..end].trim_end_matches(['\n', '\r']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, line: usize, column: usize) {
        let place = Lines::new(text).place(offset..offset);
        assert_eq!((place.line(), place.column()), (line, column), "{text:?} at {offset}");
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        check("", 0, 1, 1);
        check("ab", 1, 1, 2);
        check("a\nb", 2, 2, 1);
        check("a\n", 2, 2, 1);
        check("é = 1", 2, 1, 2);
        check("é = 1", 1, 1, 1);
        check("a\nüü x", 7, 2, 4);
        check("ab", 99, 1, 3);
    }

    #[test]
    fn long_places_show_their_first_line_only() {
        let text = "a\nb\nc\nd\ne\nf\n";
        let lines = Lines::new(text);
        assert_eq!(lines.around(lines.place(0..text.len())), (0, "a"));
        assert_eq!(lines.around(lines.place(2..5)), (2, "b\nc"));
        assert_eq!(lines.around(lines.place(2..4)), (2, "b"));
    }
}
