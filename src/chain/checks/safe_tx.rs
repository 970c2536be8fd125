//! `safe_tx`: whether the Safe transaction that people signed is exactly the bundle, and enough current owners signed it, or
//! it was executed. Its hash is computed here; nothing that a file or a service says of itself is believed.

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use serde_json::{Value, json};

use super::executed::executed;
use super::gathered::{Gathered, Rival, gathered};
use super::safe::current_owners;
use super::safe_bundle::{self, multi_send};
use super::signers::{Agreed, Signers, signers};
use crate::chain::address::checksum;
use crate::chain::bundle::Bundle;
use crate::chain::finding::{Finding, Judged};
use crate::chain::safe::exported::Exported;
use crate::chain::safe::multisend::{Packed, calldata};
use crate::chain::safe::transaction::{SafeTransaction, domain};
use crate::chain::text::brief;
use crate::chain::together::both;
use crate::chain::view::{Subject, View};
use crate::runbook::Template;

const GET_HASH: &str =
    "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)(bytes32)";

/// The check as the runbook has it.
pub(super) struct Asked<'a> {
    pub(super) of: &'a str,
    pub(super) bundle: &'a str,
    pub(super) safe: &'a str,
    pub(super) service: Option<&'a Template>,
    pub(super) others: Option<&'a Template>,
}

pub(super) async fn judge(view: &View<'_>, asked: Asked<'_>) -> Judged {
    let expected = format!("`{}`, signed by enough owners of `{}`", asked.bundle, asked.safe);
    let (safe, _) = view.contract(asked.safe)?;
    let judged = async {
        let exported = Exported::parse(&artefact(view, asked.of)?)
            .map_err(|reason| Finding::failed(format!("`{}`: {reason}", asked.of)))?;
        Signing { view, safe: &safe, asked: &asked, exported }.judge().await
    };
    judged.await.map(|finding| finding.expected(&expected)).map_err(|finding| finding.expected(expected.clone()))
}

fn artefact(view: &View<'_>, name: &str) -> Result<Value, Finding> {
    let bytes =
        view.around.artefact(name).map_err(|reason| Finding::unknown(format!("artefact `{name}`: {reason}")))?;
    serde_json::from_slice(&bytes).map_err(|_| Finding::failed(format!("`{name}` is not JSON")))
}

/// What the Safe says of itself.
struct Told {
    owners: Vec<Address>,
    threshold: U256,
    nonce: U256,
    version: String,
}

/// A Safe transaction that is judged.
struct Signing<'a> {
    view: &'a View<'a>,
    safe: &'a Subject,
    asked: &'a Asked<'a>,
    exported: Exported,
}

impl Signing<'_> {
    async fn judge(&self) -> Judged {
        let Self { view, safe, exported: Exported { transaction, .. }, .. } = self;
        let name = self.asked.of;
        if self.exported.safe != safe.address {
            let other = view.who(self.exported.safe);
            return Err(Finding::failed(format!("`{name}` is for the Safe {other}, not {safe}")));
        }
        let bundle = safe_bundle::read(view, self.asked.bundle, safe)?;
        self.is_the_bundle(&bundle).await?;
        self.pays_nobody()?;
        let hash = self.hash_is_right().await?;
        let told = self.told().await?;
        let mut observed = json!({
            "safe_tx_hash": hash,
            "domain_hash": domain(view.network.chain_id, safe.address),
            "message_hash": transaction.message(),
            "nonce": transaction.nonce.to_string(),
            "current_nonce": told.nonce.to_string(),
            "threshold": told.threshold.to_string(),
            "transactions": safe_bundle::words(view, &bundle),
        });
        if transaction.nonce < told.nonce {
            let moved = format!("`{name}` has the nonce {}, but {safe} is at {}", transaction.nonce, told.nonce);
            let executed = executed(view, safe, hash, self.exported.executed_in, &moved).await;
            let asked =
                |finding: Finding| finding.observed(observed.clone()).or_asked(view.cast_get(safe, "nonce()(uint256)"));
            return executed.map(asked).map_err(asked);
        }
        let Gathered { confirmations, rivals, looked } = gathered(view, self.asked, &self.exported, hash)?;
        let agreed = Agreed {
            safe,
            version: &told.version,
            hash,
            preimage: transaction.preimage(view.network.chain_id, safe.address),
            owners: &told.owners,
        };
        let signers = signers(view, &agreed, &confirmations).await?;
        observed["signers"] = signers.by.keys().map(|who| json!(checksum(*who))).collect();
        observed["not_counted"] = json!(signers.others);
        observed["rivals"] = rivals.iter().map(|Rival { hash, at }| json!(format!("{hash:?} {at}"))).collect();
        observed["looked"] = json!(looked);
        self.verdict(&told, &signers, &rivals, &looked)
            .map(|finding| finding.observed(observed.clone()))
            .map_err(|finding| finding.observed(observed))
    }

    fn verdict(&self, told: &Told, signers: &Signers, rivals: &[Rival], looked: &str) -> Judged {
        let Self { view, safe, exported: Exported { transaction, .. }, .. } = self;
        let (name, bundle) = (self.asked.of, self.asked.bundle);
        let getter = |finding: Finding, getter: &str| finding.asked(view.cast_get(safe, getter));
        if let Some(Rival { hash, at }) = rivals.first() {
            let others = if rivals.len() == 1 { String::new() } else { format!(" and {} more", rivals.len() - 1) };
            let message = format!("{hash:?}{others} waits at the same nonce {} as `{name}`, {at}", transaction.nonce);
            let hint = "find out who proposed it and why; only one of them can be executed";
            return Err(getter(Finding::failed(message), "nonce()(uint256)").hint(hint));
        }
        let devices = format!(
            "devices show the domain hash {:?} and the message hash {:?}",
            domain(view.network.chain_id, safe.address),
            transaction.message()
        );
        let (have, need) = (signers.by.len(), told.threshold);
        if need.is_zero() || U256::from(have) < need {
            let message = format!("{have} of {need} signatures of current owners of {safe}");
            let hint = format!("have other owners sign, who compare: {devices}; then export it again");
            return Err(getter(Finding::failed(message), "getThreshold()(uint256)").hint(hint));
        }
        let before = transaction.nonce.saturating_sub(told.nonce);
        let first = if before.is_zero() { String::new() } else { format!("; {before} must be executed before it") };
        let message = format!(
            "`{name}` is `{bundle}`, signed by {have} of {need} needed owners of {safe}{first}; {looked}; {devices}"
        );
        Ok(Finding::passed(message))
    }

    async fn told(&self) -> Result<Told, Finding> {
        let Self { view, safe, .. } = self;
        let numbers = both(view.number_of(safe, "getThreshold"), view.number_of(safe, "nonce"));
        let lists = both(current_owners(view, safe), view.get(safe, "VERSION()(string)"));
        let ((threshold, nonce), (owners, version)) = both(numbers, lists).await;
        let version = version?.into_iter().next().and_then(Token::into_string).unwrap_or_default();
        Ok(Told { owners: owners?, threshold: threshold?, nonce: nonce?, version })
    }

    /// What is to be executed must be the bundle, computed anew.
    async fn is_the_bundle(&self, bundle: &Bundle) -> Result<(), Finding> {
        let Self { view, exported, .. } = self;
        let SafeTransaction { to, value, data, operation, .. } = &exported.transaction;
        let (must_to, must_value, must_data, must_operation) = match bundle.transactions.as_slice() {
            [one] => (one.to, one.value, one.data.clone(), one.operation),
            several => {
                let multi_send = multi_send(view).await?;
                let calls = several.iter().map(|one| Packed {
                    operation: one.operation,
                    to: one.to,
                    value: one.value,
                    data: one.data.clone(),
                });
                let calls: Vec<Packed> = calls.collect();
                (multi_send.address, U256::zero(), calldata(&calls).map_err(Finding::unknown)?, 1)
            }
        };
        let (name, bundle) = (self.asked.of, self.asked.bundle);
        let differs = |what: &str, is: String, must: String| {
            Err(Finding::failed(format!("`{name}` is not `{bundle}`: its {what} is {is}, not {must}")))
        };
        if *operation != must_operation {
            let words = |operation| if operation == 0 { "a call" } else { "a delegatecall" }.to_owned();
            return differs("operation", words(*operation), words(must_operation));
        }
        if *to != must_to {
            return differs("target", view.who(*to), view.who(must_to));
        }
        if *value != must_value {
            return differs("value", value.to_string(), must_value.to_string());
        }
        if *data != must_data {
            return differs("data", brief(data), brief(&must_data));
        }
        Ok(())
    }

    /// Refunds move money; a gas limit lets a transaction be mined and fail.
    fn pays_nobody(&self) -> Result<(), Finding> {
        let transaction = &self.exported.transaction;
        let set = [
            ("safeTxGas", !transaction.safe_tx_gas.is_zero()),
            ("baseGas", !transaction.base_gas.is_zero()),
            ("gasPrice", !transaction.gas_price.is_zero()),
            ("gasToken", !transaction.gas_token.is_zero()),
            ("refundReceiver", !transaction.refund_receiver.is_zero()),
        ];
        match set.into_iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(Finding::failed(format!("`{}` sets `{key}`, which must be zero", self.asked.of))),
            None => Ok(()),
        }
    }

    /// Three times the same hash: computed here, claimed in the artefact, computed by the contract.
    async fn hash_is_right(&self) -> Result<H256, Finding> {
        let Self { view, safe, exported, .. } = self;
        let hash = exported.transaction.hash(view.network.chain_id, safe.address);
        let name = self.asked.of;
        if exported.claimed != hash {
            let claimed = exported.claimed;
            return Err(Finding::failed(format!("`{name}` claims the hash {claimed:?}; its parts make {hash:?}")));
        }
        let told = view.call(safe, GET_HASH, &exported.transaction.arguments()).await?;
        let told = told.into_iter().next().and_then(Token::into_fixed_bytes).unwrap_or_default();
        if told == hash.as_bytes() {
            return Ok(hash);
        }
        Err(Finding::failed(format!(
            "{safe} computes another hash than {hash:?} for `{name}`: its code is not a Safe's"
        ))
        .asked(view.cast_slot(safe, H256::zero())))
    }
}
