//! Whether a predicate holds of a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::rule::{find, is_singular};
use super::values::{one_of, order, same, same_set, show, show_all};
use super::{Lookup, Operand, Predicate, Unmet, all};

impl Predicate {
    /// Whether it holds of a value.
    ///
    /// # Errors
    /// It does not, or that cannot be known: one sentence of what was expected and what was seen.
    pub fn judge(&self, actual: &Value, lookup: &dyn Lookup) -> Result<(), Unmet> {
        match self {
            Self::Eq(operand) => {
                let expected = operand.one(lookup)?;
                must(same(actual, &expected)?, &format!("{}{}", show(&expected), operand.source()), actual)
            }
            Self::Ne(operand) => {
                let unwanted = operand.one(lookup)?;
                let words = format!("anything but {}{}", show(&unwanted), operand.source());
                must(!same(actual, &unwanted)?, &words, actual)
            }
            Self::Lt(operand) => compare(actual, operand, lookup, "less than", Ordering::is_lt),
            Self::Le(operand) => compare(actual, operand, lookup, "at most", Ordering::is_le),
            Self::Gt(operand) => compare(actual, operand, lookup, "more than", Ordering::is_gt),
            Self::Ge(operand) => compare(actual, operand, lookup, "at least", Ordering::is_ge),
            Self::In(operands) => {
                let list = values(operands, lookup)?;
                must(one_of(actual, &list)?, &format!("one of {}", show_all(&list)), actual)
            }
            Self::Has(operand) => has(actual, &operand.one(lookup)?),
            Self::Len(predicates) => length(actual, predicates, lookup),
            Self::SetEq(operands) => {
                let set = values(operands, lookup)?;
                let expected = format!("exactly the set of {}", show_all(&set));
                let list = actual.as_array();
                let is = list.map(|list| same_set(list, &set)).transpose()?;
                let differ = list.map(|list| differing(list, &set)).unwrap_or_default();
                must(is.unwrap_or(false), &expected, actual).map_err(|unmet| unmet.followed(&differ))
            }
        }
    }
}

fn must(holds: bool, expected: &str, actual: &Value) -> Result<(), Unmet> {
    if holds { Ok(()) } else { Err(Unmet::Failed(format!("expected {expected}, saw {}", show(actual)))) }
}

/// What one set has and the other has not, as the end of a sentence.
fn differing(actual: &[Value], expected: &[Value]) -> String {
    let not_in = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|value| one_of(value, those) == Ok(false)).cloned().collect()
    };
    let (extra, missing) = (not_in(actual, expected), not_in(expected, actual));
    let words = [(extra, "does not belong there"), (missing, "is missing")];
    let told = words.iter().filter(|(values, _)| !values.is_empty());
    let told: Vec<String> = told.map(|(values, what)| format!("; {} {what}", show_all(values))).collect();
    told.concat()
}

fn compare(
    actual: &Value,
    operand: &Operand,
    lookup: &dyn Lookup,
    words: &str,
    holds: fn(Ordering) -> bool,
) -> Result<(), Unmet> {
    let limit = operand.one(lookup)?;
    let order = order(actual, &limit)?;
    must(order.is_some_and(holds), &format!("{words} {}{}", show(&limit), operand.source()), actual)
}

fn has(actual: &Value, part: &Value) -> Result<(), Unmet> {
    let holds = match actual {
        Value::Array(list) => one_of(part, list)?,
        Value::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
        Value::Object(object) => part.as_str().is_some_and(|key| object.contains_key(key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    must(holds, &format!("something that has {}", show(part)), actual)
}

fn length(actual: &Value, predicates: &[Predicate], lookup: &dyn Lookup) -> Result<(), Unmet> {
    let length = match actual {
        Value::Array(list) => list.len(),
        Value::String(text) => text.chars().count(),
        Value::Object(object) => object.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            return Err(Unmet::Failed(format!("expected something with a length, saw {}", show(actual))));
        }
    };
    let length = Value::from(length);
    all(predicates.iter().map(|predicate| predicate.judge(&length, lookup))).map_err(|e| e.prefixed("length: "))
}

/// The values of several operands; a list read from an artefact stands for its items.
fn values(operands: &[Operand], lookup: &dyn Lookup) -> Result<Vec<Value>, Unmet> {
    let mut list = Vec::new();
    for operand in operands {
        match (operand, operand.value(lookup)?) {
            (Operand::From { .. } | Operand::Observed { .. }, Value::Array(items)) => list.extend(items),
            (_, value) => list.push(value),
        }
    }
    Ok(list)
}

impl Operand {
    /// The one value it stands for; a place that can find several nodes and finds one stands for that node.
    fn one(&self, lookup: &dyn Lookup) -> Result<Value, Unmet> {
        match (self, self.value(lookup)?) {
            (Self::From { at, .. } | Self::Observed { at, .. }, Value::Array(mut nodes))
                if nodes.len() == 1 && !is_singular(at) =>
            {
                Ok(nodes.remove(0))
            }
            (_, value) => Ok(value),
        }
    }

    /// The value it stands for; not being able to tell is *unknown*.
    fn value(&self, lookup: &dyn Lookup) -> Result<Value, Unmet> {
        match self {
            Self::Literal(value) => rendered(value, lookup),
            Self::Text(template) => lookup.render(template).map(Value::String).map_err(Unmet::Unknown),
            Self::From { of, at } => {
                let document = lookup.artefact(of).map_err(Unmet::Unknown)?;
                find(&document, at).map_err(|unmet| Unmet::Unknown(format!("`{of}`: {unmet}")))
            }
            Self::Observed { check, at, .. } => {
                let observed = lookup.observed(check).map_err(Unmet::Unknown)?;
                find(&observed, at).map_err(|unmet| Unmet::Unknown(format!("what `{check}` observed: {unmet}")))
            }
        }
    }
}

fn rendered(value: &Value, lookup: &dyn Lookup) -> Result<Value, Unmet> {
    Ok(match value {
        Value::String(text) => Value::String(lookup.render(&super::Template(text.clone())).map_err(Unmet::Unknown)?),
        Value::Array(list) => Value::Array(list.iter().map(|value| rendered(value, lookup)).collect::<Result<_, _>>()?),
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Template;
    use super::super::rule::tests::Fake;
    use super::*;

    fn lit(value: Value) -> Operand {
        Operand::Literal(value)
    }

    fn text(text: &str) -> Operand {
        Operand::Text(Template(text.to_owned()))
    }

    fn from(of: &str, at: &str) -> Operand {
        Operand::From { of: of.to_owned(), at: at.to_owned() }
    }

    #[track_caller]
    fn check(predicate: &Predicate, actual: &Value, expected: &str) {
        let answer = match predicate.judge(actual, &Fake) {
            Ok(()) => "passed".to_owned(),
            Err(unmet) => format!("{}: {unmet}", unmet.verdict()),
        };
        assert_eq!(answer, expected, "{predicate:?} of {actual}");
    }

    #[test]
    fn equality() {
        use Predicate::{Eq, Ne};
        check(&Eq(lit(json!(5))), &json!("5"), "passed");
        check(&Eq(lit(json!(5))), &json!(4), "failed: expected 5, saw 4");
        check(&Eq(lit(json!("Ready"))), &json!("ready"), "failed: expected \"Ready\", saw \"ready\"");
        check(&Eq(text("{{ chain_id }}")), &json!(31337), "passed");
        check(&Eq(text("{{ run }}")), &json!(1), "unknown: `run` has no value yet");
        check(&Eq(lit(json!(["{{ chain_id }}", 2]))), &json!([31337, 2]), "passed");
        check(&Ne(lit(json!(0))), &json!(1), "passed");
        check(&Ne(lit(json!(0))), &json!("0x00"), "failed: expected anything but 0, saw \"0x00\"");
        check(&Ne(text("{{ run }}")), &json!(1), "unknown: `run` has no value yet");
    }

    #[test]
    fn order_of_numbers() {
        use Predicate::{Ge, Gt, Le, Lt};
        check(&Lt(lit(json!(10))), &json!("9"), "passed");
        check(&Lt(lit(json!(10))), &json!(10), "failed: expected less than 10, saw 10");
        check(&Le(lit(json!(10))), &json!(10), "passed");
        check(&Gt(lit(json!(10))), &json!("0x0b"), "passed");
        check(
            &Ge(lit(json!("1000000000000000000"))),
            &json!("999999999999999999"),
            "failed: expected at least \"1000000000000000000\", saw \"999999999999999999\"",
        );
        check(&Ge(lit(json!(0.5))), &json!(1), "passed");
        check(&Ge(lit(json!(1))), &json!(null), "failed: expected at least 1, saw null");
        check(&Ge(lit(json!(1))), &json!("many"), "failed: expected at least 1, saw \"many\"");
    }

    #[test]
    fn members_and_sets() {
        use Predicate::{Has, In, Len, SetEq};
        check(&In(vec![lit(json!(1)), lit(json!(2))]), &json!("2"), "passed");
        check(&In(vec![lit(json!(1)), lit(json!(2))]), &json!(3), "failed: expected one of 1, 2, saw 3");
        check(&In(vec![]), &json!(3), "failed: expected one of nothing, saw 3");
        check(&Has(lit(json!("b"))), &json!(["a", "b"]), "passed");
        check(&Has(lit(json!("bc"))), &json!("abcd"), "passed");
        check(&Has(lit(json!("k"))), &json!({"k": null}), "passed");
        check(&Has(lit(json!(1))), &json!([2]), "failed: expected something that has 1, saw [2]");
        check(&Len(vec![Predicate::Ge(lit(json!(1)))]), &json!([0]), "passed");
        check(&Len(vec![Predicate::Ge(lit(json!(1)))]), &json!([]), "failed: length: expected at least 1, saw 0");
        check(&Len(vec![Predicate::Eq(lit(json!(2)))]), &json!("éé"), "passed");
        check(&Len(vec![Predicate::Eq(lit(json!(2)))]), &json!(2), "failed: expected something with a length, saw 2");
        check(&SetEq(vec![lit(json!("a")), lit(json!("b"))]), &json!(["b", "a", "b"]), "passed");
        check(
            &SetEq(vec![lit(json!("a"))]),
            &json!(["a", "b"]),
            "failed: expected exactly the set of \"a\", saw [\"a\",\"b\"]; \"b\" does not belong there",
        );
        check(
            &SetEq(vec![lit(json!("a")), lit(json!("c"))]),
            &json!(["a", "b"]),
            "failed: expected exactly the set of \"a\", \"c\", saw [\"a\",\"b\"]; \"b\" does not belong there; \"c\" is missing",
        );
        check(&SetEq(vec![lit(json!("a"))]), &json!("a"), "failed: expected exactly the set of \"a\", saw \"a\"");
    }

    #[test]
    fn operands_from_artefacts() {
        use Predicate::{Eq, In, SetEq};
        check(&Eq(from("plan.json", "$.count")), &json!(2), "passed");
        check(&Eq(from("plan.json", "$.count")), &json!(3), "failed: expected 2, saw 3");
        check(&Eq(from("plan.json", "$.nothing")), &json!(3), "unknown: `plan.json`: `$.nothing` is not there");
        check(&Eq(from("other.json", "$.count")), &json!(3), "unknown: `other.json` is not kept yet");
        check(&In(vec![from("plan.json", "$.jobs[*].id")]), &json!("b"), "passed");
        check(&SetEq(vec![from("plan.json", "$.jobs[*].id"), lit(json!("c"))]), &json!(["c", "b", "a"]), "passed");
        check(&SetEq(vec![from("plan.json", "$.list")]), &json!([3, 4]), "passed");
    }

    #[test]
    fn operands_from_other_checks() {
        use Predicate::{Eq, Ge, Has, In, SetEq};
        let other = |check: &str, at: &str| Operand::Observed {
            check: check.to_owned(),
            at: at.to_owned(),
            place: crate::runbook::Place::default(),
        };
        check(&Eq(other("safe", "$.threshold")), &json!(2), "passed");
        check(
            &Eq(other("safe", "$.threshold")),
            &json!("200"),
            "failed: expected \"2\" (`$.threshold` of what `safe` observed), saw \"200\"",
        );
        check(&Ge(other("number", "$")), &json!(6), "failed: expected at least \"7\" (what `number` observed), saw 6");
        check(&Ge(other("number", "$")), &json!("100000000000000000000"), "passed");
        check(&In(vec![other("safe", "$.owners")]), &json!("b"), "passed");
        check(&SetEq(vec![other("safe", "$.owners[*]")]), &json!(["b", "a"]), "passed");
        check(&Has(other("safe", "$.owners[0]")), &json!(["a"]), "passed");
        check(&Eq(other("safe", "$.nothing")), &json!(null), "unknown: what `safe` observed: `$.nothing` is not there");
        check(&Eq(other("gone", "$")), &json!(null), "unknown: `gone` could not be read");
    }

    #[test]
    fn failed_outweighs_unknown() {
        let unknown = Predicate::Eq(text("{{ run }}"));
        let failed = Predicate::Eq(lit(json!(1)));
        let both = Predicate::Len(vec![unknown, failed]);
        check(&both, &json!([]), "failed: length: expected 1, saw 0");
    }
}
