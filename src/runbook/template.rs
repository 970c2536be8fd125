//! Text with `{{ name }}` holes, and the names that fill them.
//!
//! Knows how holes look, not which names exist: `resolve` checks that.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

/// Text that may hold `{{ name }}`. Its names were checked when the runbook was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Template(pub String);

/// What every name stands for, on one network in one run.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub values: BTreeMap<String, String>,
}

/// The names without a dot; `contract.X` and `var.X` come with the runbook.
pub(super) const NAMES: &[&str] = &["network", "net", "chain_id", "run", "reports", "workspace"];

/// One `{{ name }}` in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hole<'t> {
    pub(super) range: Range<usize>,
    pub(super) name: &'t str,
}

impl Template {
    /// Fills the holes.
    ///
    /// # Errors
    /// A name has no value yet: the name.
    pub fn render(&self, scope: &Scope) -> Result<String, String> {
        let mut out = String::with_capacity(self.0.len());
        let mut done = 0;
        for hole in holes(&self.0).map_err(|at| self.0[at..].to_owned())? {
            out.push_str(&self.0[done..hole.range.start]);
            out.push_str(scope.values.get(hole.name).ok_or_else(|| hole.name.to_owned())?);
            done = hole.range.end;
        }
        out.push_str(&self.0[done..]);
        Ok(out)
    }

    /// The names of the holes, in the order of the text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        names(&self.0)
    }
}

/// The names of the holes of a text.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    holes(text).unwrap_or_default().into_iter().map(|hole| hole.name)
}

/// The holes of a text; `Err` is the offset of a `{{` that is not closed.
pub(super) fn holes(text: &str) -> Result<Vec<Hole<'_>>, usize> {
    let mut found = Vec::new();
    let mut from = 0;
    // Most texts have none, and one byte is looked for much faster than two.
    if !text.contains('{') {
        return Ok(found);
    }
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        let close = text[open + 2..].find("}}").map(|at| open + 2 + at).ok_or(open)?;
        let name = &text[open + 2..close];
        if name.contains("{{") {
            return Err(open);
        }
        found.push(Hole { range: open..close + 2, name: name.trim() });
        from = close + 2;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let values = [("net", "anvil"), ("chain_id", "31337"), ("contract.safe", "0xAb"), ("var.a", "{{ net }}")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let scope = Scope { values: BTreeMap::from(values) };
        let rendered = Template(text.to_owned()).render(&scope);
        assert_eq!(rendered.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn fills_holes() {
        check("", Ok(""));
        check("plain", Ok("plain"));
        check("{{ net }}", Ok("anvil"));
        check("{{net}}", Ok("anvil"));
        check("é{{ net }}é{{ chain_id }}", Ok("éanvilé31337"));
        check("{{ contract.safe }}", Ok("0xAb"));
        check("{ net } }} {", Ok("{ net } }} {"));
        check("{{ var.a }}", Ok("{{ net }}"));
    }

    #[test]
    fn names_what_has_no_value() {
        check("a {{ run }} b", Err("run"));
        check("a {{ }}", Err(""));
        check("a {{ net", Err("{{ net"));
        check("{{ {{ net }}", Err("{{ {{ net }}"));
    }

    #[test]
    fn lists_names() {
        let template = Template("{{ net }}/{{ var.x }}/{{net}}".to_owned());
        assert_eq!(template.names().collect::<Vec<_>>(), ["net", "var.x", "net"]);
    }
}
