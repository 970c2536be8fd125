//! The file in which a setup says what it deployed and whose signatures count: read strictly, all problems at once.
//!
//! Keys beyond `network`, `chainId`, `contracts` and `signers` are the workspace's own business.

use std::collections::BTreeMap;

use ethers::types::Address;
use ethers::utils::to_checksum;
use serde_json::{Map, Value};

use crate::runbook::{PersonKey, SignerKey};

/// What stands on a dev chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The network's name as the runbook's commands know it.
    pub network: String,
    pub chain_id: u64,
    pub contracts: BTreeMap<String, Address>,
    /// People and keys, by group.
    pub signers: BTreeMap<String, Vec<SignerKey>>,
    /// The document as it was read.
    document: Value,
}

impl Deployment {
    /// Reads a deployment of this network; the error names everything wrong with it.
    pub fn parse(text: &str, network: &str, chain_id: u64) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        Self::read(document, network, chain_id)
    }

    /// Reads a deployment from a parsed document.
    pub(super) fn read(document: Value, network: &str, chain_id: u64) -> Result<Self, String> {
        let mut problems = Vec::new();
        if document["network"].as_str() != Some(network) {
            problems.push(format!("`network` is {}, not \"{network}\"", document["network"]));
        }
        if document["chainId"].as_u64() != Some(chain_id) {
            problems.push(format!("`chainId` is {}, not {chain_id}", document["chainId"]));
        }
        let contracts = contracts(&document["contracts"], &mut problems);
        let signers = signers(&document["signers"], &mut problems);
        if problems.is_empty() {
            Ok(Self { network: network.to_owned(), chain_id, contracts, signers, document })
        } else {
            Err(problems.join("; "))
        }
    }

    /// The document as it was read.
    pub fn document(&self) -> &Value {
        &self.document
    }
}

fn contracts(value: &Value, problems: &mut Vec<String>) -> BTreeMap<String, Address> {
    let mut contracts = BTreeMap::new();
    for (name, value) in object(value, "contracts", problems) {
        match address(value) {
            Ok(address) => drop(contracts.insert(name.clone(), address)),
            Err(why) => problems.push(format!("`contracts.{name}` {why}")),
        }
    }
    if value.as_object().is_some_and(Map::is_empty) {
        problems.push("`contracts` is empty".to_owned());
    }
    contracts
}

/// An address with its EIP-55 checksum.
fn address(value: &Value) -> Result<Address, String> {
    let text = value.as_str().ok_or_else(|| format!("is {value}, not an address"))?;
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40);
    let address = digits.and_then(|digits| digits.parse::<Address>().ok());
    let address = address.ok_or_else(|| format!("is \"{text}\", not an address"))?;
    let right = to_checksum(&address, None);
    if address.is_zero() {
        Err("is the zero address".to_owned())
    } else if right == text {
        Ok(address)
    } else {
        Err(format!("is \"{text}\", whose EIP-55 spelling is \"{right}\""))
    }
}

fn signers(value: &Value, problems: &mut Vec<String>) -> BTreeMap<String, Vec<SignerKey>> {
    if value.is_null() {
        return BTreeMap::new();
    }
    let mut signers = BTreeMap::new();
    for (group, value) in object(value, "signers", problems) {
        let Some(list) = value.as_array() else {
            problems.push(format!("`signers.{group}` is not a list"));
            continue;
        };
        let keys = list.iter().enumerate().filter_map(|(place, value)| {
            signer(value).map_err(|why| problems.push(format!("`signers.{group}[{place}]` {why}"))).ok()
        });
        let keys = keys.collect();
        signers.insert(group.clone(), keys);
    }
    signers
}

fn signer(value: &Value) -> Result<SignerKey, String> {
    let who = value["who"].as_str().filter(|who| !who.trim().is_empty()).ok_or("has no `who`")?;
    let ssh = value["ssh"].as_str().ok_or("has no `ssh`")?;
    ssh_key::PublicKey::from_openssh(ssh).map_err(|error| format!("has no OpenSSH public key: {error}"))?;
    match value.as_object().and_then(|map| map.keys().find(|key| !matches!(key.as_str(), "who" | "ssh"))) {
        Some(key) => Err(format!("has an unknown key `{key}`")),
        None => Ok(SignerKey { who: who.to_owned(), key: PersonKey::Ssh(ssh.to_owned()) }),
    }
}

fn object<'a>(
    value: &'a Value,
    name: &str,
    problems: &mut Vec<String>,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    if !value.is_object() {
        problems.push(format!("`{name}` is not an object"));
    }
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJoAcSMLWrBIcqCMVbWpNmtkiMWpEH3vnpAKZqcUnVyf";
    const RIGHT: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

    fn good() -> Value {
        json!({
            "network": "anvil", "chainId": 31337, "generatedAt": "now",
            "contracts": { "SystemPause": RIGHT },
            "signers": { "governance": [{ "who": "signer-1", "ssh": KEY }] },
        })
    }

    fn check(change: impl FnOnce(&mut Value), expected: &str) {
        let mut value = good();
        change(&mut value);
        let answer = Deployment::read(value, "anvil", 31337);
        assert_eq!(answer.map(drop), Err(expected.to_owned()));
    }

    #[test]
    fn reads_what_was_deployed() {
        let deployment = Deployment::parse(&good().to_string(), "anvil", 31337).unwrap();
        assert_eq!(to_checksum(&deployment.contracts["SystemPause"], None), RIGHT);
        assert_eq!(
            deployment.signers["governance"],
            [SignerKey { who: "signer-1".into(), key: PersonKey::Ssh(KEY.into()) }]
        );
        assert_eq!(deployment.document(), &good());
    }

    #[test]
    fn refuses_what_is_not_this_chains() {
        check(|v| v["network"] = json!("mainnet"), "`network` is \"mainnet\", not \"anvil\"");
        check(|v| v["chainId"] = json!("31337"), "`chainId` is \"31337\", not 31337");
        check(|v| v["chainId"] = json!(1), "`chainId` is 1, not 31337");
    }

    #[test]
    fn refuses_bad_addresses() {
        check(|v| v["contracts"] = json!({}), "`contracts` is empty");
        check(|v| v["contracts"] = json!([]), "`contracts` is not an object");
        let lower = RIGHT.to_lowercase();
        let set = |text: &str| {
            let value = json!(text);
            move |v: &mut Value| v["contracts"]["SystemPause"] = value
        };
        check(set(&lower), &format!("`contracts.SystemPause` is \"{lower}\", whose EIP-55 spelling is \"{RIGHT}\""));
        check(set("0x12"), "`contracts.SystemPause` is \"0x12\", not an address");
        check(set(&RIGHT[2..]), &format!("`contracts.SystemPause` is \"{}\", not an address", &RIGHT[2..]));
        check(set(&format!("0x{}", "0".repeat(40))), "`contracts.SystemPause` is the zero address");
    }

    #[test]
    fn refuses_bad_signers() {
        check(|v| v["signers"]["governance"] = json!(1), "`signers.governance` is not a list");
        check(|v| v["signers"]["governance"][0]["who"] = json!(" "), "`signers.governance[0]` has no `who`");
        check(
            |v| v["signers"]["governance"][0]["role"] = json!(1),
            "`signers.governance[0]` has an unknown key `role`",
        );
        let answer = Deployment::read(
            json!({ "network": "anvil", "chainId": 31337, "contracts": { "A": RIGHT },
                    "signers": { "g": [{ "who": "a", "ssh": "ssh-ed25519 AAAA" }] } }),
            "anvil",
            31337,
        );
        assert!(answer.unwrap_err().starts_with("`signers.g[0]` has no OpenSSH public key"));
    }

    #[test]
    fn tells_every_problem_at_once() {
        let answer = Deployment::parse("{}", "anvil", 31337).unwrap_err();
        assert_eq!(
            answer,
            "`network` is null, not \"anvil\"; `chainId` is null, not 31337; `contracts` is not an object"
        );
        assert!(Deployment::parse("{", "anvil", 31337).unwrap_err().starts_with("it is not JSON"));
    }
}
