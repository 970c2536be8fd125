//! Looks through a stream for secrets, in one pass and flat memory: declared values in every form, and undeclared ones by
//! their shape. Says what it found, never which.

use super::shapes::shapes;
use super::{Mask, wrapped};

/// How much is looked at in one piece, and how much of the end of one is looked at again with the next: no shape is longer.
const PIECE: usize = 128 * 1024;
const AGAIN: usize = 16 * 1024;

/// A stream that is being looked through.
#[derive(Debug, Clone)]
pub struct Search {
    names: Names,
    piece: Vec<u8>,
    shapes: Vec<&'static str>,
}

impl Search {
    /// For the secrets of `mask`, and for shapes.
    pub fn new(mask: &Mask) -> Self {
        Self { names: Names::new(mask), piece: Vec::new(), shapes: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.names.push(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            if self.piece.len() == PIECE {
                self.look();
                self.piece.drain(..PIECE - AGAIN);
            }
            bytes = later;
        }
    }

    /// What was found, each rule once.
    pub fn finish(mut self) -> Vec<String> {
        self.look();
        let names = self.names.finish().into_iter().map(|name| format!("the value of `{name}`"));
        names.chain(self.shapes.into_iter().map(str::to_owned)).collect()
    }

    fn look(&mut self) {
        let new = shapes(&self.piece).into_iter().filter(|shape| !self.shapes.contains(shape));
        self.shapes = self.shapes.iter().copied().chain(new).collect();
    }
}

/// The declared secrets in a stream, by their names. Holds back only what may be the beginning of one.
#[derive(Debug, Clone)]
pub(super) struct Names {
    mask: Mask,
    held: Vec<u8>,
    /// The digits right before what is held.
    before: usize,
    found: Vec<String>,
}

impl Names {
    pub(super) fn new(mask: &Mask) -> Self {
        Self { mask: mask.clone(), held: Vec::new(), before: 0, found: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.mask.is_empty() {
            return;
        }
        self.held.extend_from_slice(bytes);
        let (names, done) = self.mask.names(&self.held, self.before);
        for name in names {
            if !self.found.iter().any(|known| known == name) {
                self.found.push(name.to_owned());
            }
        }
        self.before = wrapped::digits_before(&self.held[..done], self.before);
        self.held.drain(..done);
    }

    /// What was found, each name once.
    pub(super) fn finish(self) -> Vec<String> {
        self.found
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
