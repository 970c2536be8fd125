//! Secrets that nobody declared, by their shape alone: PEM private keys, JSON Web Tokens, and hex keys that are called
//! private. Knows no value, and says what it found, never which.

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
