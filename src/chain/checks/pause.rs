//! `pause`: whether all eight modules of a `SystemPause` run, or all are paused. Partly paused is neither.

use serde_json::{Map, Value};

use super::modules::{list, modules, state};
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::PauseState;

pub(super) async fn judge(view: &View<'_>, of: &str, is: PauseState) -> Judged {
    let (pause, _) = view.contract(of)?;
    let modules = modules(view, &pause).await?;
    let read = together(modules.iter().map(|module| state(view, module))).await;
    let mut observed = Map::new();
    let mut stray = Vec::new();
    for (module, state) in modules.iter().zip(read) {
        let state = state?;
        observed.insert(module.name.clone(), state.observed(module));
        if state.paused != (is == PauseState::Paused) {
            stray.push(module);
        }
    }
    let asked = stray.first().map(|module| view.cast_get(module, "paused()(bool)"));
    let finding = said(&pause, is, &stray).expected(expected(is)).observed(Value::Object(observed));
    Ok(asked.into_iter().fold(finding, Finding::asked))
}

fn said(pause: &Subject, is: PauseState, stray: &[&Subject]) -> Finding {
    let (all, strays) = match is {
        PauseState::Running => ("running", "paused"),
        PauseState::Paused => ("paused", "running"),
    };
    match stray.len() {
        0 => Finding::passed(format!("all eight modules of {pause} are {all}")),
        8 => Finding::failed(format!("all eight modules of {pause} are {strays}: {}", list(stray.iter().copied()))),
        some => Finding::failed(format!(
            "{pause} is partly paused: {some} of eight modules {} {strays}: {}",
            if some == 1 { "is" } else { "are" },
            list(stray.iter().copied())
        )),
    }
}

fn expected(is: PauseState) -> &'static str {
    match is {
        PauseState::Running => "eight modules, none paused",
        PauseState::Paused => "eight modules, all paused",
    }
}
