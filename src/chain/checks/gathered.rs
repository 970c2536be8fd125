//! Everything that is known of a Safe transaction beside the file that was declared: signatures and rivals at its nonce, from
//! files and from a service. None of it is believed: a signature proves itself, and a rival closes the gate. Says where it
//! did not look.

use std::collections::BTreeMap;

use ethers::types::{Address, H256};
use serde_json::Value;

use super::safe_tx::Asked;
use crate::chain::finding::Finding;
use crate::chain::safe::beside::{Beside, beside};
use crate::chain::safe::exported::{Confirmation, Exported, competing};
use crate::chain::service;
use crate::chain::view::View;
use crate::runbook::Template;

/// What was found, and where nobody looked.
pub(super) struct Gathered {
    /// With where each is from.
    pub(super) confirmations: Vec<(String, Confirmation)>,
    pub(super) rivals: Vec<Rival>,
    /// Which places other transactions at the nonce were looked for in, as the end of a sentence.
    pub(super) looked: String,
}

/// Another transaction at the same nonce.
pub(super) struct Rival {
    pub(super) hash: H256,
    /// Where it was found.
    pub(super) at: String,
}

/// Gathers for the transaction `hash`.
pub(super) fn gathered(
    view: &View<'_>,
    asked: &Asked<'_>,
    exported: &Exported,
    hash: H256,
) -> Result<Gathered, Finding> {
    let own = exported.confirmations.iter().map(|one| ("the file".to_owned(), one.clone()));
    let mut all = Gathered { confirmations: own.collect(), rivals: Vec::new(), looked: looked(view, asked)? };
    if let Some(folder) = asked.others {
        files(view, folder, exported, hash, &mut all)?;
    }
    if let Some(service) = asked.service {
        told(view, asked, service, exported, hash, &mut all)?;
    }
    Ok(all)
}

impl Gathered {
    /// Takes the confirmations of owners who have none yet: one may have handed in the same at several places.
    fn take(&mut self, from: &str, further: Vec<Confirmation>) {
        let known: Vec<Address> = self.confirmations.iter().map(|(_, one)| one.owner).collect();
        let further = further.into_iter().filter(|one| !known.contains(&one.owner));
        self.confirmations.extend(further.map(|one| (from.to_owned(), one)));
    }
}

fn looked(view: &View<'_>, asked: &Asked<'_>) -> Result<String, Finding> {
    let folder = asked.others.map(|folder| rendered(view, folder)).transpose()?;
    Ok(match (asked.service.is_some(), folder) {
        (true, Some(folder)) => {
            format!("others at its nonce were looked for at the service and in `{folder}`, and nowhere else")
        }
        (true, None) => "others at its nonce were looked for at the service, and nowhere else".to_owned(),
        (false, Some(folder)) => {
            format!("others at its nonce were looked for in `{folder}` alone: no Safe Transaction Service is declared")
        }
        (false, None) => {
            "others at its nonce were not looked for: neither `others` nor `service` is declared".to_owned()
        }
    })
}

fn rendered(view: &View<'_>, folder: &Template) -> Result<String, Finding> {
    let unknown = |name| Finding::unknown(format!("`others`: `{name}` has no value yet"));
    folder.render(view.around.scope()).map_err(unknown)
}

/// What the files of the folder say.
fn files(
    view: &View<'_>,
    folder: &Template,
    exported: &Exported,
    hash: H256,
    all: &mut Gathered,
) -> Result<(), Finding> {
    let folder = rendered(view, folder)?;
    let unknown = |reason: String| {
        Finding::unknown(format!("what lies in `{folder}` cannot be told: {reason}"))
            .hint("look at the file; take it away if it is none of this, or export it again")
    };
    let bytes = view.around.artefact(&service::files_of(&folder)).map_err(unknown)?;
    let files: BTreeMap<String, Option<String>> =
        serde_json::from_slice(&bytes).map_err(|_| unknown("the list of its files is malformed".to_owned()))?;
    for (name, text) in files {
        let text = text.ok_or_else(|| unknown(format!("`{name}` could not be read")))?;
        let found = beside(&text, exported, hash, view.network.chain_id);
        for one in found.map_err(|reason| unknown(format!("`{name}`: {reason}")))? {
            match one {
                Beside::Same(further) => all.take(&format!("`{name}`"), further),
                Beside::Rival(hash) => all.rivals.push(Rival { hash, at: format!("in `{folder}/{name}`") }),
            }
        }
    }
    Ok(())
}

/// What the service told.
fn told(
    view: &View<'_>,
    asked: &Asked<'_>,
    service: &Template,
    exported: &Exported,
    hash: H256,
    all: &mut Gathered,
) -> Result<(), Finding> {
    let base = service::base(service, view.around).map_err(Finding::unknown)?;
    let unknown = |what: &str, reason: String| {
        Finding::unknown(format!("the Safe Transaction Service does not tell {what}: {reason}"))
            .hint("look at `service` in the runbook, or leave it out and export the confirmations to the file")
    };
    let page = |what: &str, address: &str| {
        let bytes = view.around.artefact(address).map_err(|reason| unknown(what, reason))?;
        serde_json::from_slice::<Value>(&bytes).map_err(|_| unknown(what, "it is not JSON".to_owned()))
    };
    let told = page("the transaction", &service::transaction(&base, hash))?;
    let told = Exported::parse(&told).map_err(|reason| unknown("the transaction", reason))?;
    if told.safe != exported.safe || told.transaction != exported.transaction {
        let message =
            format!("the Safe Transaction Service tells another transaction than `{}` under its hash", asked.of);
        return Err(Finding::failed(message).hint("the service lies or is not for this chain: do not sign with it"));
    }
    all.take("the service", told.confirmations);
    let nonce = exported.transaction.nonce;
    let list = page("what waits at the nonce", &service::at_nonce(&base, exported.safe, nonce))?;
    let rivals = competing(&list, hash, nonce).map_err(|reason| unknown("what waits at the nonce", reason))?;
    all.rivals.extend(rivals.into_iter().map(|hash| Rival { hash, at: "at the service".to_owned() }));
    Ok(())
}
