//! What a step printed, as evidence: what it must say, what it must never say, and the JSON in it.

use std::io::{BufRead, BufReader};

use aho_corasick::AhoCorasick;
use serde_json::{Value, json};

use super::Attempt;
use super::file::{json_problems, several};
use super::kept::{Kept, keep};
use crate::event::Artefact;
use crate::journal::RunFolder;
use crate::runbook::{OutputEvidence, Template};
use crate::secrets::shapes;
use crate::verdict::CheckResult;

pub(super) const ID: &str = "output";

pub(super) fn judge(attempt: &Attempt<'_>, wanted: &OutputEvidence, kept: &Kept) -> (CheckResult, Option<Artefact>) {
    let found = said(attempt, &wanted.has, &wanted.never).and_then(|mut problems| {
        let mut bytes = None;
        if !wanted.json.is_empty() || wanted.keep.is_some() {
            bytes = Some(stdout(attempt, !wanted.json.is_empty())?);
        }
        // The value of a declared secret is masked in it already.
        if let (Some(_), Some(bytes)) = (&wanted.keep, &bytes) {
            problems.extend(shapes(bytes).into_iter().map(|shape| format!("holds {shape}, and is not kept")));
        }
        if let (false, Some(bytes)) = (wanted.json.is_empty(), &bytes) {
            problems.extend(json_again(wanted, bytes, kept));
        }
        Ok((problems, bytes))
    });
    let (problems, bytes) = match found {
        Ok(found) => found,
        Err(error) => return (CheckResult::unknown(ID, ID, format!("{error:#}")), None),
    };
    if !problems.is_empty() {
        let result = CheckResult::failed(ID, ID, format!("output: {}", several(&problems)))
            .expected("every rule of the evidence holds")
            .observed(json!({ "problems": problems }));
        return (result, None);
    }
    let kept_as = wanted.keep.as_ref().zip(bytes).map(|(name, bytes)| keep(attempt, name, &bytes, "output"));
    match kept_as.transpose() {
        Ok(artefact) => (CheckResult::passed(ID, ID, "output: says what it must"), artefact),
        Err(error) => (CheckResult::unknown(ID, ID, format!("{error:#}")), None),
    }
}

/// What the JSON of a step's stdout breaks.
pub(super) fn json_again(wanted: &OutputEvidence, bytes: &[u8], kept: &Kept) -> Vec<String> {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(document) => json_problems(&document, &wanted.json, kept),
        Err(error) => vec![format!("stdout holds no JSON: {error}")],
    }
}

/// Looks for texts in the whole log, however large, in one pass.
fn said(attempt: &Attempt<'_>, has: &[Template], never: &[Template]) -> anyhow::Result<Vec<String>> {
    let wanted: Vec<String> =
        has.iter().chain(never).map(|text| text.render(attempt.scope).unwrap_or_else(|_| text.0.clone())).collect();
    let mut seen = vec![false; wanted.len()];
    if !wanted.is_empty() {
        let log = std::fs::File::open(attempt.folder.file(&RunFolder::log(&attempt.step.id.0, attempt.number)))?;
        // One automaton a text: overlapping texts must each be found.
        for (index, text) in wanted.iter().enumerate() {
            let mut log = log.try_clone()?;
            std::io::Seek::rewind(&mut log)?;
            seen[index] = AhoCorasick::new([text])?.stream_find_iter(log).next().transpose()?.is_some();
        }
    }
    let (has_seen, never_seen) = seen.split_at(has.len());
    let missing =
        wanted.iter().zip(has_seen).filter(|(_, seen)| !**seen).map(|(text, _)| format!("never says `{text}`"));
    let unwanted = wanted[has.len()..].iter().zip(never_seen).filter(|(_, seen)| **seen);
    Ok(missing.chain(unwanted.map(|(text, _)| format!("says `{text}`"))).collect())
}

/// The stdout of the attempt; for JSON, from the first line that starts a value, since npm and dotenv print banners.
fn stdout(attempt: &Attempt<'_>, json: bool) -> anyhow::Result<Vec<u8>> {
    const MOST: u64 = 64 * 1024 * 1024;
    let path = attempt.folder.file(&RunFolder::stdout(&attempt.step.id.0, attempt.number));
    anyhow::ensure!(std::fs::metadata(&path)?.len() <= MOST, "stdout has more than {MOST} bytes");
    let mut reader = BufReader::new(std::fs::File::open(&path)?);
    let mut bytes = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let starts = !json || !bytes.is_empty() || matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        if starts {
            bytes.append(&mut line);
        }
        line.clear();
    }
    Ok(bytes)
}
