//! `citadel contingency list`: what to do when things go wrong.

use std::fmt::Write;

use super::context::Context;
use crate::engine::command;
use crate::error::ExitCode;
use crate::runbook::{Action, Scope, Step, Template};
use crate::terminal;

pub(super) fn list(context: &Context) -> ExitCode {
    let mut text = String::new();
    for contingency in &context.runbook.contingencies {
        let _ = writeln!(text, "{}  {}\n    when  {}", contingency.id, contingency.title, contingency.when);
        for step in &contingency.steps {
            let _ = writeln!(text, "    {}  {}\n        {}", step.id, step.title, shown(step));
        }
        let done: Vec<&str> = contingency.done_when.iter().map(|check| check.id.as_str()).collect();
        let _ = writeln!(text, "    over when  {}\n", done.join(", "));
    }
    terminal::data(&text);
    ExitCode::Ok
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
