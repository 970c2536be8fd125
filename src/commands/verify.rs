//! `citadel verify`: looks through the folder of a run, offline, and says whether everything in it fits. It asks no chain,
//! needs no runbook, and never says *passed*.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::audit::{Audit, EXPORTED, End, Expected, Problem, audit};
use crate::cli::VerifyRun;
use crate::error::{ExitCode, Failure};
use crate::journal::RunFolder;
use crate::terminal;
use crate::text::{clean, count};

pub(super) async fn verify(args: &VerifyRun) -> Result<ExitCode, Failure> {
    let folder = args.dir.as_path();
    let is_run = |folder: &Path| RunFolder::at(folder).journal().is_file();
    if !is_run(folder) && !is_run(&folder.join(EXPORTED)) {
        return Err(Failure::new(ExitCode::Usage, format!("`{}` holds no `journal.jsonl`", folder.display()))
            .hint("name a run's folder, as `citadel status` shows it, or one that `citadel export` made"));
    }
    let audit = audit(folder, &Expected { head: args.head.as_deref(), unfinished: args.unfinished }).await?;
    terminal::data(&if args.json { as_json(&audit)? } else { for_people(&audit) });
    let Some(first) = audit.problems.first() else { return Ok(ExitCode::Ok) };
    let many = count(audit.problems.len(), "problem");
    Err(Failure::new(ExitCode::EvidenceBroken, format!("{many} in `{}`; {}", folder.display(), told(first)))
        .hint("keep the folder as it is, and find out who changed it and when; a run that is not over: `--unfinished`"))
}

fn for_people(audit: &Audit) -> String {
    let run = &audit.run;
    let mut out = format!("run {} of {}  {}\n", clean(&run.run), clean(&run.runbook), clean(&run.title));
    let practice = if run.practice { ", in the practice workspace" } else { "" };
    let about = [
        ("network", format!("{} (chain {}){practice}", run.network, run.chain_id)),
        ("opened by", format!("{} on {}", run.operator, run.host)),
        ("commit", run.commit.clone().unwrap_or_else(|| "none".into())),
        ("head", format!("{} (record {})", audit.head, audit.records)),
    ];
    for (name, value) in about {
        let _ = writeln!(out, "  {name:<10} {}", clean(&value));
    }
    let looked: Vec<String> = audit.checked.iter().map(|(what, number)| format!("{number} {what}")).collect();
    let _ = writeln!(out, "  {:<10} {}", "looked at", looked.join(", "));
    for what in &audit.noted {
        let _ = writeln!(out, "  {:<10} {}", "note", clean(what));
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

/// A problem in a sentence.
pub(super) fn told(problem: &Problem) -> String {
    let mut parts = Vec::new();
    parts.extend(problem.record.map(|record| format!("record {record}")));
    parts.extend(problem.file.as_ref().map(|file| format!("`{}`", clean(file))));
    parts.push(clean(&problem.what));
    parts.join(": ")
}

fn as_json(audit: &Audit) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(audit)?;
    if let Value::Object(members) = &mut value {
        members.insert("format".into(), json!(1));
        members.insert("consistent".into(), json!(audit.is_consistent()));
    }
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
