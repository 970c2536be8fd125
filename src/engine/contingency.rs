//! A contingency is a run of its own with one phase: its steps, and `done_when` as the gate. Nothing holds it up: a step
//! that fails does not stop the next, and a journal that fails stops nothing.

use std::time::{Duration, Instant};

use super::{Ending, Engine, facts, interrupted, judge, scan};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::plan::{self, Item};
use crate::process::Stop;
use crate::progress::StepState;
use crate::runbook::{Action, BlockTag, Check, Contingency, Gate, Network, Phase, PhaseId, Runbook, Step};
use crate::text::duration;
use crate::verdict::{CheckResult, Verdict};

/// How a contingency is faced.
#[derive(Debug, Clone, Copy)]
pub struct Facing {
    /// Look once and end, instead of watching.
    pub once: bool,
}

/// What a look at the chain found.
struct Seen {
    /// Over, as far as the newest block tells.
    over: bool,
    /// Over as far as the network's own tag tells, too, with every step done.
    closed: bool,
    /// Every step is done, and the newest block says so; only the network's own tag does not yet.
    settling: bool,
    /// What is not as it must be, one sentence each.
    left: Vec<String>,
}

/// The runbook of a contingency alone: no invariant refuses its steps, and its gate is `done_when`.
pub fn runbook_of(runbook: &Runbook, contingency: &Contingency) -> Runbook {
    let gate = Gate {
        title: format!("over: {}", contingency.title),
        checks: contingency.done_when.clone(),
        sign_off: None,
        place: contingency.place,
    };
    let phase = Phase {
        id: PhaseId(contingency.id.clone()),
        title: contingency.title.clone(),
        on: None,
        steps: contingency.steps.clone(),
        gate,
        place: contingency.place,
    };
    let mut alone =
        Runbook { invariants: Vec::new(), phases: vec![phase], deliverables: Vec::new(), ..runbook.clone() };
    alone.limits.run = None;
    for network in alone.networks.values_mut() {
        // The watch looks again by itself.
        network.settle = Duration::ZERO;
    }
    alone
}

impl Engine<'_> {
    /// Goes through the steps, then watches until the chain says that it is over, or a person stops it. `say` is told
    /// every change in a sentence.
    pub async fn face(&mut self, facing: Facing, say: &mut (dyn FnMut(&str) + Send)) -> Result<ExitCode, Failure> {
        let runbook = self.runbook;
        let phase = &runbook.phases[0];
        self.take_in_handed()?;
        self.go_through_steps(say).await?;
        let code = self.watch_until_over(phase, facing, say).await?;
        if code == ExitCode::Ok
            && let Err(failure) = self.judge_gate(phase).await
        {
            say(&format!("that it is over could not be recorded: {failure}"));
        }
        if let Some(signal) = self.world.stop.borrow().signal() {
            self.recorder.record(Event::Interrupted { signal })?;
        }
        self.tell_lost(say);
        Ok(code)
    }

    /// Ends it with the last look for secrets. That comes after everything that was to be done and told, and stops nothing:
    /// what it finds is told, and is the exit code.
    pub fn faced(mut self, code: ExitCode, say: &mut (dyn FnMut(&str) + Send)) -> Result<Ending, Failure> {
        let places = scan::scan(&self.world, &[], &self.looked).unwrap_or_else(|failure| {
            say(&format!("what was written could not be looked through for secrets: {failure}"));
            Vec::new()
        });
        self.recorder.record(Event::RunEnded { complete: code == ExitCode::Ok, secrets: places.len() })?;
        self.tell_lost(say);
        let head = self.recorder.head().0.to_owned();
        let progress = self.recorder.progress().clone();
        Ok(Ending { code, hint: None, contingency: None, progress, head, archive: None, secret: scan::failure(places) })
    }

    async fn go_through_steps(&mut self, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Failure> {
        let network = self.world.network.clone();
        for line in plan::plan(self.runbook, self.selection, self.recorder.progress(), &network) {
            if *self.world.stop.borrow() != Stop::No {
                return Ok(());
            }
            let done = match &line.item {
                Item::Run { step, attempt } => self.run_step(self.step(step)?, *attempt).await,
                Item::Probe { step } => self.probe(self.step(step)?).await.map(|_| ()),
                Item::Verify { step } => self.verify(self.step(step)?).await,
                Item::Ask { step } | Item::Changed { step } => {
                    say(&format!("{step} is not run again: {}", line.why));
                    Ok(())
                }
                Item::DevChain | Item::Gate { .. } | Item::Skip { .. } => Ok(()),
            };
            if let Err(failure) = done {
                say(&format!("{} did not work, and the contingency goes on: {failure}", line.item));
            }
            self.tell_lost(say);
        }
        Ok(())
    }

    async fn watch_until_over(
        &mut self,
        phase: &Phase,
        facing: Facing,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ExitCode, Failure> {
        let began = Instant::now();
        let mut told = None;
        loop {
            if let Some(signal) = self.world.stop.borrow().signal() {
                return Ok(interrupted(signal).0);
            }
            let mut stop = self.world.stop.clone();
            let seen = tokio::select! {
                seen = self.look_again(phase) => seen?,
                _ = stop.wait_for(|stop| *stop != Stop::No) => continue,
            };
            let elapsed = duration(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
            if told.as_ref() != Some(&seen.left) {
                self.recorder.activity("");
                say(&change(&elapsed, &seen));
                told = Some(seen.left.clone());
            }
            if seen.closed {
                return Ok(ExitCode::Ok);
            }
            if seen.over && !self.waits_for_people(phase) && self.only_steps_are_left(phase).await {
                return Ok(ExitCode::StepFailed);
            }
            if facing.once {
                return Ok(ExitCode::Waiting);
            }
            self.recorder.activity(&format!("watching {}: {elapsed}, {} left", phase.id, seen.left.len()));
            let pause = if self.view().network(phase).dev_chain.is_some() { 500 } else { 4000 };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(pause)) => {}
                _ = stop.wait_for(|stop| *stop != Stop::No) => {}
            }
        }
    }

    /// Takes in what people handed in, settles the steps by hand that are done by now, and looks at the chain.
    async fn look_again(&mut self, phase: &Phase) -> Result<Seen, Failure> {
        self.take_in_handed()?;
        self.settle_steps_by_hand(phase).await?;
        let latest = Network { block: BlockTag::Latest, ..self.view().network(phase).clone() };
        let checks: Vec<&Check> = phase.gate.checks.iter().collect();
        let view = self.view();
        let newest = judge::checks_and(&view, &latest, &checks, &[], view.kept(&latest), None).await;
        let steps = phase
            .steps
            .iter()
            .map(|step| facts::step_result(view.progress, &view.world.network, step, &view.kept(&latest)));
        let results: Vec<CheckResult> = newest.results.into_iter().chain(steps).collect();
        let over = phase.gate.checks.is_empty() || newest_passed(&results, phase);
        let mut left = sentences(&results);
        let mut closed = false;
        let settling = left.is_empty();
        if settling {
            let judged = judge::judge(&view, phase, &[]).await;
            closed = judged.verdict() == Verdict::Passed;
            left = sentences(&judged.results);
        }
        Ok(Seen { over, closed, settling, left })
    }

    /// A step by hand is recorded again only once its evidence holds, so that watching leaves no trail.
    async fn settle_steps_by_hand(&mut self, phase: &Phase) -> Result<(), Failure> {
        for step in phase.steps.iter().filter(|step| matches!(step.action, Action::Manual { .. })) {
            let Some(seen) = self.recorder.progress().steps.get(&step.id) else { continue };
            let (state, attempt) = (seen.state, seen.attempt);
            if state != StepState::Done && self.is_done_by_hand(step, attempt).await {
                self.run_step(step, attempt + 1).await?;
            }
        }
        Ok(())
    }

    fn waits_for_people(&self, phase: &Phase) -> bool {
        let by_hand = phase.steps.iter().filter(|step| matches!(step.action, Action::Manual { .. }));
        let is_done = |step: &Step| self.recorder.progress().step_state(&step.id) == Some(StepState::Done);
        by_hand.into_iter().any(|step| !is_done(step))
    }

    /// Whether, at the network's own tag, nothing but steps is not as it must be.
    async fn only_steps_are_left(&self, phase: &Phase) -> bool {
        let judged = judge::judge(&self.view(), phase, &[]).await;
        judged.results.iter().all(|result| result.verdict.goes_on() || result.kind == "step")
    }

    fn tell_lost(&mut self, say: &mut (dyn FnMut(&str) + Send)) {
        if let Some(why) = self.recorder.lost() {
            say(&format!("from here on nothing is recorded: {why}; the contingency goes on"));
        }
    }
}

fn newest_passed(results: &[CheckResult], phase: &Phase) -> bool {
    let of_gate = results.iter().take(phase.gate.checks.len());
    of_gate.into_iter().all(|result| result.verdict == Verdict::Passed)
}

fn sentences(results: &[CheckResult]) -> Vec<String> {
    let left = results.iter().filter(|result| result.verdict != Verdict::Passed);
    left.map(|result| format!("{}: {}", result.id, result.message)).collect()
}

fn change(elapsed: &str, seen: &Seen) -> String {
    if seen.closed {
        return format!("after {elapsed}: it is over, and the chain says so");
    }
    if seen.settling {
        let left = seen.left.join("\n  ");
        return format!(
            "after {elapsed}: over at the newest block, and not yet at the block that the network reads\n  {left}"
        );
    }
    let newest = if seen.over { "over at the newest block; left" } else { "not over yet; left" };
    format!("after {elapsed}: {newest}\n  {}", seen.left.join("\n  "))
}
