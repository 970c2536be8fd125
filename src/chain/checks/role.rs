//! `role`: who holds a role of `OpenZeppelin`'s `AccessControl`, who does not, and who administers it. Members are compared as a
//! set where the contract lists them (`AccessControlEnumerable`) or its events were read in full (`since`); elsewhere absence of
//! others is not proven, and says so.

use std::collections::BTreeSet;

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use serde_json::{Value, json};

use super::holders::holders;
use crate::chain::abi::{Signature, strict};
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::question::{Answer, Question};
use crate::chain::text::count;
use crate::chain::together::together;
use crate::chain::view::{Subject, View};
use crate::runbook::Role;

/// Beyond this many members nobody reads a list.
const MOST: u64 = 500;

/// The ERC-165 ids of `IAccessControlEnumerable`, and of nothing at all.
const ENUMERABLE: [u8; 4] = [0x5a, 0x05, 0x18, 0x0f];
const NOTHING: [u8; 4] = [0xff; 4];

pub(super) async fn judge(view: &View<'_>, asked: &Role) -> Judged {
    let (of, _) = view.contract(&asked.of)?;
    let id = role_id(&asked.role);
    let holds = accounts(view, &asked.has)?;
    let lacks = accounts(view, &asked.has_not)?;
    let held = has_all(view, &of, id, &holds).await?;
    let not_held = has_all(view, &of, id, &lacks).await?;
    let admin = told_role(view, &of, id).await?;
    let since = asked.since.get(&view.network.name).copied();
    let (members, how) = match (lists_members(view, &of).await?, since) {
        (true, _) => (Some(members(view, &of, id).await?), String::new()),
        (false, Some(since)) => {
            let proven = holders(view, &of, since).await.map_err(|finding| finding.expected(expected(asked)))?;
            (Some(proven.of(id)), format!(", {}", proven.words()))
        }
        (false, None) => (None, String::new()),
    };
    let mut problems = Vec::new();
    problems.extend(wrong(&holds, &held, false).map(|who| format!("{who} lacks it")));
    problems.extend(wrong(&lacks, &not_held, true).map(|who| format!("{who} holds it")));
    if let Some(wanted) = asked.admin.as_deref().filter(|wanted| role_id(wanted) != admin) {
        problems.push(format!("its administrator role is {admin:?}, not {wanted}"));
    }
    let mut unproven = None;
    match (&asked.members, &members) {
        (Some(wanted), Some(found)) => problems.extend(other_members(view, &accounts(view, wanted)?, found)),
        (Some(_), None) => {
            unproven = Some("its members cannot be listed, so that the absence of others is not proven: set `since`");
        }
        (None, _) => {}
    }
    let observed = json!({
        "role": id,
        "admin": admin,
        "members": members.as_ref().map(|found| sorted(found)),
        "held": checked(&holds, &held),
        "not_held": checked(&lacks, &not_held),
    });
    let what = format!("{} of {of}", asked.role);
    let finding = match (problems.is_empty(), unproven) {
        (false, _) => Finding::failed(format!("{what}: {}", problems.join("; "))),
        (true, Some(why)) => Finding::unknown(format!("{what}: {why}")),
        (true, None) => Finding::passed(passed(&what, members.as_deref()) + &how),
    };
    let role = Token::FixedBytes(id.as_bytes().to_vec());
    let first = holds.first().or(lacks.first()).map_or(Address::zero(), |who| who.address);
    let signature = Signature::parse("hasRole(bytes32,address)(bool)").map_err(Finding::unknown)?;
    let again = view.cast_call(None, of.address, &signature, &[role, Token::Address(first)]);
    Ok(finding.expected(expected(asked)).observed(observed).or_asked(again))
}

fn passed(what: &str, members: Option<&[Address]>) -> String {
    match members {
        Some(members) => format!("{what} is held as declared, by {}", count(members.len(), "account")),
        None => {
            format!("{what} is held as declared; members cannot be listed, so that absence of others is not proven")
        }
    }
}

fn expected(asked: &Role) -> String {
    let list = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")));
    let parts = [
        list("held by", &asked.has),
        list("not held by", &asked.has_not),
        asked.members.as_ref().map(|names| format!("held by exactly {}", names.join(", "))),
        asked.admin.as_ref().map(|admin| format!("administered by {admin}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The id of a role: a 32-byte hash as it is, the default administrator's zero, else the hash of its name.
pub(super) fn role_id(name: &str) -> H256 {
    match name {
        "DEFAULT_ADMIN_ROLE" => H256::zero(),
        hash if hash.starts_with("0x") => hash.parse().unwrap_or_default(),
        name => H256(ethers::utils::keccak256(name)),
    }
}

fn accounts(view: &View<'_>, names: &[String]) -> Result<Vec<Subject>, Finding> {
    names.iter().map(|name| view.contract(name).map(|(subject, _)| subject)).collect()
}

async fn has_all(view: &View<'_>, of: &Subject, role: H256, accounts: &[Subject]) -> Result<Vec<bool>, Finding> {
    let ask = |account: &Subject| {
        let arguments = [Token::FixedBytes(role.as_bytes().to_vec()), Token::Address(account.address)];
        async move { view.flag(of, "hasRole(bytes32,address)(bool)", &arguments).await }
    };
    together(accounts.iter().map(ask)).await.into_iter().collect()
}

async fn told_role(view: &View<'_>, of: &Subject, role: H256) -> Result<H256, Finding> {
    let role = Token::FixedBytes(role.as_bytes().to_vec());
    let told = view.call(of, "getRoleAdmin(bytes32)(bytes32)", &[role]).await?;
    let told = told.into_iter().next().and_then(Token::into_fixed_bytes).unwrap_or_default();
    if told.len() == 32 { Ok(H256::from_slice(&told)) } else { Err(Finding::unknown("no administrator role was told")) }
}

/// Whether the contract says (ERC-165) that it lists its members; one that says yes to everything says nothing.
async fn lists_members(view: &View<'_>, of: &Subject) -> Result<bool, Finding> {
    let Ok(signature) = Signature::parse("supportsInterface(bytes4)(bool)") else { return Ok(false) };
    let ask = |id: [u8; 4]| Question::Call {
        from: None,
        to: of.address,
        value: U256::zero(),
        data: signature.encode(&[Token::FixedBytes(id.to_vec())]),
    };
    let answers = view.several(vec![ask(ENUMERABLE), ask(NOTHING)]).await;
    let mut says = Vec::new();
    for answer in answers {
        says.push(match answer {
            Answer::Bytes(bytes) => {
                strict(&signature.outputs, &bytes).ok().and_then(|mut tokens| tokens.pop()?.into_bool())
            }
            Answer::Reverted(_) => Some(false),
            other => {
                return Err(Finding::unknown(format!("whether {of} lists its members could not be read: {other}")));
            }
        });
    }
    Ok(says == [Some(true), Some(false)])
}

async fn members(view: &View<'_>, of: &Subject, role: H256) -> Result<Vec<Address>, Finding> {
    let role = || Token::FixedBytes(role.as_bytes().to_vec());
    let told = view.call(of, "getRoleMemberCount(bytes32)(uint256)", &[role()]).await?;
    let number = told.into_iter().next().and_then(Token::into_uint).unwrap_or_default();
    if number > U256::from(MOST) {
        return Err(Finding::unknown(format!("{of} has {number} members of the role, more than are read")));
    }
    let ask = |index: u64| {
        let arguments = [role(), Token::Uint(index.into())];
        async move { view.call(of, "getRoleMember(bytes32,uint256)(address)", &arguments).await }
    };
    let told: Vec<Vec<Token>> =
        together((0..number.as_u64()).map(ask)).await.into_iter().collect::<Result<_, Finding>>()?;
    Ok(told.into_iter().flatten().filter_map(Token::into_address).collect())
}

fn wrong<'a>(who: &'a [Subject], holds: &'a [bool], bad: bool) -> impl Iterator<Item = &'a Subject> {
    who.iter().zip(holds).filter(move |(_, holds)| **holds == bad).map(|(who, _)| who)
}

fn other_members(view: &View<'_>, wanted: &[Subject], found: &[Address]) -> Vec<String> {
    let wanted: BTreeSet<Address> = wanted.iter().map(|subject| subject.address).collect();
    let found: BTreeSet<Address> = found.iter().copied().collect();
    let extra = found.difference(&wanted).map(|who| format!("{} holds it too", view.who(*who)));
    let missing = wanted.difference(&found).map(|who| format!("{} does not hold it", view.who(*who)));
    extra.chain(missing).collect()
}

fn sorted(found: &[Address]) -> Vec<String> {
    found.iter().map(|who| checksum(*who)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn checked(who: &[Subject], holds: &[bool]) -> Value {
    let pair = |(who, holds): (&Subject, &bool)| (checksum(who.address), Value::Bool(*holds));
    Value::Object(who.iter().zip(holds).map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_hashes_of_their_names() {
        let check = |name: &str, id: &str| assert_eq!(format!("{:?}", role_id(name)), id, "{name}");
        check("PAUSER_ROLE", "0x65d7a28e3265b37a6474929f336521b332c1681b933f6cb9f3376673440d862a");
        check("PROPOSER_ROLE", "0xb09aa5aeb3702cfd50b6b62bc4532604938f21248a27a1d5ca736082b6819cc1");
        check("EXECUTOR_ROLE", "0xd8aa0f3194971a2a116679f7c2090f6939c8d4e01a2a8d7e41d55e5351469e63");
        check("CANCELLER_ROLE", "0xfd643c72710c63c0180259aba6b2d05451e3591a24e58b62239378085726f783");
        check("TIMELOCK_ADMIN_ROLE", "0x5f58e3a2316349923ce3780f8d587db2d72378aed66a8261c916544fa6846ca5");
        check("DEFAULT_ADMIN_ROLE", &format!("0x{}", "00".repeat(32)));
        check(&format!("0x{}", "ab".repeat(32)), &format!("0x{}", "ab".repeat(32)));
    }
}
