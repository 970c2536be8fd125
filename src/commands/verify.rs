//! `citadel verify`: looks through the folder of a run, its archive, or what it published, offline, and says whether
//! everything in it fits. It asks no chain, needs no runbook, and never says *passed*.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::archive::read_key;
use super::archived::Archived;
use crate::audit::{Audit, Bracket, EXPORTED, End, Expected, Named, Problem, Signed, audit};
use crate::cli::VerifyRun;
use crate::error::{ExitCode, Failure};
use crate::event::BlockRef;
use crate::journal::RunFolder;
use crate::terminal;
use crate::text::{clean, count};

pub(super) async fn verify(args: &VerifyRun) -> Result<ExitCode, Failure> {
    let folder = args.dir.as_path();
    let is_run = |folder: &Path| RunFolder::at(folder).journal().is_file();
    let signer = args.signer.as_deref().map(read_key).transpose()?;
    let expected = Expected { head: args.head.as_deref(), signer: signer.as_ref(), unfinished: args.unfinished };
    let is_folder = is_run(folder) || is_run(&folder.join(EXPORTED));
    let archived = if is_folder { None } else { Archived::find(folder)? };
    if !is_folder && archived.is_none() {
        return Err(Failure::new(ExitCode::Usage, format!("`{}` holds no run and no archive of one", folder.display()))
            .hint(
                "name a run's folder, as `citadel status` shows it, one that `citadel export` made, a reports folder with an \
                 archive, or an archive; `citadel gate verify --replay gates/GATE.json` judges one gate's record again",
            ));
    }
    let audit = match &archived {
        Some(archived) => archived.audit(&expected).await?,
        None => audit(folder, &expected).await?,
    };
    let archive = archived.as_ref().map(Archived::name);
    terminal::data(&if args.json { as_json(&audit, archive)? } else { for_people(&audit, archive) });
    let Some(first) = audit.problems.first() else { return Ok(ExitCode::Ok) };
    let many = count(audit.problems.len(), "problem");
    Err(Failure::new(ExitCode::EvidenceBroken, format!("{many} in `{}`; {}", folder.display(), told(first)))
        .hint("keep the folder as it is, and find out who changed it and when; a run that is not over: `--unfinished`"))
}

fn for_people(audit: &Audit, archive: Option<&str>) -> String {
    let run = &audit.run;
    let mut out = format!("run {} of {}  {}\n", clean(&run.run), clean(&run.runbook), clean(&run.title));
    let practice = if run.practice { ", in the practice workspace" } else { "" };
    let about = [
        ("network", format!("{} (chain {}){practice}", run.network, run.chain_id)),
        ("opened by", format!("{} on {}", run.operator, run.host)),
        ("commit", run.commit.clone().unwrap_or_else(|| "none".into())),
        ("head", format!("{} (record {})", audit.head, audit.records)),
        ("attested by", audit.attested_by.clone().unwrap_or_else(|| "nobody".into())),
    ];
    if let Some(archive) = archive {
        let _ = writeln!(out, "  {:<11} {}", "archive", clean(archive));
    }
    for (name, value) in about {
        let _ = writeln!(out, "  {name:<11} {}", clean(&value));
    }
    for (name, value) in bracket(audit) {
        let _ = writeln!(out, "  {name:<11} {}", clean(&value));
    }
    let _ = writeln!(out, "  looked at");
    for (what, number) in &audit.checked {
        let _ = writeln!(out, "    {number:>6} {}", looked_at(what));
    }
    for what in &audit.noted {
        let _ = writeln!(out, "  {:<11} {}", "note", clean(what));
    }
    for problem in &audit.problems {
        let _ = writeln!(out, "  ✘ {}", told(problem));
    }
    let end = match audit.end {
        End::Complete => "every gate passed",
        End::Partial => "the run ended before every gate was open",
        End::Closed => "the run was closed before its end",
        End::Open => "the run is not over",
    };
    match audit.problems.len() {
        0 => out + &format!("CONSISTENT  {end}\n"),
        many => out + &format!("BROKEN  {}\n", count(many, "problem")),
    }
}

/// What was looked at, and what had to hold of each.
fn looked_at(what: &'static str) -> &'static str {
    match what {
        "records" => "records: sealed, linked, in an order that can have come about",
        "files" => "kept files, gate records, statements and signatures: there, as recorded",
        "logs" => "logs: there, as recorded",
        "gates" => "gate records: verdicts follow from the recorded bytes",
        "signatures" => "signatures: good, by people who were asked",
        "evidence" => "kept files: still bear out their steps",
        "deliverables" => "deliverables: complete",
        "copies" => "published copies: what the records say, the report as they tell it",
        "attestations" => "attestations: say what the journal says",
        other => other,
    }
}

/// Between which points of the outside world the records were written.
fn bracket(audit: &Audit) -> [(&'static str, String); 2] {
    let Bracket { not_before, noted_down, signed } = &audit.bracket;
    let not_before = match not_before {
        Some(Named { record, block }) => {
            let time = i64::try_from(block.time).ok().and_then(|time| Timestamp::from_second(time).ok());
            let time = time.map_or_else(|| "an unknown time".into(), |time| time.to_string());
            let BlockRef { number, hash, .. } = block;
            format!("finalized block {number} of {time}, {hash}: record {record} and all after it")
        }
        None => "not known: no record names a finalized block".into(),
    };
    let mut not_after = Vec::new();
    if let Some(record) = noted_down {
        not_after.push(format!("the head was noted down: record {record} and all before it"));
    }
    if let Some(Signed { record, gate, who }) = signed {
        not_after.push(format!("`{who}` signed at gate {gate}: record {record} and all before it"));
    }
    if not_after.is_empty() {
        not_after.push("not known: nobody signed, and no `--head` was given".into());
    }
    [("not before", not_before), ("not after", not_after.join("; "))]
}

/// A problem in a sentence.
pub(super) fn told(problem: &Problem) -> String {
    let mut parts = Vec::new();
    parts.extend(problem.record.map(|record| format!("record {record}")));
    parts.extend(problem.file.as_ref().map(|file| format!("`{}`", clean(file))));
    parts.push(clean(&problem.what));
    parts.join(": ")
}

fn as_json(audit: &Audit, archive: Option<&str>) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(audit)?;
    if let Value::Object(members) = &mut value {
        members.insert("format".into(), json!(1));
        members.insert("archive".into(), json!(archive));
        members.insert("consistent".into(), json!(audit.is_consistent()));
    }
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
