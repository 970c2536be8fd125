//! What the signatures on a gate's request add up to: who counts, who signed, and the gate's answer. Asks nobody.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::accounts::{self, Contracts};
use super::opening::Openings;
use super::world::View;
use crate::event::SignOffRequested;
use crate::journal::RunFolder;
use crate::runbook::{Phase, SignOff, SignerKey};
use crate::signoff::{self, Asked, Tally};
use crate::verdict::{CheckResult, Verdict};

/// The id and the kind of a sign-off's result.
pub(super) const ID: &str = "sign-off";

/// The sign-off of a gate that was opened before, judged again: the statement as it was signed then.
pub fn standing(
    view: &View<'_>,
    phase: &Phase,
    sign_off: &SignOff,
    results: &[CheckResult],
    contracts: &Contracts,
    now: Timestamp,
) -> CheckResult {
    let gate = view.progress.gates.get(&phase.id);
    let opened = view.progress.gate_passed(&phase.id);
    // Who counted when the gate opened is who counts; until then, whoever does now.
    let then = gate.and_then(|gate| gate.judged.as_ref()).filter(|_| opened).map(|judged| judged.results.as_slice());
    let terms = match terms(view, phase, sign_off, then.unwrap_or(results)) {
        Ok(terms) => terms,
        Err(unknown) => return *unknown,
    };
    let Some(request) = gate.and_then(|gate| gate.request.as_ref()) else {
        return waiting("nobody was asked to sign yet")
            .hint(format!("`citadel run --phase {} --network {}`", phase.id, view.world.network));
    };
    // What was complete when the gate opened does not expire afterwards.
    let now = if opened { Timestamp::UNIX_EPOCH } else { now };
    let kept = view.kept(view.network(phase));
    if let Some(problem) = sign_off.covers.iter().find_map(|name| kept.read(name).err()) {
        let again = format!("put it back, or `citadel run --phase {} --network {}`", phase.id, view.world.network);
        return CheckResult::failed(ID, ID, format!("what was signed is no longer there: {problem}")).hint(again);
    }
    result(&view.world.network, request, &tally(view, request, &terms, contracts, now))
}

/// Whose signatures count at a gate, and whose do not.
pub struct Terms {
    pub keys: Vec<SignerKey>,
    /// By person, with the reason.
    pub excluded: BTreeMap<String, String>,
}

/// The terms of a sign-off; unknown where it cannot be known who operates the run.
pub fn terms(
    view: &View<'_>,
    phase: &Phase,
    sign_off: &SignOff,
    results: &[CheckResult],
) -> Result<Terms, Box<CheckResult>> {
    let keys = accounts::keys(view, phase, sign_off, results);
    let mut excluded = BTreeMap::new();
    if sign_off.not_operator {
        let dev_chain = view.network(phase).dev_chain.is_some();
        excluded = Openings::of(view).excluded(dev_chain).map_err(|why| Box::new(unknown_operator(view, &why)))?;
        excluded.extend(accounts::excluded(view.runbook, sign_off, &keys));
    }
    Ok(Terms { keys, excluded })
}

/// What the signatures on a request add up to.
pub fn tally(
    view: &View<'_>,
    request: &SignOffRequested,
    terms: &Terms,
    contracts: &Contracts,
    now: Timestamp,
) -> Tally {
    let statement = std::fs::read(view.world.folder.file(&request.statement)).unwrap_or_default();
    let folder = view.world.folder.file(&folder_of(request));
    let asked = Asked { contracts, ..Asked::sign_off(request, &statement, &terms.excluded) };
    signoff::judge(&asked, &folder, &terms.keys, now)
}

/// Where the rule that operators do not sign for themselves means nothing, because nobody proved who operates.
fn unknown_operator(view: &View<'_>, why: &str) -> CheckResult {
    let network = &view.world.network;
    let message = format!("`not_operator` cannot be judged: {why}");
    CheckResult::unknown(ID, ID, message).expected("an opening signature by one of the network's `operators`").hint(
        format!(
            "name `operators` in `[network.{network}]` after review, then `citadel run --new --network {network}`: \
             opening a run there asks for their signature"
        ),
    )
}

/// The gate's answer.
pub(super) fn result(network: &str, request: &SignOffRequested, tally: &Tally) -> CheckResult {
    let who: Vec<&str> = tally.accepted.iter().map(|accepted| accepted.who.as_str()).collect();
    let observed = serde_json::json!({
        "accepted": tally.accepted,
        "refused": tally.refused,
        "statement_sha256": request.sha256,
        "expires": request.expires,
    });
    let expected = format!("{} of {}", request.threshold, request.signers.join(", "));
    if tally.complete() {
        let message = format!("signed by {}", who.join(", "));
        return CheckResult::passed(ID, ID, message).expected(expected).observed(observed);
    }
    let refused: Vec<String> = tally.refused.iter().map(|(file, why)| format!("`{file}`: {why}")).collect();
    let also = if refused.is_empty() { String::new() } else { format!("; refused: {}", refused.join("; ")) };
    let message = format!("{} of {} people signed{also}", tally.accepted.len(), request.threshold);
    let gate = &request.gate;
    let hint = format!(
        "`citadel sign-off show {gate} --network {network}` shows what to compare and how to sign with \
         `ssh-keygen -Y sign` or a wallet; then `citadel run --phase {gate} --network {network}`"
    );
    waiting(message).expected(expected).observed(observed).hint(hint)
}

fn waiting(message: impl Into<String>) -> CheckResult {
    CheckResult { verdict: Verdict::Waiting, ..CheckResult::unknown(ID, ID, message) }
}

pub(super) fn folder_of(request: &SignOffRequested) -> String {
    RunFolder::sign_off(&request.gate.0, &request.nonce)
}
