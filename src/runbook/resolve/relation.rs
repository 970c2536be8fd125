//! Checks that are compared with what other checks observe: those must be judged together with them, and not in a circle.

use std::collections::BTreeMap;

use super::Resolve;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::place::Place;
use crate::runbook::{Check, Predicate, suggest};

impl Resolve<'_> {
    /// Refuses relations where no other check is judged at the same block.
    pub(super) fn no_relations<'p>(&self, predicates: impl IntoIterator<Item = &'p Predicate>) {
        for (check, place) in predicates.into_iter().flat_map(Predicate::compared_with) {
            let message = format!("nothing here is judged together with the check `{check}`");
            let help = "checks of a gate, invariants and `done_when` can be compared with one another";
            self.report.add(Diagnostic::new(place, message).help(help));
        }
    }

    /// Holds every relation of `checks`, which are judged together, and together with the invariants where these are `beside`.
    pub(super) fn relations(&self, checks: &[Check], beside: bool) {
        let invariants = self.observing.iter().filter(|_| beside);
        let own = checks.iter().map(|check| (check.id.as_str(), check.kind.can_be_compared_with()));
        let known: BTreeMap<&str, bool> = invariants.map(|(id, can)| (id.as_str(), *can)).chain(own).collect();
        for check in checks {
            for (other, place) in check.kind.compared_with() {
                self.relation(check, other, place, &known);
            }
        }
        self.no_circle(checks);
    }

    fn relation(&self, check: &Check, other: &str, place: Place, known: &BTreeMap<&str, bool>) {
        match known.get(other) {
            _ if other == check.id => {
                self.report.add(Diagnostic::new(place, format!("`{other}` is compared with itself")));
            }
            Some(true) => {}
            Some(false) => {
                let message = format!("`{other}` observes nothing of the chain that could be compared");
                let help = "compare with a kept file: `{ of = \"…\", at = \"$.…\" }`";
                self.report.add(Diagnostic::new(place, message).help(help));
            }
            None => {
                let others = known.iter().filter(|(id, can)| **can && **id != check.id).map(|(id, _)| *id);
                let help = suggest::help(other, others, "judged together with it");
                let message = format!("no check `{other}` is judged together with `{}`", check.id);
                self.report.add(Diagnostic::new(place, message).maybe_help(help).absence());
            }
        }
    }

    /// Each check is waited for by those that are compared with it: none may wait for itself.
    fn no_circle(&self, checks: &[Check]) {
        let waits: BTreeMap<&str, Vec<(&str, Place)>> =
            checks.iter().map(|check| (check.id.as_str(), check.kind.compared_with())).collect();
        for check in checks {
            let Some((others, place)) = circle(&waits, &check.id) else { continue };
            let words = others.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
            self.report.add(Diagnostic::new(place, format!("{words} are compared with one another in a circle")));
            return;
        }
    }
}

/// The checks that lead from `start` back to it, and the place of the first step; nothing where none do. A check that is
/// compared with itself alone is told elsewhere.
fn circle<'c>(waits: &BTreeMap<&'c str, Vec<(&'c str, Place)>>, start: &'c str) -> Option<(Vec<&'c str>, Place)> {
    let mut paths: Vec<(Vec<&str>, Option<Place>)> = vec![(vec![start], None)];
    let mut seen = vec![start];
    while let Some((path, first)) = paths.pop() {
        let last = path.last()?;
        for (next, place) in waits.get(last).into_iter().flatten().filter(|(next, _)| next != last) {
            let first = first.unwrap_or(*place);
            if *next == start {
                return Some((path, first));
            }
            if !seen.contains(next) {
                seen.push(next);
                paths.push(([path.as_slice(), &[next]].concat(), Some(first)));
            }
        }
    }
    None
}
