//! The `secrets` action: creates the file of variables once from its template, and says what is missing or wrong in
//! it. Values are looked at and never shown.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::world::View;
use crate::beneath;
use crate::dotenv;
use crate::runbook::{Network, Template};
use crate::secrets::problem;
use crate::verdict::{CheckResult, Verdict};

const KIND: &str = "secrets";

/// Checks the file and the variables that later steps read on `network`.
pub(super) fn check(
    view: &View<'_>,
    network: &Network,
    template: &Template,
    file: &Template,
    requires: &[Template],
) -> Vec<CheckResult> {
    let scope = view.scope(network);
    let render = |template: &Template| template.render(&scope).unwrap_or_else(|_| template.0.clone());
    let dir = &view.world.workspace.dir;
    let mut results = vec![file_result(dir, &render(template), &dir.join(render(file)))];
    if results[0].verdict == Verdict::Passed {
        let declared = |name: &str| view.world.variables.contains_key(name);
        let problems = dotenv::read(dir, &render(file), &declared).problems.into_iter();
        let id = format!("file {}", render(file));
        results.extend(problems.map(|problem| CheckResult::failed(&id, KIND, problem.what).hint(problem.how)));
    }
    let further = view.runbook.secrets.values().flatten();
    let mut names: Vec<String> = network.rpc.iter().chain(&network.key).chain(further).cloned().collect();
    for name in requires.iter().map(render) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    results.extend(names.iter().map(|name| variable_result(view, network, name, &render(file))));
    results
}

fn file_result(dir: &Path, template: &str, file: &Path) -> CheckResult {
    let id = format!("file {}", file.display());
    let Ok(about) = std::fs::symlink_metadata(file) else {
        return match create(dir, template, file) {
            Ok(()) => {
                CheckResult::passed(&id, KIND, format!("`{}` made from its template, for you alone", file.display()))
            }
            Err(error) => CheckResult::failed(&id, KIND, format!("`{}` cannot be made: {error:#}", file.display()))
                .hint(format!("look at `{template}`")),
        };
    };
    if !about.is_file() {
        return CheckResult::failed(&id, KIND, format!("`{}` is not a regular file", file.display()));
    }
    if about.mode() & 0o077 != 0 {
        return CheckResult::failed(&id, KIND, format!("`{}` can be read by others", file.display()))
            .expected("mode 0600")
            .hint(format!("chmod 600 {}", file.display()));
    }
    CheckResult::passed(&id, KIND, format!("`{}` is yours alone", file.display()))
}

/// Only where nothing is: a file that is there holds what somebody wrote.
fn create(dir: &Path, template: &str, file: &Path) -> anyhow::Result<()> {
    let text = beneath::read(dir, template)?.bytes;
    Ok(OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&text)?)
}

fn variable_result(view: &View<'_>, network: &Network, name: &str, file: &str) -> CheckResult {
    let id = format!("variable {name}");
    let dev = network.dev_chain.is_some();
    if dev && network.rpc.iter().any(|rpc| rpc == name) {
        return CheckResult::passed(&id, KIND, format!("`{name}` is the dev chain's"));
    }
    let problem = match view.world.variables.get(name) {
        None => Some("has no value".to_owned()),
        Some(value) => problem(value, dev),
    };
    match problem {
        None => CheckResult::passed(&id, KIND, format!("`{name}` is set")),
        Some(problem) => CheckResult::failed(&id, KIND, format!("`{name}` {problem}"))
            .hint(format!("set it in the environment or in `{file}`, then run the step again")),
    }
}
