//! The requests of one run: found, shown and listed.

use std::io::Read;
use std::path::Path;

use crate::cli::{OptionalNet, SignOffShow};
use crate::commands::context::Context;
use crate::commands::gate;
use crate::commands::opening::Existing;
use crate::engine::world::{View, World};
use crate::error::{ExitCode, Failure};
use crate::event::{OpeningRequested, SignOffRequested};
use crate::report::request;
use crate::runbook::Phase;
use crate::signoff;
use crate::terminal;
use crate::text::{Line, list};

/// A run whose requests are looked at.
pub(super) struct OfRun<'a> {
    pub(super) context: &'a Context,
    pub(super) existing: Existing,
    pub(super) world: World,
}

pub(super) async fn of_run<'a>(context: &'a Context, net: &OptionalNet) -> Result<OfRun<'a>, Failure> {
    let network = context.network(net.network.as_deref())?;
    let Some(existing) = Existing::latest(&context.home(network))? else {
        return Err(Failure::new(ExitCode::Precondition, format!("there is no run on {}", network.name))
            .hint(format!("`citadel run --network {}` opens one", network.name)));
    };
    let world = gate::world(context, None, network, Some(&existing)).await?;
    Ok(OfRun { context, existing, world })
}

impl OfRun<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { runbook: &self.context.runbook, progress: &self.existing.progress, world: &self.world }
    }

    /// The gates that people were asked about, in the order of the runbook.
    pub(super) fn requests(&self) -> impl Iterator<Item = (&Phase, &SignOffRequested)> {
        let gates = &self.existing.progress.gates;
        let phases = self.context.runbook.phases.iter();
        phases.filter_map(|phase| Some((phase, gates.get(&phase.id)?.request.as_ref()?)))
    }

    /// The request that waits for the operator.
    pub(super) fn opening(&self) -> Option<&OpeningRequested> {
        self.existing.progress.opening.request.as_ref().filter(|_| !self.existing.progress.opening.is_proved())
    }

    pub(super) fn show(&self, args: &SignOffShow) -> Result<ExitCode, Failure> {
        let (progress, folder) = (&self.existing.progress, self.existing.folder.path().display().to_string());
        let waits = |phase: &Phase| !progress.gate_passed(&phase.id);
        let (statement, lines) = match args.what.as_deref() {
            Some("opening") | None if self.opening().is_some() => {
                let request = self.opening().ok_or_else(|| self.nothing("opening"))?;
                (request.statement.clone(), request::opening(request, progress, &folder))
            }
            gate => {
                let fits = |phase: &Phase| gate.map_or_else(|| waits(phase), |gate| phase.id.0 == gate);
                let found = self.requests().find(|(phase, _)| fits(phase));
                let (_, request) = found.ok_or_else(|| self.nothing(gate.unwrap_or("any gate")))?;
                (request.statement.clone(), request::sign_off(request, progress, &folder))
            }
        };
        let at = self.world.folder.file(&statement);
        let text = if args.bytes {
            read_text(&at)?
        } else if args.typed_data {
            read_text(&at.with_file_name(signoff::TYPED_DATA))?
        } else {
            rendered(&lines)
        };
        terminal::data(&text);
        Ok(ExitCode::Ok)
    }

    pub(super) fn nothing(&self, what: &str) -> Failure {
        let network = &self.world.network;
        Failure::new(ExitCode::Precondition, format!("nobody is asked to sign {what} in run {}", self.existing.run))
            .hint(format!("`citadel sign-off list --network {network}`; a gate asks when `citadel run` reaches it"))
    }

    pub(super) fn list(&self) -> ExitCode {
        let mut lines = Vec::new();
        let opening = &self.existing.progress.opening;
        for (who, proof) in &opening.proved {
            lines.push(Line::new(0).plain(format!("opening    signed by {who} with {}", proof.key)));
        }
        if let Some(request) = self.opening() {
            lines.push(
                Line::new(0).plain(format!("opening    waits for {}, until {}", request.operator, request.expires)),
            );
        }
        for (phase, request) in self.requests() {
            let gate = &self.existing.progress.gates[&phase.id];
            let signed: Vec<&String> = gate.signed.keys().collect();
            let state = if self.existing.progress.gate_passed(&phase.id) { "passed" } else { "waits" };
            let who = if signed.is_empty() { "nobody".to_owned() } else { list(&signed) };
            let text =
                format!("gate {:<6}{state}: {} of {} signed ({who})", phase.id.0, signed.len(), request.threshold);
            lines.push(Line::new(0).plain(format!("{text}, until {}", request.expires)));
        }
        if lines.is_empty() {
            lines.push(Line::new(0).plain(format!("run {} asked nobody to sign yet", self.existing.run)));
        }
        terminal::data(&rendered(&lines));
        ExitCode::Ok
    }
}

pub(super) fn rendered(lines: &[Line]) -> String {
    let colour = terminal::colour_on_stdout();
    let columns = terminal::columns_on_stdout().min(request::COLUMNS);
    lines.iter().map(|line| line.render(columns, colour) + "\n").collect()
}

/// The text of a file, or of stdin for `-`.
pub(super) fn input(file: &str) -> Result<String, Failure> {
    if file != "-" {
        let text = signoff::read_signature(Path::new(file));
        return text.map_err(|why| Failure::new(ExitCode::Usage, format!("`{file}` {why}")));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
    read.map_err(|error| Failure::new(ExitCode::Usage, format!("stdin cannot be read: {error}")))?;
    Ok(text)
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| {
        Failure::new(ExitCode::EvidenceBroken, format!("`{}` cannot be read: {error}", path.display()))
    })
}
