//! `proxy`: what stands behind a proxy: its implementation, and who can exchange it. Reads the code and the EIP-1967 slots,
//! for beacons and UUPS the beacon's or implementation's own word, and the implementation's code.

use ethers::types::{Address, H256};
use ethers::utils::{hex, keccak256};
use serde_json::{Map, Value, json};

use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::{Proxy, ProxyKind};

/// The slots of EIP-1967: the hash of a name, less one.
const IMPLEMENTATION: &str = "360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
const ADMIN: &str = "b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103";
const BEACON: &str = "a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50";

/// The code of a minimal proxy (EIP-1167) around the address that it delegates to.
const MINIMAL: ([u8; 10], [u8; 15]) = (
    [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73],
    [0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3],
);

/// What was read of a proxy.
struct Seen {
    implementation: Address,
    admin: Address,
    beacon: Address,
}

pub(super) async fn judge(view: &View<'_>, asked: &Proxy) -> Judged {
    let (proxy, _) = view.contract(&asked.of)?;
    let seen = read(view, &proxy, asked.kind).await?;
    let behind = Subject { name: format!("implementation of {}", proxy.name), address: seen.implementation };
    let code = view.code(&behind).await?;
    let hash = H256(keccak256(&code));
    if asked.kind == ProxyKind::Uups {
        is_upgradeable(view, &behind).await?;
    }
    let mut observed = Map::from_iter([
        ("implementation".to_owned(), json!(checksum(seen.implementation))),
        ("implementation_code_hash".to_owned(), json!(hash)),
        ("admin".to_owned(), json!(checksum(seen.admin))),
    ]);
    if asked.kind == ProxyKind::Beacon {
        observed.insert("beacon".to_owned(), json!(checksum(seen.beacon)));
    }
    let problems = problems(view, asked, &seen, hash)?;
    let finding = if problems.is_empty() {
        Finding::passed(format!("{proxy} delegates to {}", view.who(seen.implementation)))
    } else {
        let asked_again = view.cast_slot(&proxy, slot(IMPLEMENTATION));
        Finding::failed(format!("{proxy}: {}", problems.join("; "))).asked(asked_again)
    };
    Ok(finding.expected(expected(asked)).observed(Value::Object(observed)))
}

async fn read(view: &View<'_>, proxy: &Subject, kind: ProxyKind) -> Result<Seen, Finding> {
    if kind == ProxyKind::Minimal {
        let code = view.code(proxy).await?;
        let implementation = minimal(&code).ok_or_else(|| {
            Finding::failed(format!("{proxy} is no minimal proxy: its code is not the one of EIP-1167"))
        })?;
        return Ok(Seen { implementation, admin: Address::zero(), beacon: Address::zero() });
    }
    let slots = together([IMPLEMENTATION, ADMIN, BEACON].map(|name| view.address_in(proxy, slot(name)))).await;
    let mut slots = slots.into_iter().collect::<Result<Vec<Address>, _>>()?.into_iter();
    let mut next = || slots.next().unwrap_or_default();
    let mut seen = Seen { implementation: next(), admin: next(), beacon: next() };
    if kind == ProxyKind::Beacon {
        if seen.beacon.is_zero() {
            return Err(Finding::failed(format!("{proxy} has no beacon")).asked(view.cast_slot(proxy, slot(BEACON))));
        }
        let beacon = Subject { name: format!("beacon of {}", proxy.name), address: seen.beacon };
        seen.implementation = view.address_of(&beacon, "implementation").await?;
    }
    if seen.implementation.is_zero() {
        let asked_again = view.cast_slot(proxy, slot(IMPLEMENTATION));
        return Err(
            Finding::failed(format!("{proxy} has no implementation in the slot of EIP-1967")).asked(asked_again)
        );
    }
    Ok(seen)
}

/// An implementation that would not let itself be exchanged again is no UUPS one (ERC-1822).
async fn is_upgradeable(view: &View<'_>, implementation: &Subject) -> Result<(), Finding> {
    let told = view.get(implementation, "proxiableUUID()(bytes32)").await?;
    let told = told.into_iter().next().and_then(ethers::abi::Token::into_fixed_bytes).unwrap_or_default();
    if told == slot(IMPLEMENTATION).as_bytes() {
        return Ok(());
    }
    Err(Finding::failed(format!(
        "`proxiableUUID()` of {implementation} is 0x{}, not the slot of EIP-1967",
        hex::encode(told)
    )))
}

fn problems(view: &View<'_>, asked: &Proxy, seen: &Seen, hash: H256) -> Result<Vec<String>, Finding> {
    let mut problems = Vec::new();
    let mut must_be = |what: &str, is: Address, wanted: &Option<String>| -> Result<(), Finding> {
        let Some(name) = wanted else { return Ok(()) };
        let (wanted, _) = view.contract(name)?;
        if wanted.address != is {
            problems.push(format!("its {what} is {}, not {wanted}", view.who(is)));
        }
        Ok(())
    };
    must_be("implementation", seen.implementation, &asked.implementation)?;
    must_be("admin", seen.admin, &asked.admin)?;
    must_be("beacon", seen.beacon, &asked.beacon)?;
    if let Some(wanted) = asked.hash.filter(|wanted| *wanted != hash) {
        problems.push(format!("the code behind it has the hash {hash:?}, not {wanted:?}"));
    }
    if asked.kind == ProxyKind::Uups && !seen.admin.is_zero() {
        problems.push(format!("it has an administrator beside its implementation: {}", view.who(seen.admin)));
    }
    if asked.kind == ProxyKind::Transparent && seen.admin.is_zero() {
        problems.push("it has no administrator".to_owned());
    }
    Ok(problems)
}

fn expected(asked: &Proxy) -> String {
    let parts = [("implementation", &asked.implementation), ("admin", &asked.admin), ("beacon", &asked.beacon)];
    let parts = parts.into_iter().filter_map(|(what, name)| Some(format!("{what} `{}`", name.as_deref()?)));
    let parts: Vec<String> = parts.chain(asked.hash.map(|hash| format!("code {hash:?}"))).collect();
    if parts.is_empty() { "an implementation with code".to_owned() } else { parts.join(", ") }
}

fn slot(digits: &str) -> H256 {
    digits.parse().unwrap_or_default()
}

fn minimal(code: &[u8]) -> Option<Address> {
    let address = code.strip_prefix(&MINIMAL.0)?.strip_suffix(&MINIMAL.1)?;
    (address.len() == 20).then(|| Address::from_slice(address))
}

#[cfg(test)]
mod tests {
    use ethers::types::U256;

    use super::*;

    #[test]
    fn slots_are_hashes_of_their_names_less_one() {
        let check = |digits: &str, name: &str| {
            assert_eq!(U256::from(slot(digits).as_bytes()) + 1, U256::from(keccak256(name)), "{name}");
        };
        check(IMPLEMENTATION, "eip1967.proxy.implementation");
        check(ADMIN, "eip1967.proxy.admin");
        check(BEACON, "eip1967.proxy.beacon");
    }

    #[test]
    fn minimal_proxies_are_known_by_all_of_their_code() {
        let address = [0xbe; 20];
        let code = [&MINIMAL.0[..], &address, &MINIMAL.1].concat();
        assert_eq!(minimal(&code), Some(Address::from(address)));
        assert_eq!(minimal(&code[1..]), None);
        assert_eq!(minimal(&[code.as_slice(), &[0]].concat()), None);
    }
}
