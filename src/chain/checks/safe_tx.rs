//! `safe_tx`: whether the Safe transaction that people signed is exactly the bundle, and enough current owners signed it.
//! Its hash is computed here; nothing that a service says of itself is believed.

use std::collections::BTreeSet;

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};
use serde_json::{Value, json};

use super::safe::current_owners;
use super::safe_bundle;
use crate::chain::address::{checksum, lenient};
use crate::chain::bundle::Bundle;
use crate::chain::finding::{Finding, Judged};
use crate::chain::safe::multisend::{Packed, calldata};
use crate::chain::safe::release;
use crate::chain::safe::signature::{Signed, signer};
use crate::chain::safe::transaction::SafeTransaction;
use crate::chain::text::{tame, unhex};
use crate::chain::together::both;
use crate::chain::view::{Subject, View};

/// The runbook's name of the contract that several calls go through.
const MULTI_SEND: &str = "multi_send";

const GET_HASH: &str =
    "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)(bytes32)";

pub(super) async fn judge(view: &View<'_>, of: &str, bundle: &str, safe: &str) -> Judged {
    let expected = format!("`{bundle}`, signed by enough owners of `{safe}`");
    let (safe, _) = view.contract(safe)?;
    let signed = Signing::read(view, of).map_err(|finding| finding.expected(&expected))?;
    let judged = signed.judge(view, bundle, &safe).await;
    judged.map(|finding| finding.expected(&expected)).map_err(|finding| finding.expected(expected))
}

/// The Safe transaction of an artefact, shaped like the Safe Transaction Service tells it.
struct Signing {
    name: String,
    safe: Address,
    transaction: SafeTransaction,
    claimed: H256,
    confirmations: Vec<(Address, Vec<u8>)>,
}

impl Signing {
    fn read(view: &View<'_>, of: &str) -> Result<Self, Finding> {
        let bytes =
            view.around.artefact(of).map_err(|reason| Finding::unknown(format!("artefact `{of}`: {reason}")))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|_| Finding::failed(format!("`{of}` is not JSON")))?;
        Self::parse(of, &value).map_err(|reason| Finding::failed(format!("`{of}`: {reason}")))
    }

    fn parse(of: &str, value: &Value) -> Result<Self, String> {
        let at = |key: &str| value.get(key).ok_or_else(|| format!("it has no `{key}`"));
        let account = |key: &str| address(key, at(key)?);
        let amount = |key: &str| number(key, at(key)?);
        let operation = match amount("operation")? {
            call if call.is_zero() => 0,
            delegate if delegate == U256::one() => 1,
            _ => return Err("its operation is neither 0 nor 1".to_owned()),
        };
        let transaction = SafeTransaction {
            to: account("to")?,
            value: amount("value")?,
            data: data(at("data")?)?,
            operation,
            safe_tx_gas: amount("safeTxGas")?,
            base_gas: amount("baseGas")?,
            gas_price: amount("gasPrice")?,
            gas_token: account("gasToken")?,
            refund_receiver: account("refundReceiver")?,
            nonce: amount("nonce")?,
        };
        let claimed = crate::chain::question::hash(at("safeTxHash")?).ok_or("its `safeTxHash` is no hash")?;
        let confirmations = at("confirmations")?.as_array().ok_or("its `confirmations` are no list")?;
        let confirmations = confirmations.iter().map(confirmation).collect::<Result<_, _>>()?;
        Ok(Self { name: of.to_owned(), safe: account("safe")?, transaction, claimed, confirmations })
    }

    async fn judge(&self, view: &View<'_>, bundle: &str, safe: &Subject) -> Judged {
        let name = &self.name;
        if self.safe != safe.address {
            return Err(Finding::failed(format!("`{name}` is for the Safe {}, not {safe}", view.who(self.safe))));
        }
        let bundle_read = safe_bundle::read(view, bundle, safe)?;
        self.is_the_bundle(view, bundle, &bundle_read).await?;
        self.pays_nobody()?;
        let hash = self.hash_is_right(view, safe).await?;
        let ((owners, threshold), nonce) =
            both(both(current_owners(view, safe), view.number_of(safe, "getThreshold")), view.number_of(safe, "nonce"))
                .await;
        let (owners, threshold, nonce) = (owners?, threshold?, nonce?);
        let (signers, others) = self.signers(view, safe, hash, &owners)?;
        let observed = json!({
            "safe_tx_hash": hash,
            "nonce": self.transaction.nonce.to_string(),
            "current_nonce": nonce.to_string(),
            "signers": signers.iter().map(|who| checksum(*who)).collect::<Vec<_>>(),
            "not_counted": others,
            "threshold": threshold.to_string(),
            "transactions": safe_bundle::words(view, &bundle_read),
        });
        let told =
            |finding: Finding, getter: &str| finding.observed(observed.clone()).asked(view.cast_get(safe, getter));
        if self.transaction.nonce < nonce {
            let message = format!(
                "`{name}` has the nonce {}, but {safe} is at {nonce}: already executed or replaced",
                self.transaction.nonce
            );
            return Err(told(Finding::failed(message), "nonce()(uint256)"));
        }
        if threshold.is_zero() || U256::from(signers.len()) < threshold {
            let message = format!("{} of {threshold} signatures of current owners of {safe}", signers.len());
            return Err(told(Finding::failed(message), "getThreshold()(uint256)"));
        }
        let message =
            format!("`{name}` is `{bundle}`, signed by {} of {threshold} needed owners of {safe}", signers.len());
        Ok(Finding::passed(message).observed(observed))
    }

    /// What is to be executed must be the bundle, computed anew.
    async fn is_the_bundle(&self, view: &View<'_>, bundle_name: &str, bundle: &Bundle) -> Result<(), Finding> {
        let SafeTransaction { to, value, data, operation, .. } = &self.transaction;
        let (must_to, must_data, must_operation) = match bundle.transactions.as_slice() {
            [one] => (one.to, one.data.clone(), 0),
            several => {
                let multi_send = multi_send(view).await?;
                let calls = several.iter().map(|one| Packed {
                    operation: 0,
                    to: one.to,
                    value: U256::zero(),
                    data: one.data.clone(),
                });
                let calls: Vec<Packed> = calls.collect();
                (multi_send.address, calldata(&calls).map_err(Finding::unknown)?, 1)
            }
        };
        let name = &self.name;
        let differs = |what: &str, is: String, must: String| {
            Err(Finding::failed(format!("`{name}` is not `{bundle_name}`: its {what} is {is}, not {must}")))
        };
        if *operation != must_operation {
            let words = |operation| if operation == 0 { "a call" } else { "a delegatecall" }.to_owned();
            return differs("operation", words(*operation), words(must_operation));
        }
        if *to != must_to {
            return differs("target", view.who(*to), view.who(must_to));
        }
        if !value.is_zero() {
            return differs("value", value.to_string(), "0".to_owned());
        }
        if *data != must_data {
            let short = crate::chain::text::brief;
            return differs("data", short(data), short(&must_data));
        }
        Ok(())
    }

    /// Refunds move money; a gas limit lets a transaction be mined and fail.
    fn pays_nobody(&self) -> Result<(), Finding> {
        let transaction = &self.transaction;
        let set = [
            ("safeTxGas", !transaction.safe_tx_gas.is_zero()),
            ("baseGas", !transaction.base_gas.is_zero()),
            ("gasPrice", !transaction.gas_price.is_zero()),
            ("gasToken", !transaction.gas_token.is_zero()),
            ("refundReceiver", !transaction.refund_receiver.is_zero()),
        ];
        match set.into_iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(Finding::failed(format!("`{}` sets `{key}`, which must be zero", self.name))),
            None => Ok(()),
        }
    }

    /// Three times the same hash: computed here, claimed in the artefact, computed by the contract.
    async fn hash_is_right(&self, view: &View<'_>, safe: &Subject) -> Result<H256, Finding> {
        let hash = self.transaction.hash(view.network.chain_id, safe.address);
        if self.claimed != hash {
            return Err(Finding::failed(format!(
                "`{}` claims the hash {:?}; its parts make {hash:?}",
                self.name, self.claimed
            )));
        }
        let told = view.call(safe, GET_HASH, &self.transaction.arguments()).await?;
        let told = told.into_iter().next().and_then(Token::into_fixed_bytes).unwrap_or_default();
        if told == hash.as_bytes() {
            return Ok(hash);
        }
        Err(Finding::failed(format!("{safe} computes another hash than {hash:?} for `{}`", self.name)))
    }

    /// The different current owners who signed, and what was not counted.
    fn signers(
        &self,
        view: &View<'_>,
        safe: &Subject,
        hash: H256,
        owners: &[Address],
    ) -> Result<(BTreeSet<Address>, Vec<String>), Finding> {
        let (mut signers, mut others) = (BTreeSet::new(), Vec::new());
        for (owner, signature) in &self.confirmations {
            let who = view.who(*owner);
            let wrong =
                |reason: String| Finding::failed(format!("the confirmation of {who} in `{}`: {reason}", self.name));
            match signer(hash, signature).map_err(wrong)? {
                Signed::Otherwise(how) => others.push(format!("{who}: {how}")),
                Signed::By(by) if by != *owner => {
                    return Err(wrong(format!("it is the signature of {}", view.who(by))));
                }
                Signed::By(by) if !owners.contains(&by) => return Err(wrong(format!("not an owner of {safe}"))),
                Signed::By(by) => {
                    if !signers.insert(by) {
                        others.push(format!("{who}: a second time"));
                    }
                }
            }
        }
        Ok((signers, others))
    }
}

/// The declared `MultiSendCallOnly`, which must have released code: a Safe gives its whole self to what it delegates to.
async fn multi_send(view: &View<'_>) -> Result<Subject, Finding> {
    let (subject, _) = view.contract(MULTI_SEND)?;
    let code = view.code(&subject).await?;
    match release::multi_send(&code) {
        Some(_) => Ok(subject),
        None => Err(Finding::failed(format!("{subject} is no released `MultiSendCallOnly`"))),
    }
}

fn confirmation(value: &Value) -> Result<(Address, Vec<u8>), String> {
    let owner = address("owner", value.get("owner").ok_or("a confirmation has no `owner`")?)?;
    let signature = value.get("signature").and_then(Value::as_str).and_then(unhex);
    Ok((owner, signature.ok_or("a confirmation has no `signature` in hex")?))
}

fn address(key: &str, value: &Value) -> Result<Address, String> {
    value.as_str().ok_or_else(|| format!("its `{key}` is no address")).and_then(lenient)
}

fn number(key: &str, value: &Value) -> Result<U256, String> {
    let text = match value {
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()));
    digits
        .and_then(|text| U256::from_dec_str(&text).ok())
        .ok_or_else(|| format!("its `{key}` is no number: {}", tame(&value.to_string())))
}

fn data(value: &Value) -> Result<Vec<u8>, String> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    value.as_str().and_then(unhex).ok_or_else(|| "its `data` is not hex".to_owned())
}
