//! What the events add up to. `Progress` is only ever changed by `apply`, so that it equals the replay of the journal
//! at every event.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::event::{
    Artefact, BlockRef, Deployment, Event, GateJudged, HandedIn, OpeningRequested, PhaseOutline, PublishedFile,
    RunOpened, SignOffRequested, StepEnded, StepOutcome, StepOutline, StepStarted, TakenOver,
};
use crate::process::Started;
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
    settled: usize,
}

/// How far the gates of a run saw a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SeenNetwork {
    /// The newest block that a gate was judged at.
    pub read: u64,
    /// The newest block that each endpoint told, by its variable.
    pub heads: BTreeMap<String, u64>,
}

impl SeenNetwork {
    fn add(&mut self, judged: &GateJudged) {
        self.read = judged.block.as_ref().map_or(self.read, |block| block.number.max(self.read));
        for (variable, head) in &judged.heads {
            let highest = self.heads.entry(variable.clone()).or_default();
            *highest = (*highest).max(*head);
        }
    }
}

/// A contingency that holds a run up until a person closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub by: String,
    /// RFC 3339, UTC.
    pub since: String,
    /// The folder that the contingency is recorded in.
    pub folder: String,
}

/// Who operates the run, and what proves it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpeningProgress {
    /// Who runs the latest invocation, by their own word.
    pub operator: String,
    /// Everybody who did, by their own word.
    pub claimed: BTreeSet<String>,
    pub request: Option<OpeningRequested>,
    /// The key that signed the request.
    pub signed: Option<String>,
    /// Everybody who proved it in this run, with their latest proof.
    pub proved: BTreeMap<String, OpeningProof>,
    /// A step began while nobody had proved that they operate the run.
    pub unproved: bool,
}

/// A signed opening.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpeningProof {
    pub request: OpeningRequested,
    pub key: String,
    /// Relative to the run's folder.
    pub signature: String,
}

impl OpeningProgress {
    /// Whether the latest invocation's operator proved who they are.
    pub fn is_proved(&self) -> bool {
        self.signed.is_some() && self.request.as_ref().is_some_and(|request| request.operator == self.operator)
    }

    fn taken_up(&mut self, operator: &str) {
        operator.clone_into(&mut self.operator);
        self.claimed.insert(operator.to_owned());
    }
}

/// One step's story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepProgress {
    pub state: StepState,
    pub attempt: u32,
    pub started: StepStarted,
    /// The attempt's process, once it existed.
    pub process: Option<Started>,
    /// Who settled that its effect happened, and why they think so.
    pub decided: Option<(String, String)>,
    pub ended: Option<StepEnded>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Started, and no outcome recorded: while citadel runs it is running, afterwards it is indeterminate.
    Started,
    Done,
    Failed,
    Indeterminate,
    /// Known not to have happened: it may run again.
    NotHappened,
    /// Its effect is known to have happened; its evidence has not been judged since.
    Happened,
}

/// One gate's story.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GateProgress {
    pub judged: Option<GateJudged>,
    /// The journal's record that holds the judgement.
    pub sequence: u64,
    pub request: Option<SignOffRequested>,
    /// Who signed the current request, with the key's fingerprint.
    pub signed: BTreeMap<String, String>,
}

/// The run's own dev chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DevChainProgress {
    pub url: String,
    pub pid: u32,
    pub start_time: u64,
    pub kept: bool,
    pub deployment: Option<Deployment>,
    pub ended: bool,
}

/// What stopped an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Halt {
    Step { step: StepId, outcome: StepOutcome },
    Gate { gate: PhaseId, verdict: Verdict },
    Signal { signal: i32 },
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
                self.continued(&continued.phases);
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
            Event::RunEnded { complete } => self.complete = *complete,
            Event::RunClosed { reason, .. } => self.closed = Some(reason.clone()),
        }
    }

    /// Whether `gate` passed and nothing of its phase started since.
    pub fn gate_passed(&self, gate: &PhaseId) -> bool {
        self.gate_verdict(gate) == Some(Verdict::Passed)
    }

    /// The latest verdict of `gate`.
    pub fn gate_verdict(&self, gate: &PhaseId) -> Option<Verdict> {
        Some(self.gates.get(gate)?.judged.as_ref()?.verdict)
    }

    /// Where `step` stands; `None`: it never started.
    pub fn step_state(&self, step: &StepId) -> Option<StepState> {
        Some(self.steps.get(step)?.state)
    }

    /// The phase of `step` and its place there, in the definitions that the run works by.
    pub fn place(&self, step: &StepId) -> Option<(&PhaseOutline, usize)> {
        // Steps begin in the order of their outlines unless somebody asked for one alone.
        let nth = self.steps.get_index_of(step).unwrap_or(self.steps.len());
        self.nth_step(nth).filter(|(phase, index)| phase.steps[*index].id == *step).or_else(|| {
            let place = |phase: &PhaseOutline| phase.steps.iter().position(|outline| outline.id == *step);
            self.phases.iter().find_map(|phase| Some((phase, place(phase)?)))
        })
    }

    /// How many of the first steps of the phase at `index` are done by today's definitions.
    pub fn settled_in(&self, index: usize) -> usize {
        let before = self.phases.iter().take(index).map(|phase| phase.steps.len()).sum();
        let here = self.phases.get(index).map_or(0, |phase| phase.steps.len());
        self.settled.saturating_sub(before).min(here)
    }

    /// Other definitions count from here on.
    pub fn work_by(&mut self, phases: Vec<PhaseOutline>) {
        self.phases = phases;
        self.settled = 0;
        self.settle();
    }

    fn nth_step(&self, mut nth: usize) -> Option<(&PhaseOutline, usize)> {
        for phase in &self.phases {
            if nth < phase.steps.len() {
                return Some((phase, nth));
            }
            nth -= phase.steps.len();
        }
        None
    }

    /// What `step` means in the definitions that the run works by.
    pub fn outline(&self, step: &StepId) -> Option<&StepOutline> {
        self.place(step).map(|(phase, index)| &phase.steps[index])
    }

    /// The first step that was done by another definition than today's.
    pub fn redefined(&self) -> Option<&StepId> {
        let mut outlines = self.phases.iter().flat_map(|phase| &phase.steps);
        let changed = |outline: &&StepOutline| {
            let seen = self.steps.get(&outline.id).filter(|seen| seen.state == StepState::Done);
            seen.is_some_and(|seen| seen.started.definition != outline.definition)
        };
        outlines.find(changed).map(|outline| &outline.id)
    }

    /// The largest block that the evidence of `phase`'s steps reached.
    pub fn last_block(&self, steps: impl IntoIterator<Item = StepId>) -> Option<u64> {
        steps.into_iter().filter_map(|step| self.steps.get(&step)?.ended.as_ref()?.last_block).max()
    }

    /// The block before `step`'s latest attempt.
    pub fn block_before(&self, step: &StepId) -> Option<&BlockRef> {
        self.steps.get(step)?.started.after_block.as_ref()
    }

    /// The transactions that people handed in for `step`, each once.
    pub fn transactions_handed_in(&self, step: &StepId) -> Vec<String> {
        let all = self.handed_in.get(step).into_iter().flatten().flat_map(|handed_in| &handed_in.transactions);
        all.map(|hash| hash.to_lowercase()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn taken_over(&mut self, taken: &TakenOver) {
        self.handed_over = None;
        if let Some(run) = &mut self.run {
            run.workspace.clone_from(&taken.workspace);
            run.reports.clone_from(&taken.reports);
            run.folder.clone_from(&taken.folder);
        }
    }

    fn continued(&mut self, phases: &[PhaseOutline]) {
        self.fresh.clear();
        self.tries.clear();
        self.halt = None;
        self.complete = false;
        // A citadel that is gone cannot tell how these came out.
        for step in self.steps.values_mut().filter(|step| step.state == StepState::Started) {
            step.state = StepState::Indeterminate;
        }
        self.work_by(phases.to_vec());
    }

    /// Moves past what is settled.
    fn settle(&mut self) {
        let is_settled = |(phase, index): (&PhaseOutline, usize)| {
            let outline = &phase.steps[index];
            let done = self.steps.get(&outline.id).filter(|seen| seen.state == StepState::Done);
            done.is_some_and(|seen| seen.started.definition == outline.definition)
        };
        let mut settled = self.settled;
        while self.nth_step(settled).is_some_and(is_settled) {
            settled += 1;
        }
        self.settled = settled;
    }

    /// A step's state changes.
    fn unsettle(&mut self, step: &StepId) {
        let next = self.nth_step(self.settled).is_some_and(|(phase, index)| phase.steps[index].id == *step);
        if self.settled > 0 && !next && self.step_state(step) == Some(StepState::Done) {
            self.settled = 0;
        }
    }

    fn step_started(&mut self, started: &StepStarted) {
        self.opening.unproved |= !self.opening.is_proved();
        self.unsettle(&started.step);
        let progress = StepProgress {
            state: StepState::Started,
            attempt: started.attempt,
            started: started.clone(),
            process: None,
            decided: None,
            ended: None,
        };
        self.steps.insert(started.step.clone(), progress);
        self.transactions.retain(|_, user| *user != started.step);
        // What a gate said about its phase is void once a step of the phase runs again.
        if let Some(gate) = self.place(&started.step).map(|(phase, _)| phase.id.clone()) {
            self.gates.remove(&gate);
        }
    }

    fn step_ended(&mut self, ended: &StepEnded) {
        self.unsettle(&ended.step);
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
        self.settle();
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
        self.unsettle(step);
        if let Some(progress) = self.steps.get_mut(step) {
            progress.state = if happened { StepState::Happened } else { StepState::NotHappened };
            progress.decided = Some(word);
        }
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
