//! The one place where predicates of the runbook meet values of the chain.

use serde_json::Value;

use super::Around;
use crate::chain::finding::Finding;
use crate::runbook::{Lookup, Predicate, Template, Unmet};

/// What the run knows, as predicates look it up.
struct Seen<'a>(Around<'a>);

impl Lookup for Seen<'_> {
    fn render(&self, template: &Template) -> Result<String, String> {
        template.render(self.0.scope())
    }

    fn artefact(&self, name: &str) -> Result<Value, String> {
        let bytes = self.0.artefact(name)?;
        serde_json::from_slice(&bytes).map_err(|_| format!("artefact `{name}` is not JSON"))
    }
}

/// Holds every rule against a value; `what` names the value in messages.
pub(super) fn hold(rules: &[Predicate], what: &str, actual: &Value, around: Around<'_>) -> Result<(), Finding> {
    for rule in rules {
        rule.judge(actual, &Seen(around)).map_err(|unmet| match unmet {
            Unmet::Failed(reason) => Finding::failed(format!("{what}: {reason}")),
            Unmet::Unknown(reason) => Finding::unknown(format!("{what}: {reason}")),
        })?;
    }
    Ok(())
}
