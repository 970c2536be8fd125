//! Looks through a stream for secrets, in one pass and flat memory: declared values in every form, and undeclared ones by
//! their shape. Says what it found, never which.

use super::Mask;
use super::shapes::shapes;

/// How much is looked at in one piece, and how much of the end of one is looked at again with the next: no shape is longer.
const PIECE: usize = 128 * 1024;
const AGAIN: usize = 16 * 1024;

/// A stream that is being looked through.
#[derive(Debug, Clone)]
pub struct Search {
    mask: Mask,
    piece: Vec<u8>,
    /// How long a piece may become.
    limit: usize,
    again: usize,
    found: Vec<String>,
}

impl Search {
    /// For the secrets of `mask`, and for shapes.
    pub fn new(mask: &Mask) -> Self {
        let again = AGAIN.max(mask.longest());
        Self { mask: mask.clone(), piece: Vec::new(), limit: PIECE.max(2 * again), again, found: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.limit - self.piece.len()));
            self.piece.extend_from_slice(now);
            if self.piece.len() == self.limit {
                self.look();
                self.piece.drain(..self.limit - self.again);
            }
            bytes = later;
        }
    }

    /// What was found, each rule once.
    pub fn finish(mut self) -> Vec<String> {
        self.look();
        self.found
    }

    fn look(&mut self) {
        let names = self.mask.found(&self.piece).into_iter().map(|name| format!("the value of `{name}`"));
        for rule in names.chain(shapes(&self.piece).into_iter().map(str::to_owned)) {
            if !self.found.contains(&rule) {
                self.found.push(rule);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;

    fn found(text: &[u8], piece: usize) -> Vec<String> {
        let mask = Mask::new([("KEY", Secret::new("hunter22-hunter22"))]).unwrap();
        let mut search = Search::new(&mask);
        text.chunks(piece).for_each(|piece| search.push(piece));
        search.finish()
    }

    #[test]
    fn nothing_is_missed_wherever_it_stands_and_however_it_comes() {
        let hex = "ab".repeat(32);
        for before in [0, 1, AGAIN, PIECE - 90, PIECE - 40, PIECE - 1, PIECE, 3 * PIECE + 17] {
            let around = |text: &str| format!("{} {text} {}", "x".repeat(before), "y".repeat(before)).into_bytes();
            for piece in [999, 65_536, 1_000_000] {
                let shape = found(&around(&format!("PRIVATE_KEY=0x{hex}")), piece);
                assert_eq!(shape, ["a private key in hex"], "after {before}");
                assert_eq!(found(&around("hunter22-hunter22"), piece), ["the value of `KEY`"], "after {before}");
            }
        }
        assert_eq!(found(&vec![b'x'; 2 * PIECE], 4096), [""; 0]);
        assert_eq!(found(b"", 1), [""; 0]);
    }

    #[test]
    fn each_rule_is_told_once() {
        assert_eq!(found(&b"hunter22-hunter22 ".repeat(20_000), 4096), ["the value of `KEY`"]);
    }
}
