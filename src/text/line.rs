//! A line of text with tones that fits the width it is given. Tones never carry meaning alone: the words say it too.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::width::{self, width};

/// Lines are laid out for at most so many columns, however wide the terminal is.
const PAGE: usize = 100;

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Strong,
    Quiet,
    Good,
    Bad,
    Doubt,
    Accent,
}

/// What happens to a line that is too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Fit {
    /// It goes on below, indented by so many columns.
    Wrapped(usize),
    /// It loses its end.
    Cut,
    /// It stays whole, so that it can be copied.
    #[default]
    Whole,
}

/// One line, made of pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pieces: Vec<(Tone, String)>,
    right: Option<String>,
    fit: Fit,
}

impl Line {
    /// An empty line, indented.
    pub fn new(indent: usize) -> Self {
        Self { pieces: vec![(Tone::Plain, " ".repeat(indent))], ..Self::default() }
    }

    /// The same line with more text, made safe to show.
    #[must_use]
    pub fn add(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        // Spaces at the end are layout, which `clean` would take away.
        let text = text.as_ref();
        let layout = &text[text.trim_end_matches(' ').len()..];
        // What older runners take for a command, wherever it stands.
        let mut text = super::clean(text);
        if text.contains("##[") {
            text = text.replace("##[", "## [");
        }
        self.pieces.push((tone, text + layout));
        self
    }

    /// The same line with more text in the plain tone.
    #[must_use]
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.add(Tone::Plain, text)
    }

    /// The same line with more text in the quiet tone.
    #[must_use]
    pub fn quiet(self, text: impl AsRef<str>) -> Self {
        self.add(Tone::Quiet, text)
    }

    /// The same line with text at its right end; what is before it is cut to make room.
    #[must_use]
    pub fn right(mut self, text: impl Into<String>) -> Self {
        self.right = Some(text.into());
        self.fit = Fit::Cut;
        self
    }

    /// The same line, going on below at column `indent` where it is too long.
    #[must_use]
    pub fn wrapped(mut self, indent: usize) -> Self {
        self.fit = Fit::Wrapped(indent);
        self
    }

    /// The same line, losing its end where it is too long.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.fit = Fit::Cut;
        self
    }

    /// The line as text for `columns` columns, without a final newline.
    pub fn render(&self, columns: usize, colour: bool) -> String {
        let columns = columns.min(PAGE);
        let mut chars: Vec<(Tone, char)> = Vec::with_capacity(self.pieces.iter().map(|(_, text)| text.len()).sum());
        chars.extend(self.pieces.iter().flat_map(|(tone, text)| text.chars().map(|c| (*tone, c))));
        match (&self.right, self.fit) {
            (Some(right), _) => Self::with_right(&chars, right, columns, colour),
            (None, Fit::Whole) => paint(&chars, colour),
            (None, Fit::Cut) => paint(&shortened(&chars, columns), colour),
            (None, Fit::Wrapped(indent)) => wrap(&chars, columns, indent, colour),
        }
    }

    fn with_right(chars: &[(Tone, char)], right: &str, columns: usize, colour: bool) -> String {
        let room = columns.saturating_sub(width(right) + 2);
        let mut chars = shortened(chars, room);
        let used = columns_of(&chars);
        chars.extend(std::iter::repeat_n((Tone::Plain, ' '), room.saturating_sub(used) + 2));
        chars.extend(right.chars().map(|c| (Tone::Quiet, c)));
        paint(&chars, colour)
    }
}

fn columns_of(chars: &[(Tone, char)]) -> usize {
    chars.iter().map(|(_, c)| width::of(*c)).sum()
}

fn shortened(chars: &[(Tone, char)], columns: usize) -> Vec<(Tone, char)> {
    let text: String = chars.iter().map(|(_, c)| *c).collect();
    let short = super::cut(&text, columns);
    short.chars().enumerate().map(|(index, c)| (chars[index].0, c)).collect()
}

fn wrap(chars: &[(Tone, char)], columns: usize, indent: usize, colour: bool) -> String {
    let indent = indent.min(columns / 2);
    let mut rest = chars;
    let mut lines = Vec::new();
    loop {
        let shift = if lines.is_empty() { 0 } else { indent };
        let margin = if lines.is_empty() { indent } else { 0 };
        let Some(end) = break_at(rest, columns.saturating_sub(shift), margin) else {
            lines.push(" ".repeat(shift) + &paint(rest, colour));
            return lines.join("\n");
        };
        lines.push(" ".repeat(shift) + &paint(&rest[..end], colour));
        let spaces = rest[end..].iter().take_while(|(_, c)| *c == ' ').count();
        rest = &rest[end + spaces..];
    }
}

/// Where to break so that at most `columns` stand before; `None`: nowhere. A word longer than a line stays whole.
fn break_at(chars: &[(Tone, char)], columns: usize, margin: usize) -> Option<usize> {
    if columns_of(chars) <= columns {
        return None;
    }
    let mut used = 0;
    let mut best = None;
    for (index, (_, c)) in chars.iter().enumerate() {
        let may_break = *c == ' ' && used > margin && chars[..index].iter().any(|(_, c)| *c != ' ');
        if may_break && (used <= columns || best.is_none()) && chars[index..].iter().any(|(_, c)| *c != ' ') {
            best = Some(index);
        }
        used += width::of(*c);
        if used > columns && best.is_some() {
            break;
        }
    }
    best
}

fn paint(chars: &[(Tone, char)], colour: bool) -> String {
    let end = chars.iter().rposition(|(_, c)| *c != ' ').map_or(0, |index| index + 1);
    let mut out = String::with_capacity(chars.len() + 1);
    // A CI runner takes what begins a line for its own commands, and text of strangers can come to stand there.
    if chars.iter().skip_while(|(_, c)| *c == ' ').take(2).map(|(_, c)| *c).eq([':', ':']) {
        out.push_str("| ");
    }
    if !colour {
        out.extend(chars[..end].iter().map(|(_, c)| *c));
        return out;
    }
    for run in chars[..end].chunk_by(|a, b| a.0 == b.0) {
        let text: String = run.iter().map(|(_, c)| *c).collect();
        let style = style(run[0].0);
        if style != Style::new() && !text.trim().is_empty() {
            let _ = write!(out, "{style}{text}{style:#}");
        } else {
            out.push_str(&text);
        }
    }
    out
}

fn style(tone: Tone) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Good => colour(AnsiColor::Green),
        Tone::Bad => colour(AnsiColor::Red).bold(),
        Tone::Doubt => colour(AnsiColor::Yellow),
        Tone::Accent => colour(AnsiColor::Cyan).bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &Line, columns: usize, expected: &str) {
        assert_eq!(line.render(columns, false), expected);
    }

    #[test]
    fn wraps_at_words_and_keeps_what_cannot_be_broken() {
        let line = Line::new(2).plain("✔ id   one two three four").wrapped(9);
        check(&line, 40, "  ✔ id   one two three four");
        check(&line, 20, "  ✔ id   one two\n         three four");
        let long = Line::new(0).plain("see 0x1111111111111111111111111111 now").wrapped(4);
        check(&long, 20, "see 0x1111111111111111111111111111\n    now");
    }

    #[test]
    fn every_width_keeps_every_word() {
        let line = Line::new(4).add(Tone::Good, "✔ ").plain("a bb ccc dddd eeeee ffffff ggggggg 城堡 hh i").wrapped(6);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for columns in 0..60 {
            assert_eq!(words(&line.render(columns, false)), words(&line.render(60, false)), "{columns}");
        }
    }

    #[test]
    fn the_right_end_stays_and_the_rest_is_cut() {
        let line = Line::new(2).plain("✔ 1.atlas  Snapshot every governance surface").right("3.1s");
        check(&line, 40, "  ✔ 1.atlas  Snapshot every gover…  3.1s");
        assert_eq!(width(&line.render(200, false)), PAGE);
    }

    #[test]
    fn no_line_begins_with_a_command() {
        check(&Line::new(2).plain("::error::x"), 40, "|   ::error::x");
        check(&Line::new(0).plain("it says ::error::x").wrapped(4), 12, "it says\n    | ::error::x");
        check(&Line::new(0).plain("a ##[error]x"), 40, "a ## [error]x");
        check(&Line::new(0).plain("chain::rpc: no"), 40, "chain::rpc: no");
    }

    #[test]
    fn tones_change_no_word() {
        let line = Line::new(2).add(Tone::Good, "✔ ").plain("fine  ").quiet("now").wrapped(2);
        assert_eq!(line.render(60, true), "  \u{1b}[32m✔ \u{1b}[0mfine  \u{1b}[2mnow\u{1b}[0m");
        assert_eq!(line.render(60, false), "  ✔ fine  now");
    }
}
