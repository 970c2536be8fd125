//! The mask: finds secrets, in every form, and puts `[NAME]` in their place.

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use anyhow::Context as _;

use super::search::Names;
use super::{Masker, Secret, forms, hide, is_harmless, shapes, wrapped};

/// How much of a stream is looked through at once.
const PIECE: usize = 64 * 1024;

/// Knows the secrets of a run; cheap to clone.
#[derive(Clone)]
pub struct Mask {
    inner: Arc<Inner>,
}

struct Inner {
    search: AhoCorasick,
    /// Sorted, in the order of the automaton's patterns.
    patterns: Vec<Pattern>,
    longest: usize,
    skipped: Vec<String>,
}

struct Pattern {
    bytes: Vec<u8>,
    name: usize,
    label: Arc<str>,
}

/// A stretch of bytes that gives a secret away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) pattern: usize,
}

impl Mask {
    /// A mask for named values. Harmless ones are not masked; [`Mask::skipped`] names them.
    pub fn new<N: AsRef<str>>(secrets: impl IntoIterator<Item = (N, Secret)>) -> anyhow::Result<Self> {
        let (mut patterns, mut skipped) = (Vec::new(), Vec::new());
        for (order, (name, secret)) in secrets.into_iter().enumerate() {
            let name = name.as_ref();
            if is_harmless(secret.expose()) {
                skipped.push(name.to_owned());
                continue;
            }
            let label: Arc<str> = format!("[{name}]").into();
            let forms = forms::of(secret.expose()).into_iter();
            patterns.extend(forms.map(|bytes| Pattern { bytes, name: order, label: Arc::clone(&label) }));
        }
        patterns.sort_by(|a, b| (&a.bytes, a.name).cmp(&(&b.bytes, b.name)));
        patterns.dedup_by(|later, earlier| later.bytes == earlier.bytes);
        let search = AhoCorasick::new(patterns.iter().map(|pattern| &pattern.bytes))
            .context("the secrets are too large to search for")?;
        let longest = patterns.iter().map(|pattern| pattern.bytes.len()).max().unwrap_or(0);
        Ok(Self { inner: Arc::new(Inner { search, patterns, longest, skipped }) })
    }

    /// A mask that knows no secrets.
    pub fn none() -> Self {
        let search = AhoCorasick::builder().build::<[&[u8]; 0], _>([]);
        let Ok(search) = search else { unreachable!("an automaton without patterns always builds") };
        Self { inner: Arc::new(Inner { search, patterns: Vec::new(), longest: 0, skipped: Vec::new() }) }
    }

    /// The names whose values are too short or too ordinary to be masked.
    pub fn skipped(&self) -> &[String] {
        &self.inner.skipped
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.inner.patterns.is_empty()
    }

    /// A stream of bytes to be masked as it comes.
    pub fn stream(&self) -> Masker {
        Masker::new(self.clone())
    }

    /// The same bytes without secrets.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let (mut stream, mut masked) = (self.stream(), Vec::with_capacity(bytes.len()));
        bytes.chunks(PIECE).for_each(|piece| stream.push(piece, &mut masked));
        stream.finish(&mut masked);
        masked
    }

    /// The same text without secrets.
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// The same text fit to be recorded and shown: without secrets, and without what looks like one by its shape.
    pub fn clean(&self, text: &str) -> String {
        if self.is_empty() { hide(text) } else { hide(&self.text(text)) }
    }

    /// What these bytes hold that must not be kept or passed on, in words: values by their names, shapes by their kinds.
    pub fn problems(&self, bytes: &[u8]) -> Vec<String> {
        let names = self.found(bytes).into_iter().map(|name| format!("the value of `{name}`"));
        names.chain(shapes(bytes).into_iter().map(str::to_owned)).collect()
    }

    /// The names of the secrets that these bytes give away, each once.
    pub fn found(&self, bytes: &[u8]) -> Vec<String> {
        let mut names = Names::new(self);
        bytes.chunks(PIECE).for_each(|piece| names.push(piece));
        let mut names = names.finish();
        names.sort_unstable();
        names
    }

    /// The names of what is found in `bytes`, each once, and how many of the bytes are done with; `before` digits stand right
    /// before them.
    pub(super) fn names(&self, bytes: &[u8], before: usize) -> (Vec<&str>, usize) {
        let mut names: Vec<&str> = Vec::new();
        for span in self.all(bytes, before) {
            let name = self.label(span.pattern).trim_matches(['[', ']']);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        (names, self.undecided(bytes, before))
    }

    pub(super) fn label(&self, pattern: usize) -> &str {
        &self.inner.patterns[pattern].label
    }

    /// Every occurrence, overlapping ones too.
    fn matches<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Span> + 'a {
        let found = self.inner.search.find_overlapping_iter(bytes);
        found.map(|found| Span { start: found.start(), end: found.end(), pattern: found.pattern().as_usize() })
    }

    /// Every occurrence, those that a tool broke into lines too; `before` digits stand right before the bytes.
    fn all(&self, bytes: &[u8], before: usize) -> Vec<Span> {
        if self.is_empty() {
            return Vec::new();
        }
        // Whether there is anything at all is a much faster question.
        let in_it = |bytes: &[u8]| self.inner.search.is_match(bytes);
        let mut found: Vec<_> = if in_it(bytes) { self.matches(bytes).collect() } else { Vec::new() };
        for joined in wrapped::joined(bytes, before, self.inner.longest) {
            if in_it(&joined.bytes) {
                found.extend(self.matches(&joined.bytes).map(|span| {
                    let stood = joined.stood(span.start..span.end);
                    Span { start: stood.start, end: stood.end, pattern: span.pattern }
                }));
            }
        }
        found
    }

    /// What must go: occurrences that share a byte as one span, named after the first and longest of them.
    pub(super) fn spans(&self, bytes: &[u8], before: usize) -> Vec<Span> {
        let mut found = self.all(bytes, before);
        found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        found.into_iter().fold(Vec::new(), |mut spans: Vec<Span>, span| {
            match spans.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => spans.push(span),
            }
            spans
        })
    }

    /// Where the longest end of `bytes` starts that may be the beginning of a secret; their length if none is.
    pub(super) fn undecided(&self, bytes: &[u8], before: usize) -> usize {
        let plain = self.begun(bytes).unwrap_or(bytes.len());
        let joined = wrapped::joined_end(bytes, before, self.inner.longest);
        let broken = joined.and_then(|joined| self.begun(&joined.bytes).map(|at| joined.stood(at..at + 1).start));
        plain.min(broken.unwrap_or(plain))
    }

    fn begun(&self, bytes: &[u8]) -> Option<usize> {
        let earliest = (bytes.len() + 1).saturating_sub(self.inner.longest);
        (earliest..bytes.len()).find(|&start| self.begins_secret(&bytes[start..]))
    }

    fn begins_secret(&self, end: &[u8]) -> bool {
        let patterns = &self.inner.patterns;
        let first = patterns.partition_point(|pattern| pattern.bytes.as_slice() <= end);
        patterns.get(first).is_some_and(|pattern| pattern.bytes.starts_with(end))
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} patterns)", self.inner.patterns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[(&str, &str)]) -> Mask {
        Mask::new(secrets.iter().map(|&(name, value)| (name, Secret::new(value)))).unwrap()
    }

    fn check(secrets: &[(&str, &str)], input: &str, expected: &str) {
        assert_eq!(mask(secrets).text(input), expected);
    }

    #[test]
    fn masks() {
        check(&[], "nothing to hide", "nothing to hide");
        check(&[("KEY", "hunter22")], "the key is hunter22.", "the key is [KEY].");
        check(&[("KEY", "hunter22")], "hunter22hunter22", "[KEY][KEY]");
        check(&[("KEY", "ababab")], "ababababab!", "[KEY]!");
        check(&[("KEY", "hunter22")], "hunter2", "hunter2");
        check(&[("A", "abcdef"), ("B", "defghi")], "-abcdefghi-", "-[A]-");
        check(&[("A", "abcdef"), ("B", "abcdefgh")], "abcdef abcdefgh", "[A] [B]");
        check(&[("A", "cdefgh"), ("B", "abcdefghij")], "abcdefghij cdefgh", "[B] [A]");
        check(&[("NET", "sepolia")], "on sepolia", "on sepolia");
        check(&[("URL", "https://x.io/v2/0123456789abcdef")], "POST /v2/0123456789abcdef 403", "POST /v2/[URL] 403");
        check(&[("KEY", "hunter22")], "basic bWU6aHVudGVyMjI=", "basic bWU6[KEY]I=");
        let line = "d".repeat(56);
        check(&[("KEY", "hunter22")], &format!("{line}hunt\ner22!"), &format!("{line}[KEY]!"));
        check(&[("KEY", "hunter22")], &format!("{line}hunt\\ner22!"), &format!("{line}[KEY]!"));
        check(&[("KEY", "hunter22")], "the hunt\ner22!", "the hunt\ner22!");
    }

    #[test]
    fn bytes_that_are_no_text_pass_through() {
        assert_eq!(mask(&[("KEY", "hunter22")]).bytes(b"\xff\0hunter22\xfe"), b"\xff\0[KEY]\xfe");
    }

    #[test]
    fn names_what_it_finds_and_what_it_skips() {
        let mask = mask(&[("A", "abcdefgh"), ("B", "hunter22"), ("ID", "31337")]);
        assert_eq!(mask.found(b"hunter22, 6162636465666768, hunter22"), ["A", "B"]);
        assert_eq!(mask.found(b"31337"), [""; 0]);
        // Wherever the pieces that a stream is read in end, and wherever a line does.
        for before in [PIECE - 9, PIECE - 4, PIECE - 1, PIECE, 2 * PIECE - 5] {
            for after in 1..8 {
                let text = format!("{}hunter22", "d".repeat(before));
                let broken = format!("{}\n{}", &text[..before + after], &text[before + after..]);
                assert_eq!(mask.found(text.as_bytes()), ["B"], "after {before}");
                assert_eq!(mask.found(broken.as_bytes()), ["B"], "after {before}, broken after {after}");
            }
        }
        assert_eq!(mask.skipped(), ["ID"]);
    }

    #[test]
    fn debug_shows_no_value() {
        assert!(!format!("{:?}", mask(&[("A", "hunter22")])).contains("hunter"));
    }
}
