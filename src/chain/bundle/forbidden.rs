//! Calls that no bundle may hold at any depth unless the runbook declares them: they change who rules, not what is
//! configured. Calls that carry others out of sight cannot be declared.

use ethers::abi::Token;

use crate::chain::abi::{Signature, strict};

const CHANGES_A_SAFE: &str = "changes who rules a Safe";
const HANDS_OVER: &str = "hands over ownership or governance";
const CHANGES_ROLES: &str = "changes roles";
const CHANGES_CODE: &str = "changes a contract's code";
const CARRIES_CALLS: &str = "carries calls that citadel cannot open";
const UNWIRES: &str = "takes the emergency brake away";

const FORBIDDEN: [(&str, &str); 36] = [
    ("enableModule(address)", CHANGES_A_SAFE),
    ("disableModule(address,address)", CHANGES_A_SAFE),
    ("setGuard(address)", CHANGES_A_SAFE),
    ("setModuleGuard(address)", CHANGES_A_SAFE),
    ("setFallbackHandler(address)", CHANGES_A_SAFE),
    ("addOwnerWithThreshold(address,uint256)", CHANGES_A_SAFE),
    ("removeOwner(address,address,uint256)", CHANGES_A_SAFE),
    ("swapOwner(address,address,address)", CHANGES_A_SAFE),
    ("changeThreshold(uint256)", CHANGES_A_SAFE),
    ("changeMasterCopy(address)", CHANGES_A_SAFE),
    ("approveHash(bytes32)", CHANGES_A_SAFE),
    ("transferOwnership(address)", HANDS_OVER),
    ("renounceOwnership()", HANDS_OVER),
    ("acceptOwnership()", HANDS_OVER),
    ("setOwner(address)", HANDS_OVER),
    ("setGovernance(address)", HANDS_OVER),
    ("setPauserManager(address)", HANDS_OVER),
    ("grantRole(bytes32,address)", CHANGES_ROLES),
    ("revokeRole(bytes32,address)", CHANGES_ROLES),
    ("renounceRole(bytes32,address)", CHANGES_ROLES),
    ("beginDefaultAdminTransfer(address)", CHANGES_ROLES),
    ("acceptDefaultAdminTransfer()", CHANGES_ROLES),
    ("changeDefaultAdminDelay(uint48)", CHANGES_ROLES),
    ("updateDelay(uint256)", CHANGES_ROLES),
    ("upgradeTo(address)", CHANGES_CODE),
    ("upgradeToAndCall(address,bytes)", CHANGES_CODE),
    ("upgrade(address,address)", CHANGES_CODE),
    ("upgradeAndCall(address,address,bytes)", CHANGES_CODE),
    ("changeAdmin(address)", CHANGES_CODE),
    ("changeProxyAdmin(address,address)", CHANGES_CODE),
    ("setModules(address,address,address,address,address,address,address,address)", UNWIRES),
    ("execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", CARRIES_CALLS),
    ("execTransactionFromModule(address,uint256,bytes,uint8)", CARRIES_CALLS),
    ("multicall(bytes[])", CARRIES_CALLS),
    ("aggregate3((address,bool,bytes)[])", CARRIES_CALLS),
    ("tryAggregate(bool,(address,bytes)[])", CARRIES_CALLS),
];

/// Calls that are fine unless they name the zero address.
const NEVER_ZERO: [&str; 2] = ["setPauser(address)", "setGlobalPauser(address)"];

/// A call that must not be in a bundle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forbidden {
    pub(crate) reason: String,
    /// The function to declare where it is meant; none where no declaration helps.
    pub(crate) declare: Option<&'static str>,
}

/// What is wrong with a call's data, if it must not be in a bundle.
pub(crate) fn forbidden(data: &[u8]) -> Option<Forbidden> {
    let found = FORBIDDEN.iter().find(|(text, _)| calls(text, data));
    if let Some((text, why)) = found {
        let declare = (*why != CARRIES_CALLS).then_some(*text);
        return Some(Forbidden { reason: format!("`{}` {why}", name(text)), declare });
    }
    let text = NEVER_ZERO.iter().find(|text| calls(text, data))?;
    let (reason, declare) = match arguments(text, data).as_deref() {
        Some([Token::Address(address)]) if !address.is_zero() => return None,
        Some(_) => (format!("`{}` to the zero address {UNWIRES}", name(text)), Some(*text)),
        None => (format!("the arguments of `{}` are malformed", name(text)), None),
    };
    Some(Forbidden { reason, declare })
}

/// The signature of a function that is dangerous, by a call of it.
pub(crate) fn known(data: &[u8]) -> Option<&'static str> {
    let all = FORBIDDEN.iter().map(|(text, _)| *text).chain(NEVER_ZERO);
    all.into_iter().find(|text| calls(text, data))
}

fn calls(text: &str, data: &[u8]) -> bool {
    Signature::parse(text).is_ok_and(|signature| data.starts_with(&signature.selector()))
}

fn arguments(text: &str, data: &[u8]) -> Option<Vec<Token>> {
    strict(&Signature::parse(text).ok()?.inputs, data.get(4..)?).ok()
}

fn name(text: &str) -> &str {
    text.split('(').next().unwrap_or(text)
}
