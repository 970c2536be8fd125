//! The definitions that a run works by, as its first record lists them.

use crate::event::{PhaseOutline, StepOutline};
use crate::runbook::{Runbook, Scope, digest};
use crate::workspace::{self, Workspace};

/// Every phase with its steps and digests, script bodies and make recipes included.
pub(super) fn phases(runbook: &Runbook, workspace: &Workspace, scope: &Scope) -> Vec<PhaseOutline> {
    let outline = |phase: &crate::runbook::Phase| {
        let scripts = workspace::scripts(&workspace.dir, &phase.steps, scope);
        let step = |step: &crate::runbook::Step| StepOutline {
            id: step.id.clone(),
            title: step.title.clone(),
            definition: digest::step_digest(step, scripts.get(&step.id).map(String::as_str)),
            differs: step.differs.clone(),
        };
        PhaseOutline {
            id: phase.id.clone(),
            title: phase.title.clone(),
            gate: phase.gate.title.clone(),
            digest: digest::phase_digest(runbook, phase, &scripts),
            steps: phase.steps.iter().map(step).collect(),
        }
    };
    runbook.phases.iter().map(outline).collect()
}
