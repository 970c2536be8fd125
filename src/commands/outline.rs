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
    outlines(runbook, workspace, scope, &mut |_, _| {})
}

/// The same, and every step's definition and what else each phase means, by their digests.
pub(super) fn with_definitions(
    runbook: &Runbook,
    workspace: &Workspace,
    scope: &Scope,
) -> (Vec<PhaseOutline>, BTreeMap<String, Value>) {
    let mut definitions = BTreeMap::new();
    let outlines = outlines(runbook, workspace, scope, &mut |digest, definition| {
        definitions.insert(digest.to_owned(), definition);
    });
    (outlines, definitions)
}

/// Passes every definition on as soon as its digest is known: all of a long runbook at once take much memory.
fn outlines(
    runbook: &Runbook,
    workspace: &Workspace,
    scope: &Scope,
    defined: &mut dyn FnMut(&str, Value),
) -> Vec<PhaseOutline> {
    let mut outline = |phase: &Phase| {
        let scripts = workspace::scripts(&workspace.dir, &phase.steps, scope);
        let mut step = |step: &Step| {
            let script = scripts.get(&step.id).map(String::as_str);
            let (definition, value) = digest::of_step(step, script);
            defined(&definition, value);
            StepOutline { id: step.id.clone(), title: step.title.clone(), definition, differs: step.differs.clone() }
        };
        let steps = phase.steps.iter().map(&mut step).collect();
        let (digest, rest) = digest::of_phase(runbook, phase, &scripts);
        defined(&digest, rest);
        PhaseOutline {
            id: phase.id.clone(),
            title: phase.title.clone(),
            gate: phase.gate.title.clone(),
            digest,
            steps,
            waivers: waivers(runbook, phase),
        }
    };
    runbook.phases.iter().map(&mut outline).collect()
}

fn waivers(runbook: &Runbook, phase: &Phase) -> BTreeMap<String, Waiver> {
    let before = phase.steps.iter().flat_map(|step| &step.before);
    let checks = runbook.invariants.iter().chain(&phase.gate.checks).chain(before);
    checks.filter_map(|check| Some((check.id.clone(), Waiver::clone(check.waiver.as_ref()?)))).collect()
}

/// Keeps `definitions` by their digests, beside those of earlier invocations.
pub(super) fn keep(definitions: BTreeMap<String, Value>, folder: &RunFolder) -> Result<(), Failure> {
    // What cannot be read can only no longer be shown.
    let mut kept = folder.definitions().unwrap_or_default();
    let before = kept.len();
    kept.extend(definitions);
    if kept.len() > before {
        folder.keep_definitions(&kept)?;
    }
    Ok(())
}
