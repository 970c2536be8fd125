//! Ownership in two steps, roles, proxies and refusals as `OpenZeppelin` makes them, each changed by the contract's own functions.

use citadel::chain::checksum;
use citadel::runbook::{CheckKind, ContractKind, Proxy, ProxyKind, Role};
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::Token;
use ethers::types::{Address, H256};
use ethers::utils::keccak256;
use serde_json::json;

use crate::bytecode::calldata;
use crate::compiled::compiled;
use crate::contracts::creation;
use crate::kinds::Place;
use crate::world::says;

const OPENZEPPELIN: &str = "@openzeppelin/contracts/build/contracts";

fn account(address: Address) -> [Token; 1] {
    [Token::Address(address)]
}

impl Place {
    async fn compiled(&mut self, name: &str, kind: ContractKind, of: &str, arguments: &[Token]) -> Address {
        let address = self.deploy(&compiled(of), arguments).await;
        self.name(name, kind, address);
        address
    }

    async fn sends(&self, from: usize, to: Address, function: &str, arguments: &[Token]) -> serde_json::Value {
        let receipt = self.anvil.send(self.accounts[from], Some(to), &calldata(function, arguments)).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }
}

#[tokio::test]
async fn ownership_is_handed_over_in_two_steps() {
    let mut place = Place::new().await;
    // Somebody with code governs, as a timelock does.
    let governor = place.deploy(&compiled("Switch"), &[]).await;
    place.name("governor", ContractKind::Plain, governor);
    let registry =
        place.compiled("registry", ContractKind::Ownable2Step, "Registry", &account(place.accounts[1])).await;
    let governed = || CheckKind::Governed { contracts: vec!["registry".to_owned()], by: "governor".to_owned() };
    let (owner, stranger) = (checksum(place.accounts[1]), checksum(place.accounts[9]));
    says(&place.one(governed()).await, Failed, &["`owner()` of", "(`registry`) is", &owner, "not", "(`governor`)"]);
    // A transfer that nobody accepts leaves the old owner, as a deployment that was not finished does.
    place.sends(1, registry, "transferOwnership(address)", &account(governor)).await;
    says(&place.one(governed()).await, Failed, &["`owner()` of", &owner, "ownership of", "is being handed to"]);
    place.anvil.rpc("anvil_impersonateAccount", json!([governor])).await;
    place.anvil.rpc("anvil_setBalance", json!([governor, "0xde0b6b3a7640000"])).await;
    place.anvil.send(governor, Some(registry), &calldata("acceptOwnership()", &[])).await;
    says(&place.one(governed()).await, Passed, &["(`governor`) governs `registry`"]);
    place
        .anvil
        .send(governor, Some(registry), &calldata("transferOwnership(address)", &account(place.accounts[9])))
        .await;
    let pending = place.one(governed()).await;
    says(&pending, Failed, &["ownership of", "(`registry`) is being handed to", &stranger]);
    assert!(pending.reproduce.unwrap().contains("pendingOwner()(address)"));
    place.sends(9, registry, "acceptOwnership()", &[]).await;
    says(&place.one(governed()).await, Failed, &["`owner()` of", &stranger]);
}

#[tokio::test]
async fn roles_that_are_listed_and_roles_that_are_not() {
    let mut place = Place::new().await;
    for (name, index) in [("admin", 1), ("ann", 2), ("bob", 3)] {
        place.name(name, ContractKind::Plain, place.accounts[index]);
    }
    let admin = account(place.accounts[1]);
    let listed = place.compiled("listed", ContractKind::Plain, "Listed", &admin).await;
    let unlisted = place.compiled("unlisted", ContractKind::Plain, "Unlisted", &admin).await;
    let role = || Token::FixedBytes(keccak256("PAUSER_ROLE").to_vec());
    let members = |of: &str, names: &[&str]| {
        let members = Some(names.iter().map(|name| (*name).to_owned()).collect());
        CheckKind::Role(Role { of: of.to_owned(), role: "PAUSER_ROLE".to_owned(), members, ..Role::default() })
    };
    for contract in [listed, unlisted] {
        place.sends(1, contract, "grantRole(bytes32,address)", &[role(), Token::Address(place.accounts[2])]).await;
    }
    says(&place.one(members("listed", &["ann"])).await, Passed, &["PAUSER_ROLE of", "by 1 account"]);
    says(&place.one(members("unlisted", &["ann"])).await, Unknown, &["absence of others is not proven"]);
    place.sends(1, listed, "grantRole(bytes32,address)", &[role(), Token::Address(place.accounts[3])]).await;
    says(&place.one(members("listed", &["ann"])).await, Failed, &["`bob`", "holds it too"]);
    place.sends(1, listed, "revokeRole(bytes32,address)", &[role(), Token::Address(place.accounts[2])]).await;
    says(&place.one(members("listed", &["ann", "bob"])).await, Failed, &["`ann`", "does not hold it"]);
    says(&place.one(members("listed", &["bob"])).await, Passed, &[]);
}

fn proxy(kind: ProxyKind, implementation: &str) -> CheckKind {
    let implementation = Some(implementation.to_owned());
    CheckKind::Proxy(Proxy { of: "proxy".into(), kind, implementation, admin: None, beacon: None, hash: None })
}

#[tokio::test]
async fn implementations_are_exchanged_as_their_owners_would() {
    let mut place = Place::new().await;
    let logic = place.compiled("logic", ContractKind::Plain, "Logic", &[]).await;
    let other = place.compiled("other", ContractKind::Plain, "OtherLogic", &[]).await;
    let begin = || Token::Bytes(calldata("version()", &[]));
    let code = creation(&format!("{OPENZEPPELIN}/ERC1967Proxy.json"));
    let uups = place.deploy(&code, &[Token::Address(logic), begin()]).await;
    place.name("proxy", ContractKind::Plain, uups);
    says(&place.one(proxy(ProxyKind::Uups, "logic")).await, Passed, &["delegates to", "`logic`"]);
    place.sends(9, uups, "upgradeToAndCall(address,bytes)", &[Token::Address(other), begin()]).await;
    let changed = place.one(proxy(ProxyKind::Uups, "logic")).await;
    says(&changed, Failed, &["its implementation is", &checksum(other), "(`other`)"]);
    assert!(changed.reproduce.unwrap().contains("cast storage"));

    let beacon = creation(&format!("{OPENZEPPELIN}/UpgradeableBeacon.json"));
    let beacon = place.deploy(&beacon, &[Token::Address(logic), Token::Address(place.accounts[1])]).await;
    let code = creation(&format!("{OPENZEPPELIN}/BeaconProxy.json"));
    let address = place.deploy(&code, &[Token::Address(beacon), begin()]).await;
    place.world.contracts.retain(|known| known.name != "proxy");
    place.name("proxy", ContractKind::Plain, address);
    says(&place.one(proxy(ProxyKind::Beacon, "logic")).await, Passed, &["`logic`"]);
    place.sends(1, beacon, "upgradeTo(address)", &account(other)).await;
    says(&place.one(proxy(ProxyKind::Beacon, "logic")).await, Failed, &["its implementation is", "(`other`)"]);

    let cloner = place.deploy(&compiled("Cloner"), &[]).await;
    let receipt = place.sends(0, cloner, "clone(address)", &account(logic)).await;
    let clone: H256 = serde_json::from_value(receipt["logs"][0]["topics"][1].clone()).unwrap();
    place.world.contracts.retain(|known| known.name != "proxy");
    place.name("proxy", ContractKind::Plain, clone.into());
    says(&place.one(proxy(ProxyKind::Minimal, "logic")).await, Passed, &["`logic`"]);
    says(&place.one(proxy(ProxyKind::Minimal, "other")).await, Failed, &["its implementation is", "(`logic`)"]);
}
