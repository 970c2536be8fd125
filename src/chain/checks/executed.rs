//! Whether a Safe transaction whose nonce is past was executed with success: the Safe itself must have said so, about this
//! very hash, in a block that still stands.

use ethers::types::H256;
use ethers::utils::keccak256;

use super::transactions::{EXECUTION_FAILURE, EXECUTION_SUCCESS};
use crate::chain::finding::{Finding, Judged};
use crate::chain::question::{Answer, Question};
use crate::chain::view::{Subject, View};

/// `moved` is the sentence that says that the nonce is past; `told` is the transaction that is said to have executed it.
pub(super) async fn executed(view: &View<'_>, safe: &Subject, hash: H256, told: Option<H256>, moved: &str) -> Judged {
    let Some(told) = told else {
        return Err(Finding::failed(format!(
            "{moved}: already executed or replaced, and nothing says by which transaction"
        ))
        .hint("export it again with its `transactionHash`; if another took its nonce, find out who signed that"));
    };
    let mined = match view.one(Question::Receipt(told)).await {
        Answer::Receipt(Some(mined)) => mined,
        Answer::Receipt(None) => {
            let message =
                format!("{moved}, and transaction {told:?}, which is said to have executed it, is not on this chain");
            return Err(Finding::failed(message).asked(view.cast_receipt(told)));
        }
        other => {
            let message = format!("{moved}, and the receipt of {told:?} could not be read: {other}");
            return Err(Finding::unknown(message).asked(view.cast_receipt(told)));
        }
    };
    let number = mined.block_number;
    let stands = view.one(Question::BlockHash(number)).await == Answer::BlockHash(Some(mined.block_hash));
    if !stands || number > view.block.number {
        let message =
            format!("{moved}, and block {number} of transaction {told:?} does not stand at the block that is read");
        return Err(Finding::unknown(message).asked(view.cast_receipt(told)));
    }
    let said = |event: &str| {
        let topic = Some(H256(keccak256(event)));
        mined.logs.iter().any(|log| log.by == safe.address && log.topic == topic && log.first == Some(hash))
    };
    let finding = if mined.succeeded && said(EXECUTION_SUCCESS) {
        Finding::passed(format!("{moved}: executed with success in {told:?}, block {number}"))
    } else if said(EXECUTION_FAILURE) {
        Finding::failed(format!("{moved}: executed in {told:?}, where what it carries failed (`ExecutionFailure`)"))
    } else {
        let message = format!("{moved}, and {safe} does not say that {told:?} executed it: another took its nonce");
        Finding::failed(message).hint("treat it as an incident until you know who signed the one that was executed")
    };
    Ok(finding.asked(view.cast_receipt(told)))
}
