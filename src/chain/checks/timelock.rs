//! `timelock`: delay, roles and administration of an `OpenZeppelin` `TimelockController`, version 4 or 5. Strangers' roles are
//! found only where its events were read in full (`since`).

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use serde_json::json;

use super::holders::holders;
use super::pending::pending;
use super::role::role_id;
use super::rules::hold;
use crate::chain::abi::Signature;
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::together::{both, together};
use crate::chain::value::{delay, duration};
use crate::chain::view::{Subject, View};
use crate::runbook::Timelock;

/// The administrator of all roles is this one in version 5 (`DEFAULT_ADMIN_ROLE`).
const DEFAULT_ADMIN: H256 = H256::zero();

/// What roles a timelock gives, as far as the check asks.
struct Held {
    self_administered: bool,
    open_proposal: bool,
    open_execution: bool,
}

pub(super) async fn judge(view: &View<'_>, asked: &Timelock) -> Judged {
    let (timelock, _) = view.contract(&asked.of)?;
    let proposer = account(view, asked.proposer.as_deref())?;
    let executor = account(view, asked.executor.as_deref())?;
    let wait = view.number_of(&timelock, "getMinDelay").await?;
    let admin = admin_role(view, &timelock).await?;
    let everybody = [
        (admin, timelock.address),
        (role_id("PROPOSER_ROLE"), Address::zero()),
        (role_id("EXECUTOR_ROLE"), Address::zero()),
    ];
    let held = has_roles(view, &timelock, &everybody).await?;
    let held = Held { self_administered: held[0], open_proposal: held[1], open_execution: held[2] };
    let proven = match asked.since.get(&view.network.name) {
        Some(since) => {
            let (holders, pending) = both(holders(view, &timelock, *since), pending(view, &timelock, *since)).await;
            Some((holders?, pending?))
        }
        None if !asked.pending.is_empty() => {
            let message = format!("pending operations of {timelock} are told by its events alone: set `since`");
            return Err(Finding::unknown(message));
        }
        None => None,
    };
    let (proven, pending) = proven.unzip();
    let strangers = match proven {
        Some(_) => Vec::new(),
        None => administrators(view, &timelock, admin).await?,
    };
    let mut problems = Vec::new();
    if let Some(least) = asked.min_delay.filter(|least| wait < U256::from(least.as_secs())) {
        problems.push(format!("its delay is {}, less than {}", delay(wait), duration(least)));
    }
    if !held.self_administered {
        problems.push("it does not administer its own roles".to_owned());
    }
    if held.open_proposal {
        problems.push("anyone may propose".to_owned());
    }
    if held.open_execution && !asked.open_executor {
        problems.push("anyone may execute, which the runbook does not declare".to_owned());
    }
    problems.extend(
        lacks(view, &timelock, proposer.as_ref(), &[("PROPOSER_ROLE", "propose"), ("CANCELLER_ROLE", "cancel")])
            .await?,
    );
    if !held.open_execution {
        problems.extend(lacks(view, &timelock, executor.as_ref(), &[("EXECUTOR_ROLE", "execute")]).await?);
    }
    problems.extend(strangers.iter().map(|who| format!("{who} administers its roles")));
    let cancellers = asked.cancellers.iter().map(|name| view.contract(name).map(|(subject, _)| subject));
    let cancellers: Vec<Subject> = cancellers.collect::<Result<_, _>>()?;
    let declared =
        Declared { timelock: &timelock, proposer: proposer.as_ref(), executor: executor.as_ref(), cancellers };
    let mut stray = None;
    for (role, of, _) in roles(admin) {
        let found = proven.iter().flat_map(|proven| proven.of(of));
        let found: Vec<Address> = found.filter(|who| !who.is_zero() && !declared.may(role, *who)).collect();
        stray = stray.or(found.first().map(|who| (of, *who)));
        problems.extend(
            found.iter().map(|who| format!("{} {}, which the runbook does not declare", view.who(*who), role.verb())),
        );
    }
    let mut observed = json!({
        "delay": wait.to_string(),
        "proposer": proposer.as_ref().map(|proposer| checksum(proposer.address)),
        "executor": executor.as_ref().map(|executor| checksum(executor.address)),
        "open_execution": held.open_execution,
        "self_administered": held.self_administered,
    });
    for (_, of, name) in roles(admin) {
        if let Some(proven) = &proven {
            observed[name] = proven.of(of).into_iter().map(|who| json!(checksum(who))).collect();
        }
    }
    if let Some(pending) = &pending {
        observed["pending"] = json!(pending);
    }
    let least = asked
        .min_delay
        .map_or_else(|| "any delay".to_owned(), |least| format!("a delay of at least {}", duration(least)));
    let finding = if problems.is_empty() {
        let words = match &proven {
            Some(proven) => format!("and nobody but those declared holds a role, {}", proven.words()),
            None => {
                "and only it administers its roles, as far as roles can be asked: absence of others not proven".into()
            }
        };
        Finding::passed(format!("{timelock} delays by {} {words}", delay(wait)))
    } else {
        Finding::failed(format!("{timelock}: {}", problems.join("; ")))
    };
    let has_role = Signature::parse("hasRole(bytes32,address)(bool)").map_err(Finding::unknown)?;
    let again = match stray {
        Some((role, who)) if problems.len() == 1 => {
            let arguments = [Token::FixedBytes(role.as_bytes().to_vec()), Token::Address(who)];
            view.cast_call(None, timelock.address, &has_role, &arguments)
        }
        _ => view.cast_get(&timelock, "getMinDelay()(uint256)"),
    };
    let finding = if problems.is_empty() {
        let ids = observed["pending"].clone();
        let held = hold(&asked.pending, &format!("the pending operations of {timelock}"), &ids, view).await;
        held.err().unwrap_or(finding)
    } else {
        finding
    };
    Ok(finding.expected(format!("{least}, its own administrator")).observed(observed).asked(again))
}

/// What a role lets its holder do.
#[derive(Clone, Copy)]
enum May {
    Propose,
    Cancel,
    Execute,
    Administer,
}

impl May {
    fn verb(self) -> &'static str {
        match self {
            Self::Propose => "may propose",
            Self::Cancel => "may cancel",
            Self::Execute => "may execute",
            Self::Administer => "administers its roles",
        }
    }
}

/// The four roles, with the names that observations give their holders.
fn roles(admin: H256) -> [(May, H256, &'static str); 4] {
    [
        (May::Propose, role_id("PROPOSER_ROLE"), "proposers"),
        (May::Cancel, role_id("CANCELLER_ROLE"), "cancellers"),
        (May::Execute, role_id("EXECUTOR_ROLE"), "executors"),
        (May::Administer, admin, "administrators"),
    ]
}

/// Who may hold a role, as the runbook has it.
struct Declared<'a> {
    timelock: &'a Subject,
    proposer: Option<&'a Subject>,
    executor: Option<&'a Subject>,
    cancellers: Vec<Subject>,
}

impl Declared<'_> {
    fn may(&self, what: May, who: Address) -> bool {
        let is = |subject: Option<&Subject>| subject.is_some_and(|subject| subject.address == who);
        match what {
            May::Propose => is(self.proposer),
            May::Cancel => is(self.proposer) || self.cancellers.iter().any(|canceller| canceller.address == who),
            May::Execute => is(self.executor),
            May::Administer => self.timelock.address == who,
        }
    }
}

fn account(view: &View<'_>, name: Option<&str>) -> Result<Option<Subject>, Finding> {
    name.map(|name| view.contract(name).map(|(subject, _)| subject)).transpose()
}

/// What `who` may not do of these, each a role and a verb.
async fn lacks(
    view: &View<'_>,
    timelock: &Subject,
    who: Option<&Subject>,
    roles: &[(&str, &str)],
) -> Result<Vec<String>, Finding> {
    let Some(who) = who else { return Ok(Vec::new()) };
    let asked: Vec<_> = roles.iter().map(|(role, _)| (role_id(role), who.address)).collect();
    let held = has_roles(view, timelock, &asked).await?;
    let lacks = roles.iter().zip(held).filter(|(_, held)| !held);
    Ok(lacks.map(|((_, verb), _)| format!("{who} may not {verb}")).collect())
}

async fn has_roles(view: &View<'_>, timelock: &Subject, asked: &[(H256, Address)]) -> Result<Vec<bool>, Finding> {
    together(asked.iter().map(|(role, account)| has_role(view, timelock, *role, *account))).await.into_iter().collect()
}

/// The role that administers proposers: the default one in version 5, `TIMELOCK_ADMIN_ROLE` in version 4.
async fn admin_role(view: &View<'_>, timelock: &Subject) -> Result<H256, Finding> {
    let proposer = Token::FixedBytes(role_id("PROPOSER_ROLE").as_bytes().to_vec());
    let told = view.call(timelock, "getRoleAdmin(bytes32)(bytes32)", &[proposer]).await?;
    let told = told.into_iter().next().and_then(Token::into_fixed_bytes).map(|bytes| H256::from_slice(&bytes));
    match told {
        Some(admin) if admin == DEFAULT_ADMIN || admin == role_id("TIMELOCK_ADMIN_ROLE") => Ok(admin),
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
