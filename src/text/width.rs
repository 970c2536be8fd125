//! How many terminal columns a text takes, and texts cut or filled to a number of columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The columns that `c` takes.
pub(super) fn of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// `text` in at most `columns`; what is missing shows as `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += of(c);
        if used + 1 > columns {
            break;
        }
        out.push(c);
    }
    if columns > 0 {
        out.truncate(out.trim_end().len());
        out.push('…');
    }
    out
}

/// `text` filled with spaces to at least `columns`.
pub fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_to_columns() {
        let check = |text: &str, columns: usize, expected: &str| {
            let out = cut(text, columns);
            assert_eq!(out, expected);
            assert!(width(&out) <= columns);
        };
        check("short", 10, "short");
        check("exactly", 7, "exactly");
        check("one too many", 11, "one too ma…");
        check("a word here", 8, "a word…");
        check("城堡城堡", 5, "城堡…");
        check("城堡城堡", 4, "城…");
        check("abc", 1, "…");
        check("abc", 0, "");
    }

    #[test]
    fn fills_to_columns() {
        assert_eq!(padded("城", 4), "城  ");
        assert_eq!(padded("long", 2), "long");
    }
}
