//! `citadel contingency list` and `show`: what there is to do, by whom, and when it is over.

use std::fmt::Write;

use super::{find, rehearsals};
use crate::commands::context::Context;
use crate::commands::plan::told;
use crate::engine::command;
use crate::error::{ExitCode, Failure};
use crate::runbook::{Action, Contingency, Scope, Step, Template};
use crate::terminal;
use crate::workspace;

pub(in crate::commands) fn list(context: &Context) -> ExitCode {
    let mut text = String::new();
    for contingency in &context.runbook.contingencies {
        let _ = writeln!(text, "{}  {}\n    when  {}", contingency.id, contingency.title, contingency.when);
        for step in &contingency.steps {
            let _ = writeln!(text, "    {}  {}", step.id, step.title);
        }
        let _ = writeln!(text, "    rehearsed  {}", rehearsed(context, contingency));
        let _ = writeln!(text, "    `citadel contingency show {}`\n", contingency.id);
    }
    terminal::data(&text);
    ExitCode::Ok
}

pub(in crate::commands) fn show(context: &Context, id: &str) -> Result<ExitCode, Failure> {
    let contingency = find(context, id)?;
    let mut text = format!("{}  {}\n    when  {}\n", contingency.id, contingency.title, contingency.when);
    for step in &contingency.steps {
        let _ = writeln!(text, "\n    {}  {}\n        {}", step.id, step.title, shown(step));
        for evidence in &step.evidence {
            let _ = writeln!(text, "        evidence  {}", told(&evidence.kind, &Scope::default()));
        }
        if let Some(differs) = &step.differs {
            let _ = writeln!(text, "        differs   {differs}");
        }
    }
    let done: Vec<String> =
        contingency.done_when.iter().map(|check| format!("{} (`{}`)", check.id, check.kind.name())).collect();
    let _ = writeln!(text, "\n    over when  {}", done.join(", "));
    let _ = writeln!(text, "    rehearsed  {}", rehearsed(context, contingency));
    let _ = writeln!(text, "    `citadel contingency run {id} --network NET`");
    terminal::data(&text);
    Ok(ExitCode::Ok)
}

/// When it was last brought to its end, compared with what it means in the workspace here.
fn rehearsed(context: &Context, contingency: &Contingency) -> String {
    let dir = workspace::find(&context.runbook, None, &context.here, true).unwrap_or_else(|_| context.here.clone());
    rehearsals::told(rehearsals::last(context, contingency, &dir).as_ref())
}

/// The command with its holes open, since no network was named.
fn shown(step: &Step) -> String {
    match &step.action {
        Action::Manual { instructions } => format!("by hand: {}", instructions.0),
        action => match command::argv(action, &open(step)) {
            Ok(Some(argv)) => command::display(step, &argv, &open(step)),
            Ok(None) | Err(_) => step.title.clone(),
        },
    }
}

fn open(step: &Step) -> Scope {
    let templates: Vec<&str> = match &step.action {
        Action::Npm { args, .. } | Action::Make { args, .. } | Action::Run { argv: args } => {
            args.iter().flat_map(Template::names).collect()
        }
        Action::Shell { script } => script.names().collect(),
        Action::Manual { .. } | Action::Secrets { .. } => Vec::new(),
    };
    let values = templates.into_iter().map(|name| (name.to_owned(), format!("<{name}>"))).collect();
    Scope { values }
}
