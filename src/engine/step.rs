//! One attempt at a step: intent, process, evidence, outcome.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::command::{self, Prepared};
use super::judge;
use super::watch::StepWatcher;
use super::{Engine, gate_code};
use crate::chain;
use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::event::{BlockRef, Event, StepEnded, StepOutcome, StepStarted};
use crate::evidence::{self, Attempt, Found};
use crate::journal::RunFolder;
use crate::plan;
use crate::process::{self, Ended, Outcome};
use crate::runbook::{Action, BlockTag, Check, Effects, EvidenceKind, ExpectedExit, Network, Step};
use crate::verdict::{CheckResult, Verdict, worst};
use crate::workspace;

/// How long a group has between one signal and the next, and how long its output is read after it is gone.
const GRACE: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_secs(2);

impl Engine<'_> {
    pub(super) async fn run_step(&mut self, step: &Step, attempt: u32) -> Result<(), Failure> {
        self.back_off(step).await;
        if *self.world.stop.borrow() != process::Stop::No {
            return Ok(());
        }
        let began = Instant::now();
        let network = self.view().network(self.phase_of(step)?).clone();
        let scope = self.view().scope(&network);
        let prepared = command::prepare(&self.view(), step, &network, &scope);
        let refused = self.before(step, &network).await;
        let after_block = if refused.is_empty() { self.block_before(step, &network).await? } else { None };
        let mut before = BTreeMap::new();
        let started = self.intent(step, attempt, prepared.as_ref(), after_block);
        if refused.is_empty() && prepared.is_ok() {
            let workspace = &self.world.workspace.dir;
            before = evidence::hashes_before(step, workspace, &scope);
            evidence::set_aside(step, attempt, workspace, &self.world.folder, &scope)?;
        }
        self.recorder.record(Event::StepStarted(started))?;
        let ended = match prepared {
            Err(name) => not_started(step, attempt, format!("`{{{{ {name} }}}}` has no value on {}", network.name)),
            Ok(_) if !refused.is_empty() => refusal(step, attempt, refused),
            Ok(None) => self.without_process(step, attempt, &network),
            Ok(Some(prepared)) => self.with_process(step, attempt, &prepared, &network, &before).await?,
        };
        let ended = StepEnded { milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), ..ended };
        self.recorder.record(Event::StepEnded(ended))
    }

    /// Asks the probe whether an indeterminate step's effect happened. `Some`: it could not tell either.
    pub(super) async fn probe(&mut self, step: &Step) -> Result<Option<(ExitCode, Option<String>)>, Failure> {
        let Some(check) = &step.probe else { return Ok(None) };
        let network = Network { block: BlockTag::Latest, ..self.view().network(self.phase_of(step)?).clone() };
        let view = self.view();
        let judged = judge::checks_and(&view, &network, &[check], &[], view.kept(&network), None).await;
        let verdict = judged.verdict();
        let reason = judged.results.first().map(|result| result.message.clone()).unwrap_or_default();
        let attempt = self.recorder.progress().steps.get(&step.id).map_or(0, |progress| progress.attempt);
        match verdict {
            Verdict::Passed | Verdict::Failed => {
                let (step, happened, by) = (step.id.clone(), verdict == Verdict::Passed, "probe".to_owned());
                self.recorder.record(Event::StepDecided { step, attempt, happened, by, reason })?;
                Ok(None)
            }
            Verdict::Unknown | Verdict::Waiting => {
                let hint = format!("the probe of {}: {reason}; {}", step.id, self.decide_hint(&step.id));
                Ok(Some((ExitCode::NeedsDecision, Some(hint))))
            }
        }
    }

    /// The checks that a step may not start without: every invariant where it has chain effects, and its own.
    async fn before(&self, step: &Step, network: &Network) -> Vec<CheckResult> {
        let invariants = if step.effects == Effects::Chain { self.runbook.invariants.as_slice() } else { &[] };
        let checks: Vec<&Check> = invariants.iter().chain(&step.before).collect();
        if checks.is_empty() {
            return Vec::new();
        }
        let view = self.view();
        let judged = judge::checks_and(&view, network, &checks, &[], view.kept(network), None).await;
        judged.results.into_iter().filter(|result| result.verdict != Verdict::Passed).collect()
    }

    async fn block_before(&self, step: &Step, network: &Network) -> Result<Option<BlockRef>, Failure> {
        let needed = step.evidence.iter().any(|evidence| matches!(evidence.kind, EvidenceKind::Transactions(_)));
        if step.own_chain || !(needed || step.effects == Effects::Chain) {
            return Ok(None);
        }
        let head = chain::head(&self.view().target(network)).await.map_err(|why| {
            Failure::new(gate_code(Verdict::Unknown), format!("the block before {} is not known: {why}", step.id))
                .hint("nothing was started; mend the endpoint, then run the same command again")
        })?;
        Ok(Some(BlockRef { number: head.number, hash: format!("{:#x}", head.hash), time: head.time }))
    }

    fn intent(
        &self,
        step: &Step,
        attempt: u32,
        prepared: Result<&Option<Prepared>, &String>,
        after_block: Option<BlockRef>,
    ) -> StepStarted {
        let (command, env) = match prepared {
            Ok(Some(prepared)) => (prepared.display.clone(), prepared.names.clone()),
            Ok(None) | Err(_) => (format!("{} ({})", step.title, action_word(&step.action)), Vec::new()),
        };
        let outline = plan::outline(self.recorder.progress(), &step.id);
        StepStarted {
            step: step.id.clone(),
            attempt,
            command,
            env,
            log: RunFolder::log(&step.id.0, attempt),
            definition: outline.map(|outline| outline.definition.clone()).unwrap_or_default(),
            commit: self.world.workspace.commit.clone(),
            inputs: self.inputs(step),
            after_block,
        }
    }

    /// The SHA-256 of the files that the step's evidence reads and the step need not write.
    fn inputs(&self, step: &Step) -> BTreeMap<String, String> {
        let Ok(phase) = self.phase_of(step) else { return BTreeMap::new() };
        let scope = self.view().scope(self.view().network(phase));
        let files = step.evidence.iter().filter_map(|evidence| match &evidence.kind {
            EvidenceKind::File(file) if !file.written => file.path.render(&scope).ok(),
            _ => None,
        });
        let dir = &self.world.workspace.dir;
        files.filter_map(|path| Some((path.clone(), sha256(&workspace::read_file(dir, &path).ok()?)))).collect()
    }

    async fn with_process(
        &mut self,
        step: &Step,
        attempt: u32,
        prepared: &Prepared,
        network: &Network,
        before: &BTreeMap<String, String>,
    ) -> Result<StepEnded, Failure> {
        let since = SystemTime::now();
        let tracked = workspace::tracked_changes(&self.world.workspace.dir, self.world.path()).await;
        let mut env = prepared.env.clone();
        env.insert(process::ATTEMPT.to_owned(), self.world.folder.attempt_mark(&step.id.0, attempt));
        let command = process::Command {
            argv: prepared.argv.clone(),
            dir: self.world.workspace.dir.clone(),
            env,
            timeout: step.timeout,
            silence: step.silence,
            grace: GRACE,
            drain: DRAIN,
            log: self.world.folder.file(&RunFolder::log(&step.id.0, attempt)),
            stdout: self.world.folder.file(&RunFolder::stdout(&step.id.0, attempt)),
        };
        let mut watcher = StepWatcher { recorder: &mut self.recorder, step: &step.id, attempt };
        let outcome = process::run(&command, &self.world.mask, self.world.stop.clone(), &mut watcher).await?;
        let (mut found, last_block) = match outcome.ended {
            Ended::Exited(_) => self.evidence(step, attempt, since, network, before).await,
            Ended::Signalled(_)
            | Ended::TimedOut
            | Ended::Silent
            | Ended::Interrupted
            | Ended::NotStarted(_)
            | Ended::Unseen => (Found::default(), None),
        };
        found.results.extend(self.untold_changes(step, &tracked).await);
        if let Ended::Interrupted = outcome.ended
            && let process::Stop::Graceful(signal) = *self.world.stop.borrow()
        {
            self.recorder.record(Event::Interrupted { signal })?;
        }
        Ok(conclude(step, attempt, outcome, found, last_block))
    }

    /// A step that citadel does itself.
    pub(super) fn without_process(&self, step: &Step, attempt: u32, network: &Network) -> StepEnded {
        match &step.action {
            Action::Secrets { template, file, requires } => {
                let view = self.view();
                let results = super::secrets::check(&view, network, template, file, requires);
                let outcome = match worst(results.iter().map(|result| result.verdict)) {
                    Verdict::Passed => StepOutcome::Done,
                    Verdict::Waiting | Verdict::Unknown | Verdict::Failed => StepOutcome::Failed,
                };
                StepEnded { outcome, reason: first_problem(&results), evidence: results, ..blank(step, attempt) }
            }
            Action::Manual { instructions } => StepEnded {
                outcome: StepOutcome::Indeterminate,
                reason: Some(format!("a person must do it: {}", instructions.0)),
                ..blank(step, attempt)
            },
            Action::Npm { .. } | Action::Make { .. } | Action::Run { .. } | Action::Shell { .. } => {
                not_started(step, attempt, "it has no command".into())
            }
        }
    }

    pub(super) async fn evidence(
        &self,
        step: &Step,
        attempt: u32,
        since: SystemTime,
        network: &Network,
        before: &BTreeMap<String, String>,
    ) -> (Found, Option<u64>) {
        let view = self.view();
        // What a step just did is in the newest blocks; its gate waits until they are as final as the network demands.
        let network = &Network { block: BlockTag::Latest, ..network.clone() };
        let mut kept = view.kept(network);
        let scope = kept.scope.clone();
        let attempt = Attempt {
            step,
            number: attempt,
            workspace: &self.world.workspace.dir,
            folder: &self.world.folder,
            since,
            scope: &scope,
            before,
        };
        let mut found = evidence::judge(&attempt, &mut kept);
        found.results.extend(self.used_before(step, &found));
        let (_, asks) = judge::transactions(&view, step, &kept, network);
        if asks.is_empty() && found.checks.is_empty() {
            return (found, None);
        }
        let checks: Vec<&Check> = found.checks.iter().collect();
        let judged = judge::checks_and(&view, network, &checks, &asks, kept, None).await;
        let pinned = judged.reading.as_ref().and_then(|reading| reading.block.as_ref());
        let last_block = pinned.map(|block| block.number).filter(|_| !asks.is_empty());
        found.results.extend(judged.results);
        (found, last_block)
    }

    /// Tracked files that the step changed and that no step may change.
    async fn untold_changes(&self, step: &Step, before: &BTreeMap<String, String>) -> Option<CheckResult> {
        let now = workspace::tracked_changes(&self.world.workspace.dir, self.world.path()).await;
        let allowed = &self.runbook.workspace.tracked_changes;
        let changed: Vec<&str> = now
            .iter()
            .filter(|(file, hash)| before.get(*file) != Some(hash) && !allowed.contains(file))
            .map(|(file, _)| file.as_str())
            .collect();
        let first = changed.first()?;
        let message = format!("`{}` changed {} tracked files, `{first}` among them", step.id, changed.len());
        let result = CheckResult::failed("tracked files", "workspace", message)
            .expected(format!(
                "changes in {} alone",
                if allowed.is_empty() { "none".into() } else { allowed.join(", ") }
            ))
            .observed(serde_json::json!(changed))
            .hint("look at `git diff`; what steps may change stands in `[workspace] tracked_changes`");
        Some(result)
    }

    /// A transaction is evidence once: the same hash for two steps proves neither.
    fn used_before(&self, step: &Step, found: &Found) -> Option<CheckResult> {
        let hashes = found.transactions.iter().flat_map(|found| &found.hashes);
        let (hash, user) = hashes
            .filter_map(|hash| Some((hash, self.recorder.progress().transactions.get(&hash.to_lowercase())?)))
            .find(|(_, user)| **user != step.id)?;
        let message = format!("the transaction {hash} was evidence for step {user} already");
        Some(CheckResult::failed("transactions", "transactions", message))
    }
}

/// What the exit and the evidence add up to.
fn conclude(step: &Step, attempt: u32, outcome: Outcome, found: Found, last_block: Option<u64>) -> StepEnded {
    let problem = exit_problem(step, &outcome).or_else(|| first_problem(&found.results));
    let undecided = step.effects == Effects::Chain;
    let outcome_of_step = match (&outcome.ended, &problem) {
        (_, None) => StepOutcome::Done,
        (Ended::NotStarted(_), _) => StepOutcome::Failed,
        (Ended::Interrupted, _) if !undecided => StepOutcome::Interrupted,
        (Ended::TimedOut | Ended::Silent, _) if !undecided => StepOutcome::TimedOut,
        (Ended::Exited(code), _) if !undecided || is_expected(step, *code) => StepOutcome::Failed,
        _ if undecided => StepOutcome::Indeterminate,
        _ => StepOutcome::Failed,
    };
    let transactions = found.transactions.into_iter().flat_map(|found| found.hashes).map(|hash| hash.to_lowercase());
    StepEnded {
        outcome: outcome_of_step,
        ended: outcome.ended,
        evidence: found.results,
        artefacts: found.artefacts,
        last_block,
        transactions: transactions.collect(),
        tail: if problem.is_some() { outcome.tail } else { Vec::new() },
        reason: problem,
        ..blank(step, attempt)
    }
}

fn exit_problem(step: &Step, outcome: &Outcome) -> Option<String> {
    match &outcome.ended {
        Ended::NotStarted(why) => Some(format!("cannot be started: {why}")),
        Ended::TimedOut => Some(format!("took longer than {} s and was ended", step.timeout.as_secs())),
        Ended::Silent => Some(format!("printed nothing for {} s and was ended", step.silence.as_secs())),
        Ended::Interrupted => Some("was interrupted".into()),
        Ended::Unseen => Some("ended unseen".into()),
        Ended::Signalled(signal) => Some(format!("was killed by signal {signal}")),
        Ended::Exited(code) => match (&outcome.prompt, is_expected(step, *code)) {
            (Some(prompt), _) => Some(format!("ended asking `{prompt}`, with nobody there to answer")),
            (None, false) => Some(format!("exited with {code}")),
            (None, true) => None,
        },
    }
}

fn is_expected(step: &Step, code: i32) -> bool {
    match step.exit {
        ExpectedExit::Any => true,
        ExpectedExit::Code(expected) => code == expected,
    }
}

pub(super) fn first_problem(results: &[CheckResult]) -> Option<String> {
    let problem = results.iter().find(|result| result.verdict != Verdict::Passed)?;
    Some(format!("its evidence does not hold: {}", problem.message))
}

fn refusal(step: &Step, attempt: u32, results: Vec<CheckResult>) -> StepEnded {
    let reason = results.first().map(|result| format!("not started: {}", result.message));
    let verdict = worst(results.iter().map(|result| result.verdict));
    StepEnded { outcome: StepOutcome::Refused(verdict), reason, evidence: results, ..blank(step, attempt) }
}

fn not_started(step: &Step, attempt: u32, why: String) -> StepEnded {
    StepEnded {
        outcome: StepOutcome::Failed,
        ended: Ended::NotStarted(why.clone()),
        reason: Some(why),
        ..blank(step, attempt)
    }
}

pub(super) fn blank(step: &Step, attempt: u32) -> StepEnded {
    StepEnded {
        step: step.id.clone(),
        attempt,
        outcome: StepOutcome::Done,
        ended: Ended::Exited(0),
        milliseconds: 0,
        evidence: Vec::new(),
        artefacts: Vec::new(),
        last_block: None,
        transactions: Vec::new(),
        reason: None,
        tail: Vec::new(),
    }
}

fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Npm { .. } => "npm",
        Action::Make { .. } => "make",
        Action::Run { .. } => "run",
        Action::Shell { .. } => "shell",
        Action::Manual { .. } => "by hand",
        Action::Secrets { .. } => "secrets",
    }
}
