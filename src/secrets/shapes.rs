//! Secrets that nobody declared, by their shape alone: PEM private keys, JSON Web Tokens, and hex keys that are called
//! private. Knows no value, and says what it found, never which.

use std::io::Read;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// What it is called, and the shape.
const SHAPES: [(&str, &str); 3] = [
    ("a PEM private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
    ("a private key in hex", r#"(?i-u)\bprivate[ _-]?key\b["']?\s{0,3}[:=]\s{0,3}["']?(?:0x)?[0-9a-f]{64}\b"#),
];

static COMPILED: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compile = |(name, shape): (&'static str, &str)| Some((name, Regex::new(shape).ok()?));
    SHAPES.into_iter().filter_map(compile).collect()
});

/// How much of a stream is looked at in one piece, and how much of the end of one is looked at again with the next: no
/// secret is longer.
const PIECE: usize = 64 * 1024;
const AGAIN: usize = 16 * 1024;

/// The kinds of secrets that a stream holds, each once.
///
/// # Errors
/// It cannot be read.
pub fn shapes_in(mut stream: impl Read) -> std::io::Result<Vec<&'static str>> {
    let (mut piece, mut found) = (Vec::with_capacity(PIECE), Vec::new());
    loop {
        let room = (PIECE - piece.len()) as u64;
        let read = stream.by_ref().take(room).read_to_end(&mut piece)?;
        found.extend(shapes(&piece).into_iter().filter(|name| !found.contains(name)).collect::<Vec<_>>());
        if read == 0 {
            return Ok(found);
        }
        piece.drain(..piece.len().saturating_sub(AGAIN));
    }
}

/// The kinds of secrets that these bytes look like, each once.
pub fn shapes(bytes: &[u8]) -> Vec<&'static str> {
    COMPILED.iter().filter(|(_, shape)| shape.is_match(bytes)).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(shapes(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn shapes_are_known() {
        assert_eq!(COMPILED.len(), SHAPES.len(), "every shape compiles");
        let hex = "ab".repeat(32);
        check("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\n", &["a PEM private key"]);
        check("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG", &["a PEM private key"]);
        check(
            "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
            &["a JSON Web Token"],
        );
        check(&format!("PRIVATE_KEY=0x{hex}"), &["a private key in hex"]);
        check(&format!("{{\"privateKey\": \"{hex}\"}}"), &["a private key in hex"]);
        check(&format!("private key : {hex}\n"), &["a private key in hex"]);
    }

    #[test]
    fn a_stream_is_looked_through_in_pieces() {
        let check = |before: usize, expected: &[&str]| {
            let hex = "ab".repeat(32);
            let text = format!("{} PRIVATE_KEY=0x{hex} {}", "x".repeat(before), "y".repeat(before));
            assert_eq!(shapes_in(text.as_bytes()).unwrap(), expected, "after {before}");
        };
        for before in [0, 1, AGAIN, PIECE - 90, PIECE - 40, PIECE - 1, PIECE, 3 * PIECE + 17] {
            check(before, &["a private key in hex"]);
        }
        assert!(shapes_in(&vec![b'x'; 2 * PIECE][..]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_secret_is_none() {
        let hex = "ab".repeat(32);
        check(&format!("\"txHash\": \"0x{hex}\""), &[]);
        check(&format!("a private key is 32 bytes; {hex}"), &[]);
        check("-----BEGIN PUBLIC KEY-----\nMIGHAgEAMBMGByqGSM49AgEG", &[]);
        check("-----BEGIN OPENSSH PRIVATE KEY----- begins one", &[]);
        check("eyJhbGciOiJIUzI1NiJ9 is only a header", &[]);
        check("privateKey: process.env.PRIVATE_KEY", &[]);
    }
}
