//! `citadel plan`: what `run` would do, and why; the exact commands and the names of what they are given.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::approved::{self, Approved};
use super::context::Context;
use super::opening::Prospect;
use crate::cli::Plan;
use crate::engine::command;
use crate::engine::suspension;
use crate::engine::world::View;
use crate::error::{ExitCode, Failure};
use crate::plan::{self, Item, Line};
use crate::process::{Stop, fence};
use crate::runbook::{Action, EvidenceKind, Isolation, Limits, Network, Phase, Runbook, Scope, Step};
use crate::terminal;
use crate::text::limit;

/// A long plan is printed in pieces of about this many bytes.
const PIECE: usize = 64 * 1024;

pub(super) async fn plan(context: &Context, args: &Plan) -> Result<ExitCode, Failure> {
    let prospect = Prospect::look(context, &args.part).await?;
    let (name, folder) = prospect.place(context);
    let (_sender, stop) = tokio::sync::watch::channel(Stop::No);
    let world = context.world(prospect.network, prospect.workspace.clone(), &name, folder, stop)?;
    let before = prospect.progress();
    // Where nothing was done, nothing can have changed since.
    let progress = match (&prospect.existing, &args.out) {
        (None, None) => before.clone(),
        _ => approved::today(context, &prospect, &world),
    };
    let view = View { runbook: &context.runbook, progress: &progress, world: &world };
    let mut text = String::new();
    let run = if prospect.existing.is_some() { "goes on with run" } else { "opens run" };
    let _ = writeln!(text, "{} on {}: {run} {name}", context.runbook.title, prospect.network.name);
    let _ = writeln!(text, "workspace {}", prospect.workspace.dir.display());
    let _ = writeln!(text, "limits {}", common_limits(&context.runbook.limits));
    if let Some(gap) = fence().gap() {
        let _ = writeln!(text, "warning {gap}");
    }
    for (id, of) in suspension::suspensions(world.marks.as_ref(), &before) {
        let _ = writeln!(
            text,
            "\nstop\n    why      {}\n    next     {}",
            suspension::sentence(&id, &of),
            suspension::way_out(&id, &prospect.network.name)
        );
    }
    let mut shown = Shown::new(&view);
    plan::each(&context.runbook, &prospect.selection, &progress, &prospect.network.name, |line| {
        shown.write(&mut text, &line);
        if text.len() >= PIECE {
            terminal::data(&text);
            text.clear();
        }
    });
    for (what, how) in &prospect.missing {
        let _ = writeln!(text, "\nmissing: {what}\n         {how}");
    }
    terminal::data(&text);
    if !prospect.missing.is_empty() {
        return Ok(ExitCode::Precondition);
    }
    if let Some(out) = &args.out {
        let plan = Approved::make(context, &prospect, &view, &args.part).await?;
        plan.write(&context.here.join(out))?;
        terminal::note(&format!("plan {}\nnext: review it, then `citadel run --plan {}`", plan.digest, out.display()));
    }
    Ok(ExitCode::Ok)
}

/// Puts lines into words, with what is the same for all of them looked up once.
struct Shown<'a> {
    view: &'a View<'a>,
    /// Those that were not shown yet: lines come in the order of the runbook.
    steps: Box<dyn Iterator<Item = (&'a Phase, &'a Step)> + 'a>,
    /// By network.
    scopes: BTreeMap<&'a str, Scope>,
    /// The limits of the step before, in words: most steps have the same.
    limits: (Option<(Duration, Duration, Option<Isolation>)>, String),
}

impl<'a> Shown<'a> {
    fn new(view: &'a View<'a>) -> Self {
        let phases = &view.runbook.phases;
        let of_phase = |phase: &'a Phase| phase.steps.iter().map(move |step| (phase, step));
        let scopes = phases.iter().map(|phase| {
            let network = view.network(phase);
            let mut scope = view.scope(network);
            // Addresses that the dev chain's setup will deploy are not known yet; the plan shows their names.
            for name in view.runbook.contracts.keys() {
                scope.values.entry(format!("contract.{name}")).or_insert_with(|| format!("{{{{ contract.{name} }}}}"));
            }
            (network.name.as_str(), scope)
        });
        Self {
            view,
            steps: Box::new(phases.iter().flat_map(of_phase)),
            scopes: scopes.collect(),
            limits: (None, String::new()),
        }
    }

    fn write(&mut self, text: &mut String, line: &Line) {
        let _ = writeln!(text, "\n{}\n    why      {}", line.item, line.why);
        match &line.item {
            Item::Run { step, .. } | Item::Probe { step } | Item::Verify { step } | Item::Ask { step } => {
                if let Some((phase, step)) = self.steps.find(|(_, other)| other.id == *step) {
                    let network = self.view.network(phase);
                    self.tell_limits(step);
                    let scope = &self.scopes[network.name.as_str()];
                    step_lines(text, self.view.runbook, network, scope, step, &self.limits.1);
                }
            }
            Item::Gate { phase } => {
                if let Some(phase) = self.view.runbook.phases.iter().find(|other| other.id == *phase) {
                    gate_lines(text, self.view, phase);
                }
            }
            Item::DevChain | Item::Changed { .. } | Item::Skip { .. } => {}
        }
    }

    fn tell_limits(&mut self, step: &Step) {
        let of = Some((step.timeout, step.silence, step.isolation));
        if self.limits.0 != of {
            self.limits = (of, limits(step));
        }
    }
}

fn step_lines(text: &mut String, runbook: &Runbook, network: &Network, scope: &Scope, step: &Step, limits: &str) {
    let _ = writeln!(text, "    what     {}", step.title);
    let shown = match &step.action {
        Action::Manual { instructions } => format!("by hand: {}", instructions.render(scope).unwrap_or_default()),
        Action::Secrets { file, .. } => format!("check the variables of {} and `{}`", network.name, file.0),
        Action::Npm { .. } | Action::Make { .. } | Action::Run { .. } | Action::Shell { .. } => {
            match command::argv(&step.action, scope) {
                Ok(argv) => command::display(step, &argv.unwrap_or_default(), scope),
                Err(name) => format!("(`{name}` has no value on {})", network.name),
            }
        }
    };
    let _ = writeln!(text, "    command  {shown}");
    let given = step.needs.iter().flat_map(|need| runbook.granted(network, need));
    let given: Vec<&str> = given.map(String::as_str).collect();
    if !given.is_empty() {
        let _ = writeln!(text, "    given    {}", given.join(" "));
    }
    if !matches!(step.action, Action::Manual { .. } | Action::Secrets { .. }) {
        let _ = writeln!(text, "    limits   {limits}");
    }
    for (number, evidence) in step.evidence.iter().enumerate() {
        let _ = writeln!(text, "    {:8} {}", if number == 0 { "evidence" } else { "" }, told(&evidence.kind, scope));
    }
    if let Some(differs) = &step.differs {
        let _ = writeln!(text, "    differs  {differs}");
    }
}

/// `10m, silent 5m, in a PID namespace`.
fn limits(step: &Step) -> String {
    let isolation = step.isolation.map_or("", |Isolation::Pid| ", in a PID namespace");
    format!("{}, silent {}{isolation}", limit(step.timeout), limit(step.silence))
}

/// `grace 5s, drain 2s, the whole run 6h`.
fn common_limits(limits: &Limits) -> String {
    let run = limits.run.map_or_else(String::new, |run| format!(", the whole run {}", limit(run)));
    format!("grace {}, drain {}{run}", limit(limits.grace), limit(limits.drain))
}

/// Evidence in a few words.
pub(super) fn told(kind: &EvidenceKind, scope: &Scope) -> String {
    match kind {
        EvidenceKind::File(file) => {
            let path = file.path.render(scope).unwrap_or_else(|_| file.path.0.clone());
            let kept = file.keep.as_ref().map(|name| format!(", kept as `{name}`")).unwrap_or_default();
            let written = if file.written { "written by it" } else { "read by it" };
            format!("file {path}, {written}, {} rules{kept}", file.json.len() + file.contains.len() + file.never.len())
        }
        EvidenceKind::Output(output) => {
            let never: Vec<String> = output.never.iter().map(|text| format!("{:?}", text.0)).collect();
            let json = output.json.len();
            format!(
                "output, {json} JSON rules{}",
                if never.is_empty() { String::new() } else { format!(", never {}", never.join(", ")) }
            )
        }
        EvidenceKind::Chain(check) => format!("chain, {}", check.kind.name()),
        EvidenceKind::Transactions(wanted) if wanted.handed_in => {
            format!("transactions handed in by a person, at least {}", wanted.min)
        }
        EvidenceKind::Transactions(wanted) => {
            format!("transactions at {} of `{}`, at least {}", wanted.at, wanted.of, wanted.min)
        }
    }
}

fn gate_lines(text: &mut String, view: &View<'_>, phase: &Phase) {
    let _ = writeln!(text, "    what     {}", phase.gate.title);
    let checks: Vec<&str> =
        view.runbook.invariants.iter().chain(&phase.gate.checks).map(|check| check.id.as_str()).collect();
    let _ = writeln!(text, "    checks   {} steps done, {}", phase.steps.len(), checks.join(", "));
    if let Some(sign_off) = &phase.gate.sign_off {
        let _ = writeln!(text, "    people   {} of `{}`", sign_off.threshold, sign_off.signers);
    }
}
