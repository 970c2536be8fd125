//! `citadel gate verify --replay`: judges a gate's record again, from the file alone. It says consistent or not; it opens
//! nothing and never says *passed*.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::cli::VerdictFormat;
use crate::digest::sha256;
use crate::engine::replay::{Beside, Found, Replay, replay};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{self, RunFolder};
use crate::progress::Progress;
use crate::terminal;
use crate::text::clean;

pub(super) async fn judge_again(file: &Path, format: VerdictFormat) -> Result<ExitCode, Failure> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display())).map_err(|error| {
        Failure { code: ExitCode::Usage, ..Failure::from(error) }
            .hint("name a record: `gates/GATE.N.json` in a run's folder, or `gates/GATE.json` beside its report")
    })?;
    let bound = bound(file, &sha256(&bytes))?;
    let beside = bound.as_ref().ok().and_then(Option::as_ref);
    let mut replay = replay(&bytes, beside).await?;
    replay.problems.extend(bound.as_ref().err().cloned());
    let journal = beside.is_some();
    match format {
        VerdictFormat::Json => terminal::data(&as_json(&replay, journal)?),
        VerdictFormat::Human => terminal::data(&for_people(&replay, journal)),
        VerdictFormat::Junit | VerdictFormat::Github | VerdictFormat::Markdown => {
            return Err(Failure::new(ExitCode::Usage, "a replay is written for people or as JSON")
                .hint("`--format human` or `--format json`"));
        }
    }
    match replay.first_problem() {
        None => Ok(ExitCode::Ok),
        Some(first) => {
            let failure = Failure::new(ExitCode::EvidenceBroken, format!("the record is not consistent: {first}"));
            Err(failure
                .hint("keep the file as it is, and compare it with the run's folder: `citadel report --run DIR`"))
        }
    }
}

/// The run whose journal, beside the record, names exactly these bytes; `Ok(None)`: there is none. `Err`: it names others.
fn bound(file: &Path, sha256: &str) -> Result<Result<Option<Beside>, String>, Failure> {
    let (Some(name), Some(folder)) = (file.file_name(), file.parent().and_then(Path::parent)) else {
        return Ok(Ok(None));
    };
    let folder = RunFolder::at(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let journal = folder.journal();
    if !journal.is_file() {
        return Ok(Ok(None));
    }
    let path = format!("gates/{}", name.to_string_lossy());
    let entries = journal::read(&journal)?.entries;
    let judged = entries.iter().enumerate().find_map(|(at, entry)| match &entry.event {
        Event::GateJudged(judged) if judged.record == path => Some((at, entry.seq, judged)),
        _ => None,
    });
    Ok(match judged {
        Some((at, _, judged)) if judged.record_sha256 == sha256 => {
            let progress = Progress::replay(entries[..at].iter().map(|entry| &entry.event));
            Ok(Some(Beside { folder, progress }))
        }
        Some((_, seq, judged)) => Err(format!(
            "the file is not what record {seq} of the run's journal names: its SHA-256 is {sha256}, not {}",
            judged.record_sha256
        )),
        None => Err(format!("the run's journal names no `{path}`")),
    })
}

fn for_people(replay: &Replay, journal: bool) -> String {
    let record = &replay.record;
    let mut out = format!("record of gate {}  {}\n", clean(&record.gate.0), clean(&replay.title));
    let block = record.reading.as_ref().and_then(|reading| reading.block);
    let block =
        block.map_or_else(|| "no block".to_owned(), |block| format!("block {} {:#x}", block.number, block.hash));
    let head = format!(
        "judged {} by citadel {} on {}, {block}; recorded as {}",
        record.judged, record.citadel, record.network, record.verdict
    );
    let _ = writeln!(out, "  {}", clean(&head));
    let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, found) in &replay.found {
        let (mark, words) = match found {
            Found::Follows => ("=", "follows from the recorded bytes".to_owned()),
            Found::Differs(why) => ("✘", clean(why)),
            Found::NotJudged(why) => {
                left.entry(why).or_default().push(id);
                continue;
            }
        };
        let _ = writeln!(out, "    {mark} {}   {words}", clean(id));
    }
    for (why, ids) in left {
        let _ = writeln!(out, "    - {}   not judged again, because {why}", clean(&ids.join(", ")));
    }
    for problem in &replay.problems {
        let _ = writeln!(out, "    ✘ {}", clean(problem));
    }
    let bound = if journal { "; the run's journal names exactly this file" } else { "" };
    out + &match replay.first_problem() {
        None => format!("consistent{bound}{}\n", not_judged(replay)),
        Some(_) => "not consistent\n".to_owned(),
    }
}

/// How much of the record was not judged again.
fn not_judged(replay: &Replay) -> String {
    let not = replay.found.iter().filter(|(_, found)| matches!(found, Found::NotJudged(_))).count();
    if not == 0 { String::new() } else { format!("; {not} of {} were not judged again", replay.found.len()) }
}

fn as_json(replay: &Replay, journal: bool) -> anyhow::Result<String> {
    let results = replay.found.iter().map(|(id, found)| match found {
        Found::Follows => json!({ "id": id, "found": "follows" }),
        Found::Differs(why) => json!({ "id": id, "found": "differs", "reason": why }),
        Found::NotJudged(why) => json!({ "id": id, "found": "not_judged", "reason": why }),
    });
    let value = json!({
        "format": 1,
        "consistent": replay.first_problem().is_none(),
        "first_problem": replay.first_problem(),
        "named_by_journal": journal,
        "gate": replay.record.gate,
        "recorded_verdict": replay.record.verdict,
        "results": results.collect::<Vec<_>>(),
        "problems": replay.problems,
    });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
