//! What is no longer as a statement said, field by field, so that people see why they must sign again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::fields;
use crate::runbook::digest;

/// What names a statement rather than what it says: never the reason that it is void.
const OWN: [&str; 3] = ["nonce", "journal", "expires"];

/// The differences between the statement that was asked for and what would be asked for now.
pub fn differences(before: &[u8], now: &[u8]) -> Vec<String> {
    let (Ok(before), Ok(now)) = (fields(before), fields(now)) else {
        return vec!["the statement's file is not what citadel wrote".to_owned()];
    };
    let (before, now) = (named(&before.lines), named(&now.lines));
    let mut found = Vec::new();
    for (name, old) in &before {
        match now.get(name) {
            Some(new) if new == old => {}
            Some(new) => found.extend(changed(name, old, new)),
            None => found.push(format!("{name}: {old} → gone")),
        }
    }
    let added = now.iter().filter(|(name, _)| !before.contains_key(*name));
    found.extend(added.map(|(name, new)| format!("{name}: new, {new}")));
    found
}

/// The lines by what they are about: an artefact by its name, a check by its id.
fn named(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    let lines = lines.iter().filter(|(name, _)| !OWN.contains(name));
    lines
        .map(|(name, value)| match *name {
            "artefact" => {
                let (hash, of) = value.split_once(' ').unwrap_or((value, ""));
                (format!("artefact {of}"), hash.to_owned())
            }
            "check" => {
                let (id, rest) = word(value);
                (format!("check {id}"), rest.to_owned())
            }
            _ => ((*name).to_owned(), (*value).to_owned()),
        })
        .collect()
}

/// The first word of a line, which is a JSON string where it holds more than a name, and the rest.
fn word(text: &str) -> (String, &str) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
    if text.starts_with('"')
        && let Some(Ok(word)) = stream.next()
    {
        return (word, text[stream.byte_offset()..].trim_start());
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word.to_owned(), rest)
}

/// One changed line; where it is a check's, the members of its value that changed.
fn changed(name: &str, old: &str, new: &str) -> Vec<String> {
    let parts = |text: &str| -> Option<(String, Value)> {
        let (kind, rest) = word(text);
        let (verdict, value) = rest.split_once(' ')?;
        Some((format!("{kind} {verdict}"), serde_json::from_str(value).ok()?))
    };
    let whole = || vec![format!("{name}: {old} → {new}")];
    if !name.starts_with("check ") {
        return whole();
    }
    match (parts(old), parts(new)) {
        (Some((kind, old)), Some((same, new))) if kind == same && (old.is_object() || old.is_array()) => {
            digest::differences(&old, &new).into_iter().map(|difference| format!("{name}: {difference}")).collect()
        }
        _ => whole(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, now: &str, expected: &[&str]) {
        let of = |lines: &str| format!("citadel sign-off v1\nnonce: {}\n{lines}", lines.len());
        assert_eq!(differences(of(before).as_bytes(), of(now).as_bytes()), expected, "{before} {now}");
    }

    #[test]
    fn each_difference_is_told_by_its_field() {
        check("gate: 1\n", "gate: 1\n", &[]);
        check("workspace-commit: a\n", "workspace-commit: b\n", &["workspace-commit: a → b"]);
        check("artefact: aa bundle.json\n", "artefact: bb bundle.json\n", &["artefact bundle.json: aa → bb"]);
        check(
            "check: safe safe passed {\"n\":\"1\",\"o\":2}\n",
            "check: safe safe passed {\"n\":\"2\",\"o\":2}\n",
            &["check safe: `n`: \"1\" → \"2\""],
        );
        check(
            "check: \"step 1.a\" step passed null\n",
            "check: \"step 1.a\" step failed null\n",
            &["check step 1.a: step passed null → step failed null"],
        );
        check(
            "check: a call passed 1\n",
            "check: b call passed 1\n",
            &["check a: call passed 1 → gone", "check b: new, call passed 1"],
        );
    }

    #[test]
    fn a_file_that_is_no_statement_is_told() {
        assert_eq!(differences(b"x", b"citadel sign-off v1\n"), ["the statement's file is not what citadel wrote"]);
    }
}
