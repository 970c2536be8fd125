//! What the names of a runbook stand for in one run: values in templates, addresses, people's keys. Pure, so that an
//! audit of the run finds the same.

use std::collections::BTreeMap;

use ethers::types::Address;

use crate::event::Deployment;
use crate::runbook::{Contract, ContractAddress, Network, PerNetwork, PersonKey, Runbook, Scope, SignOff, SignerKey};

/// The values that are the run's own.
#[derive(Debug, Clone, Copy)]
pub struct OfRun<'a> {
    pub run: &'a str,
    pub reports: &'a str,
    pub workspace: &'a str,
}

/// What the names in templates stand for on `network`.
pub fn scope(runbook: &Runbook, network: &Network, of_run: OfRun<'_>, deployment: Option<&Deployment>) -> Scope {
    let mut values = BTreeMap::from([
        ("network".to_owned(), network.name.clone()),
        ("net".to_owned(), network.passed_as.clone()),
        ("chain_id".to_owned(), network.chain_id.to_string()),
        ("run".to_owned(), of_run.run.to_owned()),
        ("reports".to_owned(), of_run.reports.to_owned()),
        ("workspace".to_owned(), of_run.workspace.to_owned()),
    ]);
    for contract in runbook.contracts.values() {
        if let Some(address) = address(contract, network, deployment) {
            values.insert(format!("contract.{}", contract.name), ethers::utils::to_checksum(&address, None));
        }
    }
    for (name, value) in &runbook.vars {
        let value = match value {
            PerNetwork::Everywhere(value) => Some(value),
            PerNetwork::Each(each) => each.get(&network.name),
        };
        if let Some(value) = value {
            values.insert(format!("var.{name}"), value.clone());
        }
    }
    Scope { values }
}

/// Where a contract is on `network`, if that is known yet.
pub fn address(contract: &Contract, network: &Network, deployment: Option<&Deployment>) -> Option<Address> {
    match contract.address.get(&network.name)? {
        ContractAddress::Fixed(address) => Some(*address),
        ContractAddress::DevChain(name) => deployment?.contracts.get(name)?.parse().ok(),
    }
}

/// The declared keys of a sign-off's people; on a dev chain those that its setup made.
pub fn signers(
    runbook: &Runbook,
    network: &Network,
    sign_off: &SignOff,
    deployment: Option<&Deployment>,
) -> Vec<SignerKey> {
    let Some(group) = runbook.signers.get(&sign_off.signers) else { return Vec::new() };
    match (&group.dev_chain, deployment) {
        (Some(name), Some(deployment)) if network.dev_chain.is_some() => {
            let keys = deployment.signers.get(name).into_iter().flatten();
            keys.map(|key| SignerKey { who: key.who.clone(), key: PersonKey::Ssh(key.ssh.clone()) }).collect()
        }
        _ => group.keys.clone(),
    }
}

/// Every declared key of a person, in whatever group.
pub fn keys_of(runbook: &Runbook, who: &str) -> Vec<SignerKey> {
    let keys = runbook.signers.values().flat_map(|group| &group.keys);
    keys.filter(|key| key.who == who).cloned().collect()
}
