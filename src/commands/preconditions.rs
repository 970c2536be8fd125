//! What must be there before a run can start: everything that is missing, at once, each with how to supply it.

use std::collections::BTreeSet;

use super::context::Context;
use super::opening::Prospect;
use crate::chain::EndpointUrl;
use crate::runbook::{CheckKind, Effects, EvidenceKind, Network, Phase, digest};
use crate::secrets::problem;
use crate::workspace;

/// What is missing, and how to supply it.
pub(super) async fn missing(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    missing.extend(practice(prospect));
    missing.extend(gates(context, prospect));
    missing.extend(variables(context, prospect));
    missing.extend(contracts(context, prospect));
    missing.extend(signers(context, prospect));
    if prospect.network.dev_chain.is_none() {
        missing.extend(tools(context, prospect).await);
    }
    missing
}

/// Tools whose running version is not the declared one; on a dev chain that is only worth a warning.
pub(super) async fn tools(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    for tool in &context.runbook.tools {
        if let Err(why) = workspace::tool(tool, &prospect.workspace.dir, context.path()).await {
            missing.push((why, format!("install the version that `{}` names", tool.version_file)));
        }
    }
    missing
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
fn about<'a>(
    context: &'a Context,
    prospect: &'a Prospect<'_>,
    network: &'a Network,
) -> impl Iterator<Item = &'a Phase> {
    phases(context, prospect).filter(|phase| phase.on.as_deref().unwrap_or(&network.name) == network.name)
}

fn variables(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    if network.dev_chain.is_some() {
        return Vec::new();
    }
    let values = context.variables(&prospect.workspace.dir);
    let keys =
        about(context, prospect, network).flat_map(|phase| &phase.steps).any(|step| step.effects == Effects::Chain);
    let names = network.rpc.iter().chain(network.key.iter().filter(|_| keys));
    names
        .filter_map(|name| {
            let why = match values.get(name) {
                None => "is not set".to_owned(),
                Some(value) => problem(value, false).or_else(|| bad_url(network, name, value))?,
            };
            let kind = if network.rpc.contains(name) { "the URL of an endpoint" } else { "a private key" };
            Some((
                format!("`{name}` {why}: {kind} for {}", network.name),
                format!("`export {name}=…`, or a line in the workspace's `.env`"),
            ))
        })
        .collect()
}

/// An endpoint's URL that cannot be used.
fn bad_url(network: &Network, name: &str, value: &str) -> Option<String> {
    let is_url = network.rpc.iter().any(|rpc| rpc == name);
    is_url.then(|| EndpointUrl::new(name, value).err()).flatten()
}

fn contracts(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    let invariants = context.runbook.invariants.iter().flat_map(|check| named(&check.kind));
    let used: BTreeSet<String> =
        about(context, prospect, network).flat_map(used_by).chain(invariants.map(str::to_owned)).collect();
    let without = used.iter().filter_map(|name| {
        let contract = context.runbook.contracts.get(name)?;
        (!contract.address.contains_key(&network.name)).then_some(contract)
    });
    without
        .map(|contract| {
            let place = format!("{}:{}", context.runbook.file.display(), contract.place.line);
            let what = format!("the contract `{}` has no address on {} ({place})", contract.name, network.name);
            (what, format!("add `{} = \"0x…\"` to its `address`, after review", network.name))
        })
        .collect()
}

/// The contracts that a phase names: in its checks, in the evidence of its steps, and in what it fills in.
fn used_by(phase: &Phase) -> Vec<String> {
    let evidence = || phase.steps.iter().flat_map(|step| &step.evidence);
    let of_evidence = evidence().filter_map(|evidence| match &evidence.kind {
        EvidenceKind::Chain(check) => Some(check),
        EvidenceKind::File(_) | EvidenceKind::Output(_) | EvidenceKind::Transactions(_) => None,
    });
    let of_steps = phase.steps.iter().flat_map(|step| step.before.iter().chain(&step.probe));
    let checks = phase.gate.checks.iter().chain(of_steps).chain(of_evidence);
    let addressed = evidence().filter_map(|evidence| match &evidence.kind {
        EvidenceKind::Transactions(wanted) => Some(&wanted.to),
        EvidenceKind::File(_) | EvidenceKind::Output(_) | EvidenceKind::Chain(_) => None,
    });
    let mut used: Vec<String> = checks.flat_map(|check| named(&check.kind)).map(str::to_owned).collect();
    used.extend(addressed.flatten().cloned());
    used.extend(digest::filled_in(phase).iter().filter_map(|name| name.strip_prefix("contract.")).map(str::to_owned));
    used
}

/// The contracts that a check is about.
fn named(kind: &CheckKind) -> Vec<&str> {
    match kind {
        CheckKind::Pause { of, .. }
        | CheckKind::CanPause { of, .. }
        | CheckKind::Code { of, .. }
        | CheckKind::Call { of, .. }
        | CheckKind::Timelock { of, .. }
        | CheckKind::Safe { of, .. } => vec![of],
        CheckKind::Governed { contracts, by } => contracts.iter().chain([by]).map(String::as_str).collect(),
        CheckKind::SafeBundle { safe, .. } | CheckKind::SafeTx { safe, .. } => vec![safe],
        CheckKind::UnchangedSince { .. } | CheckKind::Json { .. } => Vec::new(),
    }
}

fn signers(context: &Context, prospect: &Prospect<'_>) -> Vec<(String, String)> {
    let network = prospect.network;
    let dev = network.dev_chain.is_some();
    let asked = about(context, prospect, network).filter_map(|phase| Some((phase, phase.gate.sign_off.as_ref()?)));
    asked
        .filter_map(|(phase, sign_off)| {
            let group = context.runbook.signers.get(&sign_off.signers)?;
            if dev && group.dev_chain.is_some() {
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
