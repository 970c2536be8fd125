//! What the events add up to. `Progress` is only ever changed by `apply`, so that it equals the replay of the journal
//! at every event.

mod ask;
mod parts;
mod settled;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

pub use parts::{
    DevChainProgress, GateProgress, Halt, OpeningProgress, OpeningProof, SeenNetwork, StepProgress, StepState,
    Suspension,
};

use self::settled::Settled;
use crate::event::{
    Artefact, Event, GateJudged, HandedIn, PhaseOutline, PublishedFile, RunContinued, RunOpened, StepEnded,
    StepOutcome, StepStarted, TakenOver,
};
use crate::runbook::{PhaseId, StepId};
use crate::verdict::Verdict;

/// The state of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Progress {
    pub run: Option<RunOpened>,
    pub opening: OpeningProgress,
    /// The definitions that the latest invocation works by.
    pub phases: Vec<PhaseOutline>,
    /// In the order in which they were first begun.
    pub steps: IndexMap<StepId, StepProgress>,
    pub gates: BTreeMap<PhaseId, GateProgress>,
    pub artefacts: BTreeMap<String, Artefact>,
    pub dev_chain: Option<DevChainProgress>,
    /// Transaction hashes that evidence used up, with the step that used them.
    pub transactions: BTreeMap<String, StepId>,
    pub published: Vec<PublishedFile>,
    /// Steps that ended in this invocation.
    pub fresh: BTreeSet<StepId>,
    /// How many attempts at a step ended in this invocation.
    pub tries: BTreeMap<StepId, u32>,
    /// Why this invocation does nothing more.
    pub halt: Option<Halt>,
    pub complete: bool,
    /// In how many places the latest invocation found something that must not be written.
    #[serde(skip_serializing_if = "is_zero")]
    pub secrets: usize,
    pub closed: Option<String>,
    /// The plan that was taken last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// To whom the run was handed over; nothing of it is recorded here until they hand it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<String>,
    /// What people handed in for steps by hand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub handed_in: BTreeMap<StepId, Vec<HandedIn>>,
    /// How far each network was seen in the whole run, and since the dev chain was started.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, SeenNetwork>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen_on_chain: BTreeMap<String, SeenNetwork>,
    /// The contingencies that hold the run up, by their ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suspended: BTreeMap<String, Suspension>,
    /// How many steps from the first on are done by today's definitions: what comes next is looked for behind them.
    #[serde(skip)]
    settled: Settled,
    /// A step that may have changed a chain and has no definition any more.
    #[serde(skip)]
    undeclared: Option<StepId>,
}

impl Progress {
    /// The replay of `events`, numbered from 1.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut progress = Self::default();
        for (index, event) in events.into_iter().enumerate() {
            progress.apply(index as u64 + 1, event);
        }
        progress
    }

    /// Adds one event, the journal's record `sequence`.
    pub fn apply(&mut self, sequence: u64, event: &Event) {
        match event {
            Event::RunOpened(opened) => {
                self.opening.taken_up(&opened.operator);
                self.work_by(opened.phases.clone());
                self.run = Some(opened.clone());
            }
            Event::RunContinued(continued) => {
                self.opening.taken_up(&continued.operator);
                self.continued(continued);
            }
            Event::OpeningRequested(request) => {
                self.opening.request = Some(request.clone());
                self.opening.signed = None;
            }
            Event::OpeningSigned { who, key, signature, .. } => {
                self.opening.signed = Some(key.clone());
                if let Some(request) = self.opening.request.clone() {
                    let proof = OpeningProof { request, key: key.clone(), signature: signature.clone() };
                    self.opening.proved.insert(who.clone(), proof);
                }
            }
            Event::PlanTaken { nonce, .. } => self.plan = Some(nonce.clone()),
            Event::HandedOver { to, .. } => self.handed_over = Some(to.clone()),
            Event::TakenOver(taken) => self.taken_over(taken),
            Event::DevChainStarted { url, pid, start_time, kept } => {
                let (url, pid, start_time, kept) = (url.clone(), *pid, *start_time, *kept);
                self.dev_chain = Some(DevChainProgress { url, pid, start_time, kept, deployment: None, ended: false });
                self.seen_on_chain.clear();
            }
            Event::DevChainReady(deployment) => {
                if let Some(chain) = &mut self.dev_chain {
                    chain.deployment = Some(deployment.clone());
                }
            }
            Event::DevChainEnded => {
                if let Some(chain) = &mut self.dev_chain {
                    chain.ended = true;
                }
            }
            Event::StepStarted(started) => self.step_started(started),
            Event::StepSpawned { step, process, .. } => {
                if let Some(progress) = self.steps.get_mut(step) {
                    progress.process = Some(process.clone());
                }
            }
            Event::StepEnded(ended) => self.step_ended(ended),
            Event::StepDecided { step, happened, by, reason, .. } => {
                self.step_decided(step, *happened, (by.clone(), reason.clone()));
            }
            Event::AnotherTry { .. } => {
                self.halt = None;
                self.tries.clear();
            }
            Event::GateJudged(judged) => self.gate_judged(sequence, judged),
            Event::SignOffRequested(request) => {
                let gate = self.gates.entry(request.gate.clone()).or_default();
                gate.request = Some(request.clone());
                gate.signed.clear();
            }
            Event::SignOffAccepted { gate, who, key, .. } => {
                self.gates.entry(gate.clone()).or_default().signed.insert(who.clone(), key.clone());
            }
            Event::Published { files } => self.published.clone_from(files),
            Event::HandedIn(handed_in) => {
                self.handed_in.entry(handed_in.step.clone()).or_default().push(handed_in.clone());
            }
            Event::Suspended { contingency, by, since, folder } => {
                let (by, since, folder) = (by.clone(), since.clone(), folder.clone());
                self.suspended.insert(contingency.clone(), Suspension { by, since, folder });
            }
            Event::SuspensionEnded { contingency, .. } => {
                self.suspended.remove(contingency);
            }
            Event::Interrupted { signal } => self.halt = Some(Halt::Signal { signal: *signal }),
            Event::RunEnded { complete, secrets } => (self.complete, self.secrets) = (*complete, *secrets),
            Event::RunClosed { reason, .. } => self.closed = Some(reason.clone()),
        }
    }

    fn taken_over(&mut self, taken: &TakenOver) {
        self.handed_over = None;
        if let Some(run) = &mut self.run {
            run.workspace.clone_from(&taken.workspace);
            run.reports.clone_from(&taken.reports);
            run.folder.clone_from(&taken.folder);
        }
    }

    fn continued(&mut self, continued: &RunContinued) {
        if let Some(run) = self.run.as_mut().filter(|_| !continued.workspace.is_empty()) {
            run.workspace.clone_from(&continued.workspace);
            run.reports.clone_from(&continued.reports);
        }
        self.fresh.clear();
        self.tries.clear();
        self.halt = None;
        self.complete = false;
        // A citadel that is gone cannot tell how these came out.
        for step in self.steps.values_mut().filter(|step| step.state == StepState::Started) {
            step.state = StepState::Indeterminate;
        }
        self.work_by(continued.phases.clone());
    }

    fn step_started(&mut self, started: &StepStarted) {
        self.opening.unproved |= !self.opening.is_proved();
        let progress = StepProgress {
            state: StepState::Started,
            attempt: started.attempt,
            started: started.clone(),
            process: None,
            decided: None,
            ended: None,
        };
        self.steps.insert(started.step.clone(), progress);
        self.settle(&started.step);
        self.transactions.retain(|_, user| *user != started.step);
        // What a gate said about its phase is void once a step of the phase runs again.
        if let Some(gate) = self.place(&started.step).map(|(phase, _)| phase.id.clone()) {
            self.gates.remove(&gate);
        }
    }

    fn step_ended(&mut self, ended: &StepEnded) {
        for hash in &ended.transactions {
            self.transactions.insert(hash.clone(), ended.step.clone());
        }
        for artefact in &ended.artefacts {
            self.artefacts.insert(artefact.name.clone(), artefact.clone());
        }
        let Some(progress) = self.steps.get_mut(&ended.step) else { return };
        progress.state = match ended.outcome {
            StepOutcome::Done => StepState::Done,
            StepOutcome::Failed | StepOutcome::TimedOut | StepOutcome::Interrupted => StepState::Failed,
            StepOutcome::Indeterminate => StepState::Indeterminate,
            StepOutcome::Refused(_) => StepState::NotHappened,
        };
        progress.ended = Some(ended.clone());
        self.settle(&ended.step);
        self.fresh.insert(ended.step.clone());
        *self.tries.entry(ended.step.clone()).or_default() += 1;
        if matches!(self.halt, Some(Halt::Step { .. })) {
            self.halt = None;
        }
        // The signal says more than that the step was interrupted by it.
        let by_signal = ended.outcome == StepOutcome::Interrupted && matches!(self.halt, Some(Halt::Signal { .. }));
        if ended.outcome != StepOutcome::Done && !by_signal {
            self.halt = Some(Halt::Step { step: ended.step.clone(), outcome: ended.outcome });
        }
    }

    fn step_decided(&mut self, step: &StepId, happened: bool, word: (String, String)) {
        if let Some(progress) = self.steps.get_mut(step) {
            progress.state = if happened { StepState::Happened } else { StepState::NotHappened };
            progress.decided = Some(word);
        }
        self.settle(step);
        let of_step = matches!(&self.halt, Some(Halt::Step { step: halted, .. }) if halted == step);
        if of_step && happened {
            self.halt = None;
        }
    }

    fn gate_judged(&mut self, sequence: u64, judged: &GateJudged) {
        for seen in [&mut self.seen, &mut self.seen_on_chain] {
            seen.entry(judged.network.clone()).or_default().add(judged);
        }
        let gate = self.gates.entry(judged.gate.clone()).or_default();
        gate.judged = Some(judged.clone());
        gate.sequence = sequence;
        if judged.verdict != Verdict::Passed {
            self.halt = Some(Halt::Gate { gate: judged.gate.clone(), verdict: judged.verdict });
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
