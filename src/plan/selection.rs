//! Which part of a runbook was asked for.

use std::ops::Range;

use crate::error::{ExitCode, Failure};
use crate::runbook::{Runbook, StepId};

/// A range of phases, or one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Indices into the runbook's phases.
    pub phases: Range<usize>,
    pub step: Option<StepId>,
    /// The step is wanted although it is done by this attempt and changed a chain.
    pub again: Option<u32>,
}

impl Selection {
    /// The whole runbook.
    pub fn all(runbook: &Runbook) -> Self {
        Self { phases: 0..runbook.phases.len(), step: None, again: None }
    }

    /// From `--phase N[..M]`.
    pub fn phases(runbook: &Runbook, text: &str) -> Result<Self, Failure> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to) = (index(runbook, from)?, index(runbook, to)?);
        if from > to {
            return Err(Failure::new(ExitCode::Usage, format!("`--phase {text}` ends before it begins"))
                .hint(format!("write `--phase {to}..{from}`")));
        }
        Ok(Self { phases: from..to + 1, step: None, again: None })
    }

    /// From `--step ID`, where the id is whole or, where only one step has it, without its phase.
    pub fn step(runbook: &Runbook, text: &str) -> Result<Self, Failure> {
        let matches: Vec<(usize, &StepId)> = runbook
            .phases
            .iter()
            .enumerate()
            .flat_map(|(index, phase)| phase.steps.iter().map(move |step| (index, &step.id)))
            .filter(|(_, id)| id.0 == text || id.0.split_once('.').is_some_and(|(_, name)| name == text))
            .collect();
        match matches.as_slice() {
            [(phase, id)] => Ok(Self { phases: *phase..phase + 1, step: Some((*id).clone()), again: None }),
            [] => {
                Err(unknown("step", text, runbook.phases.iter().flat_map(|phase| &phase.steps).map(|step| &*step.id.0)))
            }
            several => {
                let names: Vec<&str> = several.iter().map(|(_, id)| id.0.as_str()).collect();
                Err(Failure::new(ExitCode::Usage, format!("`{text}` names several steps: {}", names.join(", ")))
                    .hint(format!("write `--step {}`", names[0])))
            }
        }
    }

    /// Whether `step` is among what was asked for.
    pub fn takes(&self, step: &StepId) -> bool {
        self.step.as_ref().is_none_or(|wanted| wanted == step)
    }
}

fn index(runbook: &Runbook, text: &str) -> Result<usize, Failure> {
    let found = runbook.phases.iter().position(|phase| phase.id.0 == text.trim());
    found.ok_or_else(|| unknown("phase", text, runbook.phases.iter().map(|phase| &*phase.id.0)))
}

/// A name that nothing has, with the nearest one that something has.
pub fn unknown<'a>(what: &str, text: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let names: Vec<&str> = names.collect();
    let nearest = names.iter().max_by(|a, b| strsim::jaro_winkler(text, a).total_cmp(&strsim::jaro_winkler(text, b)));
    let hint = match nearest {
        Some(name) if strsim::jaro_winkler(text, name) > 0.8 => format!("did you mean `{name}`?"),
        _ => format!("there are: {}", names.join(", ")),
    };
    Failure::new(ExitCode::Usage, format!("there is no {what} `{text}`")).hint(hint)
}
