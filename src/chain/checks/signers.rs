//! Which current owners of a Safe agreed to a transaction: by a signature that is recovered, by an approval on the chain, or
//! by a contract that says so. What a file or a service claims about signers counts for nothing.

use std::collections::{BTreeMap, BTreeSet};

use ethers::abi::Token;
use ethers::types::{Address, H256};

use crate::chain::abi::{Signature, strict};
use crate::chain::finding::Finding;
use crate::chain::safe::exported::Confirmation;
use crate::chain::safe::signature::{Signed, signer};
use crate::chain::together::together;
use crate::chain::view::{Simulated, Subject, View};
use crate::verdict::Verdict;

/// What a Safe asks a contract, and what it must answer: up to 1.4.1 about the data, since 1.5.0 about its hash.
const ABOUT_DATA: (&str, [u8; 4]) = ("isValidSignature(bytes,bytes)(bytes4)", [0x20, 0xc1, 0x3b, 0x0b]);
const ABOUT_HASH: (&str, [u8; 4]) = ("isValidSignature(bytes32,bytes)(bytes4)", [0x16, 0x26, 0xba, 0x7e]);

/// The transaction that was agreed to.
pub(super) struct Agreed<'a> {
    pub(super) safe: &'a Subject,
    pub(super) version: &'a str,
    pub(super) hash: H256,
    /// What the hash is of.
    pub(super) preimage: Vec<u8>,
    pub(super) owners: &'a [Address],
}

/// Owners with the way in which each agreed, and what was not counted.
#[derive(Default)]
pub(super) struct Signers {
    pub(super) by: BTreeMap<Address, &'static str>,
    pub(super) others: Vec<String>,
}

/// Counts the confirmations from `source`, and every approval on the chain.
pub(super) async fn signers(
    view: &View<'_>,
    agreed: &Agreed<'_>,
    confirmations: &[(String, Confirmation)],
) -> Result<Signers, Finding> {
    let mut signers = Signers::default();
    let approved = approvals(view, agreed).await?;
    let mut seen = BTreeSet::new();
    for (source, Confirmation { owner, signature }) in confirmations {
        if !seen.insert((owner, signature)) {
            signers.others.push(format!("{}: a second time", view.who(*owner)));
            continue;
        }
        let who = view.who(*owner);
        let wrong = |reason: String| Finding::failed(format!("the confirmation of {who} in {source}: {reason}"));
        let (by, how) = match signer(agreed.hash, signature).map_err(wrong)? {
            Signed::By(by) => (by, "signature"),
            Signed::Approved(by) if approved.contains(&by) => (by, "approval on the chain"),
            Signed::Approved(by) => {
                signers.others.push(format!("{}: there is no approval on the chain", view.who(by)));
                continue;
            }
            Signed::Contract(by, bytes) => match contract(view, agreed, by, &bytes).await? {
                Ok(()) => (by, "contract's word"),
                Err(reason) => {
                    signers.others.push(format!("{}: {reason}", view.who(by)));
                    continue;
                }
            },
        };
        if by != *owner {
            return Err(wrong(format!("it is the signature of {}", view.who(by))));
        }
        if !agreed.owners.contains(&by) {
            return Err(wrong(format!("not an owner of {}", agreed.safe))
                .asked(view.cast_get(agreed.safe, "getOwners()(address[])")));
        }
        if signers.by.insert(by, how).is_some() {
            signers.others.push(format!("{who}: a second time"));
        }
    }
    for owner in approved {
        signers.by.entry(owner).or_insert("approval on the chain");
    }
    Ok(signers)
}

/// The owners who approved the hash by a transaction of their own.
async fn approvals(view: &View<'_>, agreed: &Agreed<'_>) -> Result<BTreeSet<Address>, Finding> {
    let ask = async |owner: &Address| {
        let arguments = [Token::Address(*owner), Token::FixedBytes(agreed.hash.as_bytes().to_vec())];
        view.call(agreed.safe, "approvedHashes(address,bytes32)(uint256)", &arguments).await
    };
    let mut approved = BTreeSet::new();
    for (owner, told) in agreed.owners.iter().zip(together(agreed.owners.iter().map(ask)).await) {
        let told = told?.into_iter().next().and_then(Token::into_uint).unwrap_or_default();
        if !told.is_zero() {
            approved.insert(*owner);
        }
    }
    Ok(approved)
}

/// Whether a contract stands by a signature (ERC-1271), asked as this version of the Safe asks.
async fn contract(
    view: &View<'_>,
    agreed: &Agreed<'_>,
    owner: Address,
    bytes: &[u8],
) -> Result<Result<(), String>, Finding> {
    let (text, magic) = if matches!(agreed.version, "1.3.0" | "1.4.1") { ABOUT_DATA } else { ABOUT_HASH };
    let ask = Signature::parse(text).map_err(Finding::unknown)?;
    let about = if magic == ABOUT_DATA.1 {
        Token::Bytes(agreed.preimage.clone())
    } else {
        Token::FixedBytes(agreed.hash.as_bytes().to_vec())
    };
    let subject = Subject { name: "owner".to_owned(), address: owner };
    let told = view.simulate(None, &subject, ask.encode(&[about, Token::Bytes(bytes.to_vec())])).await;
    Ok(match told {
        Err(finding) if finding.verdict() == Verdict::Failed => Err(finding.message().to_owned()),
        Err(finding) => return Err(finding),
        Ok(Simulated::Reverted(_)) => Err("the contract does not stand by its signature: it reverts".to_owned()),
        Ok(Simulated::Returned(answer)) => match strict(&ask.outputs, &answer).ok().as_deref() {
            Some([Token::FixedBytes(word)]) if *word == magic => Ok(()),
            _ => Err("the contract does not stand by its signature".to_owned()),
        },
    })
}
