//! JSON places (RFC 9535) and what must hold there.
//!
//! A singular place (`$.a[0]`) gives its value, and a missing one fails. Any other (`$.jobs[*]`) gives the nodes it
//! finds: `len`, `has` and `set_eq` are about their list, all else must hold for each, and there must be one.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::{JsonRule, Lookup, Predicate, Unmet, all};

impl JsonRule {
    /// What stands at the rule's place, or why nothing does.
    pub fn found(&self, document: &Value) -> Value {
        find(document, &self.at).unwrap_or_else(|unmet| Value::String(unmet.into()))
    }

    /// Whether the rule holds of a document.
    ///
    /// # Errors
    /// It does not, or that cannot be known: one sentence that names the place.
    pub fn judge(&self, document: &Value, lookup: &dyn Lookup) -> Result<(), Unmet> {
        let at = &self.at;
        if is_singular(at) {
            let value = find(document, at)?;
            return all(self.all.iter().map(|p| p.judge(&value, lookup).map_err(|e| e.prefixed(&format!("`{at}`: ")))));
        }
        let path = parse(at)?;
        let located = path.query_located(document);
        let nodes: Vec<(String, &Value)> =
            located.iter().map(|node| (node.location().to_string(), node.node())).collect();
        let list = Value::Array(nodes.iter().map(|(_, value)| (*value).clone()).collect());
        all(self.all.iter().map(|predicate| match predicate {
            Predicate::Len(_) | Predicate::Has(_) | Predicate::SetEq(_) => {
                predicate.judge(&list, lookup).map_err(|e| e.prefixed(&format!("`{at}`: ")))
            }
            Predicate::Eq(_)
            | Predicate::Ne(_)
            | Predicate::Lt(_)
            | Predicate::Le(_)
            | Predicate::Gt(_)
            | Predicate::Ge(_)
            | Predicate::In(_) => each(at, &nodes, predicate, lookup),
        }))
    }
}

fn each(at: &str, nodes: &[(String, &Value)], predicate: &Predicate, lookup: &dyn Lookup) -> Result<(), Unmet> {
    if nodes.is_empty() {
        return Err(Unmet::Failed(format!("`{at}` finds nothing")));
    }
    all(nodes
        .iter()
        .map(|(location, value)| predicate.judge(value, lookup).map_err(|e| e.prefixed(&format!("`{location}`: ")))))
}

/// The value at a singular place, or the list of what another place finds.
pub(super) fn find(document: &Value, at: &str) -> Result<Value, Unmet> {
    let nodes = parse(at)?.query(document).all();
    if is_singular(at) {
        let value = nodes.first().map(|value| (*value).clone());
        return value.ok_or_else(|| Unmet::Failed(format!("`{at}` is not there")));
    }
    Ok(Value::Array(nodes.into_iter().cloned().collect()))
}

fn parse(at: &str) -> Result<JsonPath, Unmet> {
    JsonPath::parse(at).map_err(|error| Unmet::Unknown(format!("`{at}` is no JSON path: {error}")))
}

/// Whether a valid path can find one node at most: names and single indices only (RFC 9535, 2.3.5.1).
pub(super) fn is_singular(path: &str) -> bool {
    let mut rest = path;
    let mut bracket = false;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            '*' | '?' => return false,
            '.' if rest.starts_with('.') => return false,
            ':' | ',' if bracket => return false,
            '\'' | '"' if bracket => rest = after_quoted(rest, c),
            _ => {}
        }
    }
    true
}

/// What follows a quoted name, whose opening quote is gone already.
fn after_quoted(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::{Operand, Template};
    use super::*;

    pub(in super::super) struct Fake;

    impl Lookup for Fake {
        fn render(&self, template: &Template) -> Result<String, String> {
            let values = [("chain_id".to_owned(), "31337".to_owned())].into();
            let scope = crate::runbook::Scope { values };
            template.render(&scope).map_err(|name| format!("`{name}` has no value yet"))
        }

        fn artefact(&self, name: &str) -> Result<Value, String> {
            if name != "plan.json" {
                return Err(format!("`{name}` is not kept yet"));
            }
            Ok(json!({"count": 2, "list": [3, 4], "jobs": [{"id": "a"}, {"id": "b"}]}))
        }

        fn observed(&self, check: &str) -> Result<Value, String> {
            match check {
                "safe" => Ok(json!({ "threshold": "2", "owners": ["a", "b"] })),
                "number" => Ok(json!("7")),
                _ => Err(format!("`{check}` could not be read")),
            }
        }
    }

    #[track_caller]
    fn check(at: &str, predicate: Predicate, document: &Value, expected: &str) {
        let rule = JsonRule { at: at.to_owned(), all: vec![predicate] };
        let answer = match rule.judge(document, &Fake) {
            Ok(()) => "passed".to_owned(),
            Err(unmet) => format!("{}: {unmet}", unmet.verdict()),
        };
        assert_eq!(answer, expected, "{at} of {document}");
    }

    fn eq(value: Value) -> Predicate {
        Predicate::Eq(Operand::Literal(value))
    }

    #[test]
    fn singular_places_give_their_value() {
        check("$.a.b", eq(json!(1)), &json!({"a": {"b": 1}}), "passed");
        check("$.a.b", eq(json!(1)), &json!({"a": {"b": 2}}), "failed: `$.a.b`: expected 1, saw 2");
        check("$.a.b", eq(json!(1)), &json!({"a": {}}), "failed: `$.a.b` is not there");
        check("$.a", Predicate::Ne(Operand::Literal(json!(1))), &json!({}), "failed: `$.a` is not there");
        check("$.a", eq(json!(null)), &json!({"a": null}), "passed");
        check("$", Predicate::Len(vec![eq(json!(2))]), &json!([1, 2]), "passed");
    }

    #[test]
    fn other_places_give_every_node() {
        let jobs = json!({"jobs": [{"tx": "0x1"}, {"tx": "0x2"}]});
        check("$.jobs[*].tx", Predicate::Ne(Operand::Literal(json!("0x0"))), &jobs, "passed");
        check(
            "$.jobs[*].tx",
            Predicate::Ne(Operand::Literal(json!(2))),
            &jobs,
            "failed: `$['jobs'][1]['tx']`: expected anything but 2, saw \"0x2\"",
        );
        check(
            "$.jobs[*].none",
            Predicate::Ne(Operand::Literal(json!(2))),
            &jobs,
            "failed: `$.jobs[*].none` finds nothing",
        );
        check("$.jobs[*]", Predicate::Len(vec![eq(json!(2))]), &jobs, "passed");
        check("$.jobs[*].none", Predicate::Len(vec![eq(json!(0))]), &jobs, "passed");
        check("$.jobs[*].tx", Predicate::Has(Operand::Literal(json!("0x2"))), &jobs, "passed");
        let both = [json!("0x2"), json!("0x1")].map(Operand::Literal).into();
        check("$.jobs[*].tx", Predicate::SetEq(both), &jobs, "passed");
    }

    #[test]
    fn a_bad_path_is_unknown_not_passed() {
        let rule = JsonRule { at: "$..[".to_owned(), all: vec![] };
        assert!(matches!(rule.judge(&json!({}), &Fake), Err(Unmet::Unknown(_))));
    }

    #[test]
    fn tells_singular_paths() {
        for path in ["$", "$.a", "$['a']", "$[\"a\"][0]", "$.a[-1].b", "$['a*,:?..']", "$['it\\'s *']"] {
            assert!(is_singular(path), "{path}");
        }
        for path in ["$.*", "$[*]", "$..a", "$[0,1]", "$[1:2]", "$[?@.a]", "$['a','b']", "$['a'][*]"] {
            assert!(!is_singular(path), "{path}");
        }
    }
}
