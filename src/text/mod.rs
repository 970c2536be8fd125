//! Text for people: foreign text made safe to show, lengths and durations in words, lines that fit a width.
//!
//! Pure: nothing here prints, and nothing here knows what a text is about.

mod line;
mod width;

use std::fmt::Write;

pub use line::{Line, Tone};
pub use width::{cut, padded, width};

/// Whether a character could hide, move or reorder what a person sees: controls, escapes, zero-width and bidirectional
/// marks, line separators, tag characters, and what is no character at all.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Foreign text on one line, safe for a terminal: tabs and newlines become spaces, other deceiving characters their
/// number.
pub fn clean(text: &str) -> String {
    let text = text.trim_end();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if deceives(c) => push_number(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Text on one line from which the original can be told exactly: a backslash is doubled, a newline is `\n`, any other
/// deceiving character `\u{…}`.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if deceives(c) => push_number(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

fn push_number(out: &mut String, c: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

/// Milliseconds as a person says them: `3.1s`, `2m 05s`, `1h 02m`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A time limit as a runbook writes it: `10m`, `1h 30m`, `500ms`.
pub fn limit(limit: std::time::Duration) -> String {
    jiff::SignedDuration::try_from(limit).map_or_else(|_| format!("{limit:?}"), |limit| format!("{limit:#}"))
}

/// Seconds as `48h` or `1h 30m`.
pub fn seconds(seconds: u64) -> String {
    match i64::try_from(seconds) {
        Ok(seconds) if seconds < 100 * 365 * 24 * 3600 => {
            let printer = jiff::fmt::friendly::SpanPrinter::new();
            printer.duration_to_string(&jiff::SignedDuration::from_secs(seconds))
        }
        _ => format!("{seconds}s"),
    }
}

/// A number with its noun: `1 check`, `3 checks`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_move_or_hide() {
        let check = |input: &str, expected: &str| assert_eq!(clean(input), expected);
        check("plain — ✔", "plain — ✔");
        check("a\x1b[31mred\x07", "a\\u{1b}[31mred\\u{7}");
        check("two\nlines\tand a tab\n", "two lines and a tab");
        check("\u{202e}txt.exe", "\\u{202e}txt.exe");
        check("zero\u{200b}width", "zero\\u{200b}width");
    }

    #[test]
    fn escaped_text_is_one_line_and_injective() {
        let check = |input: &str, expected: &str| assert_eq!(escaped(input), expected);
        check("a\nb", "a\\nb");
        check("a\\nb", "a\\\\nb");
        check("\u{2066}x", "\\u{2066}x");
        check("\\u{2066}x", "\\\\u{2066}x");
        check("ends \n", "ends \\n");
    }

    #[test]
    fn durations_read_well() {
        let check = |input: u64, expected: &str| assert_eq!(duration(input), expected);
        check(0, "0.0s");
        check(3149, "3.1s");
        check(59_999, "59.9s");
        check(60_000, "1m 00s");
        check(125_000, "2m 05s");
        check(3_720_000, "1h 02m");
        check(90_000_000, "25h 00m");
    }

    #[test]
    fn seconds_read_well() {
        let check = |input: u64, expected: &str| assert_eq!(seconds(input), expected);
        check(2, "2s");
        check(600, "10m");
        check(172_800, "48h");
        check(5400, "1h 30m");
        check(u64::MAX, "18446744073709551615s");
    }

    #[test]
    fn lists_read_well() {
        let check = |input: &[&str], expected: &str| assert_eq!(list(input), expected);
        check(&[], "nobody");
        check(&["a"], "a");
        check(&["a", "b"], "a and b");
        check(&["a", "b", "c"], "a, b and c");
    }
}
