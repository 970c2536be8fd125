//! `citadel sign-off`: what people are asked to sign, what they handed in, and whether it is good. Takes no lock, so that
//! it works beside a citadel that waits.

use std::io::Read;
use std::path::Path;

use jiff::Timestamp;

use super::context::Context;
use super::gate;
use super::opening::Existing;
use super::sign_off_file as file;
use crate::cli::{GatePart, OptionalNet, Part, SignOff, SignOffAdd, SignOffRequest, SignOffShow};
use crate::engine::world::{View, World};
use crate::engine::{accounts, opening, signing};
use crate::error::{ExitCode, Failure};
use crate::event::{Event, OpeningRequested, SignOffRequested};
use crate::journal::{RunFolder, write_file};
use crate::plan::{self, Item, Selection};
use crate::report::request;
use crate::runbook::{Phase, SignerKey};
use crate::signoff::{self, Asked};
use crate::terminal;
use crate::text::{Line, list};

pub(super) async fn sign_off(context: &Context, args: &SignOff) -> Result<ExitCode, Failure> {
    match args {
        SignOff::Request(args) => ask(context, args).await,
        SignOff::Show(args) => show(context, args).await,
        SignOff::Add(args) => add(context, args).await,
        SignOff::List(args) => of_run(context, args).await?.list(),
        SignOff::Verify(args) => match &args.statement {
            Some(_) => file::verify(context, args),
            None => of_run(context, &args.net).await?.verify(),
        },
        SignOff::Import(args) => file::import(context, args),
    }
}

/// Asks for the sign-off of a gate whose steps are all done: the same as running its phase.
async fn ask(context: &Context, args: &SignOffRequest) -> Result<ExitCode, Failure> {
    let selection = Selection::phases(&context.runbook, &args.gate)?;
    let run = of_run(context, &args.part.net.clone().into()).await?;
    let lines = plan::plan(&context.runbook, &selection, &run.existing.progress, &run.world.network);
    let left = lines.iter().find(|line| !matches!(line.item, Item::Gate { .. } | Item::Skip { .. } | Item::DevChain));
    if let Some(line) = left {
        let network = &run.world.network;
        return Err(Failure::new(
            ExitCode::Precondition,
            format!("gate {} cannot be asked for yet: {}", args.gate, line.item),
        )
        .hint(format!("`citadel run --phase {} --network {network}`", args.gate)));
    }
    let GatePart { net, workspace } = args.part.clone();
    let part = Part { net, phase: Some(args.gate.clone()), step: None, workspace, new: false };
    super::run::run(context, &crate::cli::Run { part, yes: false, opening: None }).await
}

async fn show(context: &Context, args: &SignOffShow) -> Result<ExitCode, Failure> {
    if let Some(what) = args.what.as_deref().filter(|what| *what == "-" || Path::new(what).is_file()) {
        return file::show(what);
    }
    of_run(context, &args.net).await?.show(args)
}

async fn add(context: &Context, args: &SignOffAdd) -> Result<ExitCode, Failure> {
    of_run(context, &args.net).await?.add(&args.file)
}

/// A run whose requests are looked at.
struct OfRun<'a> {
    context: &'a Context,
    existing: Existing,
    world: World,
}

async fn of_run<'a>(context: &'a Context, net: &OptionalNet) -> Result<OfRun<'a>, Failure> {
    let network = context.network(net.network.as_deref())?;
    let Some(existing) = Existing::latest(&context.home(network))? else {
        return Err(Failure::new(ExitCode::Precondition, format!("there is no run on {}", network.name))
            .hint(format!("`citadel run --network {}` opens one", network.name)));
    };
    let world = gate::world(context, None, network, Some(&existing)).await?;
    Ok(OfRun { context, existing, world })
}

/// A request that is open, with the keys that count.
struct Open<'a> {
    what: String,
    asked: Asked<'a>,
    keys: Vec<SignerKey>,
    folder: String,
}

impl OfRun<'_> {
    fn view(&self) -> View<'_> {
        View { runbook: &self.context.runbook, progress: &self.existing.progress, world: &self.world }
    }

    /// The gates that people were asked about, in the order of the runbook.
    fn requests(&self) -> impl Iterator<Item = (&Phase, &SignOffRequested)> {
        let gates = &self.existing.progress.gates;
        let phases = self.context.runbook.phases.iter();
        phases.filter_map(|phase| Some((phase, gates.get(&phase.id)?.request.as_ref()?)))
    }

    /// The request that waits for the operator.
    fn opening(&self) -> Option<&OpeningRequested> {
        self.existing.progress.opening.request.as_ref().filter(|_| !self.existing.progress.opening.is_proved())
    }

    fn show(&self, args: &SignOffShow) -> Result<ExitCode, Failure> {
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

    fn nothing(&self, what: &str) -> Failure {
        let network = &self.world.network;
        Failure::new(ExitCode::Precondition, format!("nobody is asked to sign {what} in run {}", self.existing.run))
            .hint(format!("`citadel sign-off list --network {network}`; a gate asks when `citadel run` reaches it"))
    }

    fn list(&self) -> Result<ExitCode, Failure> {
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
        Ok(ExitCode::Ok)
    }

    /// Checks a signature against every open request before it stores it.
    fn add(&self, file: &str) -> Result<ExitCode, Failure> {
        let text = input(file)?;
        let mut refused = Vec::new();
        let statements = self.statements();
        let excluded = self.excluded();
        for open in self.open(&statements, &excluded) {
            match open.asked.judge_one(&text, &open.keys, Timestamp::now()) {
                Ok(verified) => return self.store(&open, &verified.who, &text),
                Err(why) => refused.push(format!("{}: {why}", open.what)),
            }
        }
        if refused.is_empty() {
            return Err(self.nothing("anything"));
        }
        let mut failure = Failure::new(ExitCode::EvidenceBroken, "the signature does not count; it was not stored")
            .hint(format!("`citadel sign-off show --network {}` shows what to sign and how", self.world.network));
        failure.details = refused;
        Err(failure)
    }

    fn store(&self, open: &Open<'_>, who: &str, text: &str) -> Result<ExitCode, Failure> {
        let folder = self.world.folder.file(&open.folder);
        let before = signoff::judge(&open.asked, &folder, &open.keys, Timestamp::now());
        if before.accepted.iter().any(|accepted| accepted.who == who) {
            return Err(Failure::new(ExitCode::EvidenceBroken, format!("`{who}` already signed {}", open.what))
                .hint("people are counted, not keys or signatures: nothing was stored"));
        }
        write_file(&folder.join(format!("{}.sig", signoff::file_name(who))), text.as_bytes())?;
        let now = signoff::judge(&open.asked, &folder, &open.keys, Timestamp::now());
        let network = &self.world.network;
        let next = if now.complete() {
            format!("complete; a citadel that waits goes on, or `citadel run --network {network}`")
        } else {
            format!("{} of {} signed", now.accepted.len(), open.asked.threshold)
        };
        terminal::data(&format!("{who} signed {}: {next}\n", open.what));
        Ok(ExitCode::Ok)
    }

    /// The bytes of all statements, in the order of `open`.
    fn statements(&self) -> Vec<Vec<u8>> {
        let opening = self.opening().map(|request| &request.statement);
        let all = opening.into_iter().chain(self.requests().map(|(_, request)| &request.statement));
        all.map(|path| std::fs::read(self.world.folder.file(path)).unwrap_or_default()).collect()
    }

    /// Who counts for each gate that was asked for.
    fn excluded(&self) -> Vec<signing::Terms> {
        let view = self.view();
        self.requests()
            .map(|(phase, _)| {
                let gate = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
                let results = gate.map_or(&[][..], |judged| &judged.results);
                let none = || signing::Terms { keys: Vec::new(), excluded: std::collections::BTreeMap::new() };
                let sign_off = phase.gate.sign_off.as_ref();
                sign_off.and_then(|of| signing::terms(&view, phase, of, results).ok()).unwrap_or_else(none)
            })
            .collect()
    }

    fn open<'a>(&'a self, statements: &'a [Vec<u8>], terms: &'a [signing::Terms]) -> Vec<Open<'a>> {
        let mut statements = statements.iter();
        let mut open = Vec::new();
        if let (Some(request), Some(statement)) = (self.opening(), self.opening().and_then(|_| statements.next())) {
            open.push(Open {
                what: "the opening".into(),
                asked: Asked::opening(request, statement),
                keys: self.view().keys_of(&request.operator),
                folder: RunFolder::opening(&request.nonce),
            });
        }
        for (((phase, request), statement), terms) in self.requests().zip(statements).zip(terms) {
            if self.existing.progress.gate_passed(&phase.id) {
                continue;
            }
            open.push(Open {
                what: format!("gate {}", phase.id),
                asked: Asked::sign_off(request, statement, &terms.excluded),
                keys: terms.keys.clone(),
                folder: RunFolder::sign_off(&request.gate.0, &request.nonce),
            });
        }
        open
    }

    /// Verifies every signature that the journal counts, from the run's files and the runbook's keys alone.
    fn verify(&self) -> Result<ExitCode, Failure> {
        let view = self.view();
        let mut lines = Vec::new();
        let mut good = true;
        let mut tell = |what: String, answer: Result<(), String>| {
            good &= answer.is_ok();
            let said = answer.map_or_else(|why| format!("does NOT verify: {why}"), |()| "verifies".into());
            lines.push(Line::new(0).plain(format!("{what}  {said}")));
        };
        for (who, proof) in &self.existing.progress.opening.proved {
            tell(format!("opening by {who}"), opening::verify(&view, proof));
        }
        let mut requests = std::collections::BTreeMap::new();
        for entry in &self.existing.entries {
            match &entry.event {
                Event::SignOffRequested(request) => {
                    requests.insert(request.nonce.clone(), request.clone());
                }
                Event::SignOffAccepted { nonce, who, key, signature, .. } => {
                    let Some(request) = requests.get(nonce) else { continue };
                    tell(format!("gate {} by {who}", request.gate), self.accepted(request, who, key, signature));
                }
                _ => {}
            }
        }
        if lines.is_empty() {
            lines.push(Line::new(0).plain(format!("run {} counts no signature yet", self.existing.run)));
        }
        terminal::data(&rendered(&lines));
        Ok(if good { ExitCode::Ok } else { ExitCode::EvidenceBroken })
    }

    fn accepted(&self, request: &SignOffRequested, who: &str, key: &str, signature: &str) -> Result<(), String> {
        let view = self.view();
        let phase = self.context.runbook.phases.iter().find(|phase| phase.id == request.gate);
        let phase = phase.ok_or("the runbook has no such gate any more")?;
        let sign_off = phase.gate.sign_off.as_ref().ok_or("the runbook wants no sign-off of this gate any more")?;
        let judged = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
        let keys = accounts::keys(&view, phase, sign_off, judged.map_or(&[][..], |judged| &judged.results));
        let statement = std::fs::read(self.world.folder.file(&request.statement)).unwrap_or_default();
        let text = signoff::read_signature(&self.world.folder.file(signature))?;
        let asked = Asked::sign_off(request, &statement, signoff::nobody());
        let verified = asked.judge_one(&text, &keys, Timestamp::UNIX_EPOCH).map_err(|why| {
            let by_contract = signoff::is_hex(&text) && text.trim().len() != 132;
            if by_contract { format!("only the contract can say, with `citadel gate verify`: {why}") } else { why }
        })?;
        if verified.who == who && verified.key == key { Ok(()) } else { Err(format!("is by {}", verified.who)) }
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
