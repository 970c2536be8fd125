//! Transaction hashes as evidence: what can be told of them before the chain is asked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use crate::runbook::{Lookup, TransactionsEvidence};
use crate::verdict::{CheckResult, Verdict};

/// The hashes that an artefact names.
#[derive(Debug, Clone)]
pub struct Hashes {
    pub id: String,
    pub of: String,
    pub min: u64,
    pub to: Vec<String>,
    pub hashes: Vec<String>,
    /// Why they cannot be read or count for nothing.
    pub problem: Option<(Verdict, String)>,
    own_chain: bool,
    handed_in: bool,
}

fn of(wanted: &TransactionsEvidence) -> &str {
    if wanted.handed_in { "handed in" } else { &wanted.of }
}

/// What the result of such evidence is called.
pub(super) fn id(wanted: &TransactionsEvidence) -> String {
    format!("transactions {}", of(wanted))
}

/// Reads the hashes of `wanted` from the kept artefact, or takes those that were handed in.
pub fn hashes(wanted: &TransactionsEvidence, kept: &dyn Lookup, handed_in: &[String], own_chain: bool) -> Hashes {
    let mut found = Hashes {
        id: id(wanted),
        of: of(wanted).to_owned(),
        min: wanted.min,
        to: wanted.to.clone(),
        hashes: Vec::new(),
        problem: None,
        own_chain,
        handed_in: wanted.handed_in,
    };
    match kept.artefact(&wanted.of) {
        _ if wanted.handed_in => found.hashes = handed_in.to_vec(),
        Err(error) => found.problem = Some((Verdict::Failed, error)),
        Ok(document) => match list(&document, &wanted.at) {
            Ok(hashes) => found.hashes = hashes,
            Err(error) => found.problem = Some((Verdict::Failed, error)),
        },
    }
    if found.problem.is_none() {
        found.problem = shape_problem(&found).map(|problem| (Verdict::Failed, problem));
    }
    found
}

impl Hashes {
    /// The verdict where it does not depend on the chain: a problem, or hashes on a chain that is gone by now.
    pub fn own_verdict(&self) -> Option<CheckResult> {
        let count = self.hashes.len();
        match &self.problem {
            Some((_, problem)) => Some(
                CheckResult::failed(&self.id, "transactions", format!("`{}`: {problem}", self.of))
                    .expected(format!("at least {} distinct, non-zero transaction hashes", self.min))
                    .observed(json!({ "hashes": self.hashes }))
                    .hint(if self.handed_in {
                        "`citadel step complete STEP --evidence 0x…` hands a transaction in"
                    } else if self.hashes.is_empty() {
                        "the step sent nothing, or wrote nothing that was kept: read its log"
                    } else {
                        "look into the artefact: the step wrote it without having sent what it claims"
                    }),
            ),
            None if self.own_chain => Some(
                CheckResult::passed(
                    &self.id,
                    "transactions",
                    format!("{count} distinct hashes, on a chain of its own"),
                )
                .observed(json!({ "hashes": self.hashes })),
            ),
            None => None,
        }
    }
}

fn list(document: &Value, at: &str) -> Result<Vec<String>, String> {
    let path = JsonPath::parse(at).map_err(|error| error.to_string())?;
    path.query(document)
        .all()
        .into_iter()
        .map(|node| node.as_str().map(str::to_owned).ok_or_else(|| format!("`{at}` finds {node}, not a hash")))
        .collect()
}

fn shape_problem(found: &Hashes) -> Option<String> {
    let is_hash = |text: &str| {
        text.strip_prefix("0x").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if (found.hashes.len() as u64) < found.min {
        return Some(format!("names {} transactions, at least {} must be there", found.hashes.len(), found.min));
    }
    if let Some(bad) = found.hashes.iter().find(|hash| !is_hash(hash)) {
        return Some(format!("`{bad}` is not a transaction hash"));
    }
    if let Some(zero) = found.hashes.iter().find(|hash| hash[2..].bytes().all(|byte| byte == b'0')) {
        return Some(format!("`{zero}` is the zero hash: nothing was sent"));
    }
    let distinct: BTreeSet<String> = found.hashes.iter().map(|hash| hash.to_lowercase()).collect();
    (distinct.len() < found.hashes.len()).then(|| "names one transaction twice".into())
}
