//! Looks through a stream for secrets, in one pass and flat memory: declared values in every form, and undeclared ones by
//! their shape. Says what it found, never which.

use super::shapes::{LONGEST, shapes};
use super::{Mask, wrapped};

/// How much is gathered before it is looked at.
const PIECE: usize = 128 * 1024;
/// So much at once is not gathered, but looked at where it is.
const LONG: usize = 64 * 1024;

/// A stream that is being looked through.
#[derive(Debug, Clone)]
pub struct Search {
    names: Names,
    /// What was not looked at together with what follows.
    held: Vec<u8>,
    shapes: Vec<&'static str>,
}

impl Search {
    /// For the secrets of `mask`, and for shapes.
    pub fn new(mask: &Mask) -> Self {
        Self { names: Names::new(mask), held: Vec::new(), shapes: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.names.push(bytes);
        if bytes.len() < LONG {
            self.held.extend_from_slice(bytes);
            if self.held.len() >= PIECE {
                look(&self.held, &mut self.shapes);
                self.held.drain(..self.held.len() - LONGEST);
            }
            return;
        }
        self.held.extend_from_slice(&bytes[..LONGEST]);
        look(&self.held, &mut self.shapes);
        look(bytes, &mut self.shapes);
        self.held.clear();
        self.held.extend_from_slice(&bytes[bytes.len() - LONGEST..]);
    }

    /// What was found, each rule once.
    pub fn finish(mut self) -> Vec<String> {
        look(&self.held, &mut self.shapes);
        let names = self.names.finish().into_iter().map(|name| format!("the value of `{name}`"));
        names.chain(self.shapes.into_iter().map(str::to_owned)).collect()
    }
}

/// Adds the shapes that are in `bytes`.
fn look(bytes: &[u8], found: &mut Vec<&'static str>) {
    let new = shapes(bytes).into_iter().filter(|shape| !found.contains(shape));
    *found = found.iter().copied().chain(new).collect();
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
        for before in [0, 1, LONGEST, LONG - 40, LONG - 1, PIECE - 90, PIECE - 40, PIECE - 1, PIECE, 3 * PIECE + 17] {
            let around = |text: &str| format!("{} {text} {}", "x".repeat(before), "y".repeat(before)).into_bytes();
            for piece in [999, LONG - 1, LONG, PIECE + 5, 1_000_000] {
                let shape = found(&around(&format!("PRIVATE_KEY=0x{hex}")), piece);
                assert_eq!(shape, ["a private key in hex"], "after {before}");
                assert_eq!(found(&around("hunter22-hunter22"), piece), ["the value of `KEY`"], "after {before}");
            }
        }
        assert_eq!(found(&vec![b'x'; 2 * PIECE], 4096), [""; 0]);
        assert_eq!(found(b"", 1), [""; 0]);
    }

    #[test]
    fn nor_where_long_and_short_pieces_follow_each_other() {
        let key = format!("PRIVATE_KEY=0x{}", "ab".repeat(32));
        for cut in [1, 20, 76] {
            let (one, two) = key.split_at(cut);
            for pieces in [[LONG, 100], [100, LONG], [LONG, LONG], [PIECE, 3]] {
                let mut search = Search::new(&Mask::none());
                search.push(format!("{} {one}", "x".repeat(pieces[0])).as_bytes());
                search.push(format!("{two} {}", "y".repeat(pieces[1])).as_bytes());
                assert_eq!(search.finish(), ["a private key in hex"], "{pieces:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn each_rule_is_told_once() {
        assert_eq!(found(&b"hunter22-hunter22 ".repeat(20_000), 4096), ["the value of `KEY`"]);
    }
}
