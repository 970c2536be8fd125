//! Foreign text in Markdown: it can neither format, nor link, nor break a table, a list or a code block.

use crate::text::clean;

/// Text in a paragraph, a list or a table.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' | '$' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    // A bare address must not become a link.
    let out = out.replace("://", "\\://");
    // What would start a list or a number at the start of a line is only harmless inside one.
    if out.starts_with(['-', '+', '=']) { format!("\\{out}") } else { out }
}

/// A name, a hash, a command: a code span.
pub(super) fn code(text: &str) -> String {
    let text = clean(text).replace('|', "\\|");
    if text.is_empty() {
        return "none".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Lines of output as a block.
pub(super) fn block(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| clean(line)).collect();
    let fence = "`".repeat(lines.iter().map(|line| longest_run(line)).max().unwrap_or(0).max(2) + 1);
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

/// A table of cells that are escaped already.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let row = |cells: &[String]| {
        cells
            .iter()
            .map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") })
            .collect::<String>()
    };
    let names: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let mut lines = vec![format!("|{}", row(&names)), format!("|{}", "---|".repeat(head.len()))];
    lines.extend(rows.map(|cells| format!("|{}", row(&cells))));
    lines.join("\n")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_only_text() {
        let check = |input: &str, expected: &str| assert_eq!(text(input), expected);
        check("plain, with `ticks` and a|b", r"plain, with \`ticks\` and a\|b");
        check("at https://evil.example", r"at https\://evil.example");
        check("<b>&amp;", r"\<b\>\&amp;");
        check("- item\n- item", r"\- item - item");
        check("\u{1b}[31m", r"\\u{1b}\[31m");
    }

    #[test]
    fn code_spans_hold_anything() {
        let check = |input: &str, expected: &str| assert_eq!(code(input), expected);
        check("0x12", "`0x12`");
        check("a`b", "``a`b``");
        check("`a``", "``` `a`` ```");
        check("a|b", "`a\\|b`");
        check("", "none");
    }

    #[test]
    fn blocks_cannot_be_left() {
        assert_eq!(block(&["a".into()]), "```text\na\n```");
        assert_eq!(block(&["````".into(), "x\n````".into()]), "`````text\n````\nx ````\n`````");
    }
}
