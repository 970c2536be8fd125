//! A step's action as a command: its argv, its environment, and how a person would type it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::world::{View, World};
use crate::process::environment;
use crate::runbook::{Action, Need, Network, Runbook, Scope, Step, Template};

/// A command ready to run.
#[derive(Clone)]
pub struct Prepared {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// Names of what is given beyond the allow-list.
    pub names: Vec<String>,
    /// As a person would type it, without secret values.
    pub display: String,
}

/// The argv of `action`; `None` where it runs no program. `Err`: a template's name that has no value yet.
pub fn argv(action: &Action, scope: &Scope) -> Result<Option<Vec<String>>, String> {
    let fill = |templates: &[Template]| -> Result<Vec<String>, String> {
        templates.iter().map(|template| template.render(scope)).collect()
    };
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    Ok(Some(match action {
        Action::Npm { script, args } => {
            let mut argv = words(&["npm", "run", "-s", &script.render(scope)?]);
            let filled = fill(args)?;
            if !filled.is_empty() {
                argv.push("--".into());
                argv.extend(filled);
            }
            argv
        }
        Action::Make { target, dir, args } => {
            let mut argv = words(&["make"]);
            if let Some(dir) = dir {
                argv.extend(words(&["-C", &dir.render(scope)?]));
            }
            argv.push(target.render(scope)?);
            argv.extend(fill(args)?);
            argv
        }
        Action::Run { argv } => fill(argv)?,
        Action::Shell { script } => words(&["sh", "-c", &script.render(scope)?]),
        Action::Manual { .. } | Action::Secrets { .. } => return Ok(None),
    }))
}

/// What every step is started with, whatever it is given besides.
pub fn environment(runbook: &Runbook, world: &World) -> BTreeMap<String, String> {
    let folders = runbook.workspace.path.iter().map(|folder| world.workspace.dir.join(folder));
    let folders: Vec<PathBuf> = std::iter::once(world.folder.shims()).chain(folders).collect();
    let mut env = environment::base(&world.environment, &folders);
    // A name that is set, even to nothing, is not loaded again by a dotenv inside the step.
    for name in runbook.secret_variables().chain(&world.hidden) {
        env.insert(name.clone(), String::new());
    }
    env
}

/// Everything that `step` is started with on `network`, on top of `environment`.
pub fn prepare(
    view: &View<'_>,
    step: &Step,
    network: &Network,
    scope: &Scope,
    environment: &BTreeMap<String, String>,
) -> Result<Option<Prepared>, String> {
    let Some(argv) = argv(&step.action, scope)? else { return Ok(None) };
    let given = given(view, step, network, scope)?;
    let mut env = environment.clone();
    let names = given.keys().cloned().collect();
    env.extend(given);
    let display = display(step, &argv, scope);
    Ok(Some(Prepared { argv, env, names, display }))
}

/// How a person would type the command; values of the step's own variables are shown, since secrets come by `needs`.
pub fn display(step: &Step, argv: &[String], scope: &Scope) -> String {
    let own = step
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(&value.render(scope).unwrap_or_else(|_| value.0.clone()))));
    own.chain(argv.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
}

fn given(view: &View<'_>, step: &Step, network: &Network, scope: &Scope) -> Result<BTreeMap<String, String>, String> {
    let mut given = BTreeMap::new();
    let dev = view.progress.dev_chain.as_ref().filter(|chain| network.dev_chain.is_some() && !chain.ended);
    for need in &step.needs {
        let own = dev.filter(|_| *need == Need::Rpc).map(|chain| &chain.url);
        for name in view.runbook.granted(network, need) {
            let value = own.or_else(|| view.world.variables.get(name));
            given.extend(value.map(|value| (name.clone(), value.clone())));
        }
    }
    for (name, value) in &step.env {
        given.insert(name.clone(), value.render(scope)?);
    }
    Ok(given)
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
