//! Files as evidence: regular, of this attempt, and saying what they must.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::Attempt;
use super::kept::{Kept, keep};
use crate::beneath::{self, Found};
use crate::digest::sha256;
use crate::event::Artefact;
use crate::journal::RunFolder;
use crate::runbook::{EvidenceKind, FileEvidence, JsonRule, Lookup, Mentions, Scope, Step, Template};
use crate::signoff::allowed_signers;
use crate::verdict::CheckResult;
use crate::workspace::read_file;

/// File systems keep times more coarsely than clocks do.
const TIME_GRAIN: Duration = Duration::from_secs(2);

/// Moves the files that `step` must write out of the way, into the run's folder, so that one left over never counts.
pub fn set_aside(step: &Step, attempt: u32, workspace: &Path, folder: &RunFolder, scope: &Scope) -> anyhow::Result<()> {
    for evidence in &step.evidence {
        let EvidenceKind::File(FileEvidence { path, written: true, .. }) = &evidence.kind else { continue };
        let Ok(path) = path.render(scope) else { continue };
        let name = format!("before.{}", path.replace('/', "_"));
        beneath::take_away(workspace, &path, &folder.file(&RunFolder::artefact(&step.id.0, attempt, &name)))?;
    }
    Ok(())
}

/// The SHA-256 of the files that `step` must leave as they are.
pub fn hashes_before(step: &Step, workspace: &Path, scope: &Scope) -> BTreeMap<String, String> {
    let files = step.evidence.iter().filter_map(|evidence| match &evidence.kind {
        EvidenceKind::File(FileEvidence { path, unchanged: true, .. }) => path.render(scope).ok(),
        _ => None,
    });
    files.filter_map(|path| read_file(workspace, &path).ok().map(|bytes| (path, sha256(&bytes)))).collect()
}

/// What the result of such evidence is called.
pub(super) fn id(path: &str) -> String {
    format!("file {path}")
}

pub(super) fn judge(attempt: &Attempt<'_>, wanted: &FileEvidence, kept: &Kept) -> (CheckResult, Option<Artefact>) {
    let path = match wanted.path.render(attempt.scope) {
        Ok(path) => path,
        Err(name) => return (CheckResult::unknown("file", "file", format!("`{name}` has no value yet")), None),
    };
    let id = id(&path);
    let found = match beneath::read(attempt.workspace, &path) {
        Ok(found) => found,
        Err(error) => {
            let result = CheckResult::failed(&id, "file", format!("{error:#}"))
                .expected("a regular file, written by this attempt")
                .hint("read the step's log: it ended without making the file");
            return (result, None);
        }
    };
    let problems = problems(attempt, wanted, kept, &path, &found);
    let bytes = found.bytes;
    let observed = json!({ "sha256": sha256(&bytes), "bytes": bytes.len() });
    if !problems.is_empty() {
        let result = CheckResult::failed(&id, "file", format!("`{path}`: {}", several(&problems)))
            .expected("every rule of the evidence holds")
            .observed(json!({ "file": observed, "problems": problems }));
        return (result, None);
    }
    let artefact = match &wanted.keep {
        None => None,
        Some(name) => match keep(attempt, name, &bytes, &path) {
            Ok(artefact) => Some(artefact),
            Err(error) => return (CheckResult::unknown(&id, "file", format!("{error:#}")), None),
        },
    };
    (CheckResult::passed(&id, "file", format!("`{path}`: {} bytes", bytes.len())).observed(observed), artefact)
}

fn problems(attempt: &Attempt<'_>, wanted: &FileEvidence, kept: &Kept, path: &str, found: &Found) -> Vec<String> {
    let (mut problems, bytes) = (Vec::new(), found.bytes.as_slice());
    if wanted.written && found.modified + TIME_GRAIN < attempt.since {
        problems.push("it is older than this attempt".into());
    }
    // Package managers link what they install; what a step writes has one name, or is another file under a new one.
    if wanted.written && found.names > 1 {
        problems
            .push(format!("it has {} names (hard links), so that it is no file of this attempt alone", found.names));
    }
    if wanted.unchanged && attempt.before.get(path) != Some(&sha256(bytes)) {
        problems.push("the step changed it, and must leave it as it was".into());
    }
    problems.extend(attempt.mask.problems(bytes).into_iter().map(|what| format!("it holds {what}, and is not kept")));
    if bytes.is_empty() {
        problems.push("it is empty".into());
    }
    problems.extend(content_problems(wanted, bytes, kept, attempt.scope));
    if let Some(at) = &wanted.manifest {
        problems.extend(manifest_problems(attempt, path, bytes, at));
    }
    if wanted.allowed_signers {
        let (entries, bad) = allowed_signers::parse(&String::from_utf8_lossy(bytes), jiff::Timestamp::now());
        problems.extend(bad.iter().map(ToString::to_string));
        if entries.is_empty() && bad.is_empty() {
            problems.push("it names no key".into());
        }
    }
    problems
}

/// What the bytes themselves break, whenever and wherever they are looked at.
pub(super) fn content_problems(wanted: &FileEvidence, bytes: &[u8], kept: &Kept, scope: &Scope) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut problems = text_problems(&text, &wanted.contains, &wanted.never, scope);
    if !wanted.json.is_empty() {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(document) => problems.extend(json_problems(&document, &wanted.json, kept)),
            Err(error) => problems.push(format!("it is not JSON: {error}")),
        }
    }
    if let Some(mentions) = &wanted.mentions {
        problems.extend(unmentioned(&text, mentions, kept));
    }
    problems
}

/// Values that a text should mention and does not.
fn unmentioned(text: &str, mentions: &Mentions, kept: &Kept) -> Vec<String> {
    let document = match kept.artefact(&mentions.of) {
        Ok(document) => document,
        Err(error) => return vec![error],
    };
    let values = found_at(&document, &mentions.at);
    if values.is_empty() {
        return vec![format!("`{}` has nothing at `{}` that it could mention", mentions.of, mentions.at)];
    }
    let missing = values.into_iter().filter(|value| !text.contains(value.as_str().unwrap_or(&value.to_string())));
    missing.map(|value| format!("it does not mention {value} of `{}`", mentions.of)).collect()
}

/// Entries of a manifest whose file, beside it, is missing or has another hash.
fn manifest_problems(attempt: &Attempt<'_>, path: &str, bytes: &[u8], at: &str) -> Vec<String> {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let entries = found_at(&document, at).into_iter().flat_map(|list| list.as_array().cloned().unwrap_or_default());
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let problem = |entry: Value| {
        let (Some(file), Some(hash)) = (entry["file"].as_str(), entry["sha256"].as_str()) else {
            return Some(format!("its entry {entry} has no `file` and `sha256`"));
        };
        match read_file(attempt.workspace, &folder.join(file).display().to_string()) {
            Ok(bytes) if sha256(&bytes) == hash => None,
            Ok(_) => Some(format!("`{file}` does not have the SHA-256 that it names")),
            Err(error) => Some(format!("{error:#}")),
        }
    };
    entries.filter_map(problem).collect()
}

fn found_at<'a>(document: &'a Value, at: &str) -> Vec<&'a Value> {
    JsonPath::parse(at).map(|path| path.query(document).all()).unwrap_or_default()
}

/// Problems in one sentence; the first few of many.
pub(super) fn several(problems: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = problems.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    let more = problems.len().saturating_sub(SHOWN);
    if more > 0 { format!("{shown}; and {more} more") } else { shown }
}

/// What a text must say and must not say.
pub(super) fn text_problems(text: &str, has: &[Template], never: &[Template], scope: &Scope) -> Vec<String> {
    let render = |template: &Template| template.render(scope).unwrap_or_else(|_| template.0.clone());
    let missing = has.iter().map(render).filter(|wanted| !text.contains(wanted.as_str()));
    let mut problems: Vec<String> = missing.map(|wanted| format!("it does not say `{wanted}`")).collect();
    let present = never.iter().map(render).filter(|unwanted| text.contains(unwanted.as_str()));
    problems.extend(present.map(|unwanted| format!("it says `{unwanted}`")));
    problems
}

/// Which rules a JSON document breaks.
pub(super) fn json_problems(document: &Value, rules: &[JsonRule], lookup: &dyn Lookup) -> Vec<String> {
    rules.iter().filter_map(|rule| rule.judge(document, lookup).err()).map(|unmet| unmet.to_string()).collect()
}
