//! `citadel run`: opens or takes up a run, and goes through what was asked for.

use std::io::IsTerminal;
use std::path::Path;

use jiff::Timestamp;
use tokio::sync::watch;

use super::approved::Approved;
use super::context::Context;
use super::opening::{Prospect, refuse};
use super::{archive, contingency, outline, preconditions, resume};
use crate::cli::{Part, Run};
use crate::engine::time::Clock;
use crate::engine::world::{View, World};
use crate::engine::{self, Ending, Engine};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{self, Lock, Owner, RunFolder, write_file};
use crate::operator::{self, Choice};
use crate::process::{Stop, shims, signals};
use crate::recorder::Recorder;
use crate::report::markdown;
use crate::signoff;
use crate::terminal;

pub(super) async fn run(context: &Context, args: &Run) -> Result<ExitCode, Failure> {
    let stop = signals::listen()?;
    if args.attesting.sign_with.is_some() && !context.runbook.archive {
        return Err(Failure::new(ExitCode::Usage, "`--sign-with` is for the archive, and the runbook publishes none")
            .hint("say `archive = true` in `[runbook]`, or sign what `citadel archive` makes"));
    }
    context.make_room();
    for answer in &args.on_failure {
        if let Choice::Contingency(id) = answer {
            contingency::find(context, id)?;
        }
    }
    let plan = args.plan.as_ref().map(|file| Approved::read(&context.here.join(file))).transpose()?;
    let planned = plan.as_ref().map(|plan| plan.part(context, &args.part)).transpose()?;
    let part = planned.as_ref().unwrap_or(&args.part);
    let prospect = Prospect::glance(context, part).await?;
    refuse(&prospect.missing, &what(&prospect, part), "nothing was started")?;
    let home = context.home(prospect.network);
    home.create()?;
    if let Some(kind) = journal::network_filesystem(home.path()) {
        terminal::warning(&format!(
            "`{}` lies on {kind}: its lock may not keep out a citadel on another machine; put the state on a local disk \
             with `--state DIR`",
            home.path().display()
        ));
    }
    let lock = Lock::take(&home.lock(), &owner(context, part))?;
    // Another citadel may have worked until just now: what counts is what stands under the lock.
    let prospect = Prospect::look(context, part).await?;
    refuse(&prospect.missing, &what(&prospect, part), "nothing was started")?;
    if let Some(existing) = &prospect.existing {
        existing.refuse_handed_over()?;
    }
    resume::refuse_repeating(context, &prospect)?;
    if prospect.existing.is_none() {
        confirm(&prospect, args.yes, stop.clone()).await?;
    }
    if prospect.network.dev_chain.is_some() {
        for (what, how) in preconditions::tools(context, &prospect).await {
            terminal::warning(&format!("{what}; {how}"));
        }
    }
    for gate in preconditions::closed_for_good(context, &prospect) {
        terminal::warning(&gate);
    }
    if let Some(why) = prospect.other_prose(context) {
        terminal::warning(&why);
    }
    let (name, folder) = prospect.place(context);
    let mut world = context.world(prospect.network, prospect.workspace.clone(), &name, folder, stop)?;
    if let Some(existing) = &prospect.existing {
        world.clock = Clock::after_records(&existing.entries);
        resume::refuse_going_back(&existing.entries, Timestamp::now())?;
    }
    // A run that is given up may have left a step at work as well as one that goes on.
    for run in prospect.existing.iter().chain(prospect.given_up.as_ref().map(|(run, _)| run)) {
        resume::refuse_survivors(&run.progress, &run.folder)?;
    }
    if let Some(plan) = &plan {
        plan.refuse_other(context, &prospect, &world).await?;
    }
    if let Some(file) = &args.opening {
        hand_in(&context.here.join(file), &prospect, &world)?;
    }
    let tools = preconditions::versions(context, &prospect).await;
    let before = prospect.progress();
    let scope = View { runbook: &context.runbook, progress: &before, world: &world }.scope(prospect.network);
    let (phases, definitions) = outline::with_definitions(&context.runbook, &prospect.workspace, &scope);
    let (journal, opening, progress) = prospect.open(context, &world, tools.clone(), phases)?;
    if let Some(torn) = prospect.existing.as_ref().map(|existing| existing.torn).filter(|torn| *torn > 0) {
        terminal::warning(&format!("the journal ended in {torn} bytes of an unfinished record, which were cut off"));
    }
    world.folder.create()?;
    shims::write(&world.folder.shims(), &world.path())?;
    let observer = terminal::observer(&context.style(world.folder.path()));
    let mut recorder = Recorder::new(journal, progress, vec![observer]);
    recorder.record(opening)?;
    if let Some(Approved { nonce, digest, .. }) = &plan {
        let (nonce, digest, by) = (nonce.clone(), digest.clone(), context.operator());
        recorder.record(Event::PlanTaken { nonce, digest, by })?;
    }
    outline::keep(definitions, &world.folder)?;
    let after = recorder.progress().clone();
    let view = View { runbook: &context.runbook, progress: &after, world: &world };
    if let Some(table) = resume::table(context, &prospect, &view, &tools) {
        terminal::note(&table);
    }
    let (reports, folder) = (world.reports.clone(), world.folder.clone());
    let engine = Engine::new(&context.runbook, &prospect.selection, world, recorder, guided());
    let pack = async || archive::packed(context, &folder, &args.attesting).await;
    let ending = engine.answered(args.on_failure.clone()).run(pack).await?;
    let code = finish(&ending, &reports);
    match &ending.contingency {
        None => {
            let unpublished = ending.archive.and_then(Result::err);
            let unpublished = unpublished.map(|why| unpublished_archive(why, &prospect.network.name));
            ending.secret.or(unpublished).map_or(Ok(code), Err)
        }
        Some(id) => {
            // A contingency records the suspension in the run's journal.
            drop(lock);
            let (network, dir) = (&prospect.network.name, &prospect.workspace.dir);
            let faced = Box::pin(contingency::chosen(context, network, dir, id)).await;
            // What the run wrote is told last, whatever the contingency came to.
            let Some(mut found) = ending.secret else { return faced };
            if let Err(other) = faced {
                found.details.extend(if other.details.is_empty() { vec![other.to_string()] } else { other.details });
            }
            Err(found)
        }
    }
}

/// The run is complete all the same; one with a secret in it must not be packed elsewhere either.
fn unpublished_archive(why: Failure, network: &str) -> Failure {
    if why.code == ExitCode::SecretFound {
        return why;
    }
    let source = why.source.context("the run is complete, and its archive could not be published");
    let first = why.hint.as_ref().map(|hint| format!("{hint}; then ")).unwrap_or_default();
    let hint = format!("{first}`citadel archive --network {network} --out FILE` makes it, for the reports folder");
    Failure { source, ..why }.hint(hint)
}

/// Puts the operator's signature where it is looked for; whether it counts is judged there.
fn hand_in(file: &Path, prospect: &Prospect<'_>, world: &World) -> Result<(), Failure> {
    let usage = |what: String| Failure::new(ExitCode::Usage, what);
    let request = prospect.existing.as_ref().and_then(|existing| existing.progress.opening.request.as_ref());
    let Some(request) = request else {
        return Err(usage("no opening was asked for yet, so that no signature can be on it".into())
            .hint("run the same command without `--opening`: it says what to sign"));
    };
    let text = signoff::read_signature(file).map_err(|why| usage(format!("`{}` {why}", file.display())))?;
    let folder = world.folder.file(&RunFolder::opening(&request.nonce));
    write_file(&folder.join(format!("{}.sig", signoff::file_name(&request.operator))), text.as_bytes())?;
    Ok(())
}

/// Whether a person can be asked: both ends of the terminal are one.
fn guided() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn finish(ending: &Ending, reports: &std::path::Path) -> ExitCode {
    if ending.code == ExitCode::Waiting {
        // What people need to see is what was told last.
        return waiting(ending);
    }
    let mut made: Vec<&str> = ending.progress.published.iter().map(|file| file.path.as_str()).collect();
    made.push(markdown::FILE);
    made.extend(ending.archive.as_ref().and_then(|archive| archive.as_deref().ok()));
    terminal::note(&format!("made in {}\n  {}", reports.display(), made.join("\n  ")));
    terminal::note(&format!("journal head {}", ending.head));
    if let Some(hint) = &ending.hint {
        terminal::note(&format!("next: {hint}"));
    }
    ending.code
}

fn waiting(ending: &Ending) -> ExitCode {
    if let Some(hint) = &ending.hint {
        terminal::note(&format!("next: {hint}"));
    }
    ending.code
}

fn what(prospect: &Prospect<'_>, asked: &Part) -> String {
    let part = part(asked).unwrap_or_else(|| "the runbook".into());
    format!("{part} can run on {}", prospect.network.name)
}

fn owner(context: &Context, asked: &Part) -> Owner {
    Owner {
        who: context.operator(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        pid: std::process::id(),
        since: Timestamp::now(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "),
        part: part(asked),
    }
}

/// What was asked for, if not everything.
fn part(asked: &Part) -> Option<String> {
    let step = asked.step.as_ref().map(|step| format!("step {step}"));
    step.or_else(|| asked.phase.as_ref().map(|phase| format!("phase {phase}")))
}

/// Where the network wants it, a person must type its name before a run opens there.
async fn confirm(prospect: &Prospect<'_>, yes: bool, stop: watch::Receiver<Stop>) -> Result<(), Failure> {
    let name = &prospect.network.name;
    if !prospect.network.confirm || yes {
        return Ok(());
    }
    let refused = |why: &str| {
        Failure::new(ExitCode::Precondition, format!("{why}; nothing was started"))
            .hint(format!("type `{name}` when asked, or pass `--yes`"))
    };
    if !std::io::stdin().is_terminal() {
        return Err(refused(&format!("opening a run on {name} must be confirmed, and nobody is there to ask")));
    }
    let chain = prospect.network.chain_id;
    let question = format!("This opens a run on {name} (chain {chain}). Type its name to go on: ");
    let typed = operator::ask_line(&question, stop.clone()).await;
    let signal = stop.borrow().signal();
    match (typed, signal) {
        (Some(typed), _) if typed.trim() == name => Ok(()),
        (None, Some(signal)) => Err(Failure::new(engine::interrupted_by(signal), "interrupted; nothing was started")),
        _ => Err(refused("the name was not typed")),
    }
}
