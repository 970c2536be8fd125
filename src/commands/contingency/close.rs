//! `citadel contingency close`: a person says that it is over; it is recorded with their name, and runs go on.

use jiff::Timestamp;

use super::find;
use super::records::{open_one, owner};
use crate::cli::ContingencyClose;
use crate::commands::context::Context;
use crate::commands::opening::Existing;
use crate::engine::suspension;
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{Home, Lock};
use crate::progress::Suspension;
use crate::terminal;

pub(in crate::commands) fn close(context: &Context, args: &ContingencyClose) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let id = &find(context, &args.id)?.id;
    let home = context.home(network);
    let see = || {
        let run = Existing::open(&home)?;
        let progress = run.as_ref().map(|run| run.progress.clone()).unwrap_or_default();
        let Some(of) = suspension::suspensions(Some(&home), &progress).remove(id) else {
            return Err(Failure::new(ExitCode::Usage, format!("contingency {id} is not open on {}", network.name))
                .hint(format!("`citadel status --network {}`", network.name)));
        };
        Ok((run, of))
    };
    let owner = owner(context, &format!("citadel contingency close {id}"));
    let (_lock, (run, of)) = Lock::take_and_see(&home.lock(), &owner, see)?;
    home.contingencies().create()?;
    let _own = Lock::take(&home.contingency_lock(id), &owner)?;
    let open = open_one(&home, id);
    // What was handed over is told by whoever goes on with it.
    if let Some(run) = run.as_ref().filter(|run| run.progress.handed_over.is_none()) {
        record(context, run, id, of, &args.reason)?;
    }
    unmark(&home, id)?;
    if let Some(open) = open {
        let mut journal = open.journal(context)?;
        let closed = Event::RunClosed { by: context.operator(), reason: args.reason.clone() };
        journal.append(closed, Timestamp::now())?;
    }
    terminal::data(&format!(
        "recorded: contingency {id} is closed; `citadel run --network {}` goes on, and its gates are judged as ever\n",
        network.name
    ));
    Ok(ExitCode::Ok)
}

/// The run tells of both ends, even where it could not be told of the beginning then.
fn record(context: &Context, run: &Existing, id: &str, of: Suspension, reason: &str) -> Result<(), Failure> {
    let mut journal = run.journal(context)?;
    let Suspension { by, since, folder } = of;
    let contingency = id.to_owned();
    if !run.progress.suspended.contains_key(id) {
        let contingency = contingency.clone();
        journal.append(Event::Suspended { contingency, by, since, folder }, Timestamp::now())?;
    }
    let reason = reason.to_owned();
    journal.append(Event::SuspensionEnded { contingency, by: context.operator(), reason }, Timestamp::now())?;
    Ok(())
}

fn unmark(home: &Home, id: &str) -> Result<(), Failure> {
    match std::fs::remove_file(home.mark(id)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let what = format!("the mark `{}` cannot be removed: {error}", home.mark(id).display());
            Err(Failure::new(ExitCode::Internal, what).hint("mend the permission, then run the same command again"))
        }
        _ => Ok(()),
    }
}
