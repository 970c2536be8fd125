//! Which known name somebody meant.

/// Names longer than this are not misspelt, they are something else.
const LONGEST: usize = 64;

/// How many known names are looked at.
const MOST: usize = 1000;

/// The known name nearest to `name`, if one is near enough to be a slip of the hand.
pub(super) fn nearest<'c>(name: &str, known: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let limit = match length {
        0..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    let name = plain(name);
    let known: Vec<&str> = known.into_iter().take(MOST).collect();
    let near = known
        .iter()
        .copied()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    near.or_else(|| known.into_iter().find(|candidate| candidate.len() > 2 && name.starts_with(&plain(candidate))))
}

/// Help for a name that is not known: the nearest one, else a short list of all.
pub(super) fn help<'c>(name: &str, known: impl IntoIterator<Item = &'c str>, listed: &str) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    (!known.is_empty() && known.len() <= 30).then(|| format!("{listed}: {}", names(known)))
}

/// Names in backticks, separated by commas.
pub(super) fn names<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let known = ["timeout", "silence", "title", "id", "on", "not_operator", "run", "args", "max_age", "pause"];
        assert_eq!(nearest(name, known), expected, "{name}");
    }

    #[test]
    fn finds_slips_and_nothing_else() {
        check("timout", Some("timeout"));
        check("Timeout", Some("timeout"));
        check("tiemout", Some("timeout"));
        check("not-operator", Some("not_operator"));
        check("di", Some("id"));
        check("arg", Some("args"));
        check("maxage", Some("max_age"));
        check("colour", None);
        check("because", None);
        check("argument", None);
        check("titles", Some("title"));
        check("runs-often", Some("run"));
        check("zz", None);
        check("", None);
        check(&"timeout".repeat(1000), None);
    }
}
