//! The commands that repeat what was asked, for a person with `cast` and an endpoint. Never holds a URL: the variable that has
//! one stands in its place.

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};

use super::abi::Signature;
use super::address::checksum;
use super::finding::Repeat;
use super::question::Question;
use super::text::hex;
use super::view::{Subject, View};

impl View<'_> {
    /// Repeats a call.
    pub(crate) fn cast_call(
        &self,
        from: Option<Address>,
        to: Address,
        signature: &Signature,
        arguments: &[Token],
    ) -> Repeat {
        let data = signature.encode(arguments);
        let sender = from.map(|from| format!(" --from {}", checksum(from))).unwrap_or_default();
        let what =
            if arguments.is_empty() { format!("\"{}\"", signature.full()) } else { format!("--data {}", hex(&data)) };
        let command = format!("cast call {} {what}{sender} {}", checksum(to), self.at_block());
        Repeat { question: Question::Call { from, to, value: U256::zero(), data }, command }
    }

    /// Repeats a getter, such as `owner()(address)`.
    pub(crate) fn cast_get(&self, of: &Subject, signature: &str) -> Repeat {
        let data = Signature::parse(signature).map(|signature| signature.encode(&[])).unwrap_or_default();
        let command = format!("cast call {} \"{signature}\" {}", checksum(of.address), self.at_block());
        Repeat { question: Question::Call { from: None, to: of.address, value: U256::zero(), data }, command }
    }

    /// Repeats a call with raw data.
    pub(crate) fn cast_raw(&self, from: Address, to: Address, value: U256, data: &[u8]) -> Repeat {
        let (sender, at) = (checksum(from), checksum(to));
        let paid = if value.is_zero() { String::new() } else { format!(" --value {value}") };
        let command = format!("cast call {at} --data {} --from {sender}{paid} {}", hex(data), self.at_block());
        Repeat { question: Question::Call { from: Some(from), to, value, data: data.to_vec() }, command }
    }

    /// Repeats a read of code.
    pub(crate) fn cast_code(&self, of: &Subject) -> Repeat {
        let command = format!("cast code {} {}", checksum(of.address), self.at_block());
        Repeat { question: Question::Code(of.address), command }
    }

    /// Repeats a read of a storage slot.
    pub(crate) fn cast_slot(&self, of: &Subject, slot: H256) -> Repeat {
        let command = format!("cast storage {} {slot:?} {}", checksum(of.address), self.at_block());
        Repeat { question: Question::Slot(of.address, slot), command }
    }

    /// Repeats the question for a contract's events from a block on.
    pub(crate) fn cast_logs(&self, of: &Subject, event: &str, topics: Vec<H256>, from: u64) -> Repeat {
        let to = self.block.number;
        let range = format!("--from-block {from} --to-block {to}");
        let command = format!(
            "cast logs {range} --address {} \"{event}\" --rpc-url \"${}\"",
            checksum(of.address),
            self.variable
        );
        Repeat { question: Question::Events { of: of.address, topics, from, to }, command }
    }

    /// Repeats the question for a transaction's receipt.
    pub(crate) fn cast_receipt(&self, hash: H256) -> Repeat {
        let command = format!("cast receipt {hash:?} --rpc-url \"${}\"", self.variable);
        Repeat { question: Question::Receipt(hash), command }
    }

    /// The pinned block by its hash, and the variable that holds an endpoint's URL, as a shell writes it.
    fn at_block(&self) -> String {
        format!("--block {:?} --rpc-url \"${}\"", self.block.hash, self.variable)
    }
}
