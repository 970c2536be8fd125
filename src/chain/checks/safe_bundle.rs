//! `safe_bundle`: whether a Safe Transaction Builder file is what it claims, touches only what it may, and would work: each
//! call, and each call inside it, is simulated as its real sender would make it.

use ethers::types::Address;
use serde_json::{Value, json};

use super::modules;
use crate::chain::address::checksum;
use crate::chain::bundle::{Bundle, Call, Transaction, forbidden, inner};
use crate::chain::finding::{Finding, Judged};
use crate::chain::revert;
use crate::chain::text::{brief, count};
use crate::chain::together::together;
use crate::chain::view::{Simulated, Subject, View, with};
use crate::runbook::ContractKind;

/// How deep calls may carry calls.
const DEEPEST: usize = 4;
/// How many problems a message tells; the observation has all.
const TOLD: usize = 3;

pub(super) async fn judge(view: &View<'_>, of: &str, safe: &str) -> Judged {
    let expected = format!("calls of declared contracts that would succeed from `{safe}`");
    let (safe, _) = view.contract(safe)?;
    let bundle = read(view, of, &safe).map_err(|finding| finding.expected(&expected))?;
    let judged = together(bundle.transactions.iter().map(|transaction| one(view, &safe, transaction))).await;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (at, (lines_of_one, problem)) in (1..).zip(judged) {
        lines.extend(lines_of_one.into_iter().map(|line| format!("{at}. {line}")));
        problems.extend(problem.map(|finding| (at, finding)));
    }
    let observed = json!({ "chain_id": bundle.chain_id, "safe": checksum(safe.address), "transactions": lines });
    let finding = match summary(of, problems) {
        None => Finding::passed(format!(
            "{} of `{of}` would succeed from {safe}",
            count(bundle.transactions.len(), "transaction")
        )),
        Some(finding) => finding,
    };
    Ok(finding.expected(expected).observed(observed))
}

/// The bundle of an artefact, fit for this chain and Safe.
pub(super) fn read(view: &View<'_>, of: &str, safe: &Subject) -> Result<Bundle, Finding> {
    let bytes = view.around.artefact(of).map_err(|reason| Finding::unknown(format!("artefact `{of}`: {reason}")))?;
    let bundle = Bundle::read(&bytes).map_err(|reason| Finding::failed(format!("`{of}`: {reason}")))?;
    let (chain, made_for) = (view.network.chain_id, bundle.chain_id);
    if made_for != chain {
        return Err(Finding::failed(format!("`{of}` is made for chain {made_for}, not {chain}")));
    }
    if bundle.transactions.is_empty() {
        return Err(Finding::failed(format!("`{of}` holds no transaction")));
    }
    match bundle.safe {
        Some(other) if other != safe.address => {
            Err(Finding::failed(format!("`{of}` was made for the Safe {}, not {safe}", view.who(other))))
        }
        _ => Ok(bundle),
    }
}

/// The worst problems in one finding: what is wrong before what is not known.
fn summary(of: &str, problems: Vec<(usize, Finding)>) -> Option<Finding> {
    let verdict = problems.iter().map(|(_, finding)| finding.verdict()).max()?;
    let worst: Vec<(usize, Finding)> =
        problems.into_iter().filter(|(_, finding)| finding.verdict() == verdict).collect();
    let told: Vec<String> =
        worst.iter().take(TOLD).map(|(at, finding)| format!("transaction {at}: {}", finding.message())).collect();
    let more = worst.len().saturating_sub(TOLD);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let (_, first) = worst.into_iter().next()?;
    Some(first.said(format!("`{of}`: {}{more}", told.join("; "))))
}

/// One transaction: its lines for a reader, and its first problem.
async fn one(view: &View<'_>, safe: &Subject, transaction: &Transaction) -> (Vec<String>, Option<Finding>) {
    let outer = Call { from: safe.address, to: transaction.to, data: transaction.data.clone() };
    let mut lines = vec![format!("{} {}", view.who(transaction.to), transaction.words)];
    let problem = match all(&outer) {
        Err(reason) => Some(Finding::failed(reason)),
        Ok(calls) => {
            lines.extend(calls.iter().skip(1).map(|(depth, call)| {
                format!(
                    "{}{} calls {} with {}",
                    "  ".repeat(*depth),
                    view.who(call.from),
                    view.who(call.to),
                    brief(&call.data)
                )
            }));
            first_problem(view, safe, &calls).await
        }
    };
    (lines, problem)
}

/// The call and everything inside it, with the depth.
fn all(outer: &Call) -> Result<Vec<(usize, Call)>, String> {
    let mut all = vec![(0, outer.clone())];
    let mut at = 0;
    while let Some((depth, call)) = all.get(at).cloned() {
        let inside = inner(&call)?;
        if !inside.is_empty() && depth == DEEPEST {
            return Err("it carries calls in calls too deep to open".to_owned());
        }
        all.extend(inside.into_iter().map(|call| (depth + 1, call)));
        at += 1;
    }
    Ok(all)
}

async fn first_problem(view: &View<'_>, safe: &Subject, calls: &[(usize, Call)]) -> Option<Finding> {
    for (_, call) in calls {
        if let Some(reason) = forbidden(&call.data) {
            return Some(Finding::failed(format!("{reason} ({})", view.who(call.to))));
        }
        if let Err(finding) = may_touch(view, safe, call.to).await {
            return Some(finding);
        }
    }
    let simulated = together(calls.iter().map(|(_, call)| works(view, call))).await;
    simulated.into_iter().find_map(Result::err)
}

/// Only declared contracts and the modules of a declared `SystemPause` may be called, and never the Safe itself.
async fn may_touch(view: &View<'_>, safe: &Subject, to: Address) -> Result<(), Finding> {
    if to == safe.address {
        return Err(Finding::failed(format!("it calls the Safe itself, {safe}")));
    }
    let contracts = view.around.contracts();
    if contracts.iter().any(|known| known.address == to) {
        return Ok(());
    }
    for known in contracts.iter().filter(|known| known.kind == ContractKind::SystemPause) {
        let (pause, _) = view.contract(&known.name)?;
        if modules(view, &pause).await?.iter().any(|module| module.address == to) {
            return Ok(());
        }
    }
    Err(Finding::failed(format!("it calls {}, which the runbook does not declare", checksum(to))))
}

/// Whether a call would succeed at the pinned block.
async fn works(view: &View<'_>, call: &Call) -> Result<(), Finding> {
    let name = view.around.contracts().into_iter().find(|known| known.address == call.to).map(|known| known.name);
    let subject = Subject { name: name.unwrap_or_else(|| "module".to_owned()), address: call.to };
    let asked = || view.cast_raw(call.from, call.to, &call.data);
    match view
        .simulate(Some(call.from), &subject, call.data.clone())
        .await
        .map_err(|finding| finding.or_asked(asked()))?
    {
        Simulated::Returned(_) => Ok(()),
        Simulated::Reverted(data) => {
            let reason = with(&revert::reason(data.as_deref()));
            let selector = brief(call.data.get(..4).unwrap_or_default());
            let message = format!("the call {selector} of {subject} from {} reverts {reason}", view.who(call.from));
            Err(Finding::failed(message).asked(asked()))
        }
    }
}

/// The lines of the bundle, for a reader of another check.
pub(super) fn words(view: &View<'_>, bundle: &Bundle) -> Value {
    bundle
        .transactions
        .iter()
        .map(|transaction| json!(format!("{} {}", view.who(transaction.to), transaction.words)))
        .collect()
}
