//! Does what the plan says, one item at a time, and records what happened. It knows no terminal and no file format; it
//! decides nothing that the plan could decide.

pub mod accounts;
mod before;
pub mod command;
pub mod dev_chain;
pub mod contingency;
mod exports;
mod facts;
mod gate;
mod guided;
pub mod handed_in;
mod inputs;
pub mod judge;
mod limits;
pub mod names;
pub mod observe;
pub mod opening;
mod outcome;
mod probe;
mod publish;
pub mod reading;
mod record;
pub mod rehearsed;
pub mod replay;
pub mod scan;
mod secrets;
pub mod signed;
mod signed_record;
mod signing;
mod step;
mod step_evidence;
pub mod suspension;
pub mod time;
mod verify;
mod waiting;
mod waiver;
mod watch;
pub mod world;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;

pub use publish::{Packed, SUFFIX, name_of};
pub use signing::nonce;

use crate::devchain::Running;
use crate::error::{ExitCode, Failure};
use crate::event::{Event, StepOutcome};
use crate::operator::Choice;
use crate::plan::{self, Item, Selection};
use crate::process::{Looked, Stop, clock};
use crate::progress::{Halt, Progress, StepState};
use crate::recorder::Recorder;
use crate::runbook::{Phase, PhaseId, Runbook, Step, StepId};
use crate::verdict::Verdict;
use world::{View, World};

/// A run in the making.
pub struct Engine<'a> {
    runbook: &'a Runbook,
    /// Where each step is declared.
    steps: HashMap<&'a StepId, (&'a Phase, &'a Step)>,
    selection: &'a Selection,
    world: World,
    /// What every step is started with.
    environment: BTreeMap<String, String>,
    recorder: Recorder,
    /// The dev chain that this invocation started; dropping it ends it.
    chain: Option<Running>,
    /// A person sits at the terminal and can be asked.
    guided: bool,
    /// What a person answers to failures, said beforehand; the terminal is not asked then.
    answers: Option<VecDeque<Choice>>,
    /// The contingency that the person chose.
    chosen: Option<String>,
    time: limits::RunTime,
    /// Signatures that contracts were asked about while people were waited for.
    asked_contracts: BTreeSet<String>,
    /// Long logs that were looked through for secrets as they came.
    looked: BTreeMap<PathBuf, Looked>,
}

/// How an invocation came out.
#[derive(Debug)]
pub struct Ending {
    pub code: ExitCode,
    /// The next command, where there is something to do.
    pub hint: Option<String>,
    /// The contingency that the person at the terminal chose to run now.
    pub contingency: Option<String>,
    pub progress: Progress,
    /// The journal's head, to note down: it binds everything before it.
    pub head: String,
    /// The archive that was published, or why none was; nothing where none was to be.
    pub archive: Option<Result<String, Failure>>,
    /// What was written that must not be: told last, whatever else is.
    pub secret: Option<Failure>,
}

impl<'a> Engine<'a> {
    /// An engine that goes on from what `recorder` holds.
    pub fn new(runbook: &'a Runbook, selection: &'a Selection, world: World, recorder: Recorder, guided: bool) -> Self {
        let time = limits::RunTime::new(runbook.limits.run);
        let of_phase = |phase: &'a Phase| phase.steps.iter().map(move |step| (&step.id, (phase, step)));
        let steps = runbook.phases.iter().flat_map(of_phase).collect();
        let (asked_contracts, looked) = (BTreeSet::new(), BTreeMap::new());
        let (answers, chosen) = (None, None);
        let environment = command::environment(runbook, &world);
        Self {
            runbook,
            steps,
            selection,
            world,
            environment,
            recorder,
            chain: None,
            guided,
            answers,
            chosen,
            time,
            asked_contracts,
            looked,
        }
    }

    /// With answers to failures, used one after the other; where none is left, the run stops.
    #[must_use]
    pub fn answered(self, answers: Vec<Choice>) -> Self {
        Self { answers: (!answers.is_empty()).then(|| answers.into()), ..self }
    }

    /// Runs until nothing is left to do or something stops it. The dev chain that it started ends in every case. `pack`
    /// makes the archive of the run, where it is complete and the runbook publishes one.
    pub async fn run(mut self, pack: impl AsyncFnOnce() -> Result<Packed, Failure>) -> Result<Ending, Failure> {
        let looped = self.go_through().await;
        let looped = self.recorder.settle().and(looped);
        if looped.is_err() {
            // Where even this cannot be recorded, the failure says why.
            let _ = self.stopped();
        }
        let ended = self.end_dev_chain().await;
        let ending = match looped.and_then(|ending| ended.map(|()| ending)) {
            Ok(ending) => ending,
            Err(failure) => return Err(self.broken_off(failure)),
        };
        let (code, hint) = ending.unwrap_or_else(|| self.code());
        // Before anyone is told that it is complete.
        let found = scan::scan(&self.world, &self.recorder.progress().published, &self.looked);
        let secrets = found.as_ref().map_or(0, Vec::len);
        let complete = code == ExitCode::Ok && self.is_complete();
        let last = self.recorder.record_untold(Event::RunEnded { complete, secrets })?;
        let reported = publish::report(&self.world);
        let leaves = self.runbook.archive && complete && secrets == 0 && found.is_ok();
        let packed = if leaves { Some(unless_stopped(self.world.stop.clone(), Box::pin(pack())).await) } else { None };
        let archive = packed.map(|packed| publish::archive(&self.world, self.recorder.progress(), packed));
        self.recorder.tell(&last);
        let mut places = found?;
        if let Err(failure) = reported {
            return Err(scan::beside(places, failure));
        }
        places.extend(scan::report(&self.world)?);
        let head = self.recorder.head().0.to_owned();
        let (contingency, progress) = (self.chosen.take(), self.recorder.progress().clone());
        Ok(Ending { code, hint, contingency, progress, head, archive, secret: scan::failure(places) })
    }

    /// An error ends a run as anything else does: what was written is looked through all the same.
    fn broken_off(&mut self, failure: Failure) -> Failure {
        let found = scan::scan(&self.world, &self.recorder.progress().published, &self.looked);
        let (places, unread) = match found {
            Ok(places) => (places, None),
            Err(unread) => (Vec::new(), Some(format!("what was written could not be looked through: {unread}"))),
        };
        if !places.is_empty() {
            // Where even this cannot be recorded, the failure says why.
            let _ = self.recorder.record(Event::RunEnded { complete: false, secrets: places.len() });
            let _ = publish::report(&self.world);
        }
        let mut failure = scan::beside(places, failure);
        failure.details.extend(unread);
        failure
    }

    /// The loop. `Some`: it stopped for a reason that is no event, such as a decision that a person must make.
    async fn go_through(&mut self) -> Result<Option<(ExitCode, Option<String>)>, Failure> {
        publish::take_back(&self.world, self.recorder.progress())?;
        if let Some(waiting) = self.operator_proved().await? {
            return Ok(Some(waiting));
        }
        loop {
            if self.stopped()? {
                return Ok(None);
            }
            self.take_in_handed()?;
            let (runbook, network) = (self.runbook, self.world.network.clone());
            let line = plan::next_at_work(runbook, self.selection, self.recorder.progress(), &network);
            // An attempt looks by itself, right before its intent is recorded.
            let looks = line.as_ref().is_some_and(|line| matches!(line.item, Item::Run { .. }));
            if !looks {
                self.recorder.settle()?;
                if self.suspended()? {
                    return Ok(None);
                }
            }
            let Some(line) = line else {
                let since = clock::now();
                let goes_on = self.asked().await?;
                self.time.waited_since(since);
                if goes_on {
                    continue;
                }
                return Ok(None);
            };
            match line.item {
                Item::DevChain => self.start_dev_chain().await?,
                Item::Run { step, attempt } => self.attempt(self.step(&step)?, attempt).await?,
                Item::Gate { phase } => self.judge_gate(self.phase(&phase)?).await?,
                Item::Probe { step } => {
                    if let Some(stop) = self.probe(self.step(&step)?).await? {
                        return Ok(Some(stop));
                    }
                }
                Item::Verify { step } => self.verify(self.step(&step)?).await?,
                Item::Ask { step } => return Ok(Some((ExitCode::NeedsDecision, Some(self.decide_hint(&step))))),
                Item::Changed { step } => return Ok(Some((ExitCode::Changed, Some(self.changed_hint(&step))))),
                Item::Skip { .. } => return Ok(None),
            }
        }
    }

    /// Whether citadel was asked to stop, which is recorded unless something else stopped it before.
    fn stopped(&mut self) -> Result<bool, Failure> {
        let signal = self.world.stop.borrow().signal();
        if let (Some(signal), None) = (signal, &self.recorder.progress().halt) {
            self.recorder.record(Event::Interrupted { signal })?;
        }
        Ok(signal.is_some())
    }

    fn view(&self) -> View<'_> {
        View { runbook: self.runbook, progress: self.recorder.progress(), world: &self.world }
    }

    fn phase(&self, id: &PhaseId) -> Result<&'a Phase, Failure> {
        let found = self.runbook.phases.iter().find(|phase| phase.id == *id);
        found.ok_or_else(|| Failure::new(ExitCode::Internal, format!("the plan names no phase `{id}`")))
    }

    fn step(&self, id: &StepId) -> Result<&'a Step, Failure> {
        let found = self.steps.get(id).map(|(_, step)| *step);
        found.ok_or_else(|| Failure::new(ExitCode::Internal, format!("the plan names no step `{id}`")))
    }

    fn phase_of(&self, step: &Step) -> Result<&'a Phase, Failure> {
        let found = self.steps.get(&step.id).map(|(phase, _)| *phase);
        found.ok_or_else(|| Failure::new(ExitCode::Internal, format!("no phase has the step `{}`", step.id)))
    }

    fn is_complete(&self) -> bool {
        self.runbook.phases.iter().all(|phase| self.recorder.progress().gate_passed(&phase.id))
    }

    fn decide_hint(&self, step: &StepId) -> String {
        if self.recorder.progress().dev_chain.as_ref().is_some_and(|chain| !chain.kept) {
            return "this run's chain is gone, and with it the question; mend the cause, then run the same command again".into();
        }
        format!(
            "look at the chain, then `citadel decide {step} --happened --reason \"…\" --network {network}` or \
             `citadel decide {step} --did-not-happen --reason \"…\" --network {network}`",
            network = self.world.network
        )
    }

    /// What changed about a step that was done, field by field.
    fn changed_hint(&self, step: &StepId) -> String {
        let (progress, network) = (self.recorder.progress(), &self.world.network);
        if progress.undeclared() == Some(step) {
            return format!(
                "the runbook has no step {step} any more, and what that did to the chain would happen again under another \
                 name: declare it as it was, or start over with `citadel run --new --network {network}`"
            );
        }
        let before = progress.steps.get(step).map(|seen| seen.started.definition.as_str());
        let after = progress.outline(step).map(|outline| outline.definition.as_str());
        let differences =
            before.zip(after).map(|(before, after)| self.view().differences(before, after)).unwrap_or_default();
        format!(
            "{step} was done by another definition:\n  {}\nundo the change, or start over with `citadel run --new --network {network}`",
            differences.join("\n  ")
        )
    }

    /// The exit code and the next command that the progress stands for.
    fn code(&self) -> (ExitCode, Option<String>) {
        let network = &self.world.network;
        let again = format!("mend the cause, then run the same command again; `citadel status --network {network}`");
        let suspended = self.recorder.progress().suspended.keys().next();
        let suspended = suspended.map(|id| suspension::way_out(id, network));
        match &self.recorder.progress().halt {
            None if suspended.is_some() => (ExitCode::Waiting, suspended),
            None => (ExitCode::Ok, None),
            Some(Halt::Signal { signal }) => interrupted(*signal),
            Some(Halt::Step { step, outcome }) => match outcome {
                StepOutcome::Done => (ExitCode::Ok, None),
                StepOutcome::Failed => (ExitCode::StepFailed, Some(again)),
                StepOutcome::TimedOut => (ExitCode::TimedOut, Some(again)),
                StepOutcome::Interrupted => interrupted(self.world.stop.borrow().signal().unwrap_or_default()),
                StepOutcome::Indeterminate
                    if self.recorder.progress().step_state(step) == Some(StepState::NotHappened) =>
                {
                    (ExitCode::StepFailed, Some(again))
                }
                StepOutcome::Indeterminate => (ExitCode::NeedsDecision, Some(self.decide_hint(step))),
                StepOutcome::Refused(verdict) => (gate_code(*verdict), Some(again)),
            },
            Some(Halt::Gate { verdict: Verdict::Waiting, .. }) => {
                let next = format!(
                    "the same command again when enough people signed; `citadel sign-off list --network {network}`"
                );
                (ExitCode::Waiting, Some(next))
            }
            Some(Halt::Gate { gate, verdict }) => {
                let verify = format!("`citadel gate verify {gate} --network {network}` judges it again");
                (gate_code(*verdict), Some(verify))
            }
        }
    }
}

fn interrupted(signal: i32) -> (ExitCode, Option<String>) {
    (interrupted_by(signal), Some("run the same command again: it continues".into()))
}

/// What packs the archive may wait for a person who is to sign it; whoever asks citadel to stop does not.
async fn unless_stopped(
    mut stop: tokio::sync::watch::Receiver<Stop>,
    pack: impl Future<Output = Result<Packed, Failure>>,
) -> Result<Packed, Failure> {
    let asked = async {
        match stop.wait_for(|stop| *stop != Stop::No).await {
            Ok(stop) => stop.signal().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        signal = asked => Err(Failure::new(interrupted_by(signal), "interrupted while the archive was made")),
        packed = pack => packed,
    }
}

/// The exit code of a signal that asked to stop.
pub fn interrupted_by(signal: i32) -> ExitCode {
    if signal == 15 { ExitCode::Terminated } else { ExitCode::Interrupted }
}

/// The exit code of a verdict.
pub fn gate_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Passed | Verdict::Waived => ExitCode::Ok,
        Verdict::Waiting => ExitCode::Waiting,
        Verdict::Unknown => ExitCode::GateUnknown,
        Verdict::Failed => ExitCode::GateFailed,
    }
}
