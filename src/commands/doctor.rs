//! `citadel doctor`: looks at everything that a run needs, and says whether one could start. Changes nothing.

use std::collections::BTreeMap;

use super::context::Context;
use super::gate;
use super::opening::Prospect;
use super::preconditions::{about, closed_for_good, in_phase};
use crate::chain::{self, EndpointUrl, Surroundings as _, Survey, checksum};
use crate::cli::{Doctor, DoctorFormat, Net, Part};
use crate::engine::judge::checks_and;
use crate::engine::world::View;
use crate::error::{ExitCode, Failure};
use crate::process::{Stop, fence, which};
use crate::report::doctor::{self, AddressRow, Diagnosis, Problem, ToolRow, VariableRow};
use crate::runbook::{Action, Check, CheckKind, Network, Place, Runbook};
use crate::secrets;
use crate::terminal;
use crate::text::list;
use crate::verdict::Verdict;
use crate::workspace;

/// A server's clock may be so many seconds away from this machine's.
const CLOCK_SLACK: i64 = 60;

pub(super) async fn doctor(context: &Context, args: &Doctor) -> Result<ExitCode, Failure> {
    let net = Net { network: args.net.network.clone(), local: args.net.local };
    let part =
        Part { net: net.into(), phase: None, step: None, again: None, workspace: args.workspace.clone(), new: false };
    let prospect = Prospect::look(context, &part).await?;
    let network = prospect.network;
    let progress = gate::progress_of_chain(context, network).await;
    let (_sender, stop) = tokio::sync::watch::channel(Stop::No);
    let folder = context.home(network).run("none");
    let world = context.world(network, prospect.workspace.clone(), "none", folder, stop)?;
    let view = View { runbook: &context.runbook, progress: &progress, world: &world };
    let tools = tools(context, &prospect).await;
    let endpoints = chain::survey(&view.target(network)).await;
    let addresses = addresses(context, &prospect, &view).await;
    let missing = prospect.missing.iter().map(|(what, how)| Problem { what: what.clone(), how: how.clone() });
    let problems: Vec<Problem> = missing
        .chain(tools.iter().filter_map(absent))
        .chain(endpoint_problem(network, &endpoints))
        .chain(addresses.iter().filter_map(without_code))
        .collect();
    let diagnosis = Diagnosis {
        format: 1,
        network: network.name.clone(),
        chain_id: network.chain_id,
        ready: problems.is_empty(),
        variables: variables(&context.runbook, network, &world.variables),
        warnings: warnings(context, &prospect, &endpoints, &tools),
        tools,
        endpoints,
        addresses,
        problems,
    };
    terminal::data(&match args.format {
        DoctorFormat::Human => doctor::human(&diagnosis, terminal::columns_on_stdout(), terminal::colour_on_stdout()),
        DoctorFormat::Json => doctor::json(&diagnosis)?,
    });
    Ok(if diagnosis.ready { ExitCode::Ok } else { ExitCode::Precondition })
}

/// The tools whose version the runbook declares, and the programs that its commands are made of.
async fn tools(context: &Context, prospect: &Prospect<'_>) -> Vec<ToolRow> {
    let (dir, env) = (&prospect.workspace.dir, context.child_environment());
    let mut rows = Vec::new();
    for tool in &context.runbook.tools {
        let versions = workspace::versions(tool, dir, &env).await;
        let wanted = versions.wanted.clone().unwrap_or_else(|why| why);
        rows.push(ToolRow { name: tool.name.clone(), fits: versions.fit(), found: versions.found.ok(), wanted });
    }
    let path = env.get("PATH").map_or("", String::as_str);
    let own = prospect.workspace.programs.hashed();
    for (name, of) in programs(context, prospect) {
        let found = match own.get(name) {
            Some(program) => Some(format!("{} (SHA-256 {}…)", program.path, &program.sha256[..16])),
            None => which::which(name, path, dir).map(|file| file.display().to_string()),
        };
        rows.push(ToolRow { name: name.to_owned(), wanted: of.to_owned(), fits: found.is_some(), found });
    }
    rows
}

/// Programs of which any version will do, and what for.
fn programs(context: &Context, prospect: &Prospect<'_>) -> Vec<(&'static str, &'static str)> {
    let phases = &context.runbook.phases;
    let any = |is: fn(&Action) -> bool| phases.iter().flat_map(|phase| &phase.steps).any(|step| is(&step.action));
    let signs = phases.iter().any(|phase| phase.gate.sign_off.is_some());
    let make = any(|action| matches!(action, Action::Make { .. })) || prospect.network.dev_chain.is_some();
    let used = [
        (any(|action| matches!(action, Action::Npm { .. })), "npm", "for steps"),
        (make, "make", "for steps"),
        (true, "git", "to tell the commit and changed files"),
        (signs, "ssh-keygen", "to sign statements"),
    ];
    used.into_iter().filter(|(used, _, _)| *used).map(|(_, name, of)| (name, of)).collect()
}

/// A program that steps cannot do without.
fn absent(tool: &ToolRow) -> Option<Problem> {
    (tool.wanted == "for steps" && !tool.fits).then(|| Problem {
        what: format!("`{}` is not on the PATH, and steps need it", tool.name),
        how: format!("install `{}`", tool.name),
    })
}

fn variables(runbook: &Runbook, network: &Network, values: &BTreeMap<String, String>) -> Vec<VariableRow> {
    let dev = network.dev_chain.is_some();
    let row = |name: &String, of: &str| {
        let value = values.get(name);
        let url = |value: &String| (of == "endpoint").then(|| EndpointUrl::new(name, value).err()).flatten();
        let problem = value.and_then(|value| secrets::problem(value, dev).or_else(|| url(value)));
        let problem = problem.map(|problem| problem.trim_start_matches(&format!("`{name}` ")).to_owned());
        VariableRow { name: name.clone(), of: of.to_owned(), set: value.is_some(), problem }
    };
    let of_network = network.rpc.iter().map(|name| (name, "endpoint"));
    let of_network = of_network.chain(network.key.iter().map(|name| (name, "private key")));
    let further =
        runbook.secrets.iter().flat_map(|(class, names)| names.iter().map(move |name| (name, class.as_str())));
    // A dev chain's own variables are set by citadel itself.
    of_network.filter(|_| !dev).chain(further).map(|(name, of)| row(name, of)).collect()
}

/// Fewer endpoints than must agree.
fn endpoint_problem(network: &Network, survey: &Survey) -> Option<Problem> {
    // Without a kept chain a local run starts its own.
    if network.dev_chain.is_some() && survey.endpoints.is_empty() {
        return None;
    }
    survey.no_head.as_ref().map(|why| Problem {
        what: why.clone(),
        how: "mend or replace the endpoints whose rows say why; every gate needs them".to_owned(),
    })
}

/// Every contract that gates on this network speak of.
async fn addresses(context: &Context, prospect: &Prospect<'_>, view: &View<'_>) -> Vec<AddressRow> {
    let network = prospect.network;
    let mut gates: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for phase in about(context, prospect, network) {
        for name in in_phase(context, phase) {
            let gates = gates.entry(name).or_default();
            if gates.last() != Some(&phase.id.0.as_str()) {
                gates.push(&phase.id.0);
            }
        }
    }
    gates.retain(|name, _| context.runbook.contracts.contains_key(name));
    let around = view.around(network, view.kept(network));
    let known: BTreeMap<String, String> =
        around.contracts().into_iter().map(|known| (known.name, checksum(known.address))).collect();
    let check = |name: &String| Check {
        id: name.clone(),
        kind: CheckKind::Code { of: name.clone(), hash: None },
        waiver: None,
        place: Place::default(),
    };
    let checks: Vec<Check> = gates.keys().filter(|name| known.contains_key(*name)).map(check).collect();
    let checks: Vec<&Check> = checks.iter().collect();
    let judged = if view.target(network).endpoints.is_empty() {
        Vec::new()
    } else {
        checks_and(view, network, &checks, &[], view.kept(network), None).await.results
    };
    let row = |(name, gates): (&String, &Vec<&str>)| {
        let cannot = format!("{} {} cannot pass", if gates.len() == 1 { "gate" } else { "gates" }, list(gates));
        let address = known.get(name).cloned();
        let result = judged.iter().find(|result| result.id == *name);
        let (code, found) = match (&address, result) {
            (None, _) if network.dev_chain.is_some() => (None, "is known once the dev chain is set up".to_owned()),
            (None, _) => (None, format!("is zero, for it has no address on {}: {cannot}", network.name)),
            (Some(_), None) => (None, "was not read: no endpoint".to_owned()),
            (Some(_), Some(result)) => match result.verdict {
                Verdict::Passed | Verdict::Waived => (Some(true), "has code".to_owned()),
                Verdict::Failed => (Some(false), format!("{}: {cannot}", result.message)),
                Verdict::Unknown | Verdict::Waiting => (None, result.message.clone()),
            },
        };
        AddressRow { name: name.clone(), address, code, found }
    };
    gates.iter().map(row).collect()
}

fn without_code(row: &AddressRow) -> Option<Problem> {
    (row.code == Some(false)).then(|| Problem {
        what: format!("`{}`: {}", row.name, row.found),
        how: format!("compare the `address` of `[contract.{}]` with the deployment", row.name),
    })
}

fn warnings(context: &Context, prospect: &Prospect<'_>, survey: &Survey, tools: &[ToolRow]) -> Vec<String> {
    let mut warnings = closed_for_good(context, prospect);
    warnings.extend(fence().gap());
    let network = prospect.network;
    let away =
        |endpoint: &&chain::SurveyedEndpoint| endpoint.clock_ahead.is_some_and(|ahead| ahead.abs() > CLOCK_SLACK);
    let skewed = survey.endpoints.iter().filter(away).map(|endpoint| {
        let ahead = endpoint.clock_ahead.unwrap_or_default();
        format!("the clock of {} is {ahead:+} s from this machine's: one of the two is wrong", endpoint.report.host)
    });
    warnings.extend(skewed);
    if let Some(head) = &survey.head {
        let now = jiff::Timestamp::now().as_second();
        let ahead = i64::try_from(head.time).unwrap_or(i64::MAX).saturating_sub(now);
        if ahead > CLOCK_SLACK && network.dev_chain.is_none() {
            warnings
                .push(format!("the agreed newest block is {ahead} s in the future: this machine's clock is behind"));
        }
    }
    if network.dev_chain.is_some() {
        if survey.endpoints.is_empty() {
            warnings.push("no dev chain is kept up: `citadel run --local` starts and ends its own".to_owned());
        }
        let other = tools.iter().filter(|tool| !tool.fits && tool.wanted != "for steps");
        warnings.extend(
            other.map(|tool| format!("`{}` is not what the runbook wants; that counts off a dev chain", tool.name)),
        );
    }
    warnings
}
