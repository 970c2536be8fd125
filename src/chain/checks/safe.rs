//! `safe`: what a Safe is and who rules it: its release by code, owners, threshold, modules, guards, fallback handler.

use std::collections::BTreeSet;

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use ethers::utils::keccak256;
use serde_json::{Value, json};

use super::rules::hold;
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged, Repeat};
use crate::chain::safe::release;
use crate::chain::text::count;
use crate::chain::together::{both, together};
use crate::chain::view::{Subject, View};
use crate::runbook::Safe;

/// Where a Safe keeps what no getter tells; slot 0 holds the singleton.
const FALLBACK_HANDLER: &str = "fallback_manager.handler.address";
const GUARD: &str = "guard_manager.guard.address";
const MODULE_GUARD: &str = "module_manager.module_guard.address";

/// The end of a Safe's linked lists.
const SENTINEL: u64 = 1;
const PAGE: u64 = 20;
const MOST_PAGES: usize = 25;

pub(super) async fn judge(view: &View<'_>, asked: &Safe) -> Judged {
    let (safe, _) = view.contract(&asked.of)?;
    let seen = read(view, &safe).await?;
    let modules = asked.modules.as_deref().unwrap_or_default();
    let expected = expected(modules);
    let observed = seen.observed();
    let told = |finding: Finding, asked: Repeat| finding.expected(&expected).observed(observed.clone()).or_asked(asked);
    let getter = |name: &str| view.cast_get(&safe, name);
    seen.is_sound(&safe).map_err(|finding| told(finding, getter("getOwners()(address[])")))?;
    if let Some(version) = asked.version.as_ref().filter(|version| **version != seen.version) {
        let message = format!("{safe} is a Safe {}, not {version}", seen.version);
        return Err(told(Finding::failed(message), getter("VERSION()(string)")));
    }
    seen.has_accounts(view, &safe, asked).map_err(|(finding, slot)| told(finding, view.cast_slot(&safe, slot)))?;
    let owners = Value::from(seen.owners.iter().map(|owner| checksum(*owner)).collect::<Vec<_>>());
    let rules = [
        (&asked.threshold, "the threshold", json!(seen.threshold.to_string()), "getThreshold()(uint256)"),
        (&asked.share, "the threshold in percent of the owners", json!(seen.share()), "getThreshold()(uint256)"),
        (&asked.owners, "the owners", owners, "getOwners()(address[])"),
        (&asked.nonce, "the nonce", json!(seen.nonce.to_string()), "nonce()(uint256)"),
    ];
    for (rules, what, value, name) in rules {
        hold(rules, &format!("{what} of {safe}"), &value, view).await.map_err(|finding| told(finding, getter(name)))?;
    }
    seen.has_modules(view, &safe, modules)
        .map_err(|finding| told(finding, getter("getModulesPaginated(address,uint256)(address[],address)")))?;
    let message =
        format!("{safe} is a Safe {}: {} of {}", seen.version, seen.threshold, count(seen.owners.len(), "owner"));
    let again = getter("getOwners()(address[])");
    Ok(Finding::passed(message).expected(expected).observed(observed).asked(again))
}

fn expected(modules: &[Address]) -> String {
    let modules = if modules.is_empty() { "no modules".to_owned() } else { count(modules.len(), "declared module") };
    format!("a released Safe with sane owners and threshold, {modules}, no undeclared guards")
}

/// A Safe's whole configuration.
struct Seen {
    version: String,
    singleton: Address,
    singleton_hash: H256,
    owners: Vec<Address>,
    threshold: U256,
    nonce: U256,
    modules: Vec<Address>,
    guard: Address,
    module_guard: Address,
    fallback_handler: Address,
}

async fn read(view: &View<'_>, safe: &Subject) -> Result<Seen, Finding> {
    let slots = [H256::zero(), slot(GUARD), slot(MODULE_GUARD), slot(FALLBACK_HANDLER)];
    let slots = together(slots.map(|slot| view.address_in(safe, slot)));
    let numbers = together(["getThreshold", "nonce"].map(|name| view.number_of(safe, name)));
    let lists = both(both(view.get(safe, "VERSION()(string)"), current_owners(view, safe)), all_modules(view, safe));
    let ((slots, numbers), ((version, owners), modules)) = both(both(slots, numbers), lists).await;
    let slots: Vec<Address> = slots.into_iter().collect::<Result<_, _>>()?;
    // Slots tell the truth whatever the code says; what getters tell counts only with released code.
    let (singleton_hash, released) =
        genuine(view, safe, slots[0]).await.map_err(|finding| finding.observed(observed_slots(&slots)))?;
    let numbers: Vec<U256> = numbers.into_iter().collect::<Result<_, _>>()?;
    let version = version?.into_iter().next().and_then(Token::into_string).unwrap_or_default();
    if released != version {
        return Err(Finding::failed(format!("{safe} says it is version {version}, but is {released}")));
    }
    Ok(Seen {
        version,
        singleton: slots[0],
        singleton_hash,
        owners: owners?,
        threshold: numbers[0],
        nonce: numbers[1],
        modules: modules?,
        guard: slots[1],
        module_guard: slots[2],
        fallback_handler: slots[3],
    })
}

/// The account's and the singleton's code must be released ones, or its getters prove nothing: the hash and the release.
async fn genuine(view: &View<'_>, safe: &Subject, singleton: Address) -> Result<(H256, &'static str), Finding> {
    let account = view.code(safe).await?;
    if release::proxy(&account).is_none() {
        let hash = H256(keccak256(&account));
        let message = format!("{safe} is no released Safe account: its code has the hash {hash:?}");
        return Err(Finding::failed(message).asked(view.cast_code(safe)));
    }
    let subject = Subject { name: format!("singleton of {}", safe.name), address: singleton };
    let asked = || view.cast_slot(safe, H256::zero());
    let code = view.code(&subject).await.map_err(|finding| finding.asked(asked()))?;
    let hash = H256(keccak256(&code));
    match release::singleton(&code) {
        Some(released) => Ok((hash, released)),
        None => Err(Finding::failed(format!(
            "{subject} is no released Safe: its code has the hash {hash:?}, and whoever put it there owns the Safe"
        ))
        .asked(asked())),
    }
}

fn observed_slots(slots: &[Address]) -> Value {
    let names = ["singleton", "guard", "module_guard", "fallback_handler"];
    names.into_iter().zip(slots).map(|(name, slot)| (name.to_owned(), json!(checksum(*slot)))).collect()
}

/// The owners of a Safe at the pinned block.
pub(super) async fn current_owners(view: &View<'_>, safe: &Subject) -> Result<Vec<Address>, Finding> {
    let tokens = view.get(safe, "getOwners()(address[])").await?;
    Ok(addresses(tokens.into_iter().next()))
}

/// The modules on all pages.
async fn all_modules(view: &View<'_>, safe: &Subject) -> Result<Vec<Address>, Finding> {
    let sentinel = Address::from_low_u64_be(SENTINEL);
    let mut modules: Vec<Address> = Vec::new();
    let mut start = sentinel;
    for _ in 0..MOST_PAGES {
        let signature = "getModulesPaginated(address,uint256)(address[],address)";
        let mut page =
            view.call(safe, signature, &[Token::Address(start), Token::Uint(PAGE.into())]).await?.into_iter();
        let found = addresses(page.next());
        let next = page.next().and_then(Token::into_address).unwrap_or_default();
        let found_new = found.iter().any(|module| !modules.contains(module));
        for module in found {
            if !modules.contains(&module) {
                modules.push(module);
            }
        }
        if next == sentinel || next.is_zero() {
            return Ok(modules);
        }
        if !found_new || next == start {
            return Err(Finding::unknown(format!("the modules of {safe} do not end")));
        }
        // Since 1.4 `next` is the last module of the page; before, the first of the next page, which the page leaves out.
        if !modules.contains(&next) {
            modules.push(next);
        }
        start = next;
    }
    Err(Finding::unknown(format!("{safe} has more modules than can be read")))
}

fn slot(name: &str) -> H256 {
    H256(keccak256(name))
}

fn addresses(list: Option<Token>) -> Vec<Address> {
    list.and_then(Token::into_array).into_iter().flatten().filter_map(Token::into_address).collect()
}

impl Seen {
    /// What no sane Safe violates, whatever the runbook demands.
    fn is_sound(&self, safe: &Subject) -> Result<(), Finding> {
        let sentinel = Address::from_low_u64_be(SENTINEL);
        let distinct: BTreeSet<&Address> = self.owners.iter().collect();
        let bad = |owner: &&Address| owner.is_zero() || **owner == sentinel || **owner == safe.address;
        if self.owners.is_empty() || distinct.len() != self.owners.len() || self.owners.iter().any(|owner| bad(&owner))
        {
            return Err(Finding::failed(format!("{safe} has an impossible list of owners")));
        }
        if self.threshold.is_zero() || self.threshold > U256::from(self.owners.len()) {
            let owners = count(self.owners.len(), "owner");
            return Err(Finding::failed(format!("{safe} has a threshold of {} with {owners}", self.threshold)));
        }
        Ok(())
    }

    /// The threshold in percent of the owners, rounded down.
    fn share(&self) -> String {
        let percent: U256 = self.threshold * U256::from(100) / U256::from(self.owners.len().max(1));
        percent.to_string()
    }

    /// Code that runs with every transaction: exactly the declared one, and no guard where none is declared.
    fn has_accounts(&self, view: &View<'_>, safe: &Subject, asked: &Safe) -> Result<(), (Finding, H256)> {
        let all = [
            ("singleton", self.singleton, &asked.singleton, H256::zero(), true),
            ("guard", self.guard, &asked.guard, slot(GUARD), false),
            ("module guard", self.module_guard, &asked.module_guard, slot(MODULE_GUARD), false),
            ("fallback handler", self.fallback_handler, &asked.fallback_handler, slot(FALLBACK_HANDLER), true),
        ];
        for (what, is, wanted, slot, any) in all {
            let wanted = wanted.as_deref().map(|name| view.contract(name)).transpose();
            let finding = match wanted.map_err(|finding| (finding, slot))? {
                Some((wanted, _)) if wanted.address != is => {
                    format!("the {what} of {safe} is {}, not {wanted}", view.who(is))
                }
                None if !any && !is.is_zero() => {
                    format!("{safe} has the {what} {}, which the runbook does not declare", view.who(is))
                }
                _ => continue,
            };
            return Err((Finding::failed(finding), slot));
        }
        Ok(())
    }

    /// Modules act without any owner's signature: exactly the declared ones may be there.
    fn has_modules(&self, view: &View<'_>, safe: &Subject, declared: &[Address]) -> Result<(), Finding> {
        let extra = self.modules.iter().find(|module| !declared.contains(module));
        if let Some(module) = extra {
            let message = format!("{safe} has the module {}, which can act without any signature", view.who(*module));
            return Err(Finding::failed(message));
        }
        match declared.iter().find(|module| !self.modules.contains(module)) {
            Some(module) => Err(Finding::failed(format!("{safe} lacks the declared module {}", view.who(*module)))),
            None => Ok(()),
        }
    }

    fn observed(&self) -> Value {
        let mut owners: Vec<String> = self.owners.iter().map(|owner| checksum(*owner)).collect();
        let mut modules: Vec<String> = self.modules.iter().map(|module| checksum(*module)).collect();
        owners.sort();
        modules.sort();
        json!({
            "version": self.version,
            "singleton": checksum(self.singleton),
            "singleton_code_hash": self.singleton_hash,
            "owners": owners,
            "threshold": self.threshold.to_string(),
            "nonce": self.nonce.to_string(),
            "modules": modules,
            "guard": checksum(self.guard),
            "module_guard": checksum(self.module_guard),
            "fallback_handler": checksum(self.fallback_handler),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_hashes_of_their_names() {
        let check = |name: &str, starts: &str| assert!(format!("{:?}", slot(name)).starts_with(starts), "{name}");
        check(GUARD, "0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8");
        check(MODULE_GUARD, "0xb104e0b93118902c651344349b610029d694cfdec91c589c91ebafbcd0289947");
        check(FALLBACK_HANDLER, "0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5");
    }
}
