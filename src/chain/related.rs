//! What the checks of one judgement observed, for those that are compared with them: a relation waits until the other check
//! is judged. What is not known of the other makes the relation *unknown*.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use serde_json::Value;

use super::finding::Finding;
use crate::runbook::Check;

/// The checks that are judged together, and what was found of each so far.
#[derive(Debug, Default)]
pub(crate) struct Related(Mutex<BTreeMap<String, Option<Observed>>>);

/// What a check observed, or why that is not known.
type Observed = Result<Value, String>;

impl Related {
    /// Expects a finding of each of these.
    pub(super) fn expect<'c>(&self, checks: impl Iterator<Item = &'c Check>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(checks.filter(|check| check.kind.can_be_compared_with()).map(|check| (check.id.clone(), None)));
    }

    /// Takes what was found of a check. That it failed does not make what it observed less true.
    pub(super) fn found(&self, check: &Check, finding: &Finding) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = found.get_mut(&check.id) {
            *place = Some(
                finding
                    .seen()
                    .cloned()
                    .ok_or_else(|| format!("what `{}` observed is not known: {}", check.id, finding.message())),
            );
        }
    }

    /// What a check observed, once it is judged.
    pub(crate) async fn observed(&self, check: &str) -> Observed {
        poll_fn(|_| {
            let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match found.get(check) {
                Some(None) => Poll::Pending,
                Some(Some(observed)) => Poll::Ready(observed.clone()),
                None => Poll::Ready(Err(format!("`{check}` was not judged together with this check"))),
            }
        })
        .await
    }
}
