//! What a runbook's checks observed at one block, as a file, and what changed between two such files. Pure; a snapshot
//! has no verdicts: it says what is, not whether it may be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference;
use crate::verdict::Verdict;

/// The format that this citadel writes and reads.
pub const FORMAT: u32 = 1;

/// Everything that the checks of a runbook observed at one block. The same block gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub format: u32,
    pub citadel: String,
    pub runbook: String,
    pub runbook_sha256: String,
    pub network: String,
    pub chain_id: u64,
    pub genesis: Option<String>,
    pub block: SnapshotBlock,
    /// The variables of the endpoints that were counted, with their hosts.
    pub endpoints: BTreeMap<String, String>,
    /// Every contract's address on the network.
    pub contracts: BTreeMap<String, String>,
    /// In the order of the runbook.
    pub observed: Vec<Observed>,
}

/// The block that everything was read at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotBlock {
    pub number: u64,
    pub hash: String,
    /// Seconds since 1970.
    pub time: u64,
}

/// What one check observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// `invariant`, `gate 1`, `step 3.thermostat`, `contingency thermal-runaway`.
    pub of: String,
    pub check: String,
    pub kind: String,
    pub observed: Value,
    /// Why there is nothing to observe, such as a call that reverts; the chain says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// Why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// What changed between two snapshots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    pub format: u32,
    pub network: String,
    pub chain_id: u64,
    pub from: SnapshotBlock,
    pub to: SnapshotBlock,
    pub changes: Vec<Drifted>,
    /// What moves on its own, such as a Safe's nonce.
    pub moved: Vec<Drifted>,
    /// What could not be compared.
    pub unknown: Vec<Drifted>,
    pub notes: Vec<String>,
}

/// One change, or one thing that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drifted {
    pub of: String,
    pub check: String,
    pub kind: String,
    pub path: String,
    pub words: String,
}

impl Snapshot {
    /// Whether everything was observed.
    pub fn is_whole(&self) -> bool {
        self.observed.iter().all(|one| one.unknown.is_none())
    }

    /// Reads a snapshot; the error is a sentence about the file.
    ///
    /// # Errors
    /// Where it is no snapshot that this citadel reads.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => return Err(format!("has format {format}; this citadel reads {FORMAT}")),
            None => return Err("is no snapshot: it has no `format`".to_owned()),
        }
        serde_json::from_value(value).map_err(|error| format!("is no snapshot: {error}"))
    }

    fn find(&self, other: &Observed) -> Option<&Observed> {
        self.observed.iter().find(|one| one.of == other.of && one.check == other.check && one.kind == other.kind)
    }
}

impl Drift {
    /// Holds two snapshots of one chain against each other.
    ///
    /// # Errors
    /// Where they are not of one chain.
    pub fn between(from: &Snapshot, to: &Snapshot) -> Result<Self, String> {
        let chain = |of: &Snapshot| (of.chain_id, of.genesis.clone());
        if from.network != to.network || chain(from) != chain(to) {
            let name = |of: &Snapshot| format!("`{}` (chain {})", of.network, of.chain_id);
            return Err(format!("the snapshots are of {} and {}: not one chain", name(from), name(to)));
        }
        let mut drift = Self {
            format: FORMAT,
            network: to.network.clone(),
            chain_id: to.chain_id,
            from: from.block.clone(),
            to: to.block.clone(),
            changes: Vec::new(),
            moved: Vec::new(),
            unknown: Vec::new(),
            notes: notes(from, to),
        };
        for then in &from.observed {
            match to.find(then) {
                Some(now) => drift.compare(then, now, &names(from, to)),
                None => drift.changes.push(drifted(then, "", "is no longer observed: the runbook changed")),
            }
        }
        let new = to.observed.iter().filter(|now| from.find(now).is_none());
        drift.changes.extend(new.map(|now| drifted(now, "", "was not observed before: the runbook changed")));
        Ok(drift)
    }

    /// *Passed* where nothing changed, *failed* where something did, *unknown* where that cannot be said.
    pub fn verdict(&self) -> Verdict {
        match (self.changes.is_empty(), self.unknown.is_empty()) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Passed,
        }
    }

    fn compare(&mut self, then: &Observed, now: &Observed, names: &BTreeMap<String, String>) {
        let unknown = [("earlier", &then.unknown), ("later", &now.unknown)];
        let mut unknown = unknown.into_iter().filter_map(|(which, why)| Some((which, why.as_ref()?)));
        if let Some((which, why)) = unknown.next() {
            self.unknown.push(drifted(now, "", &format!("unknown in the {which} snapshot: {why}")));
            return;
        }
        if then.nothing != now.nothing {
            let word = |one: &Observed| one.nothing.clone().unwrap_or_else(|| "observed".to_owned());
            self.changes.push(drifted(now, "", &format!("was: {}; is: {}", word(then), word(now))));
            return;
        }
        let who = |address: &str| {
            names.get(address).map_or_else(|| address.to_owned(), |name| format!("{address} (`{name}`)"))
        };
        for change in difference::changes(&then.observed, &now.observed, &who) {
            let list = if change.moving { &mut self.moved } else { &mut self.changes };
            list.push(drifted(now, &change.path, &change.words));
        }
    }
}

fn drifted(of: &Observed, path: &str, words: &str) -> Drifted {
    Drifted {
        of: of.of.clone(),
        check: of.check.clone(),
        kind: of.kind.clone(),
        path: path.to_owned(),
        words: words.to_owned(),
    }
}

/// The names of addresses: those of the later snapshot first.
fn names(from: &Snapshot, to: &Snapshot) -> BTreeMap<String, String> {
    let all = from.contracts.iter().chain(&to.contracts);
    all.map(|(name, address)| (address.clone(), name.clone())).collect()
}

fn notes(from: &Snapshot, to: &Snapshot) -> Vec<String> {
    let mut notes = Vec::new();
    if from.runbook_sha256 != to.runbook_sha256 {
        notes.push("the snapshots were made with different runbooks".to_owned());
    }
    if from.block.number > to.block.number {
        notes.push("the first snapshot is of a later block than the second".to_owned());
    }
    for (name, address) in &to.contracts {
        if let Some(before) = from.contracts.get(name).filter(|before| *before != address) {
            notes.push(format!("`{name}` is another address: {before} to {address}"));
        }
    }
    notes
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A snapshot with one Safe of that threshold.
    pub(crate) fn snapshot(number: u64, threshold: &str, nonce: &str) -> Snapshot {
        let observed = json!({ "threshold": threshold, "nonce": nonce });
        Snapshot {
            format: FORMAT,
            citadel: "1".to_owned(),
            runbook: "ops".to_owned(),
            runbook_sha256: "ab".to_owned(),
            network: "mainnet".to_owned(),
            chain_id: 1,
            genesis: None,
            block: SnapshotBlock { number, hash: format!("0x{number:064x}"), time: 1_700_000_000 + number },
            endpoints: BTreeMap::new(),
            contracts: BTreeMap::new(),
            observed: vec![Observed {
                of: "gate 1".to_owned(),
                check: "safe".to_owned(),
                kind: "safe".to_owned(),
                observed,
                nothing: None,
                unknown: None,
            }],
        }
    }

    fn check(change: impl Fn(&mut Snapshot), verdict: Verdict, words: &[&str]) {
        let (from, mut to) = (snapshot(5, "3", "1"), snapshot(9, "3", "1"));
        change(&mut to);
        let drift = Drift::between(&from, &to).unwrap();
        assert_eq!(drift.verdict(), verdict, "{drift:?}");
        let all = drift.changes.iter().chain(&drift.moved).chain(&drift.unknown);
        let told: Vec<&str> = all.map(|one| one.words.as_str()).collect();
        assert_eq!(told, words);
    }

    #[test]
    fn what_changed_is_told_and_what_is_unknown_is_no_sameness() {
        check(|_| {}, Verdict::Passed, &[]);
        check(|to| to.observed[0].observed["threshold"] = json!("2"), Verdict::Failed, &["threshold 3 to 2"]);
        check(|to| to.observed[0].observed["nonce"] = json!("2"), Verdict::Passed, &["nonce 1 to 2"]);
        let late = |to: &mut Snapshot| to.observed[0].unknown = Some("no answer".to_owned());
        check(late, Verdict::Unknown, &["unknown in the later snapshot: no answer"]);
        let gone = |to: &mut Snapshot| to.observed[0].nothing = Some("no code".to_owned());
        check(gone, Verdict::Failed, &["was: observed; is: no code"]);
        check(|to| to.observed.clear(), Verdict::Failed, &["is no longer observed: the runbook changed"]);
        let new = |to: &mut Snapshot| to.observed[0].check = "other".to_owned();
        let (went, came) =
            ("is no longer observed: the runbook changed", "was not observed before: the runbook changed");
        check(new, Verdict::Failed, &[went, came]);
    }

    #[test]
    fn two_chains_are_not_compared() {
        let (from, mut to) = (snapshot(1, "1", "1"), snapshot(2, "1", "1"));
        to.chain_id = 10;
        assert!(Drift::between(&from, &to).unwrap_err().contains("not one chain"));
        to.chain_id = 1;
        to.genesis = Some("0x1".to_owned());
        assert!(Drift::between(&from, &to).is_err());
    }

    #[test]
    fn only_snapshots_of_a_known_format_are_read() {
        let check = |text: &str, words: &str| assert!(Snapshot::read(text.as_bytes()).unwrap_err().contains(words));
        check("x", "is not JSON");
        check("{}", "it has no `format`");
        check("{\"format\":2}", "has format 2; this citadel reads 1");
        check("{\"format\":1,\"gate\":\"1\"}", "is no snapshot");
        let bytes = serde_json::to_vec(&snapshot(1, "1", "1")).unwrap();
        assert_eq!(Snapshot::read(&bytes).unwrap(), snapshot(1, "1", "1"));
    }
}
