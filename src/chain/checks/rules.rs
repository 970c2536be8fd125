//! The one place where predicates of the runbook meet values of the chain.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Around;
use crate::chain::finding::Finding;
use crate::chain::view::View;
use crate::runbook::{Lookup, Predicate, Template, Unmet};

/// What the run knows and what other checks observed, as predicates look it up.
struct Seen<'a> {
    around: Around<'a>,
    others: BTreeMap<&'a str, Result<Value, String>>,
}

impl Lookup for Seen<'_> {
    fn render(&self, template: &Template) -> Result<String, String> {
        template.render(self.around.scope())
    }

    fn artefact(&self, name: &str) -> Result<Value, String> {
        let bytes = self.around.artefact(name)?;
        serde_json::from_slice(&bytes).map_err(|_| format!("artefact `{name}` is not JSON"))
    }

    fn observed(&self, check: &str) -> Result<Value, String> {
        self.others.get(check).cloned().unwrap_or_else(|| Err(format!("`{check}` was not waited for")))
    }
}

/// Holds every rule against a value, once the other checks that it is compared with are judged; `what` names the value in
/// messages.
pub(super) async fn hold(rules: &[Predicate], what: &str, actual: &Value, view: &View<'_>) -> Result<(), Finding> {
    let mut seen = Seen { around: view.around, others: BTreeMap::new() };
    for (check, _) in rules.iter().flat_map(Predicate::compared_with) {
        seen.others.insert(check, view.related.observed(check).await);
    }
    for rule in rules {
        rule.judge(actual, &seen).map_err(|unmet| match unmet {
            Unmet::Failed(reason) => Finding::failed(format!("{what}: {reason}")),
            Unmet::Unknown(reason) => Finding::unknown(format!("{what}: {reason}")),
        })?;
    }
    Ok(())
}
