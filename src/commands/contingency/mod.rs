//! `citadel contingency`: what to do when things go wrong. Shown, run, and closed once it is over.

mod calldata;
mod close;
mod list;
pub(super) mod records;
pub(super) mod rehearsals;
mod run;
mod situation;

pub(super) use close::close;
pub(super) use list::{list, show};
pub(super) use run::{chosen, run};

use super::context::Context;
use crate::error::Failure;
use crate::plan::selection::unknown;
use crate::runbook::Contingency;

/// The contingency called `id`.
pub(super) fn find<'a>(context: &'a Context, id: &str) -> Result<&'a Contingency, Failure> {
    let all = &context.runbook.contingencies;
    let found = all.iter().find(|contingency| contingency.id == id);
    found.ok_or_else(|| unknown("contingency", id, all.iter().map(|contingency| contingency.id.as_str())))
}
