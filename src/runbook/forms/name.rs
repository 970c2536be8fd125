//! Names: ids, environment variables, artefacts, relative paths, file digests.

use super::Wrong;

/// An id: letters, digits, `-` and `_`. No dot, which joins a phase and a step.
pub(in crate::runbook) fn id(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    plain(text, "a name", allowed, "letters, digits, `-` and `_`, beginning with a letter or a digit")
}

/// The name of an artefact, which is a file name too.
pub(in crate::runbook) fn artefact(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    plain(text, "an artefact's name", allowed, "letters, digits, `-`, `_` and `.`, as in `mission.json`")
}

fn plain(text: &str, noun: &str, allowed: impl Fn(char) -> bool, shape: &str) -> Result<(), Wrong> {
    let odd = text.char_indices().find(|(at, c)| !allowed(*c) || (*at == 0 && !c.is_ascii_alphanumeric()));
    let Some((at, c)) = odd else {
        return Ok(());
    };
    let wrong = Wrong::new(format!("`{text}` cannot be {noun}")).part(at..at + c.len_utf8());
    Err(wrong.label("not allowed here").help(format!("use {shape}")))
}

/// The name of an environment variable, never its value.
pub(in crate::runbook) fn variable(text: &str) -> Result<(), Wrong> {
    let help = "put the value into `.env` and write the variable's name here, as in \"MAINNET_RPC_URL\"";
    if text.contains("://") {
        let wrong = Wrong::new("a URL stands where the name of an environment variable belongs").secret();
        return Err(wrong.help(help));
    }
    let allowed = |(at, c): (usize, char)| c == '_' || c.is_ascii_uppercase() || (at > 0 && c.is_ascii_digit());
    let Some((at, c)) = text.char_indices().find(|pair| !allowed(*pair)) else {
        return Ok(());
    };
    let name = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
    if text.starts_with("0x") || text.len() > 40 || !text.chars().all(name) {
        return Err(Wrong::new("a value stands where the name of an environment variable belongs").secret().help(help));
    }
    let wrong = Wrong::new(format!("`{text}` is not the name of an environment variable"));
    let wrong = wrong.part(at..at + c.len_utf8()).label("not allowed here");
    Err(wrong.help("capital letters, digits and `_`, as in \"MAINNET_RPC_URL\""))
}

/// The name of a variable that a step is given; small letters occur, as in `npm_config_cache`.
pub(in crate::runbook) fn given_variable(text: &str) -> Result<(), Wrong> {
    let allowed = |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
    if !text.is_empty() && text.char_indices().all(allowed) {
        return Ok(());
    }
    Err(Wrong::new(format!("`{text}` is not the name of an environment variable")))
}

/// A path that stays below the folder it starts at.
pub(in crate::runbook) fn relative(text: &str) -> Result<(), Wrong> {
    if text.starts_with('/') || text.starts_with('~') {
        let help = "write it relative to its folder, without a leading `/` or `~`";
        return Err(Wrong::new(format!("`{text}` is an absolute path"))
            .part(0..1)
            .label("starts elsewhere")
            .help(help));
    }
    let mut at = 0;
    for part in text.split('/') {
        if part == ".." {
            let wrong = Wrong::new(format!("`{text}` leaves its folder")).part(at..at + 2);
            return Err(wrong.label("leads outside"));
        }
        at += part.len() + 1;
    }
    Ok(())
}

/// A SHA-256 in lowercase hex.
pub(in crate::runbook) fn sha256(text: &str) -> Result<(), Wrong> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() == 64 && text.bytes().all(hex) {
        return Ok(());
    }
    Err(Wrong::new("not a SHA-256").help("64 lowercase hex digits, as `sha256sum FILE` prints them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: fn(&str) -> Result<(), Wrong>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(read(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn forms() {
        check(id, &["1", "plan-safe", "a_b"], &["a.b", "-a", "a b", "é", "a/b", "_a"]);
        check(artefact, &["bundle.json", "1.2-x_y"], &[".hidden", "a/b", "..", "a b"]);
        check(variable, &["RPC_URL", "_X", "A2"], &["2A", "rpc", "A-B", "https://x.example/key", "$A"]);
        check(relative, &["a/b.json", "{{ net }}/x", "./a", "a..b"], &["/a", "~/a", "../a", "a/../b", "a/.."]);
        check(sha256, &[&"0a".repeat(32)], &["", "0A", &"0A".repeat(32)]);
    }

    #[test]
    fn values_are_never_repeated() {
        for secret in ["https://x.example/key", "0xac0974bec39a17e3", "test test junk", &"a".repeat(64)] {
            let wrong = variable(secret).unwrap_err();
            assert!(wrong.secret && !format!("{wrong:?}").contains(secret), "{wrong:?}");
        }
    }

    #[test]
    fn a_url_has_a_message_of_its_own() {
        assert!(variable("https://x.example/key").unwrap_err().message.starts_with("a URL stands where"));
    }
}
