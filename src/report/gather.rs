//! Joins the runbook's outline with what happened, from the journal's records alone.

use std::collections::BTreeMap;

use super::{
    Attempt, Decision, GateReport, HandoverReport, Head, Invocation, Judgement, KeptArtefact, Outcome, PhaseReport,
    Report, SignOffReport, Signed, StepReport, SuspensionEnd, SuspensionReport, WaiverReport,
};
use crate::event::{Event, HandedIn, PhaseOutline};
use crate::journal::Entry;
use crate::progress::Progress;
use crate::runbook::{PhaseId, StepId};
use crate::verdict::{CheckResult, Verdict};

/// What the records say about each thing, in their order.
#[derive(Default)]
struct Gathered {
    progress: Progress,
    dev_chain: bool,
    invocations: Vec<Invocation>,
    attempts: BTreeMap<StepId, Vec<Attempt>>,
    decisions: BTreeMap<StepId, Vec<Decision>>,
    judgements: BTreeMap<PhaseId, Vec<Judgement>>,
    sign_offs: BTreeMap<PhaseId, Vec<SignOffReport>>,
    artefacts: Vec<KeptArtefact>,
    suspensions: Vec<SuspensionReport>,
    handed_in: Vec<HandedIn>,
    handovers: Vec<HandoverReport>,
    head: Head,
}

pub(super) fn report(entries: &[Entry]) -> Report {
    let mut gathered = Gathered::default();
    for entry in entries {
        gathered.progress.apply(entry.seq, &entry.event);
        gathered.add(entry);
        gathered.head = Head { records: entry.seq, hash: entry.hash.clone(), time: Some(entry.time) };
    }
    gathered.finish()
}

impl Gathered {
    fn add(&mut self, entry: &Entry) {
        let time = entry.time;
        match &entry.event {
            Event::RunOpened(opened) => self.invocations.push(Invocation {
                time,
                citadel: opened.citadel.clone(),
                operator: opened.operator.clone(),
                host: opened.host.clone(),
                runbook_sha256: opened.runbook_sha256.clone(),
                commit: opened.commit.clone(),
                signal: None,
                proved: None,
                contingencies: opened.contingencies.clone(),
                plan: None,
                guards: opened.guards.clone(),
            }),
            Event::RunContinued(continued) => self.invocations.push(Invocation {
                time,
                citadel: continued.citadel.clone(),
                operator: continued.operator.clone(),
                host: continued.host.clone(),
                runbook_sha256: continued.runbook_sha256.clone(),
                commit: continued.commit.clone(),
                signal: None,
                proved: None,
                contingencies: continued.contingencies.clone(),
                plan: None,
                guards: continued.guards.clone(),
            }),
            Event::DevChainStarted { .. } => self.dev_chain = true,
            Event::StepStarted(started) => {
                let attempt = Attempt { time, started: started.clone(), ended: None };
                self.attempts.entry(started.step.clone()).or_default().push(attempt);
            }
            Event::StepEnded(ended) => self.ended(ended),
            Event::StepDecided { step, attempt, happened, by, reason } => {
                let (attempt, happened, by, reason) = (*attempt, *happened, by.clone(), reason.clone());
                let decision = Decision { time, attempt, happened, by, reason };
                self.decisions.entry(step.clone()).or_default().push(decision);
            }
            Event::GateJudged(judged) => {
                let judgement = Judgement { sequence: entry.seq, time, judged: judged.clone() };
                self.judgements.entry(judged.gate.clone()).or_default().push(judgement);
            }
            Event::SignOffRequested(request) => {
                let sign_off = SignOffReport { time, request: request.clone(), signed: Vec::new() };
                self.sign_offs.entry(request.gate.clone()).or_default().push(sign_off);
            }
            Event::SignOffAccepted { gate, nonce, who, key, signature } => {
                let asked = self.sign_offs.get_mut(gate);
                if let Some(asked) =
                    asked.and_then(|asked| asked.iter_mut().rfind(|asked| asked.request.nonce == *nonce))
                {
                    let (who, key, signature) = (who.clone(), key.clone(), signature.clone());
                    asked.signed.push(Signed { time, who, key, signature });
                }
            }
            Event::HandedIn(handed_in) => self.handed_in.push(handed_in.clone()),
            Event::Suspended { contingency, by, since, folder } => {
                let (contingency, by, since, folder) = (contingency.clone(), by.clone(), since.clone(), folder.clone());
                self.suspensions.push(SuspensionReport { contingency, by, since, folder, ended: None });
            }
            Event::SuspensionEnded { contingency, by, reason } => {
                let of = |suspension: &&mut SuspensionReport| suspension.contingency == *contingency;
                if let Some(suspension) = self.suspensions.iter_mut().rfind(of) {
                    suspension.ended = Some(SuspensionEnd { time, by: by.clone(), reason: reason.clone() });
                }
            }
            Event::Interrupted { signal } => {
                if let Some(invocation) = self.invocations.last_mut() {
                    invocation.signal = Some(*signal);
                }
            }
            Event::OpeningSigned { key, .. } => {
                if let Some(invocation) = self.invocations.last_mut() {
                    invocation.proved = Some(key.clone());
                }
            }
            Event::HandedOver { by, to, .. } => {
                let (by, to) = (by.clone(), to.clone());
                self.handovers.push(HandoverReport { time, by, to, taken: None });
            }
            Event::TakenOver(taken) => {
                if let Some(handover) = self.handovers.last_mut() {
                    handover.taken = Some((time, taken.clone()));
                }
            }
            Event::PlanTaken { digest, .. } => {
                if let Some(invocation) = self.invocations.last_mut() {
                    invocation.plan = Some(digest.clone());
                }
            }
            Event::DevChainReady(_)
            | Event::DevChainEnded
            | Event::OpeningRequested(_)
            | Event::StepSpawned { .. }
            | Event::AnotherTry { .. }
            | Event::Published { .. }
            | Event::RunEnded { .. }
            | Event::RunClosed { .. } => {}
        }
    }

    fn ended(&mut self, ended: &crate::event::StepEnded) {
        // A step that was refused ends without having started.
        let attempts = self.attempts.entry(ended.step.clone()).or_default();
        if let Some(attempt) = attempts.iter_mut().rfind(|attempt| attempt.started.attempt == ended.attempt) {
            attempt.ended = Some(ended.clone());
        }
        self.artefacts.extend(ended.artefacts.iter().map(|artefact| KeptArtefact {
            step: ended.step.clone(),
            attempt: ended.attempt,
            artefact: artefact.clone(),
        }));
    }

    fn finish(mut self) -> Report {
        let outlines = self.progress.phases.clone();
        let waivers = waivers(&outlines, &self.progress);
        let phases = outlines.iter().map(|outline| self.phase(outline)).collect();
        let others: Vec<StepId> = self.attempts.keys().cloned().collect();
        let others = others.into_iter().map(|id| self.step(id, String::new(), None)).collect();
        Report {
            outcome: Outcome::of(&self.progress),
            phases,
            others,
            dev_chain: self.dev_chain,
            invocations: self.invocations,
            artefacts: self.artefacts,
            published: self.progress.published,
            suspensions: self.suspensions,
            handed_in: self.handed_in,
            run: self.progress.run,
            waivers,
            handovers: self.handovers,
            head: self.head,
        }
    }

    fn phase(&mut self, outline: &PhaseOutline) -> PhaseReport {
        let steps = outline.steps.iter();
        let steps = steps.map(|step| self.step(step.id.clone(), step.title.clone(), step.differs.clone())).collect();
        let gate = GateReport {
            title: outline.gate.clone(),
            verdict: self.progress.gate_verdict(&outline.id),
            judgements: self.judgements.remove(&outline.id).unwrap_or_default(),
            sign_offs: self.sign_offs.remove(&outline.id).unwrap_or_default(),
        };
        PhaseReport { id: outline.id.clone(), title: outline.title.clone(), steps, gate }
    }

    fn step(&mut self, id: StepId, title: String, differs: Option<String>) -> StepReport {
        let state = self.progress.step_state(&id);
        let attempts = self.attempts.remove(&id).unwrap_or_default();
        let decisions = self.decisions.remove(&id).unwrap_or_default();
        StepReport { id, title, differs, state, attempts, decisions }
    }
}

/// Every declared waiver once, with the gates and steps that went on with it.
fn waivers(outlines: &[PhaseOutline], progress: &Progress) -> Vec<WaiverReport> {
    let mut found: Vec<WaiverReport> = Vec::new();
    for (check, waiver) in outlines.iter().flat_map(|outline| &outline.waivers) {
        if found.iter().any(|one| one.check == *check && one.waiver == *waiver) {
            continue;
        }
        let is = |result: &&CheckResult| result.id == *check && result.verdict == Verdict::Waived;
        let judged = progress.gates.values().filter_map(|gate| gate.judged.as_ref());
        let gates = judged.filter(|judged| judged.results.iter().any(|one| is(&one)));
        let ended = progress.steps.values().filter_map(|step| step.ended.as_ref());
        let steps = ended.filter(|ended| ended.evidence.iter().any(|one| is(&one)));
        let used = gates.map(|judged| format!("gate {}", judged.gate));
        let used = used.chain(steps.map(|ended| format!("step {}", ended.step))).collect();
        found.push(WaiverReport { check: check.clone(), waiver: waiver.clone(), used });
    }
    found
}
