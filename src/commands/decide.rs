//! `citadel decide`: a person says whether the effect of an indeterminate step happened; it is recorded with their name.

use jiff::Timestamp;

use super::context::Context;
use super::contingency::records::owner;
use super::opening::Existing;
use super::resume::refuse_survivors;
use crate::cli::Decide;
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{Home, Lock};
use crate::plan::Selection;
use crate::progress::StepState;
use crate::runbook::StepId;
use crate::terminal;

pub(super) fn decide(context: &Context, args: &Decide) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let selection = Selection::step(&context.runbook, &args.step)?;
    let step = selection.step.ok_or_else(|| Failure::new(ExitCode::Usage, "name a step"))?;
    let home = context.home(network);
    let see = || undecided(&home, &network.name, &step);
    let command = format!("citadel decide {step}");
    let (_lock, existing) = Lock::take_and_see(&home.lock(), &owner(context, &command), see)?;
    let attempt = existing.progress.steps.get(&step).map_or(0, |progress| progress.attempt);
    let mut journal = existing.journal(context)?;
    let (by, reason, happened) = (context.operator(), args.reason.clone(), args.happened);
    journal.append(Event::StepDecided { step: step.clone(), attempt, happened, by, reason }, Timestamp::now())?;
    let answer = if happened { "happened" } else { "did not happen" };
    terminal::data(&format!("recorded: {step}, attempt {attempt}, {answer}\n"));
    Ok(ExitCode::Ok)
}

/// The open run, in which it is not known how the step came out.
fn undecided(home: &Home, network: &str, step: &StepId) -> Result<Existing, Failure> {
    let Some(existing) = Existing::open(home)? else {
        return Err(Failure::new(ExitCode::Usage, format!("there is no open run on {network}"))
            .hint(format!("`citadel run --network {network}` opens one")));
    };
    existing.refuse_handed_over()?;
    // What it is still doing nobody can know.
    refuse_survivors(&existing.progress, &existing.folder)?;
    let state = existing.progress.step_state(step);
    let open =
        matches!(state, Some(StepState::Started | StepState::Indeterminate | StepState::Failed | StepState::Happened));
    if open {
        return Ok(existing);
    }
    let is = if state.is_some() { "known how it came out" } else { "has not run" };
    Err(Failure::new(ExitCode::Usage, format!("nothing is to be decided about {step}: it is {is}"))
        .hint(format!("`citadel status --network {network}`")))
}
