//! What a person is told of a check that did not pass: who said what to the question that decided, and what to do now.

use serde_json::Value;

use super::question::Question;
use super::reading::{EndpointReport, PinnedBlock, ReadRecord};
use super::text::tame;
use super::value::duration;
use crate::runbook::{CheckKind, Network, PauseState, Proxy, Role, Safe, SafeBundle, Timelock, TransactionCheck};
use crate::verdict::{CheckResult, Said, Verdict};

/// Answers longer than this are cut; the gate's record has them whole.
const LONGEST: usize = 140;

/// What every endpoint said to `question`, by host.
pub(super) fn said(
    question: &Question,
    block: PinnedBlock,
    reads: &[ReadRecord],
    endpoints: &[EndpointReport],
) -> Vec<Said> {
    let request = question.request(block.hash);
    let Some(read) = reads.iter().find(|read| read.method == request.method && read.params == request.params) else {
        return Vec::new();
    };
    let host = |variable: &String| {
        let report = endpoints.iter().find(|report| report.variable == *variable);
        report.map_or_else(|| variable.clone(), |report| report.host.clone())
    };
    let told = read.said.iter().flat_map(|raw| {
        let answer =
            question.read_kept(&raw.said).map_or_else(|reason| tame(&reason), |answer| short(&answer.to_string()));
        raw.by.iter().map(move |variable| Said { endpoint: host(variable), answer: answer.clone() })
    });
    told.collect()
}

/// Why each endpoint was not counted, where nothing was read.
pub(super) fn refused(endpoints: &[EndpointReport]) -> Vec<Said> {
    let of = |report: &EndpointReport| {
        let EndpointReport { variable, host, trouble, .. } = report;
        let endpoint = if host.is_empty() { variable } else { host };
        Some(Said { endpoint: endpoint.clone(), answer: trouble.clone()? })
    };
    endpoints.iter().filter_map(of).collect()
}

fn short(answer: &str) -> String {
    match answer {
        "0x" => "0x (nothing)".to_owned(),
        _ if answer.chars().count() <= LONGEST => answer.to_owned(),
        _ => {
            let start: String = answer.chars().take(LONGEST - 40).collect();
            format!("{start}… ({} characters)", answer.chars().count())
        }
    }
}

/// What to do, where the check itself did not say.
pub(super) fn advise(result: &mut CheckResult, network: &Network) {
    if result.verdict == Verdict::Passed || result.hint.is_some() {
        return;
    }
    let name = &network.name;
    result.hint = Some(match result.verdict {
        Verdict::Failed => format!("{}, then `citadel gate verify --network {name}`", mend(&result.kind)),
        _ => format!("`citadel doctor --network {name}` shows what is wrong with which endpoint"),
    });
}

/// What would have passed, where the check itself did not come so far as to say it.
pub(super) fn expected(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Pause { of, is: PauseState::Running } => format!("eight modules of `{of}`, none paused"),
        CheckKind::Pause { of, is: PauseState::Paused } => format!("eight modules of `{of}`, all paused"),
        CheckKind::CanPause { of, within } => {
            format!("all modules of `{of}` can be paused within {}", duration(*within))
        }
        CheckKind::Settlers { of, allowed } => {
            format!("every declared settler of `{of}` is {}", if *allowed { "allowed" } else { "off" })
        }
        CheckKind::Governed { contracts, by } => format!("`{}` governed by `{by}`", contracts.join("`, `")),
        CheckKind::Code { of, .. } => format!("the code of `{of}`"),
        CheckKind::Call { of, signature, rules, .. } => {
            let rules = rules.iter().filter_map(|rule| serde_json::to_value(rule).ok()).map(plain);
            let rules = rules.map(|rule| rule.to_string()).collect::<Vec<_>>().join(" and ");
            format!("`{signature}` of `{of}` answers, and the answer holds {rules}")
        }
        CheckKind::Slot { of, slot, .. } => format!("slot {slot:?} of `{of}` holds what the rules say"),
        CheckKind::Reverts { of, signature, with, .. } => format!("`{signature}` of `{of}` reverts with {with}"),
        CheckKind::Proxy(Proxy { of, .. }) => format!("`{of}` delegates to the declared implementation"),
        CheckKind::Role(Role { of, role, .. }) => format!("{role} of `{of}` is held as declared"),
        CheckKind::Timelock(Timelock { of, .. }) => {
            format!("`{of}` is a timelock with enough delay, its own administrator")
        }
        CheckKind::Operation { of, .. } => format!("the operation of `{of}` is in a declared state"),
        CheckKind::Transaction(TransactionCheck { of, .. }) => format!("the transactions in `{of}` succeeded"),
        CheckKind::Safe(Safe { of, .. }) => format!("`{of}` is a released Safe with the declared configuration"),
        CheckKind::SafeBundle(SafeBundle { of, safe, .. }) => {
            format!("`{of}` holds calls of declared contracts that would succeed from `{safe}`")
        }
        CheckKind::SafeTx { of, bundle, safe, .. } => {
            format!("`{of}` is `{bundle}`, signed by enough owners of `{safe}`")
        }
        CheckKind::UnchangedSince { gate, check } => format!("`{check}` as it was at gate {gate}"),
        CheckKind::Json { .. } | CheckKind::Rehearsed(_) => String::new(),
    }
}

/// A rule as the runbook writes it: an operand is its value, whatever kind of operand it is.
fn plain(rule: Value) -> Value {
    const OPERANDS: [&str; 4] = ["literal", "from", "observed", "text"];
    match rule {
        Value::Object(object) if object.len() == 1 && OPERANDS.iter().any(|kind| object.contains_key(*kind)) => {
            object.into_iter().next().map(|(_, operand)| plain(operand)).unwrap_or_default()
        }
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

/// What mends a check of this kind.
fn mend(kind: &str) -> &'static str {
    match kind {
        "pause" => "find out who changed the pause state and why, and have the governance put it right",
        "can_pause" => "without this the brake does not work: mend the wiring or the delay before anything else",
        "governed" => "treat it as an incident until you know who changed it; have the governance take it back",
        "code" => "compare the address in the runbook with the deployment; other code is an incident until explained",
        "timelock" => "find out who changed the timelock; its delay and roles change only through itself",
        "safe" => "find out which Safe transaction changed its configuration; have its owners put it right",
        "proxy" => "find out who exchanged the implementation; treat it as an incident until you know",
        "role" => "find out who was given or lost the role, and have its administrator put it right",
        "operation" => "look at the timelock's events for the operation; wait, or schedule it again",
        "safe_bundle" => "do not sign: mend what made the bundle, and run the step that emits it again",
        "safe_tx" => "collect the signatures that are missing, or export the Safe transaction again",
        "transactions" => "look at the transaction; run the step that sends it again only if it did not happen",
        _ => "compare the value with what the runbook expects, mend the cause",
    }
}
