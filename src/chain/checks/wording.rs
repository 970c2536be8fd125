//! Calldata in words, by the functions that the runbook declares, that the bundle itself names, and that citadel knows.
//! What none of them decodes is told as such, with its bytes.

use crate::chain::abi::{Signature, strict};
use crate::chain::bundle::{Bundle, known, words, wrapper};
use crate::chain::text::brief;

/// Every function by which calls can be put into words.
pub(super) struct Wording(Vec<Signature>);

impl Wording {
    /// Declared functions come first: they are reviewed.
    pub(super) fn new(declared: &[String], bundle: &Bundle) -> Self {
        let named = bundle.transactions.iter().filter_map(|transaction| transaction.signature.clone());
        Self(declared.iter().filter_map(|text| Signature::parse(text).ok()).chain(named).collect())
    }

    /// A call's data in words.
    pub(super) fn of(&self, data: &[u8]) -> String {
        let own = [wrapper(data), known(data)].into_iter().flatten().filter_map(|text| Signature::parse(text).ok());
        let all = self.0.iter().cloned().chain(own);
        let decoded = all.into_iter().find_map(|signature| {
            let arguments = data.strip_prefix(&signature.selector())?;
            Some(words(&signature.name, &strict(&signature.inputs, arguments).ok()?))
        });
        decoded.unwrap_or_else(|| format!("with {}, which no declared function puts into words", brief(data)))
    }
}
