//! The shapes in which a secret can turn up in output: as it is, its telling parts, and their usual encodings.
//!
//! Knows nothing about where the bytes go.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::classify::{is_harmless, is_structural};

/// Parts of a multi-line or structured value that are shorter than this are not searched for by themselves.
const SHORTEST_PART: usize = 8;

/// A path segment of a URL from this length on is taken for a key.
const SHORTEST_SEGMENT: usize = 16;

/// Encodings shorter than this would be found in ordinary text.
const SHORTEST_FORM: usize = 6;

/// Every byte string that gives the value away.
pub(super) fn of(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    for part in parts(value) {
        encodings(&part, &mut forms);
    }
    // A key in hex is 32 bytes to a program, which it prints in its own way.
    for text in bytes_of_hex(value.trim()).iter().flat_map(|bytes| base64(bytes)) {
        forms.insert(text.replace('+', "-").replace('/', "_").into_bytes());
        forms.insert(text.into_bytes());
    }
    forms.retain(|form| form.len() >= SHORTEST_FORM);
    forms
}

fn parts(value: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::from([value.to_owned(), value.trim().to_owned()]);
    if value.contains('\n') {
        let telling = |line: &&str| line.len() >= SHORTEST_PART && !is_structural(line);
        parts.extend(value.lines().map(str::trim).filter(telling).map(str::to_owned));
        // As one line, in an environment variable or a program's message.
        parts.extend([value.replace('\n', "\\n"), value.lines().map(str::trim).collect()]);
    }
    if let Some(digits) = value.trim().strip_prefix("0x").filter(|rest| is_long_hex(rest)) {
        parts.extend([digits.to_owned(), digits.to_ascii_uppercase(), digits.to_ascii_lowercase()]);
    } else if is_long_hex(value.trim()) {
        parts.extend([value.trim().to_ascii_uppercase(), value.trim().to_ascii_lowercase()]);
    }
    url_parts(value.trim(), &mut parts);
    parts
}

fn bytes_of_hex(value: &str) -> Option<Vec<u8>> {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    is_long_hex(digits).then(|| (0..digits.len() / 2).filter_map(|at| byte(at * 2)).collect())
}

fn is_long_hex(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Tools print the path or the key of a URL without its host.
fn url_parts(value: &str, parts: &mut BTreeSet<String>) {
    let Ok(url) = reqwest::Url::parse(value) else { return };
    if !url.has_authority() {
        return;
    }
    parts.insert(url.as_str().trim_end_matches('/').to_owned());
    let password = url.password().into_iter().flat_map(|text| [text.to_owned(), decoded(text)]);
    parts.extend(password.filter(|text| text.len() >= SHORTEST_FORM));
    let segments = url.path_segments().into_iter().flatten().chain([url.username()]);
    let telling = |text: &&str| text.len() >= SHORTEST_SEGMENT && !is_structural(text);
    parts.extend(segments.filter(telling).flat_map(|text| [text.to_owned(), decoded(text)]));
    let values = url.query_pairs().map(|(_, text)| text.into_owned());
    parts.extend(values.filter(|text| text.len() >= SHORTEST_PART && !is_harmless(text)));
}

/// A part of a URL as it is meant; what is no text stays as it is.
fn decoded(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), part.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

fn encodings(part: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let bytes = part.as_bytes();
    forms.insert(bytes.to_vec());
    for form in [json(part), json(part).replace('/', "\\/")] {
        for escaped in ESCAPED {
            for (ascii, uppercase) in [(false, false), (false, true), (true, false), (true, true)] {
                forms.insert(unicode(&form, escaped, ascii, uppercase).into_bytes());
            }
        }
    }
    for kept in [RFC3986, COMPONENT, FORM] {
        for lowercase in [false, true] {
            let form = percent(bytes, kept, lowercase);
            forms.insert(form.replace("%20", "+").into_bytes());
            forms.insert(form.into_bytes());
        }
    }
    let hex = hex(bytes);
    forms.insert(hex.to_ascii_uppercase().into_bytes());
    forms.insert(hex.into_bytes());
    for text in base64(bytes) {
        forms.insert(text.replace('+', "-").replace('/', "_").into_bytes());
        forms.insert(text.into_bytes());
    }
}

/// What is not encoded beside letters and digits: by RFC 3986, by JavaScript's `encodeURIComponent`, by HTML forms.
const RFC3986: &[u8] = b"-._~";
const COMPONENT: &[u8] = b"-._~!*'()";
const FORM: &[u8] = b"-._*";

fn percent(bytes: &[u8], kept: &[u8], lowercase: bool) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            text.push(char::from(byte));
        } else if lowercase {
            let _ = write!(text, "%{byte:02x}");
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The inside of a JSON string.
fn json(part: &str) -> String {
    let quoted = serde_json::Value::from(part).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What JSON need not escape and is escaped nevertheless, beside what is not ASCII: by nobody, by Go, by PHP where it is
/// told to, by Gson, by .NET.
const ESCAPED: [&str; 5] = ["", "<>&", "<>&'", "<>&'=", "<>&'+`"];

/// The inside of a JSON string with more characters written as `\u` and four digits.
fn unicode(json: &str, escaped: &str, ascii: bool, uppercase: bool) -> String {
    json.chars().fold(String::new(), |mut text, c| {
        if !(escaped.contains(c) || ascii && !c.is_ascii()) {
            text.push(c);
            return text;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = if uppercase { write!(text, "\\u{unit:04X}") } else { write!(text, "\\u{unit:04x}") };
        }
        text
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The base64 digits (RFC 4648) that are the same whatever stands around the value, at each of the three alignments.
fn base64(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let bits = bytes.len() * 8;
        // The first digit that holds no bit of what stands before, up to the last that holds none of what follows.
        let skipped = (6 - before * 8 % 6) % 6;
        (0..(bits - skipped.min(bits)) / 6)
            .map(|digit| char::from(DIGITS[sextet(bytes, skipped + digit * 6)]))
            .collect()
    })
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn sextet(bytes: &[u8], from: usize) -> usize {
    (from..from + 6).fold(0, |value, bit| value << 1 | usize::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, form: &str) {
        assert!(of(value).contains(form.as_bytes()), "{value:?} has no form {form:?}");
    }

    #[test]
    fn encodings_of_a_word() {
        check("hunter22", "hunter22");
        check("a b/c\"d", "a%20b%2Fc%22d");
        check("a b/c\"d", "a%20b%2fc%22d");
        check("a b/c\"d", "a+b%2Fc%22d");
        check("(it's) ~100!*", "(it's)%20~100!*");
        check("(it's) ~100!*", "%28it%27s%29+%7E100%21*");
        check("a b/c\"d", "a b/c\\\"d");
        check("a b/c\"d", "a b\\/c\\\"d");
        check("hunter22", "68756e7465723232");
        check("hunter~?", "68756E7465727E3F");
    }

    #[test]
    fn json_of_every_writer() {
        check("häß<>&'22😀", "h\\u00e4\\u00df<>&'22\\ud83d\\ude00");
        check("häß<>&'22😀", "h\\u00E4\\u00DF<>&'22\\uD83D\\uDE00");
        check("häß<>&'22", "häß\\u003c\\u003e\\u0026'22");
        check("häß<>&'22", "h\\u00e4\\u00df\\u003c\\u003e\\u0026\\u002722");
        check("a+b='c'&d", "a+b\\u003d\\u0027c\\u0027\\u0026d");
        check("a+b='c'&d", "a\\u002Bb=\\u0027c\\u0027\\u0026d");
    }

    #[test]
    fn base64_whatever_stands_before_and_after() {
        // base64 of `hunter22`, `xhunter22`, `xxhunter22`, without the digits that their surroundings change.
        check("hunter22", "aHVudGVyMj");
        check("hunter22", "h1bnRlcjIy");
        check("hunter22", "odW50ZXIyM");
        check("<<<???>>>", "PDw8Pz8_Pj4-");
    }

    #[test]
    fn parts_of_structured_values() {
        let key = "0xAC0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        check(key, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        check(key, "AC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80");
        check("https://rpc.example.net/v2/abcdefghijklmnop0", "abcdefghijklmnop0");
        check("https://me:opensesame@rpc.example.net/", "opensesame");
        check("https://me:open%40s%20me@rpc.example.net/", "open%40s%20me");
        check("https://me:open%40s%20me@rpc.example.net/", "open@s me");
        check("https://me:open%4@rpc.example.net/", "open%4");
        check("https://0123456789%2Fabcdefg@rpc.example.net/", "0123456789/abcdefg");
        check("https://rpc.example.net/?key=abcdefgh", "abcdefgh");
        check("-----BEGIN-----\nMIIEpAIBAAKCAQEA\n-----END-----", "MIIEpAIBAAKCAQEA");
        check("-----BEGIN-----\nMIIEpAIBAAKCAQEA\n-----END-----", "-----BEGIN-----\\nMIIEpAIBAAKCAQEA\\n-----END-----");
        check("https://0123456789abcdefABCDEF@rpc.example.net/", "0123456789abcdefABCDEF");
        check(&"0f".repeat(32), "Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw");
    }

    #[test]
    fn parts_that_are_only_form_are_no_forms() {
        let never = |value: &str, form: &str| {
            assert!(!of(value).contains(form.as_bytes()), "{value:?} has the form {form:?}");
        };
        never("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n", "-----BEGIN PRIVATE KEY-----");
        never("{\n  \"type\": \"service_account\",\n  \"id\": \"0a1b2c3d\"\n}", "\"type\": \"service_account\",");
        never("https://rpc.example.net/ethereum-mainnet-archive/0123456789abcdef01", "ethereum-mainnet-archive");
        never("https://rpc.example.net/?network=holesky&chain=11155111&key=0123456789abcdef", "11155111");
    }

    #[test]
    fn no_form_is_short() {
        assert!(of("abcdef").iter().all(|form| form.len() >= SHORTEST_FORM));
    }
}
