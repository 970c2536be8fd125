//! `citadel status`: where a run stands, and what comes next. Takes no lock.

use super::context::Context;
use super::opening::Existing;
use crate::cli::Status;
use crate::engine::suspension;
use crate::error::{ExitCode, Failure};
use crate::journal::Lock;
use crate::plan::{self, Selection};
use crate::progress::Progress;
use crate::report::status;
use crate::terminal;

pub(super) fn status(context: &Context, args: &Status) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let home = context.home(network);
    let Some(existing) = Existing::latest(&home)? else {
        for (id, of) in suspension::suspensions(Some(&home), &Progress::default()) {
            terminal::warning(&format!(
                "{}; {}",
                suspension::sentence(&id, &of),
                suspension::way_out(&id, &network.name)
            ));
        }
        return Err(Failure::new(ExitCode::Precondition, format!("there is no run on {}", network.name))
            .hint(format!("`citadel run --network {}` opens one", network.name)));
    };
    let running = Lock::holder(&home.lock()).is_some();
    let mut progress = existing.progress.clone();
    progress.suspended = suspension::suspensions(Some(&home), &progress);
    let progress = &progress;
    let mut going_on = progress.clone();
    going_on.halt = None;
    let selection = Selection::all(&context.runbook);
    let next = match plan::next(&context.runbook, &selection, &going_on, &network.name) {
        _ if progress.closed.is_some() => "the run is closed".to_owned(),
        _ if let Some(to) = &progress.handed_over => format!("{to} goes on with it, after `citadel take FOLDER`"),
        _ if !progress.suspended.is_empty() => {
            let ids = progress.suspended.keys();
            ids.map(|id| suspension::way_out(id, &network.name)).collect::<Vec<_>>().join("\n")
        }
        None => "nothing: every gate passed".to_owned(),
        Some(line) => format!("{}: {}\n`citadel run --network {}` goes on", line.item, line.why, network.name),
    };
    let text = if args.json {
        status::json(progress, &next, running)?
    } else {
        let colour = terminal::colour_on_stdout();
        status::human(progress, &next, running, terminal::columns_on_stdout(), colour)
    };
    terminal::data(&text);
    Ok(ExitCode::Ok)
}
