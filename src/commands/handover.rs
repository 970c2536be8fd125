//! `citadel handover`: gives an open run to another operator. The journal's last record here says so, and nothing follows
//! it; the folder that is written holds all that the other citadel needs to verify the run without this machine.

use std::path::Path;

use jiff::Timestamp;

use super::context::Context;
use super::contingency::records::owner;
use super::handed_over::{self, Manifest, PUBLISHED, RUN};
use super::opening::Existing;
use super::resume;
use crate::beneath;
use crate::cli::Handover;
use crate::engine::{nonce, scan};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{Home, Lock};
use crate::runbook::Network;
use crate::terminal;

pub(super) fn hand_over(context: &Context, args: &Handover) -> Result<ExitCode, Failure> {
    let network = context.network(args.net.network.as_deref())?;
    let usage = |what: String, hint: &str| Failure::new(ExitCode::Usage, what).hint(hint);
    if network.dev_chain.is_some() {
        let what = format!("a run on {} lives with the chain on this machine, and is not handed over", network.name);
        return Err(usage(what, "rehearse on the other machine anew: `citadel run --local`"));
    }
    if args.to == context.operator() {
        return Err(usage(format!("`{}` operates this run already", args.to), "name the other: `--to PERSON`"));
    }
    if !network.operators.is_empty() && !network.operators.contains(&args.to) {
        let hint = format!("operators of {} are: {}", network.name, network.operators.join(", "));
        return Err(usage(format!("`{}` is no operator of {}", args.to, network.name), &hint));
    }
    let home = context.home(network);
    let see = || open(&home, network, &args.to);
    let owner = owner(context, &format!("citadel handover --to {}", args.to));
    let (_lock, run) = Lock::take_and_see(&home.lock(), &owner, see)?;
    resume::refuse_survivors(&run.progress, &run.folder)?;
    let default = || context.here.join(format!("handover-{}-to-{}", run.run, args.to));
    let out = args.out.as_ref().map_or_else(default, |out| context.here.join(out));
    if out.exists() {
        return Err(usage(format!("`{}` is there already", out.display()), "name another folder: `--out DIR`"));
    }
    let (records, head) = write(context, network, &run, args, &out)?;
    terminal::data(&format!(
        "run {} is handed over to {}: nothing more is recorded here\nfolder  {}\nhead    {records} {head}\n\
         next: bring the folder to {to}, and the head by another way; there, in the same commit of the workspace:\n  \
         citadel take {}\n",
        run.run,
        args.to,
        out.display(),
        out.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(),
        to = args.to,
    ));
    Ok(ExitCode::Ok)
}

/// The open run; one that was handed over to the same person may be so again.
fn open(home: &Home, network: &Network, to: &str) -> Result<Existing, Failure> {
    let Some(run) = Existing::open(home)? else {
        return Err(Failure::new(ExitCode::Precondition, format!("no run is open on {}", network.name))
            .hint(format!("`citadel status --network {}`", network.name)));
    };
    if run.progress.handed_over.as_deref() != Some(to) {
        run.refuse_handed_over()?;
    }
    Ok(run)
}

/// Writes the folder: first everything that may fail, then the record after which nothing follows, then the list.
fn write(
    context: &Context,
    network: &Network,
    run: &Existing,
    args: &Handover,
    out: &Path,
) -> Result<(u64, String), Failure> {
    let (by, to) = (context.operator(), args.to.clone());
    let reports = run.progress.run.as_ref().map(|run| run.reports.clone()).unwrap_or_default();
    scan::before_passing_on(&run.folder, Path::new(&reports), &run.progress.published, &run.mask(context)?)?;
    let skip = |file: &str| file.starts_with("shims/") || file == "journal.jsonl";
    handed_over::copy(run.folder.path(), &out.join(RUN), skip)?;
    for file in &run.progress.published {
        // A copy that is gone or changed fails its gate on the other machine as it would here.
        if let Ok(found) = beneath::read(Path::new(&reports), &file.path) {
            handed_over::write(&out.join(PUBLISHED), &file.path, &found.bytes)?;
        }
    }
    let mut journal = run.journal(context)?;
    let said = run.entries.last().map(|entry| &entry.event);
    let nonce = if let Some(Event::HandedOver { nonce, .. }) = said {
        nonce.clone()
    } else {
        let nonce = nonce()?;
        let (by, to, fresh) = (by.clone(), to.clone(), nonce.clone());
        journal.append(Event::HandedOver { by, to, nonce: fresh }, Timestamp::now())?;
        nonce
    };
    handed_over::copy_file(&run.folder.journal(), &out.join(RUN), "journal.jsonl")?;
    let (records, head) = (journal.sequence(), journal.head().to_owned());
    let manifest = Manifest {
        format: Manifest::format(),
        citadel: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: context.runbook.id.clone(),
        network: network.name.clone(),
        run: run.run.clone(),
        by,
        to,
        nonce,
        records,
        head: head.clone(),
        files: std::collections::BTreeMap::new(),
    };
    manifest.write(out)?;
    Ok((records, head))
}
