//! `pause`: whether all eight modules of a `SystemPause` run, or all are paused. Partly paused is neither.

use serde_json::{Map, Value, json};

use super::modules::{list, modules};
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::{both, together};
use crate::chain::view::{Subject, View};
use crate::runbook::PauseState;

pub(super) async fn judge(view: &View<'_>, of: &str, is: PauseState) -> Judged {
    let (pause, _) = view.contract(of)?;
    let modules = modules(view, &pause).await?;
    let read = together(modules.iter().map(|module| state(view, module))).await;
    let mut observed = Map::new();
    let mut stray = Vec::new();
    for (module, state) in modules.iter().zip(read) {
        let (paused, seen) = state?;
        observed.insert(module.name.clone(), seen);
        if paused != (is == PauseState::Paused) {
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

/// Whether a module is paused, and what else is worth keeping about it.
async fn state(view: &View<'_>, module: &Subject) -> Result<(bool, Value), Finding> {
    let others = together(["owner", "pauser"].map(|name| view.address_of(module, name)));
    let (paused, others) = both(view.flag(module, "paused()(bool)", &[]), others).await;
    let paused = paused?;
    let others: Vec<Value> =
        others.into_iter().map(|who| who.map_or(Value::Null, |who| json!(checksum(who)))).collect();
    Ok((
        paused,
        json!({ "address": checksum(module.address), "paused": paused, "owner": others[0], "pauser": others[1] }),
    ))
}
