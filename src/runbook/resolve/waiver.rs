//! `waiver` on a check: exactly one other value, for a while, with a reason and a name. Nowhere else can one be given.

use jiff::Timestamp;
use serde_json::{Number, Value as Json};

use super::Resolve;
use crate::runbook::CheckKind;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::document::{Node, Value};
use crate::runbook::forms::Wrong;
use crate::verdict::Waiver;

impl<'a> Resolve<'a> {
    pub(super) fn waiver(&self, node: &'a Node<'a>, of: Option<&CheckKind>) -> Option<Box<Waiver>> {
        if let Some(kind) = of.filter(|kind| !has_one_value(kind)) {
            let message = format!("a check of the kind `{}` cannot be waived", kind.name());
            let diagnostic = Diagnostic::new(node.place, message);
            self.report.add(diagnostic.help("what it observes does not tell all that may be wrong"));
        }
        let mut reader = Reader::of(self.report, node, "`waiver`")?;
        let expect = reader.required("expect").and_then(|node| self.json(node));
        let reason = reader.text("reason");
        let until = reader.required("until").and_then(|node| self.report.form(node, "until", time));
        let by = reader.text("by");
        reader.finish();
        Some(Box::new(Waiver { expect: expect?, reason, until: until?, by }))
    }

    /// A value as a check observes it.
    fn json(&self, node: &Node) -> Option<Json> {
        Some(match &node.value {
            Value::Text(text) => Json::String(text.to_string()),
            Value::Bool(is) => Json::Bool(*is),
            Value::Integer(Some(number)) if i64::try_from(*number).is_ok() => {
                Json::Number(i64::try_from(*number).ok()?.into())
            }
            Value::Float(number) if number.is_finite() => Json::Number(Number::from_f64(*number)?),
            Value::Integer(_) | Value::Float(_) | Value::Date => {
                let message = format!("`expect` cannot hold {} like this", node.kind());
                self.report.add(Diagnostic::new(node.place, message).help("write it as a string, as reports show it"));
                return None;
            }
            Value::List(list) => Json::Array(list.iter().map(|node| self.json(node)).collect::<Option<_>>()?),
            Value::Table(table) => {
                let member =
                    |entry: &crate::runbook::document::Entry| Some((entry.key.to_string(), self.json(&entry.node)?));
                Json::Object(table.entries.iter().map(member).collect::<Option<_>>()?)
            }
        })
    }
}

/// Whether what a check observes is all that it judges, so that accepting a value accepts nothing else.
fn has_one_value(kind: &CheckKind) -> bool {
    !matches!(
        kind,
        CheckKind::Transaction(_)
            | CheckKind::SafeBundle { .. }
            | CheckKind::SafeTx { .. }
            | CheckKind::Rehearsed(_)
            | CheckKind::Reverts { .. }
    )
}

fn time(text: &str) -> Result<Timestamp, Wrong> {
    let wrong = |_| Wrong::new(format!("`{text}` is no time")).help("write one such as \"2026-12-01T00:00:00Z\"");
    text.parse().map_err(wrong)
}
