//! `citadel gate verify --replay`: judges a gate's record again, from the file alone. It says consistent or not; it opens
//! nothing and never says *passed*.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::cli::VerdictFormat;
use crate::digest::sha256;
use crate::engine::replay::{Found, Replay, replay};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{self, RunFolder};
use crate::terminal;
use crate::text::clean;

pub(super) async fn judge_again(file: &Path, format: VerdictFormat) -> Result<ExitCode, Failure> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display())).map_err(|error| {
        Failure { code: ExitCode::Usage, ..Failure::from(error) }
            .hint("name a record: `gates/GATE.N.json` in a run's folder, or `gates/GATE.json` beside its report")
    })?;
    let mut replay = replay(&bytes).await?;
    let bound = bound(file, &sha256(&bytes))?;
    replay.problems.extend(bound.as_ref().err().cloned());
    let journal = bound.is_ok_and(|bound| bound);
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

/// Whether the journal beside the record names exactly these bytes; `Ok(false)`: there is none. `Err`: it names others.
fn bound(file: &Path, sha256: &str) -> Result<Result<bool, String>, Failure> {
    let (Some(name), Some(folder)) = (file.file_name(), file.parent().and_then(Path::parent)) else {
        return Ok(Ok(false));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let journal = RunFolder::at(folder).journal();
    if !journal.is_file() {
        return Ok(Ok(false));
    }
    let path = format!("gates/{}", name.to_string_lossy());
    let entries = journal::read(&journal)?.entries;
    let judged = entries.iter().find_map(|entry| match &entry.event {
        Event::GateJudged(judged) if judged.record == path => Some((entry.seq, judged)),
        _ => None,
    });
    Ok(match judged {
        Some((_, judged)) if judged.record_sha256 == sha256 => Ok(true),
        Some((seq, judged)) => Err(format!(
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
    for (id, found) in &replay.found {
        let (mark, words) = match found {
            Found::Follows => ("=", "follows from the recorded bytes".to_owned()),
            Found::Differs(why) => ("✘", clean(why)),
            Found::NotJudged => ("-", "rests on the run's journal; not judged again".to_owned()),
        };
        let _ = writeln!(out, "    {mark} {}   {words}", clean(id));
    }
    for problem in &replay.problems {
        let _ = writeln!(out, "    ✘ {}", clean(problem));
    }
    let bound = if journal { "; the run's journal names exactly this file" } else { "" };
    out + &match replay.first_problem() {
        None => format!("consistent{bound}\n"),
        Some(_) => "not consistent\n".to_owned(),
    }
}

fn as_json(replay: &Replay, journal: bool) -> anyhow::Result<String> {
    let results = replay.found.iter().map(|(id, found)| match found {
        Found::Follows => json!({ "id": id, "found": "follows" }),
        Found::Differs(why) => json!({ "id": id, "found": "differs", "reason": why }),
        Found::NotJudged => json!({ "id": id, "found": "not_judged" }),
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
