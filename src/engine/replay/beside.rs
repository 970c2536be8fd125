//! What the run's journal, beside a record, says of it again: steps, deliverables, and what transactions were taken from.
//! Reads the run's folder; without it these results are named as not judged.

use std::path::Path;

use super::{GateRecord, Recorded};
use crate::chain::TransactionsAsk;
use crate::engine::facts;
use crate::engine::inputs::Looked;
use crate::evidence::Kept;
use crate::journal::RunFolder;
use crate::progress::Progress;
use crate::runbook::{Phase, Runbook, Scope};
use crate::verdict::{CheckResult, Verdict};

/// The run that a record lies in.
#[derive(Debug)]
pub struct Beside {
    pub folder: RunFolder,
    /// What the journal's records before the judgement add up to.
    pub progress: Progress,
}

impl Beside {
    /// Steps and deliverables, as the journal and the kept artefacts say.
    pub(super) fn results(&self, record: &GateRecord, runbook: &Runbook, phase: &Phase) -> Vec<CheckResult> {
        let artefacts = self.progress.artefacts.clone();
        let kept = Kept { folder: self.folder.clone(), artefacts, scope: Scope::default() };
        let step = |step| facts::step_result(&self.progress, &record.network, step, &kept);
        let mut results: Vec<CheckResult> = phase.steps.iter().map(step).collect();
        // What stood in the reports folder then is in the record; what stands there now proves nothing.
        let found = |id: &str, path: &str| {
            let recorded = record.results.iter().find(|result| result.id == id)?;
            recorded.observed[path].as_str().map(str::to_owned)
        };
        results.extend(facts::deliverables(runbook, &self.progress, phase, Path::new(""), found));
        results
    }

    /// What the record says of the run that its journal does not.
    pub(super) fn problems(&self, record: &GateRecord, phase: &Phase) -> Vec<String> {
        let mut problems = Vec::new();
        for step in phase.steps.iter().filter(|step| !facts::wanted(step).is_empty()) {
            let Some(then) = record.inputs.transactions.get(&step.id.0) else { continue };
            let after = self.progress.block_before(&step.id).map_or(0, |block| block.number);
            if then.handed_in != self.progress.transactions_handed_in(&step.id) || then.after_block != after {
                problems.push(format!("the run's journal says something else of the transactions of `{}`", step.id));
            }
        }
        for (name, content) in &record.inputs.artefacts {
            let known = self.progress.artefacts.get(name).map(|artefact| artefact.sha256.as_str());
            let held = content.bytes().ok().map(|bytes| crate::digest::sha256(&bytes));
            if held.is_some() && held.as_deref() != known {
                problems
                    .push(format!("the artefact `{name}` in the record is not the one that the run's journal names"));
            }
        }
        problems.extend(super::people::is_in_the_journal(record, &self.progress));
        problems
    }
}

/// The transactions that the evidence of done steps names: results of their own, and what is not as the record says.
pub(super) fn transactions(
    record: &GateRecord,
    phase: &Phase,
    around: &Recorded<'_>,
) -> (Vec<CheckResult>, Vec<String>) {
    let (mut results, mut asks, mut problems) = (Vec::new(), Vec::<TransactionsAsk>::new(), Vec::new());
    for step in phase.steps.iter().filter(|step| !facts::wanted(step).is_empty()) {
        let id = format!("step {}", step.id);
        let done = |result: &CheckResult| result.id == id && result.verdict == Verdict::Passed;
        match record.inputs.transactions.get(&step.id.0) {
            Some(then) => {
                let (own, asked) =
                    facts::transactions(step, &Looked(around), &then.handed_in, around, then.after_block);
                results.extend(own);
                asks.extend(asked);
            }
            None if record.results.iter().any(done) => {
                problems
                    .push(format!("the record does not say what the transactions of `{}` were taken from", step.id));
            }
            None => {}
        }
    }
    if asks != record.transactions {
        problems.push("the chain was asked about other transactions than the evidence names".to_owned());
    }
    (results, problems)
}
