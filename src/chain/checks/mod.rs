//! The kinds of checks, one file each: a question to the chain, and a sentence with a verdict.

mod bundle_works;
mod call;
mod can_pause;
mod code;
mod executed;
mod gathered;
mod governed;
mod holders;
mod modules;
mod operation;
mod pause;
mod pending;
mod proxy;
mod reverts;
mod role;
mod rules;
mod safe;
mod safe_bundle;
mod safe_tx;
mod signers;
mod slot;
mod timelock;
mod transaction;
mod transactions;
mod unchanged_since;
mod unreached;
mod wording;

use super::board::Work;
use super::finding::{Finding, Judged};
use super::surroundings::{Surroundings, TransactionsAsk};
use super::view::View;
use crate::runbook::{Check, CheckKind};
use crate::verdict::CheckResult;

pub(crate) use modules::modules;
pub(crate) use transactions::transaction_hash;
pub(crate) use unchanged_since::compare_with_earlier;

/// Whether a check is judged here.
pub(crate) fn reads_chain(check: &Check) -> bool {
    check.kind.reads_chain()
}

/// The work of judging a check; none for those that are not judged here.
pub(crate) fn work<'a>(view: &'a View<'a>, check: &'a Check) -> Option<Work<'a, Finding>> {
    Some(match &check.kind {
        CheckKind::Pause { of, is } => boxed(pause::judge(view, of, *is)),
        CheckKind::CanPause { of, within } => boxed(can_pause::judge(view, of, *within)),
        CheckKind::Settlers { of, allowed } => boxed(unreached::judge(view, of, *allowed)),
        CheckKind::Governed { contracts, by } => boxed(governed::judge(view, contracts, by)),
        CheckKind::Code { of, hash } => boxed(code::judge(view, of, *hash)),
        CheckKind::Call { of, signature, args, from, rules } => {
            boxed(call::judge(view, call::Asked { of, signature, args, from: from.as_deref(), rules }))
        }
        CheckKind::Slot { of, slot, rules } => boxed(slot::judge(view, of, *slot, rules)),
        CheckKind::Reverts { of, signature, args, from, with } => {
            boxed(reverts::judge(view, reverts::Asked { of, signature, args, from: from.as_deref(), with }))
        }
        CheckKind::Proxy(asked) => boxed(proxy::judge(view, asked)),
        CheckKind::Role(asked) => boxed(role::judge(view, asked)),
        CheckKind::Timelock(asked) => boxed(timelock::judge(view, asked)),
        CheckKind::Operation { of, id, is } => boxed(operation::judge(view, of, id, is)),
        CheckKind::Transaction(asked) => boxed(transaction::judge(view, asked)),
        CheckKind::Safe(asked) => boxed(safe::judge(view, asked)),
        CheckKind::SafeBundle(asked) => boxed(safe_bundle::judge(view, asked)),
        CheckKind::SafeTx { of, bundle, safe, service, others } => {
            let (service, others) = (service.as_ref(), others.as_ref());
            boxed(safe_tx::judge(view, safe_tx::Asked { of, bundle, safe, service, others }))
        }
        CheckKind::UnchangedSince { .. } => boxed(async { Err(unchanged_since::placeholder()) }),
        CheckKind::Json { .. } | CheckKind::Rehearsed(_) => return None,
    })
}

/// The work of judging transactions.
pub(crate) fn transactions<'a>(view: &'a View<'a>, ask: &'a TransactionsAsk) -> Work<'a, Finding> {
    boxed(transactions::judge(view, ask))
}

fn boxed<'a>(judging: impl Future<Output = Judged> + Send + 'a) -> Work<'a, Finding> {
    Box::pin(async { judging.await.unwrap_or_else(|finding| finding) })
}

/// Results that other results are compared with, by their check.
type Results<'a> = &'a mut [CheckResult];

/// What a check is given beside the chain.
type Around<'a> = &'a dyn Surroundings;
