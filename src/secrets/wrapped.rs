//! Text that a tool broke into lines of one width, as `base64`, `openssl base64` and `xxd -p` do: where it was broken,
//! and how it reads without the breaks. Knows no secret.

use std::ops::Range;

use memchr::memchr2_iter;

/// How many digits stand before a break at least; the usual widths are 60, 64 and 76. Few lines of other text end so.
const LEAST: usize = 32;

/// How many bytes a break has at most: `\r\n` as JSON writes it.
const LONGEST_BREAK: usize = 4;

/// A stretch of text as it reads without its breaks.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) bytes: Vec<u8>,
    /// Where each piece begins among the bytes, and where it stood.
    pieces: Vec<(usize, usize)>,
}

impl Joined {
    /// Where the bytes of `range`, which is not empty, stood: with the breaks in between.
    pub(super) fn stood(&self, range: Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end - 1) + 1
    }

    fn place(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(begins, _)| *begins <= at).saturating_sub(1);
        self.pieces.get(piece).map_or(at, |(begins, stood)| stood + at - begins)
    }

    fn new(bytes: &[u8], range: Range<usize>, breaks: &[Range<usize>]) -> Self {
        let mut joined = Self::default();
        let mut at = range.start;
        let first = breaks.partition_point(|gap| gap.start < range.start);
        for gap in breaks[first..].iter().take_while(|gap| gap.end <= range.end) {
            joined.extend(bytes, at..gap.start);
            at = gap.end;
        }
        joined.extend(bytes, at..range.end);
        joined
    }

    fn extend(&mut self, bytes: &[u8], range: Range<usize>) {
        self.pieces.push((self.bytes.len(), range.start));
        self.bytes.extend_from_slice(&bytes[range]);
    }
}

/// How many digits `bytes` end with, as far as it matters, where `before` stood right before them.
pub(super) fn digits_before(bytes: &[u8], before: usize) -> usize {
    let digits = bytes.iter().rev().take(LEAST).take_while(|byte| is_digit(**byte)).count();
    if digits == bytes.len() { (digits + before).min(LEAST) } else { digits }
}

/// What surrounds each break of `bytes`, joined: as much as a text of `longest` bytes across the break may reach.
pub(super) fn joined(bytes: &[u8], before: usize, longest: usize) -> Vec<Joined> {
    let breaks = breaks(bytes, before, 0);
    let reach = reach(longest);
    let mut regions: Vec<Range<usize>> = Vec::new();
    for gap in &breaks {
        let (start, end) = (gap.start.saturating_sub(reach), bytes.len().min(gap.end + reach));
        match regions.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => regions.push(start..end),
        }
    }
    regions.into_iter().map(|region| Joined::new(bytes, region, &breaks)).collect()
}

/// The end of `bytes` as it reads if it goes on, where there is a break in it; `longest` bytes of it at least.
pub(super) fn joined_end(bytes: &[u8], before: usize, longest: usize) -> Option<Joined> {
    let start = bytes.len().saturating_sub(reach(longest));
    let mut breaks = breaks(bytes, before, start);
    let last = breaks.last().map_or(start, |gap| gap.end);
    breaks.extend(begun(bytes, before).filter(|gap| gap.start >= last));
    (!breaks.is_empty()).then(|| Joined::new(bytes, start..bytes.len(), &breaks))
}

/// How far a text of `longest` bytes may reach when it is broken as often as can be.
fn reach(longest: usize) -> usize {
    longest + (longest / LEAST + 2) * LONGEST_BREAK
}

/// The breaks from `from` on that have enough digits before them, and a digit or nothing yet behind them.
fn breaks(bytes: &[u8], before: usize, from: usize) -> Vec<Range<usize>> {
    let mut breaks: Vec<Range<usize>> = Vec::new();
    for at in memchr2_iter(b'\n', b'\\', &bytes[from..]).map(|at| from + at) {
        let Some(gap) = break_at(bytes, at) else { continue };
        let goes_on = bytes.get(gap.end).is_none_or(|byte| is_digit(*byte));
        if goes_on && digits_before(&bytes[..gap.start], before) == LEAST {
            breaks.push(gap);
        }
    }
    breaks
}

/// The line break whose last or first special byte is at `at`: as it is, or as JSON writes it.
fn break_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if bytes[at] == b'\n' {
        return Some(at - usize::from(at > 0 && bytes[at - 1] == b'\r')..at + 1);
    }
    let rest = &bytes[at..];
    let length = [&b"\\n"[..], b"\\r\\n"].into_iter().find(|text| rest.starts_with(text))?.len();
    Some(at..at + length)
}

/// A break that the end of `bytes` may be the beginning of.
fn begun(bytes: &[u8], before: usize) -> Option<Range<usize>> {
    let part = [&b"\\r\\"[..], b"\\r", b"\\", b"\r"].into_iter().find(|part| bytes.ends_with(part))?;
    let start = bytes.len() - part.len();
    (digits_before(&bytes[..start], before) == LEAST).then_some(start..bytes.len())
}

/// Of base64, base64url or hex.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let text = text.replace('#', &"d".repeat(LEAST));
        let joined: Vec<String> =
            joined(text.as_bytes(), 0, 4).into_iter().map(|it| String::from_utf8(it.bytes).unwrap()).collect();
        let expected: Vec<String> = expected.iter().map(|text| text.replace('#', &"d".repeat(LEAST))).collect();
        assert_eq!(joined, expected, "{text:?}");
    }

    #[test]
    fn breaks_of_wrapped_text_alone_are_taken_out() {
        check("", &[]);
        check("a line\nanother\n", &[]);
        check("short\nshort", &[]);
        check("#\n", &["dddddddddddd"]);
        check("#\nab", &["ddddddddddddab"]);
        check("#\r\nab", &["ddddddddddddab"]);
        check("#\\nab", &["ddddddddddddab"]);
        check("#\\r\\nab", &["ddddddddddddab"]);
        check("#\n ab", &[]);
        check("#=\nab", &[]);
        check("# \nab", &[]);
        check("#\n\nab", &[]);
        check("#\n#\nab", &["dddddddddddddddddddddddd", "ddddddddddddab"]);
        check("#\n#", &["dddddddddddddddddddddddd"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = format!("{}\nab!", "d".repeat(LEAST));
        let joined = &joined(text.as_bytes(), 0, 4)[0];
        let at = joined.bytes.windows(3).position(|bytes| bytes == b"dab").unwrap();
        assert_eq!(&text[joined.stood(at..at + 3)], "d\nab");
    }
}
