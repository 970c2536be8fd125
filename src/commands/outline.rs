//! The definitions that a run works by, as its first record lists them; each is kept in the run's folder, so that a
//! later change can be shown field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Failure;
use crate::event::{PhaseOutline, StepOutline};
use crate::journal::RunFolder;
use crate::runbook::{Phase, Runbook, Scope, Step, digest};
use crate::verdict::Waiver;
use crate::workspace::{self, Workspace};

/// Every phase with its steps and digests, script bodies and make recipes included.
pub(super) fn phases(runbook: &Runbook, workspace: &Workspace, scope: &Scope) -> Vec<PhaseOutline> {
    let outline = |phase: &Phase| {
        let scripts = workspace::scripts(&workspace.dir, &phase.steps, scope);
        let step = |step: &Step| StepOutline {
            id: step.id.clone(),
            title: step.title.clone(),
            definition: digest::of_definition(&digest::step_definition(
                step,
                scripts.get(&step.id).map(String::as_str),
            )),
            differs: step.differs.clone(),
        };
        PhaseOutline {
            id: phase.id.clone(),
            title: phase.title.clone(),
            gate: phase.gate.title.clone(),
            digest: digest::phase_digest(runbook, phase, &scripts),
            steps: phase.steps.iter().map(step).collect(),
            waivers: waivers(runbook, phase),
        }
    };
    runbook.phases.iter().map(outline).collect()
}

fn waivers(runbook: &Runbook, phase: &Phase) -> BTreeMap<String, Waiver> {
    let before = phase.steps.iter().flat_map(|step| &step.before);
    let checks = runbook.invariants.iter().chain(&phase.gate.checks).chain(before);
    checks.filter_map(|check| Some((check.id.clone(), Waiver::clone(check.waiver.as_ref()?)))).collect()
}

/// Keeps every step's definition under its digest, beside those of earlier invocations. `outlines` are today's.
pub(super) fn keep(
    outlines: &[PhaseOutline],
    runbook: &Runbook,
    workspace: &Workspace,
    scope: &Scope,
    folder: &RunFolder,
) -> Result<(), Failure> {
    // What cannot be read can only no longer be shown.
    let mut kept = folder.definitions().unwrap_or_default();
    let before = kept.len();
    kept.extend(definitions(outlines, runbook, workspace, scope));
    if kept.len() > before {
        folder.keep_definitions(&kept)?;
    }
    Ok(())
}

/// Every step's definition and what else each phase means, by their digests, which `outlines` of the same have already.
pub(super) fn definitions(
    outlines: &[PhaseOutline],
    runbook: &Runbook,
    workspace: &Workspace,
    scope: &Scope,
) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (phase, outline) in runbook.phases.iter().zip(outlines) {
        let scripts = workspace::scripts(&workspace.dir, &phase.steps, scope);
        for (step, outline) in phase.steps.iter().zip(&outline.steps) {
            let definition = digest::step_definition(step, scripts.get(&step.id).map(String::as_str));
            found.insert(outline.definition.clone(), definition);
        }
        found.insert(outline.digest.clone(), digest::without_steps(runbook, phase));
    }
    found
}
