//! Output made fit for a terminal: no escape sequence, control character or change of writing direction survives.

use std::iter::Peekable;
use std::str::Chars;

/// The text without escape sequences; other control characters become `�`, tabs become spaces. Of a line that a
/// program drew over and over with carriage returns, the last drawing.
pub fn plain(text: &str) -> String {
    let line = text.trim_end_matches(['\r', '\n']);
    let line = line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or("");
    let (mut plain, mut chars) = (String::with_capacity(line.len()), line.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            '\x1b' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\t' => plain.push(' '),
            char if char.is_control() || turns_text(char) => plain.push('\u{fffd}'),
            char => plain.push(char),
        }
    }
    plain
}

/// What follows ESC (ECMA-48): a control sequence, a control string, or a short escape.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|char| (' '..='/').contains(char)).is_some() {}
            chars.next_if(|char| ('0'..='~').contains(char));
        }
    }
}

/// Parameters and intermediates, then one final byte.
fn skip_csi(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|char| (' '..='?').contains(char)).is_some() {}
    chars.next_if(|char| ('@'..='~').contains(char));
}

/// Up to BEL or a string terminator; a string without one takes the rest of the line.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(char) = chars.next() {
        if matches!(char, '\x07' | '\u{9c}') || (char == '\x1b' && chars.next_if_eq(&'\\').is_some()) {
            return;
        }
    }
}

/// Characters that reorder or break what stands around them, and so can make a line read as another.
fn turns_text(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(plain(text), expected, "{text:?}");
    }

    #[test]
    fn text_stays() {
        check("", "");
        check("plain text, ünïcödé ✔", "plain text, ünïcödé ✔");
        check("a\tb", "a b");
        check("line\r\n", "line");
    }

    #[test]
    fn escapes_go() {
        check("\x1b[31mred\x1b[0m", "red");
        check("\x1b]0;title\x07text", "text");
        check("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link");
        check("\x1b[2J\x1b[1;1Hhome", "home");
        check("\x1b(Bx\x1b7y\x1bcz", "xyz");
        check("\u{9b}31mred", "red");
        check("\u{9d}0;title\u{9c}text", "text");
        check("\x1b]0;never ends", "");
        check("ends in \x1b", "ends in ");
        check("\x1b[31", "");
    }

    #[test]
    fn controls_show() {
        check("a\0b\x07c\x08", "a\u{fffd}b\u{fffd}c\u{fffd}");
        check("a\u{202e}b", "a\u{fffd}b");
    }

    #[test]
    fn the_last_drawing_counts() {
        check("10%\r50%\r100%", "100%");
        check("10%\r100%\r", "100%");
        check("\r\r", "");
    }
}
