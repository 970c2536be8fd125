//! The Safe Transaction Service: where it tells a transaction and its rivals, and how that is fetched. Nothing that it tells
//! is believed; it is looked through for signatures, which prove themselves, and for rivals.

use std::collections::BTreeMap;

use ethers::types::{Address, H256, U256};
use serde_json::Value;
use tokio::time::Instant;

use super::address::checksum;
use super::rpc::{EndpointUrl, Poster};
use super::safe::exported::Exported;
use super::surroundings::{Limits, Surroundings};
use super::together::together;
use crate::runbook::{Check, CheckKind, Template};

/// What was fetched, by address.
pub type Fetched = BTreeMap<String, Result<Vec<u8>, String>>;

/// The address of one transaction with its confirmations.
pub(crate) fn transaction(base: &str, hash: H256) -> String {
    format!("{}/api/v2/multisig-transactions/{hash:?}/", base.trim_end_matches('/'))
}

/// The address of all transactions of a Safe at one nonce.
pub(crate) fn at_nonce(base: &str, safe: Address, nonce: U256) -> String {
    let safe = checksum(safe);
    format!("{}/api/v2/safes/{safe}/multisig-transactions/?nonce={nonce}", base.trim_end_matches('/'))
}

/// The name under which a check finds the files of a folder: their names with their texts, none where one could not be read.
pub fn files_of(folder: &str) -> String {
    format!("{folder}/*.json")
}

/// The service's address as the runbook has it.
pub(crate) fn base(service: &Template, around: &dyn Surroundings) -> Result<String, String> {
    service.render(around.scope()).map_err(|name| format!("`{name}` has no value yet"))
}

/// Fetches what the checks look for at their services. A check finds it as an artefact of that address.
pub async fn fetch(checks: &[&Check], around: &dyn Surroundings, limits: Limits) -> Fetched {
    let mut addresses = Vec::new();
    for check in checks {
        let CheckKind::SafeTx { of, service: Some(service), .. } = &check.kind else { continue };
        let exported = around.artefact(of).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let exported = exported.and_then(|value| Exported::parse(&value).ok());
        if let (Ok(base), Some(Exported { safe, transaction: tx, claimed, .. })) = (base(service, around), exported) {
            addresses.extend([transaction(&base, claimed), at_nonce(&base, safe, tx.nonce)]);
        }
    }
    let got = together(addresses.iter().map(|address| get(address, limits))).await;
    addresses.into_iter().zip(got).collect()
}

async fn get(address: &str, limits: Limits) -> Result<Vec<u8>, String> {
    let at = EndpointUrl::new("service", address)?;
    let poster = Poster::new(limits, at.is_https())?;
    poster.get(&at, Instant::now() + limits.request).await.map_err(|trouble| at.scrub(&trouble.to_string()))
}
