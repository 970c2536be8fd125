//! Makes text from strangers fit for a terminal and a record: short, one line, no control characters.

const LONGEST: usize = 200;

/// The text with control characters escaped, cut after 200 characters.
pub(crate) fn tame(text: &str) -> String {
    let mut tame = String::new();
    for character in text.chars().take(LONGEST) {
        if character.is_control() || is_invisible(character) {
            tame.extend(character.escape_unicode());
        } else {
            tame.push(character);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        tame.push('…');
    }
    tame
}

/// Characters that reorder or hide others on a screen.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `0x` and lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    ethers::types::Bytes::from(bytes.to_vec()).to_string()
}

/// The bytes of a `0x…` string of whole bytes.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() % 2 != 0 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// The bytes for a message: in full when short, else their beginning and length.
pub(crate) fn brief(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "nothing".to_owned(),
        1..=68 => hex(bytes),
        length => format!("{}… ({length} bytes)", hex(&bytes[..36])),
    }
}

/// `1 thing` or `n things`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_cannot_move_the_cursor() {
        assert_eq!(tame("ok"), "ok");
        assert_eq!(tame("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(tame("a\nb"), "a\\u{a}b");
        assert_eq!(tame("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(tame(&"y".repeat(201)), format!("{}…", "y".repeat(200)));
    }

    #[test]
    fn hex_is_read_strictly() {
        assert_eq!(unhex("0x"), Some(vec![]));
        assert_eq!(unhex("0x00fF"), Some(vec![0, 255]));
        for bad in ["", "00", "0x0", "0x0g", "0X00", "0x+1", "0xé"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
