//! `timelock`: delay, proposer and administration of an `OpenZeppelin`'s `TimelockController`, version 4 or 5.

use std::time::Duration;

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use serde_json::json;

use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::together;
use crate::chain::value::{delay, duration};
use crate::chain::view::{Subject, View};

/// The administrator of all roles is this one in version 5 (`DEFAULT_ADMIN_ROLE`).
const DEFAULT_ADMIN: H256 = H256::zero();

pub(super) async fn judge(view: &View<'_>, of: &str, min_delay: Option<Duration>, proposer: Option<&str>) -> Judged {
    let (timelock, _) = view.contract(of)?;
    let proposer = proposer.map(|name| view.contract(name)).transpose()?.map(|(proposer, _)| proposer);
    let wait = view.number_of(&timelock, "getMinDelay").await?;
    let admin_role = admin_role(view, &timelock).await?;
    let who = proposer.as_ref().map_or(Address::zero(), |proposer| proposer.address);
    let (executor, canceller) = (role("EXECUTOR_ROLE"), role("CANCELLER_ROLE"));
    let asked = [
        (admin_role, timelock.address),
        (role("PROPOSER_ROLE"), Address::zero()),
        (executor, Address::zero()),
        (role("PROPOSER_ROLE"), who),
        (canceller, who),
    ];
    let held: Vec<bool> = together(asked.map(|(role, account)| has_role(view, &timelock, role, account)))
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let strangers = administrators(view, &timelock, admin_role).await?;
    let mut problems = Vec::new();
    if let Some(least) = min_delay.filter(|least| wait < U256::from(least.as_secs())) {
        problems.push(format!("its delay is {}, less than {}", delay(wait), duration(least)));
    }
    if !held[0] {
        problems.push("it does not administer its own roles".to_owned());
    }
    if held[1] {
        problems.push("anyone may propose".to_owned());
    }
    if let Some(proposer) = &proposer {
        let lacks = [(held[3], "propose"), (held[4], "cancel")].into_iter().filter(|(held, _)| !held);
        problems.extend(lacks.map(|(_, what)| format!("{proposer} may not {what}")));
    }
    problems.extend(strangers.iter().map(|who| format!("{who} administers its roles")));
    let observed = json!({
        "delay": wait.to_string(),
        "proposer": proposer.as_ref().map(|proposer| checksum(proposer.address)),
        "open_execution": held[2],
        "self_administered": held[0],
    });
    let least =
        min_delay.map_or_else(|| "any delay".to_owned(), |least| format!("a delay of at least {}", duration(least)));
    let finding = if problems.is_empty() {
        let words = "and only it administers its roles, as far as roles can be asked";
        Finding::passed(format!("{timelock} delays by {} {words}", delay(wait)))
    } else {
        Finding::failed(format!("{timelock}: {}", problems.join("; ")))
            .asked(view.cast_get(&timelock, "getMinDelay()(uint256)"))
    };
    Ok(finding.expected(format!("{least}, its own administrator")).observed(observed))
}

/// The role that administers proposers: the default one in version 5, `TIMELOCK_ADMIN_ROLE` in version 4.
async fn admin_role(view: &View<'_>, timelock: &Subject) -> Result<H256, Finding> {
    let proposer = Token::FixedBytes(role("PROPOSER_ROLE").as_bytes().to_vec());
    let told = view.call(timelock, "getRoleAdmin(bytes32)(bytes32)", &[proposer]).await?;
    let told = told.into_iter().next().and_then(Token::into_fixed_bytes).map(|bytes| H256::from_slice(&bytes));
    match told {
        Some(admin) if admin == DEFAULT_ADMIN || admin == role("TIMELOCK_ADMIN_ROLE") => Ok(admin),
        other => Err(Finding::failed(format!(
            "{timelock} has an unknown administrator role: {:?}",
            other.unwrap_or_default()
        ))),
    }
}

/// Declared contracts, other than the timelock itself, that administer its roles. Roles cannot be listed, only asked.
async fn administrators(view: &View<'_>, timelock: &Subject, admin: H256) -> Result<Vec<String>, Finding> {
    let others: Vec<Address> = view
        .around
        .contracts()
        .into_iter()
        .map(|known| known.address)
        .filter(|address| *address != timelock.address)
        .collect();
    let held = together(others.iter().map(|account| has_role(view, timelock, admin, *account))).await;
    let mut found = Vec::new();
    for (account, held) in others.into_iter().zip(held) {
        if held? {
            found.push(view.who(account));
        }
    }
    found.dedup();
    Ok(found)
}

async fn has_role(view: &View<'_>, timelock: &Subject, role: H256, account: Address) -> Result<bool, Finding> {
    let arguments = [Token::FixedBytes(role.as_bytes().to_vec()), Token::Address(account)];
    view.flag(timelock, "hasRole(bytes32,address)(bool)", &arguments).await
}

/// The id of a role: the hash of its name.
fn role(name: &str) -> H256 {
    H256(ethers::utils::keccak256(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_hashes_of_their_names() {
        let check = |name: &str, starts: &str| assert!(format!("{:?}", role(name)).starts_with(starts), "{name}");
        check("PROPOSER_ROLE", "0xb09aa5aeb3702cfd50b6b62bc4532604938f21248a27a1d5ca736082b6819cc1");
        check("EXECUTOR_ROLE", "0xd8aa0f3194971a2a116679f7c2090f6939c8d4e01a2a8d7e41d55e5351469e63");
        check("CANCELLER_ROLE", "0xfd643c72710c63c0180259aba6b2d05451e3591a24e58b62239378085726f783");
        check("TIMELOCK_ADMIN_ROLE", "0x5f58e3a2316349923ce3780f8d587db2d72378aed66a8261c916544fa6846ca5");
    }
}
