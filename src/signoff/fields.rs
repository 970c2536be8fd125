//! A statement's bytes read back: its lines as names and values. Judges nothing.

use super::{opening, statement};

/// A statement's lines.
#[derive(Debug)]
pub struct Fields<'a> {
    /// The first line.
    pub title: &'a str,
    /// The others, in their order.
    pub lines: Vec<(&'a str, &'a str)>,
}

/// Reads a statement or an opening; the error is a lowercase fragment.
pub fn fields(bytes: &[u8]) -> Result<Fields<'_>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
    let mut lines = text.lines();
    let title = lines.next().unwrap_or_default();
    if ![opening::TITLE, statement::TITLE].contains(&title) {
        let title: String = title.chars().take(60).collect();
        return Err(format!("is not a statement of citadel's: its first line is `{}`", crate::text::escaped(&title)));
    }
    Ok(Fields { title, lines: lines.filter_map(|line| line.split_once(": ")).collect() })
}

impl<'a> Fields<'a> {
    /// The value of a line that must be there once.
    pub fn one(&self, name: &str) -> Result<&'a str, String> {
        let mut found = self.lines.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (Some(_), Some(_)) => Err(format!("the statement has several lines `{name}`")),
            (None, _) => Err(format!("the statement has no line `{name}`")),
        }
    }
}
