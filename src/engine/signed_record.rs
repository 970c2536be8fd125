//! What a gate's sign-off rests on, kept in the gate's record: the bytes that people signed and what they handed in, so
//! that both can be verified again without the run. Verifies nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::accounts::Contracts;
use super::inputs::Content;
use super::signed;
use super::world::View;
use crate::event::SignOffRequested;
use crate::runbook::{PersonKey, Phase, SignOff};
use crate::signoff;
use crate::verdict::CheckResult;

/// What people were asked to sign, and what they signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRecord {
    pub request: SignOffRequested,
    /// The exact bytes, which are UTF-8.
    pub statement: String,
    /// What was handed in, by the file's name.
    pub signatures: BTreeMap<String, Content>,
    /// The files that contracts were asked about (ERC-1271).
    pub contracts: BTreeSet<String>,
    /// The practice workspace's people, which no runbook names: a name and an SSH key each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub practice: Vec<(String, String)>,
    /// Who did not count, and why.
    pub excluded: BTreeMap<String, String>,
    /// The values of the names in the sentence's template.
    pub names: BTreeMap<String, String>,
    /// The git commit of the workspace.
    pub commit: Option<String>,
}

/// What the sign-off among `results` rests on; none where nobody was asked to sign, or it cannot be known who counts.
pub(super) fn keep(
    view: &View<'_>,
    phase: &Phase,
    sign_off: &SignOff,
    results: &[CheckResult],
    contracts: &Contracts,
) -> Option<SignedRecord> {
    let result = results.iter().find(|result| result.kind == signed::ID)?;
    let request = view.progress.gates.get(&phase.id)?.request.clone()?;
    let counted = counted(result);
    let terms = signed::terms(view, phase, sign_off, results).ok()?;
    let statement = std::fs::read(view.world.folder.file(&request.statement)).ok()?;
    let files = signoff::signatures(&view.world.folder.file(&signed::folder_of(&request)));
    // What came in since then was not judged.
    let files = files.into_iter().filter(|(file, _)| counted.contains(file));
    let network = view.network(phase);
    let group = view.runbook.signers.get(&sign_off.signers)?;
    let practice = terms.keys.iter().filter(|key| !group.keys.contains(key)).filter_map(|key| match &key.key {
        PersonKey::Ssh(ssh) => Some((key.who.clone(), ssh.clone())),
        PersonKey::Ethereum(_) => None,
    });
    let sentence = &sign_off.statement.0;
    let names = view.scope(network).values.into_iter().filter(|(name, _)| sentence.contains(name.as_str()));
    Some(SignedRecord {
        request,
        statement: String::from_utf8(statement).ok()?,
        signatures: files.map(|(file, content)| (file, Content::of_text(content))).collect(),
        contracts: contracts.keys().cloned().collect(),
        practice: practice.collect(),
        excluded: terms.excluded,
        names: names.collect(),
        commit: view.progress.run.as_ref()?.commit.clone(),
    })
}

/// The files that the result speaks of.
fn counted(result: &CheckResult) -> BTreeSet<String> {
    let all = |name: &str| result.observed[name].as_array().cloned().unwrap_or_default();
    let accepted = all("accepted").into_iter().map(|one| one["file"].clone());
    let refused = all("refused").into_iter().map(|one| one[0].clone());
    accepted.chain(refused).filter_map(|file| file.as_str().map(str::to_owned)).collect()
}
