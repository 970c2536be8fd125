//! `citadel diff`: says in words what changed between two snapshots. Offline: reads two files and nothing else.

use std::path::Path;

use anyhow::Context as _;

use crate::cli::{Diff, DiffFormat};
use crate::error::{ExitCode, Failure};
use crate::report::drift;
use crate::report::snapshot::{Drift, Snapshot};
use crate::terminal;
use crate::verdict::Verdict;

pub(super) fn diff(args: &Diff) -> Result<ExitCode, Failure> {
    let (from, to) = (read(&args.from)?, read(&args.to)?);
    let drift = Drift::between(&from, &to).map_err(|reason| {
        Failure::new(ExitCode::Usage, reason).hint("take both with the same `--network`: `citadel snapshot --help`")
    })?;
    terminal::data(&match args.format {
        DiffFormat::Human => drift::human(&drift),
        DiffFormat::Json => drift::json(&drift)?,
        DiffFormat::Github => drift::annotations(&drift),
    });
    Ok(match drift.verdict() {
        Verdict::Passed | Verdict::Waived => ExitCode::Ok,
        Verdict::Failed => ExitCode::Changed,
        Verdict::Unknown | Verdict::Waiting => ExitCode::GateUnknown,
    })
}

fn read(file: &Path) -> Result<Snapshot, Failure> {
    let usage = |error: anyhow::Error| {
        Failure { code: ExitCode::Usage, ..Failure::from(error) }
            .hint("make one with `citadel snapshot --network NET --out FILE`")
    };
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display())).map_err(usage)?;
    Snapshot::read(&bytes).map_err(|reason| usage(anyhow::anyhow!("`{}` {reason}", file.display())))
}
