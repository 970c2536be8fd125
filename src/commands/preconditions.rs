//! What must be there before a run can start: everything that is missing, at once, each with how to supply it.

use std::collections::BTreeMap;

use super::context::Context;
use super::opening::Prospect;
use crate::chain::EndpointUrl;
use crate::runbook::{CheckKind, Effects, EvidenceKind, Need, Network, Phase, SafeBundle, digest};
use crate::secrets::problem;
use crate::text::list;
use crate::workspace;

/// What is missing, and how to supply it.
pub(super) async fn missing(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    missing.extend(practice(prospect));
    missing.extend(operator(context, prospect));
    missing.extend(gates(context, prospect));
    missing.extend(variables(context, prospect));
    missing.extend(dotenv(context, prospect));
    missing.extend(contracts(context, prospect));
    missing.extend(signers(context, prospect));
    if prospect.network.dev_chain.is_none() {
        missing.extend(tools(context, prospect).await);
    }
    missing
}

/// Gates of the selection that cannot open on this network, whatever happens.
pub(super) fn closed_for_good(context: &Context, prospect: &Prospect<'_>) -> Vec<String> {
    let network = prospect.network;
    if network.dev_chain.is_some() || !network.operators.is_empty() {
        return Vec::new();
    }
    let asks = |phase: &&Phase| phase.gate.sign_off.as_ref().is_some_and(|sign_off| sign_off.not_operator);
    let gates = about(context, prospect, network).filter(asks);
    let text = |phase: &Phase| {
        format!(
            "gate {} will be unknown: `not_operator` needs an opening signature, and `[network.{}]` names no `operators`",
            phase.id, network.name
        )
    };
    gates.map(text).collect()
}

/// Whoever runs citadel must be one of the network's operators, where it names any.
fn operator(context: &Context, prospect: &Prospect<'_>) -> Option<(String, String)> {
    let (operator, network) = (context.operator(), prospect.network);
    let known = network.operators.is_empty() || network.operators.contains(&operator);
    (!known).then(|| {
        let what =
            format!("`{operator}` is no operator of {}: {} may open a run", network.name, list(&network.operators));
        (what, "say who you are: `export CITADEL_OPERATOR=NAME`".to_owned())
    })
}

/// Tools whose running version is not the declared one; on a dev chain that is only worth a warning.
pub(super) async fn tools(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    for tool in &context.runbook.tools {
        if let Err(why) = workspace::tool(tool, &prospect.workspace.dir, &context.child_environment()).await {
            missing.push((why, format!("install the version that `{}` names", tool.version_file)));
        }
    }
    missing
}

/// The versions of the declared tools that are there.
pub(super) async fn versions(context: &Context, prospect: &Prospect<'_>) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for tool in &context.runbook.tools {
        let said = workspace::tool_version(tool, &prospect.workspace.dir, &context.child_environment()).await;
        versions.extend(said.ok().flatten().map(|version| (tool.name.clone(), version)));
    }
    versions
}

fn practice(prospect: &Prospect<'_>) -> Option<(String, String)> {
    (prospect.workspace.practice && prospect.network.dev_chain.is_none()).then(|| {
        let what =
            format!("`{}` is the practice workspace, which is for local chains only", prospect.workspace.dir.display());
        (what, "name a real checkout with `--workspace DIR`".into())
    })
}

fn gates(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let closed = prospect.closed_gates(context);
    let network = &prospect.network.name;
    let run = prospect
        .existing
        .as_ref()
        .map_or_else(|| format!("there is no open run on {network}"), |run| format!("run {}", run.run));
    closed
        .iter()
        .map(|gate| {
            let how = format!("`citadel run --phase {gate} --network {network}`");
            (format!("gate {gate} has not passed ({run})"), how)
        })
        .collect()
}

fn phases<'a>(context: &'a Context, prospect: &'a Prospect<'_>) -> impl Iterator<Item = &'a Phase> {
    context.runbook.phases[prospect.selection.phases.clone()].iter()
}

/// Phases of the selection that are about `network` itself.
pub(super) fn about<'a>(
    context: &'a Context,
    prospect: &'a Prospect<'_>,
    network: &'a Network,
) -> impl Iterator<Item = &'a Phase> {
    phases(context, prospect).filter(|phase| phase.on.as_deref().unwrap_or(&network.name) == network.name)
}

fn variables(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    let dev = network.dev_chain.is_some();
    let values = context.variables(&prospect.workspace.dir);
    let keys =
        about(context, prospect, network).flat_map(|phase| &phase.steps).any(|step| step.effects == Effects::Chain);
    // A dev chain's endpoint and keys are citadel's; what else a step needs is somebody's everywhere.
    let of_network = network.rpc.iter().chain(network.key.iter().filter(|_| keys)).filter(|_| !dev);
    let of_network = of_network.map(|name| {
        let kind = if network.rpc.contains(name) { "the URL of an endpoint" } else { "a private key" };
        (name, format!("{kind} for {}", network.name))
    });
    of_network
        .chain(further(context, prospect))
        .filter_map(|(name, what)| {
            let why = match values.get(name) {
                None => "is not set".to_owned(),
                Some(value) => problem(value, dev).or_else(|| bad_url(network, name, value))?,
            };
            let why = why.trim_start_matches(&format!("`{name}` ")).to_owned();
            Some((format!("`{name}` {why}: {what}"), supply(name)))
        })
        .collect()
}

/// The variables of `[secret]` that steps of the selection are given, each with its class and the first of those steps.
fn further<'a>(context: &'a Context, prospect: &'a Prospect<'_>) -> Vec<(&'a String, String)> {
    let mut found: Vec<(&String, String)> = Vec::new();
    for step in
        phases(context, prospect).flat_map(|phase| &phase.steps).filter(|step| prospect.selection.takes(&step.id))
    {
        let classes = step.needs.iter().filter_map(|need| match need {
            Need::Rpc | Need::Key => None,
            Need::Secret(class) => Some((class, context.runbook.granted(prospect.network, need))),
        });
        for (class, name) in classes.flat_map(|(class, names)| names.iter().map(move |name| (class, name))) {
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, format!("of `[secret.{class}]`, which {} needs", step.id)));
            }
        }
    }
    found
}

/// What is wrong with the workspace's `.env`; a dev chain's keys are nobody's.
fn dotenv(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    if prospect.network.dev_chain.is_some() {
        return Vec::new();
    }
    let problems = context.dotenv(&prospect.workspace.dir).problems;
    problems.into_iter().map(|problem| (problem.what, problem.how)).collect()
}

/// How to supply a variable.
pub(super) fn supply(name: &str) -> String {
    format!("`export {name}=…`, or a line in the workspace's `.env`")
}

/// An endpoint's URL that cannot be used.
fn bad_url(network: &Network, name: &str, value: &str) -> Option<String> {
    let is_url = network.rpc.iter().any(|rpc| rpc == name);
    is_url.then(|| EndpointUrl::new(name, value).err()).flatten()
}

fn contracts(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    if context.runbook.contracts.is_empty() {
        return Vec::new();
    }
    let mut used: Vec<String> = about(context, prospect, network).flat_map(|phase| in_phase(context, phase)).collect();
    used.sort_unstable();
    used.dedup();
    let without = used.into_iter().filter_map(|name| {
        let contract = context.runbook.contracts.get(&name)?;
        (!contract.address.contains_key(&network.name)).then_some(contract)
    });
    without
        .map(|contract| {
            let place = format!("{}:{}", context.runbook.file.display(), contract.place.line());
            let what = format!("the contract `{}` has no address on {} ({place})", contract.name, network.name);
            (what, format!("add `{} = \"0x…\"` to its `address`, after review", network.name))
        })
        .collect()
}

/// The contracts that a phase's checks, evidence and templates speak of.
pub(super) fn in_phase(context: &Context, phase: &Phase) -> Vec<String> {
    let evidence = phase.steps.iter().flat_map(|step| &step.evidence);
    let mut names: Vec<String> = evidence
        .flat_map(|evidence| match &evidence.kind {
            EvidenceKind::Chain(check) => named(&check.kind),
            EvidenceKind::Transactions(wanted) => wanted.to.iter().map(String::as_str).collect(),
            EvidenceKind::File(_) | EvidenceKind::Output(_) => Vec::new(),
        })
        .map(str::to_owned)
        .collect();
    let of_steps = phase.steps.iter().flat_map(|step| step.before.iter().chain(step.probe.as_deref()));
    let checks = context.runbook.invariants.iter().chain(&phase.gate.checks).chain(of_steps);
    names.extend(checks.flat_map(|check| named(&check.kind)).map(str::to_owned));
    let holes = digest::holes_of(phase);
    names.extend(holes.iter().filter_map(|name| name.strip_prefix("contract.")).map(str::to_owned));
    names
}

fn names<const N: usize>(of: [Option<&String>; N]) -> Vec<&str> {
    // An address stands for itself.
    of.into_iter().flatten().map(String::as_str).collect()
}

/// The contracts that a check is about.
fn named(kind: &CheckKind) -> Vec<&str> {
    match kind {
        CheckKind::Pause { of, .. }
        | CheckKind::CanPause { of, .. }
        | CheckKind::Settlers { of, .. }
        | CheckKind::Code { of, .. }
        | CheckKind::Call { of, .. }
        | CheckKind::Slot { of, .. }
        | CheckKind::Operation { of, .. } => vec![of],
        CheckKind::Governed { contracts, by } => contracts.iter().chain([by]).map(String::as_str).collect(),
        CheckKind::Reverts { of, from, .. } => names([Some(of), from.as_ref()]),
        CheckKind::Timelock(asked) => names([Some(&asked.of), asked.proposer.as_ref(), asked.executor.as_ref()]),
        CheckKind::Safe(asked) => names([Some(&asked.of), asked.singleton.as_ref(), asked.guard.as_ref()]),
        CheckKind::Proxy(asked) => names([Some(&asked.of), asked.implementation.as_ref(), asked.admin.as_ref()]),
        CheckKind::Role(asked) => {
            [&asked.of].into_iter().chain(&asked.has).chain(&asked.has_not).map(String::as_str).collect()
        }
        CheckKind::Transaction(asked) => asked.to.iter().chain(&asked.safe).map(String::as_str).collect(),
        CheckKind::SafeBundle(SafeBundle { safe, .. }) => vec![safe],
        // Several calls are one transaction only through the declared `multi_send`.
        CheckKind::SafeTx { safe, .. } => vec![safe, "multi_send"],
        CheckKind::UnchangedSince { .. } | CheckKind::Json { .. } | CheckKind::Rehearsed(_) => Vec::new(),
    }
}

fn signers(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    let dev = network.dev_chain.is_some();
    let asked = about(context, prospect, network).filter_map(|phase| Some((phase, phase.gate.sign_off.as_ref()?)));
    asked
        .filter_map(|(phase, sign_off)| {
            let group = context.runbook.signers.get(&sign_off.signers)?;
            if dev && group.dev_chain.is_some() || group.safe_owners.is_some() {
                return None;
            }
            let mut people: Vec<&str> = group.keys.iter().map(|key| key.who.as_str()).collect();
            people.sort_unstable();
            people.dedup();
            (people.len() < sign_off.threshold as usize).then(|| {
                let (have, need) = (people.len(), sign_off.threshold);
                let what = format!(
                    "gate {} needs {need} signatures, `[signers.{}]` names {have} people",
                    phase.id, group.name
                );
                (what, format!("add their keys to `[signers.{}]`, after review", group.name))
            })
        })
        .collect()
}
