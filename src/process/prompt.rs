//! Tells whether a line that was not ended looks like a question that waits for a person.

/// Endings of questions.
const ENDINGS: &[char] = &['?', ':', '›', '»'];

/// Words that only questions leave without an end of line.
const WORDS: &[&str] = &["password", "passphrase", "press any key", "press enter", "press return", "hit enter"];

/// Whether the unterminated last line of an output looks like a question.
pub(super) fn looks_like_prompt(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let asks = line.ends_with(ENDINGS) || (line.contains('?') && line.ends_with([']', ')']));
    line == ">" || asks || ends_with_choice(&line) || WORDS.iter().any(|word| line.contains(word))
}

/// `[y/N]`, `(yes/no)`, `[Y/n/a]`: a last bracket of short alternatives.
fn ends_with_choice(line: &str) -> bool {
    let Some(start) = line.rfind(['[', '(']) else { return false };
    let Some(inside) = line[start + 1..].strip_suffix([']', ')']) else { return false };
    let mut words = inside.split('/');
    inside.contains('/') && words.all(|word| (1..=6).contains(&word.len()) && word.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: bool) {
        assert_eq!(looks_like_prompt(line), expected, "{line:?}");
    }

    #[test]
    fn questions() {
        check("Proceed with the transaction? [y/N] ", true);
        check("Ok to proceed? (y) ", true);
        check("Are you sure (yes/no)", true);
        check("Overwrite? [Y/n/a]", true);
        check("Continue? ", true);
        check("Enter your name: ", true);
        check("Password", true);
        check("Enter passphrase for key '/x'", true);
        check("Press any key to continue . . .", true);
        check("? Network ›", true);
        check("> ", true);
    }

    #[test]
    fn statements() {
        check("", false);
        check("done", false);
        check("wrote 3 files (2/3)", false);
        check("{\"ok\": true}", false);
        check("</html>", false);
        check("see [docs/a long path]", false);
        check("100% [=====>]", false);
    }
}
