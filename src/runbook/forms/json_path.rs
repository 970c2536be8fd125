//! JSON places in the form of RFC 9535.

use serde_json_path::JsonPath;

use super::Wrong;

/// A longer or deeper path is refused: the parser walks filters recursively.
const LONGEST: usize = 512;
const DEEPEST: usize = 8;

/// A valid RFC 9535 path, not so large that reading it could hurt.
pub(in crate::runbook) fn json_path(text: &str) -> Result<(), Wrong> {
    if !text.starts_with('$') {
        let wrong =
            Wrong::new(format!("`{text}` is not a JSON path")).part(0..text.chars().next().map_or(0, char::len_utf8));
        return Err(wrong
            .label("a path starts with `$`")
            .help(format!("write \"$.{}\"", text.trim_start_matches(['.', '/']))));
    }
    if text.len() > LONGEST || depth(text) > DEEPEST {
        return Err(Wrong::new("the JSON path is too long or too deep"));
    }
    let Err(error) = JsonPath::parse(text) else {
        return Ok(());
    };
    let start = text.floor_char_boundary(error.position().saturating_sub(1));
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    let reason = error.message().lines().next().unwrap_or_default();
    let wrong = Wrong::new(format!("`{text}` is not a JSON path")).part(start..end).label(tidy(reason));
    Err(wrong.help("RFC 9535, as in \"$.jobs[*].txHash\" or \"$['a name'][0]\""))
}

fn tidy(reason: &str) -> String {
    if matches!(reason, "" | "parser error") { "not understood from here".to_owned() } else { reason.to_owned() }
}

fn depth(text: &str) -> usize {
    let mut deepest = 0;
    let mut open: usize = 0;
    for c in text.chars() {
        match c {
            '(' | '[' => open += 1,
            ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for good in ["$", "$.a", "$.jobs[*].txHash", "$['a b'][0]", "$..x", "$.a[?@.b == 'c']", "$[-1]"] {
            assert_eq!(json_path(good), Ok(()), "{good}");
        }
        for bad in ["a", ".a", "$.", "$.jobs[", "$jobs", "$.a b", "$.é[", "$[?(", "$[1.5]", "é"] {
            assert!(json_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn monsters_are_refused_before_they_are_parsed() {
        assert!(json_path(&format!("$[?{}", "(".repeat(200))).is_err());
        assert!(json_path(&format!("$.{}", "a".repeat(1000))).is_err());
    }

    #[test]
    fn help_adds_the_root() {
        assert_eq!(json_path("jobs[0]").unwrap_err().help.unwrap(), "write \"$.jobs[0]\"");
    }
}
