//! Masking a stream as it comes: the result never depends on how the bytes were cut into chunks.

use super::{Mask, wrapped};

/// The mask of one stream. Holds back only what may be the beginning of a secret, so memory stays flat and almost
/// nothing is late.
#[derive(Debug)]
pub struct Masker {
    mask: Mask,
    held: Vec<u8>,
    /// How many of the held bytes belong to a secret whose name is already written.
    covered: usize,
    /// How many digits were written right before the held bytes.
    before: usize,
}

impl Masker {
    pub(super) fn new(mask: Mask) -> Self {
        Self { mask, held: Vec::new(), covered: 0, before: 0 }
    }

    /// Whether bytes pass through unchanged, since there is nothing to hide.
    pub fn is_idle(&self) -> bool {
        self.mask.is_empty()
    }

    /// Takes bytes and appends to `out` all that is decided.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        let undecided = self.mask.undecided(&self.held, self.before);
        self.write(undecided, out);
    }

    /// Appends the rest: nothing more can follow.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.write(self.held.len(), out);
    }

    /// Writes the held bytes up to `cut`. A secret that reaches across it is named now; what remains of it is covered.
    fn write(&mut self, cut: usize, out: &mut Vec<u8>) {
        let mut done = self.covered;
        for span in self.mask.spans(&self.held, self.before).into_iter().filter(|span| span.start < cut) {
            if span.start >= done {
                out.extend_from_slice(&self.held[done..span.start]);
                out.extend_from_slice(self.mask.label(span.pattern).as_bytes());
            }
            done = done.max(span.end);
        }
        if done < cut {
            out.extend_from_slice(&self.held[done..cut]);
        }
        self.covered = done.saturating_sub(cut);
        self.before = wrapped::digits_before(&self.held[..cut], self.before);
        self.held.drain(..cut);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mask, Secret};

    /// Overlapping, nested, self-overlapping and shared-prefix secrets.
    const SECRETS: &[(&str, &str)] =
        &[("A", "abcabcab"), ("B", "bcabca"), ("C", "cabcabcabX"), ("D", "aaaaaa"), ("E", "X/Y?Z=")];

    fn mask() -> Mask {
        Mask::new(SECRETS.iter().map(|&(name, value)| (name, Secret::new(value)))).unwrap()
    }

    fn in_pieces(mask: &Mask, pieces: &[&[u8]]) -> Vec<u8> {
        let (mut stream, mut out) = (mask.stream(), Vec::new());
        for piece in pieces {
            stream.push(piece, &mut out);
        }
        stream.finish(&mut out);
        out
    }

    #[test]
    fn two_cuts_anywhere_change_nothing() {
        let mask = mask();
        let input = b"--abcabcabcabX/Y?Z=aaaaaaaaaabcabcabcX%2FY%3FZ%3D YWJjYWJjYWI= cabcabca\xffaaaaa";
        let whole = mask.bytes(input);
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let pieces = [&input[..first], &input[first..second], &input[second..]];
                assert_eq!(in_pieces(&mask, &pieces), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn nor_where_a_tool_broke_the_line() {
        let mask = mask();
        let before = "d".repeat(40);
        for gap in ["\n", "\r\n", "\\n", "\\r\\n"] {
            for at in 1..8 {
                let (one, two) = "abcabcab".split_at(at);
                let input = format!("{before}{one}{gap}{two}.{before}X{gap}/Y?Z=");
                let whole = mask.bytes(input.as_bytes());
                assert_eq!(String::from_utf8_lossy(&whole), format!("{before}[A].{before}[E]"), "{input}");
            }
            let input = format!("{before}abca{gap}bcab\n{before}aaa{gap}aaaX{gap}/Y?Z=");
            let (input, whole) = (input.as_bytes(), mask.bytes(input.as_bytes()));
            for first in 0..=input.len() {
                for second in first..=input.len() {
                    let pieces = [&input[..first], &input[first..second], &input[second..]];
                    assert_eq!(in_pieces(&mask, &pieces), whole, "cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn random_input_in_random_pieces_changes_nothing() {
        let (mask, mut random) = (mask(), Random(7));
        for _ in 0..3000 {
            let input: Vec<u8> = (0..random.below(60)).map(|_| b"abcX/"[random.below(5)]).collect();
            let (mut pieces, mut rest) = (Vec::new(), input.as_slice());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(random.below(rest.len().min(9)) + 1);
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(in_pieces(&mask, &pieces), by_hand(&input), "{:?}", String::from_utf8_lossy(&input));
        }
    }

    #[test]
    fn memory_stays_flat() {
        let (mask, mut out) = (mask(), Vec::new());
        let mut stream = mask.stream();
        for _ in 0..10_000 {
            stream.push(b"aaaaaaaaaa", &mut out);
            assert!(stream.held.len() < 64);
        }
        stream.finish(&mut out);
        assert_eq!(out, b"[D]");
    }

    #[test]
    fn ordinary_output_is_not_late() {
        let (mut stream, mut out) = (mask().stream(), Vec::new());
        stream.push(b"Proceed? ", &mut out);
        assert_eq!(out, b"Proceed? ");
    }

    /// The plain definition: mark every byte of every raw secret, then replace each joined stretch.
    fn by_hand(input: &[u8]) -> Vec<u8> {
        let mut found = Vec::new();
        for start in 0..input.len() {
            let here = SECRETS.iter().filter(|(_, value)| input[start..].starts_with(value.as_bytes()));
            if let Some((name, value)) = here.max_by_key(|(_, value)| value.len()) {
                found.push((start, start + value.len(), name));
            }
        }
        let (mut out, mut done, mut at) = (Vec::new(), 0, 0);
        for (start, end, name) in found {
            if start >= done {
                out.extend_from_slice(&input[at..start]);
                out.extend_from_slice(format!("[{name}]").as_bytes());
            }
            done = done.max(end);
            at = done;
        }
        out.extend_from_slice(&input[at.min(input.len())..]);
        out
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % limit
        }
    }
}
