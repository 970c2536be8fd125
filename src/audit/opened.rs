//! Whether the run was opened as what its gate records, and the runbooks in them, say that it is.

use super::Notes;
use super::runbooks::{Runbooks, Then};
use crate::event::{Event, PhaseOutline, RunContinued, RunOpened};
use crate::journal::Entry;
use crate::runbook::Runbook;

/// Looks at the first record, and at every judgement.
pub(super) fn look(entries: &[Entry], runbooks: &Runbooks, notes: &mut Notes) {
    let mut then = Then::default();
    for entry in entries {
        then.apply(&entry.event);
        let (Some(run), Some(runbook)) = (then.run, runbooks.then(&then)) else { continue };
        match &entry.event {
            Event::RunOpened(RunOpened { phases, .. }) | Event::RunContinued(RunContinued { phases, .. }) => {
                let opens = matches!(entry.event, Event::RunOpened(_));
                for what in differences(run, runbook, opens).into_iter().chain(outlined_otherwise(phases, runbook)) {
                    notes.wrong(entry.seq, what);
                }
            }
            Event::GateJudged(judged) => {
                let phase = runbook.phases.iter().find(|phase| phase.id == judged.gate);
                let on = phase.and_then(|phase| phase.on.as_deref()).unwrap_or(&run.network);
                if judged.network != on {
                    notes.wrong(entry.seq, format!("was judged on {}, and the run is on {on}", judged.network));
                }
            }
            _ => {}
        }
    }
}

/// What the run is, other than its runbook says. A run goes on under another title: no digest holds it.
fn differences(run: &RunOpened, runbook: &Runbook, opens: bool) -> Vec<String> {
    let network = runbook.networks.get(&run.network);
    let differs = [
        ("runbook", run.runbook == runbook.id),
        ("title", !opens || run.title == runbook.title),
        ("network", network.is_some()),
        ("chain_id", network.is_none_or(|network| network.chain_id == run.chain_id)),
    ];
    let differs = differs.iter().filter(|(_, same)| !same);
    differs.map(|(name, _)| format!("the run's `{name}` is not what its runbook says")).collect()
}

/// Phases and steps that are called otherwise than in the runbook.
fn outlined_otherwise(phases: &[PhaseOutline], runbook: &Runbook) -> Option<String> {
    let outlined = phases.iter().flat_map(|phase| {
        let steps = phase.steps.iter().map(|step| (&step.id.0, &step.title));
        [(&phase.id.0, &phase.title), (&phase.id.0, &phase.gate)].into_iter().chain(steps)
    });
    let declared = runbook.phases.iter().flat_map(|phase| {
        let steps = phase.steps.iter().map(|step| (&step.id.0, &step.title));
        [(&phase.id.0, &phase.title), (&phase.id.0, &phase.gate.title)].into_iter().chain(steps)
    });
    (!outlined.eq(declared)).then(|| "the run's phases and steps are not those of its runbook".to_owned())
}
