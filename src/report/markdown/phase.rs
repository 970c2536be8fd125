//! A phase: its steps in a table, what went wrong with them, its gate.

use super::escape::{block, code, table, text};
use super::{gate, took};
use crate::event::StepEnded;
use crate::progress::StepState;
use crate::report::{PhaseReport, StepReport};

pub(super) fn render(phase: &PhaseReport) -> Vec<String> {
    let mut blocks = vec![format!("## Phase {}: {}", text(&phase.id.0), text(&phase.title))];
    blocks.extend(steps(&phase.steps));
    blocks.extend(gate::render(&phase.id.0, &phase.gate));
    blocks
}

pub(super) fn steps(steps: &[StepReport]) -> Vec<String> {
    let rows = steps.iter().map(|step| {
        let attempts = step.attempts.len().to_string();
        vec![code(&step.id.0), text(&step.title), attempts, took(step.milliseconds()), state(step.state).to_owned()]
    });
    let mut blocks = vec![table(&["Step", "What", "Attempts", "Took", "Outcome"], rows)];
    for step in steps.iter().filter(|step| step.state.is_some_and(|state| state != StepState::Done)) {
        blocks.extend(step.last().map(|ended| trouble(step, ended)));
    }
    blocks
}

fn state(state: Option<StepState>) -> &'static str {
    match state {
        None => "not started",
        Some(StepState::Done) => "✔ done",
        Some(StepState::Failed) => "✘ **failed**",
        Some(StepState::Started | StepState::Indeterminate) => "? **may or may not have happened**",
        Some(StepState::Happened) => "? **happened, evidence not judged**",
        Some(StepState::NotHappened) => "– did not happen",
    }
}

/// Why a step is not done, with the last lines of its output.
fn trouble(step: &StepReport, ended: &StepEnded) -> String {
    let reason = ended.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", text(reason)));
    let mut parts = vec![format!("Step {}, attempt {}{reason}.", code(&step.id.0), ended.attempt)];
    if let Some(attempt) = step.attempts.last() {
        parts.push(format!("Command {}, log {}.", code(&attempt.started.command), code(&attempt.started.log)));
    }
    let details = gate::details(&ended.evidence, None);
    if !details.is_empty() {
        parts.push(details);
    }
    if !ended.tail.is_empty() {
        parts.push(block(&ended.tail));
    }
    parts.join("\n\n")
}
