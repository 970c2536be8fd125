//! Which texts of an event are free: written by a person, or quoted of a command, a file or a chain. They alone may hold
//! what must not be recorded; ids, paths and digests are what records are found and checked by, and stay as they are.

use super::{Event, GateJudged, HandedIn, RunContinued, RunOpened, SignOffRequested, StepEnded};
use crate::process::Ended;
use crate::verdict::CheckResult;

impl Event {
    /// Puts every free text through `say`.
    pub fn retell(&mut self, say: &dyn Fn(&str) -> String) {
        match self {
            Self::RunOpened(RunOpened { tools, .. }) | Self::RunContinued(RunContinued { tools, .. }) => {
                all(tools.values_mut(), say);
            }
            Self::StepEnded(ended) => step_ended(ended, say),
            Self::StepDecided { reason, .. }
            | Self::SuspensionEnded { reason, .. }
            | Self::RunClosed { reason, .. } => *reason = say(reason),
            Self::GateJudged(GateJudged { results, notes, .. }) => {
                all_results(results, say);
                all(notes, say);
            }
            Self::SignOffRequested(SignOffRequested { voids, .. }) => all(voids, say),
            Self::HandedIn(HandedIn { text, .. }) => all(text, say),
            Self::OpeningRequested(_)
            | Self::OpeningSigned { .. }
            | Self::PlanTaken { .. }
            | Self::HandedOver { .. }
            | Self::TakenOver(_)
            | Self::DevChainStarted { .. }
            | Self::DevChainReady(_)
            | Self::DevChainEnded
            | Self::StepStarted(_)
            | Self::StepSpawned { .. }
            | Self::AnotherTry { .. }
            | Self::SignOffAccepted { .. }
            | Self::Published { .. }
            | Self::Suspended { .. }
            | Self::Interrupted { .. }
            | Self::RunEnded { .. } => {}
        }
    }
}

fn step_ended(ended: &mut StepEnded, say: &dyn Fn(&str) -> String) {
    let StepEnded { ended, evidence, reason, tail, left, .. } = ended;
    all_results(evidence, say);
    all(reason.iter_mut().chain(tail).chain(left), say);
    if let Ended::NotStarted(why) = ended {
        *why = say(why);
    }
}

fn all_results(results: &mut [CheckResult], say: &dyn Fn(&str) -> String) {
    for result in results {
        result.retell(say);
    }
}

fn all<'a>(texts: impl IntoIterator<Item = &'a mut String>, say: &dyn Fn(&str) -> String) {
    texts.into_iter().for_each(|text| *text = say(text));
}
