//! `safe_bundle`: whether a Safe Transaction Builder file is what it claims, touches only what it may, and would work: each
//! call, and each call inside it, is simulated as its real sender would make it.

use std::collections::BTreeMap;

use ethers::types::U256;
use serde_json::{Value, json};

use super::bundle_works::{Works, works};
use super::modules;
use super::wording::Wording;
use crate::chain::abi::Signature;
use crate::chain::address::checksum;
use crate::chain::bundle::{Bundle, Call, Transaction, cast_decode, forbidden, inner, wrapper};
use crate::chain::finding::{Finding, Judged};
use crate::chain::safe::multisend::MULTI_SEND as PACKED;
use crate::chain::safe::release;
use crate::chain::text::count;
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::{ContractKind, SafeBundle};

/// The runbook's name of the contract that several calls go through.
pub(super) const MULTI_SEND: &str = "multi_send";

/// How deep calls may carry calls.
const DEEPEST: usize = 4;
/// How many problems a message tells; the observation has all.
const TOLD: usize = 3;
/// Longer commands fit no shell.
const LONGEST: usize = 100_000;

pub(super) async fn judge(view: &View<'_>, asked: &SafeBundle) -> Judged {
    let SafeBundle { of, safe, .. } = asked;
    let expected = format!("calls of declared contracts that would succeed from `{safe}`");
    let (safe, _) = view.contract(safe)?;
    let bundle = read(view, of, &safe).map_err(|finding| finding.expected(&expected))?;
    let judging = Judging { view, safe: &safe, asked, wording: Wording::new(&asked.functions, &bundle) };
    let alone = bundle.transactions.len() == 1;
    let judged = together(bundle.transactions.iter().map(|transaction| judging.one(transaction, alone))).await;
    let (mut lines, mut problems, mut sound) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (at, (lines_of_one, calls)) in (1..).zip(judged) {
        lines.extend(lines_of_one.into_iter().map(|line| format!("{at}. {line}")));
        match calls {
            Ok(calls) => sound.push((at, calls)),
            Err(finding) => drop(problems.insert(at, finding)),
        }
    }
    let Works { how, problems: more } = works(view, &sound).await;
    problems.extend(more);
    let told: Vec<String> = problems.iter().map(|(at, finding)| format!("{at}. {}", finding.message())).collect();
    let mut observed = json!({
        "chain_id": bundle.chain_id,
        "safe": checksum(safe.address),
        "transactions": lines,
        "simulated": how.word(),
    });
    if !told.is_empty() {
        observed["problems"] = json!(told);
    }
    let finding = match summary(of, problems) {
        None => Finding::passed(format!(
            "{} of `{of}` would succeed from {safe}{}",
            count(bundle.transactions.len(), "transaction"),
            how.words()
        )),
        Some(finding) => finding,
    };
    Ok(finding.expected(expected).observed(observed))
}

/// The bundle of an artefact, fit for this chain and Safe.
pub(super) fn read(view: &View<'_>, of: &str, safe: &Subject) -> Result<Bundle, Finding> {
    let bytes = view.around.artefact(of).map_err(|reason| Finding::unknown(format!("artefact `{of}`: {reason}")))?;
    let bundle = Bundle::read(&bytes).map_err(|refused| {
        let command = refused.command.filter(|command| command.len() < LONGEST);
        Finding::failed(format!("`{of}`: {}", refused.reason)).repeated(command)
    })?;
    let (chain, made_for) = (view.network.chain_id, bundle.chain_id);
    if made_for != chain {
        return Err(Finding::failed(format!("`{of}` is made for chain {made_for}, not {chain}")));
    }
    if bundle.transactions.is_empty() {
        let message =
            format!("`{of}` holds no transaction: whoever signs it changes nothing, and {safe} stays as it is");
        return Err(Finding::failed(message).asked(view.cast_get(safe, "nonce()(uint256)")));
    }
    match bundle.safe {
        Some(other) if other != safe.address => {
            Err(Finding::failed(format!("`{of}` was made for the Safe {}, not {safe}", view.who(other))))
        }
        _ => Ok(bundle),
    }
}

/// The declared `MultiSendCallOnly`, which must have released code: a Safe gives its whole self to what it delegates to.
pub(super) async fn multi_send(view: &View<'_>) -> Result<Subject, Finding> {
    let (subject, _) = view.contract(MULTI_SEND)?;
    let code = view.code(&subject).await?;
    match release::multi_send(&code) {
        Some(_) => Ok(subject),
        None => {
            Err(Finding::failed(format!("{subject} is no released `MultiSendCallOnly`"))
                .asked(view.cast_code(&subject)))
        }
    }
}

/// The worst problems in one finding: what is wrong before what is not known.
fn summary(of: &str, problems: BTreeMap<usize, Finding>) -> Option<Finding> {
    let verdict = problems.values().map(Finding::verdict).max()?;
    let worst: Vec<(usize, Finding)> =
        problems.into_iter().filter(|(_, finding)| finding.verdict() == verdict).collect();
    let told: Vec<String> =
        worst.iter().take(TOLD).map(|(at, finding)| format!("transaction {at}: {}", finding.message())).collect();
    let more = worst.len().saturating_sub(TOLD);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let (_, first) = worst.into_iter().next()?;
    Some(first.said(format!("`{of}`: {}{more}", told.join("; "))))
}

/// What every transaction of a bundle is held against.
struct Judging<'a> {
    view: &'a View<'a>,
    safe: &'a Subject,
    asked: &'a SafeBundle,
    wording: Wording,
}

impl Judging<'_> {
    /// One transaction: its lines for a reader, and every call in it, or why it must not be made.
    async fn one(&self, transaction: &Transaction, alone: bool) -> (Vec<String>, Result<Vec<Call>, Finding>) {
        let Transaction { to, value, data, operation, words, .. } = transaction;
        let outer =
            Call { from: self.safe.address, to: *to, value: *value, data: data.clone(), delegate: *operation == 1 };
        let how = if outer.delegate { "delegates to " } else { "" };
        let mut lines = vec![format!("{how}{} {words}{}", self.view.who(*to), paid(*value))];
        let calls = match all(&outer) {
            Err(reason) => {
                let show = wrapper(data).map(|signature| cast_decode(signature, data));
                Err(Finding::failed(reason).repeated(show.filter(|command| command.len() < LONGEST)))
            }
            Ok(calls) => {
                lines.extend(calls.iter().skip(1).map(|(depth, call)| self.line(*depth, call)));
                self.may_all_be_made(calls, alone).await
            }
        };
        (lines, calls)
    }

    fn line(&self, depth: usize, call: &Call) -> String {
        let (from, to) = (self.view.who(call.from), self.view.who(call.to));
        format!("{}{from} calls {to} {}{}", "  ".repeat(depth), self.wording.of(&call.data), paid(call.value))
    }

    async fn may_all_be_made(&self, calls: Vec<(usize, Call)>, alone: bool) -> Result<Vec<Call>, Finding> {
        for (_, call) in &calls {
            self.may_be_made(call, alone).await?;
        }
        Ok(calls.into_iter().map(|(_, call)| call).collect())
    }

    async fn may_be_made(&self, call: &Call, alone: bool) -> Result<(), Finding> {
        if call.delegate {
            self.may_delegate(call, alone).await?;
        }
        if let Some(found) = forbidden(&call.data).filter(|_| !self.is_allowed(&call.data)) {
            let finding = Finding::failed(format!("{} ({})", found.reason, self.view.who(call.to)));
            let finding = finding.repeated(found.declare.map(|signature| cast_decode(signature, &call.data)));
            return Err(match found.declare {
                Some(signature) => finding.hint(format!(
                    "do not sign; where it is meant, declare `allow = [\"{signature}\"]` in the reviewed runbook"
                )),
                None => finding,
            });
        }
        let most = self.asked.value.as_ref().and_then(|most| U256::from_dec_str(most).ok()).unwrap_or_default();
        if call.value > most {
            let limit =
                if most.is_zero() { "none is declared".to_owned() } else { format!("declared are at most {most}") };
            let message = format!("it sends {} wei to {}; {limit}", call.value, self.view.who(call.to));
            return Err(Finding::failed(message));
        }
        self.may_touch(call).await
    }

    fn is_allowed(&self, data: &[u8]) -> bool {
        let declared = self.asked.allow.iter().filter_map(|text| Signature::parse(text).ok());
        forbidden(data).is_some_and(|found| found.declare.is_some())
            && declared.into_iter().any(|signature| data.starts_with(&signature.selector()))
    }

    /// Only the declared and released `MultiSendCallOnly`, alone: whatever else is delegated to acts as the Safe itself.
    async fn may_delegate(&self, call: &Call, alone: bool) -> Result<(), Finding> {
        let multi_send = multi_send(self.view).await?;
        if call.to != multi_send.address {
            let message = format!(
                "it is a delegatecall of {}, whose code would act as the Safe itself; only {multi_send} may",
                self.view.who(call.to)
            );
            return Err(Finding::failed(message));
        }
        if wrapper(&call.data) != Some(PACKED) {
            return Err(Finding::failed(format!("it is a delegatecall of {multi_send} that is no `multiSend`")));
        }
        if alone {
            Ok(())
        } else {
            Err(Finding::failed("it is a delegatecall beside other transactions: a nested one"))
        }
    }

    /// Only declared contracts and the modules of a declared `SystemPause` may be called, and never the Safe itself unless
    /// that is declared.
    async fn may_touch(&self, call: &Call) -> Result<(), Finding> {
        let (view, to) = (self.view, call.to);
        if to == self.safe.address {
            let calls_itself = || Finding::failed(format!("it calls the Safe itself, {}", self.safe));
            return self.is_allowed(&call.data).then_some(()).ok_or_else(calls_itself);
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
}

fn paid(value: U256) -> String {
    if value.is_zero() { String::new() } else { format!(" with {value} wei") }
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

/// The lines of the bundle, for a reader of another check.
pub(super) fn words(view: &View<'_>, bundle: &Bundle) -> Value {
    bundle
        .transactions
        .iter()
        .map(|transaction| json!(format!("{} {}", view.who(transaction.to), transaction.words)))
        .collect()
}
