//! Secrets that nobody declared, by their shape alone: PEM private keys, JSON Web Tokens, and hex keys that are called
//! private. Knows no value, and says what it found, never which.

use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::{Captures, Regex};

use super::value::is_public;

/// What it is called, and the shape; what everybody may know of it is its first group.
const SHAPES: [(&str, &str); 3] = [
    (
        PEM,
        r"(?s-u)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\r|\\n)+[A-Za-z0-9+/=]{16}.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|\z)",
    ),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
    (
        "a private key in hex",
        r#"(?i-u)(?:private|secret)[ _-]?key(?:[ _-]?[a-z0-9]{1,8})?["']?\s{0,3}[:=]\s{0,3}["']?(?:0x)?([0-9a-f]{64})\b"#,
    ),
];

const PEM: &str = "a PEM private key";

/// How the first and the last line of a PEM private key end.
static PEM_LINES: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("PRIVATE KEY-----"));

/// Nothing longer is looked for.
pub(super) const LONGEST: usize = 16 * 1024;

/// Nothing shorter has one of the shapes, and each has one of these words in it.
const SHORTEST: usize = 40;
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("(?i-u)eyj|key").ok());

static COMPILED: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compile = |(name, shape): (&'static str, &str)| Some((name, Regex::new(shape).ok()?));
    SHAPES.into_iter().filter_map(compile).collect()
});

/// The kinds of secrets that these bytes look like, each once.
pub fn shapes(bytes: &[u8]) -> Vec<&'static str> {
    if !may_hold(bytes) {
        return Vec::new();
    }
    let has = |shape: &Regex| shape.captures_iter(bytes).any(|found| !is_known(&found));
    COMPILED.iter().filter(|(_, shape)| has(shape)).map(|(name, _)| *name).collect()
}

/// A quick look: whether one can be in it at all.
fn may_hold(bytes: &[u8]) -> bool {
    bytes.len() >= SHORTEST && HINT.as_ref().is_none_or(|hint| hint.is_match(bytes))
}

/// The text with what looks like a secret named instead.
pub fn hide(text: &str) -> String {
    if !may_hold(text.as_bytes()) {
        return text.to_owned();
    }
    let hidden = COMPILED.iter().fold(text.as_bytes().to_vec(), |text, (name, shape)| {
        let named =
            |found: &Captures<'_>| if is_known(found) { found[0].to_vec() } else { format!("[{name}]").into_bytes() };
        shape.replace_all(&text, named).into_owned()
    });
    String::from_utf8(hidden).unwrap_or_else(|_| text.to_owned())
}

/// The keys that every dev chain prints are no secrets.
fn is_known(found: &Captures<'_>) -> bool {
    found.get(1).is_some_and(|digits| is_public(&String::from_utf8_lossy(digits.as_bytes()).to_lowercase()))
}

/// Hides shapes in lines that are shown one by one, a key of many lines too.
#[derive(Debug, Default)]
pub struct LineShapes {
    /// A PEM key began and has not ended.
    inside: bool,
}

impl LineShapes {
    /// Takes note of lines that nobody is shown.
    pub fn skip(&mut self, bytes: &[u8]) {
        // What began before the last of them has ended by now.
        let before = bytes.len().saturating_sub(LONGEST);
        self.inside &= before == 0;
        let bytes = &bytes[before..];
        if let Some(at) = PEM_LINES.find_iter(bytes).last() {
            let line = bytes[..at].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            self.inside = memmem::rfind(line, b"-----BEGIN ") > memmem::rfind(line, b"-----END ");
        }
    }

    /// The line as it may be shown.
    pub fn hide(&mut self, line: String) -> String {
        let was_inside = self.inside;
        let marks = PEM_LINES.find(line.as_bytes()).is_some();
        self.skip(line.as_bytes());
        if marks && (was_inside || self.inside) {
            return format!("[{PEM}]");
        }
        // Nothing else stands between its lines: what reads otherwise is no key any more.
        self.inside &= !line.trim().contains("  ") && line.len() <= 200;
        match self.inside {
            true => format!("[{PEM}]"),
            false if may_hold(line.as_bytes()) => hide(&line),
            false => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(shapes(text.as_bytes()), expected, "{text}");
        assert_eq!(shapes(hide(text).as_bytes()), [""; 0], "{text}");
        assert_eq!(hide(text) == text, expected.is_empty(), "{text}");
    }

    #[test]
    fn shapes_are_known() {
        assert_eq!(COMPILED.len(), SHAPES.len(), "every shape compiles");
        let hex = "ab".repeat(32);
        check("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\n", &["a PEM private key"]);
        check("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG", &["a PEM private key"]);
        check(
            r#"{"key":"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n"}"#,
            &[PEM],
        );
        check(
            "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
            &["a JSON Web Token"],
        );
        check(&format!("PRIVATE_KEY=0x{hex}"), &["a private key in hex"]);
        check(&format!("MAINNET_PRIVATE_KEY_2=0x{hex}"), &["a private key in hex"]);
        check(&format!("{{\"privateKey\": \"{hex}\"}}"), &["a private key in hex"]);
        check(&format!("private key : {hex}\n"), &["a private key in hex"]);
        check(&format!("secretKey: '{hex}'\n"), &["a private key in hex"]);
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
        check("Private Key: 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", &[]);
    }

    #[test]
    fn a_key_of_many_lines_is_hidden_line_by_line() {
        let body = "MIIEpAIBAAKCAQEA75Zw0o9Q2vKfZ0cW3nq0rG6a8yE1bT5sX9dLkJhGfDsAqWeR";
        let show = |lines: &[&str]| {
            let mut shapes = LineShapes::default();
            lines.iter().map(|line| shapes.hide((*line).to_owned())).collect::<Vec<_>>()
        };
        let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
        let hidden = "[a PEM private key]";
        assert_eq!(show(&["a", begin, body, body, end, "b"]), ["a", hidden, hidden, hidden, hidden, "b"]);
        assert_eq!(show(&[body, "-----BEGIN CERTIFICATE-----", body]), [body, "-----BEGIN CERTIFICATE-----", body]);
        let mut shapes = LineShapes::default();
        shapes.skip(format!("x\n{begin}\n{body}\n").as_bytes());
        assert_eq!(shapes.hide(body.to_owned()), hidden);
        shapes.skip(format!("{body}\n{end}\n").as_bytes());
        assert_eq!(shapes.hide("after".to_owned()), "after");
        let check = |body: &str, expected: &str| {
            let mut shapes = LineShapes::default();
            shapes.skip(begin.as_bytes());
            shapes.skip(format!("x\n{}{begin}\n{body}\n", "x".repeat(LONGEST)).as_bytes());
            assert_eq!(shapes.hide("MIIE".to_owned()), expected, "{}", body.len());
        };
        check(&body.repeat(200), hidden);
        check(&body.repeat(300), "MIIE");
    }
}
