//! One attempt at a step: intent, process, evidence, outcome.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use super::command::{self, Prepared};
use super::limits::Allowed;
use super::outcome::{conclude, first_problem, not_started, refusal};
use super::step_evidence::Reached;
use super::watch::StepWatcher;
use super::{Engine, publish};
use crate::digest::{Digest, sha256};
use crate::error::{ExitCode, Failure};
use crate::event::{Event, Log, StepEnded, StepOutcome, StepStarted};
use crate::evidence::{self, Found};
use crate::journal::{RunFolder, write_file};
use crate::process::{self, Ended};
use crate::runbook::{Action, BlockTag, Effects, Evidence, EvidenceKind, Isolation, Network, Scope, Step, Template};
use crate::verdict::{CheckResult, Verdict, worst};
use crate::workspace;

impl Engine<'_> {
    /// Makes one attempt; its outcome is durable and told when this returns.
    pub(super) async fn run_step(&mut self, step: &Step, attempt: u32) -> Result<(), Failure> {
        let made = self.attempt(step, attempt).await;
        self.recorder.settle().and(made)
    }

    /// The same for a step that others may follow: the disk may take its outcome while the next is got ready.
    pub(super) async fn attempt(&mut self, step: &Step, attempt: u32) -> Result<(), Failure> {
        let at_once = is_ready_at_once(step, attempt);
        if !at_once {
            self.recorder.settle()?;
        }
        self.back_off(step).await;
        if *self.world.stop.borrow() != process::Stop::No {
            return Ok(());
        }
        let mut began = Instant::now();
        let network = self.view().network(self.phase_of(step)?).clone();
        let scope = self.view().scope(&network);
        let prepared = command::prepare(&self.view(), step, &network, &scope, &self.environment);
        let (waived, refused): (Vec<_>, Vec<_>) =
            self.before(step, &network).await.into_iter().partition(|result| result.verdict == Verdict::Waived);
        let (after_block, finalized) =
            if refused.is_empty() { self.block_before(step, &network).await? } else { (None, None) };
        // A person may have done it since they were first asked to.
        let by_hand = matches!(step.action, Action::Manual { .. });
        let asked = self.recorder.progress().block_before(&step.id).filter(|_| by_hand).cloned();
        let after_block = asked.or(after_block);
        if self.suspended()? {
            return Ok(());
        }
        let started = self.intent(step, attempt, prepared.as_ref(), &scope);
        let started = StepStarted { after_block, finalized, ..started };
        let allowed = self.time.allowed(step);
        let doing = match prepared {
            Err(name) => {
                let why = format!("`{{{{ {name} }}}}` has no value on {}", network.name);
                Doing::Nothing(Box::new(not_started(step, attempt, why)))
            }
            Ok(_) if !refused.is_empty() => Doing::Nothing(Box::new(refusal(step, attempt, refused))),
            Ok(None) => Doing::WithoutProcess,
            Ok(Some(_)) if allowed.is_nothing() => {
                let not_started = not_started(step, attempt, allowed.not_started());
                Doing::Nothing(Box::new(StepEnded { outcome: StepOutcome::TimedOut, ..not_started }))
            }
            Ok(Some(prepared)) => {
                let workspace = &self.world.workspace.dir;
                let before = evidence::hashes_before(step, workspace, &scope);
                let aside = evidence::set_aside(step, attempt, workspace, &self.world.folder, &scope);
                aside.map_err(publish::in_the_way)?;
                Doing::Process { command: Box::new(self.command(step, attempt, prepared, allowed)), allowed, before }
            }
        };
        self.recorder.settle()?;
        if at_once {
            // What the disk took until now was the time of the step before.
            began = Instant::now();
        }
        self.recorder.begin(Event::StepStarted(started))?;
        let ended = match doing {
            Doing::Nothing(ended) => *ended,
            Doing::WithoutProcess => {
                self.recorder.settle()?;
                self.without_process(step, attempt, &network).await
            }
            Doing::Process { command, allowed, before } => {
                // Its program is found, and its log opened, while the intent is synced.
                let ready = process::Ready::begin(*command, &self.world.mask);
                self.recorder.settle()?;
                self.with_process(step, attempt, ready?, allowed, &network, &before).await?
            }
        };
        let mut ended =
            StepEnded { milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), ..ended };
        ended.evidence.extend(waived);
        self.recorder.begin(Event::StepEnded(ended))
    }

    /// Asks the probe whether an indeterminate step's effect happened. `Some`: it could not tell either.
    pub(super) async fn probe(&mut self, step: &Step) -> Result<Option<(ExitCode, Option<String>)>, Failure> {
        let Some(check) = step.probe.as_deref() else { return Ok(None) };
        let network = Network { block: BlockTag::Latest, ..self.view().network(self.phase_of(step)?).clone() };
        let judged = Box::pin(self.probed(step, check, &network)).await;
        let verdict = judged.verdict();
        let reason = judged.results.first().map(|result| result.message.clone()).unwrap_or_default();
        let attempt = self.recorder.progress().steps.get(&step.id).map_or(0, |progress| progress.attempt);
        match verdict {
            Verdict::Passed | Verdict::Failed => {
                let (step, happened, by) = (step.id.clone(), verdict == Verdict::Passed, "probe".to_owned());
                self.recorder.record(Event::StepDecided { step, attempt, happened, by, reason })?;
                Ok(None)
            }
            // Asked to stop while it waited: that is what is told.
            _ if *self.world.stop.borrow() != process::Stop::No => Ok(None),
            Verdict::Unknown | Verdict::Waiting | Verdict::Waived => {
                let hint = format!("the probe of {}: {reason}; {}", step.id, self.decide_hint(&step.id));
                Ok(Some((ExitCode::NeedsDecision, Some(hint))))
            }
        }
    }

    fn intent(
        &self,
        step: &Step,
        attempt: u32,
        prepared: Result<&Option<Prepared>, &String>,
        scope: &Scope,
    ) -> StepStarted {
        let (command, env) = match prepared {
            Ok(Some(prepared)) => (prepared.display.clone(), prepared.names.clone()),
            Ok(None) | Err(_) => (format!("{} ({})", step.title, action_word(&step.action)), Vec::new()),
        };
        let outline = self.recorder.progress().outline(&step.id);
        StepStarted {
            step: step.id.clone(),
            attempt,
            command,
            env,
            log: RunFolder::log(&step.id.0, attempt),
            definition: outline.map(|outline| outline.definition.clone()).unwrap_or_default(),
            commit: self.world.workspace.commit.clone(),
            inputs: self.inputs(step, scope),
            after_block: None,
            finalized: None,
        }
    }

    /// The SHA-256 of the files that the step's evidence reads and the step need not write.
    fn inputs(&self, step: &Step, scope: &Scope) -> BTreeMap<String, String> {
        let files = step.evidence.iter().filter_map(|evidence| match &evidence.kind {
            EvidenceKind::File(file) if !file.written => file.path.render(scope).ok(),
            _ => None,
        });
        let dir = &self.world.workspace.dir;
        files.filter_map(|path| Some((path.clone(), sha256(&workspace::read_file(dir, &path).ok()?)))).collect()
    }

    fn command(&self, step: &Step, attempt: u32, prepared: Prepared, allowed: Allowed) -> process::Command {
        let Prepared { argv, mut env, .. } = prepared;
        env.insert(process::ATTEMPT.to_owned(), self.world.folder.attempt_mark(&step.id.0, attempt));
        process::Command {
            argv,
            dir: self.world.workspace.dir.clone(),
            env,
            timeout: allowed.timeout,
            silence: step.silence,
            grace: self.runbook.limits.grace,
            drain: self.runbook.limits.drain,
            log: self.world.folder.file(&RunFolder::log(&step.id.0, attempt)),
            stdout: reads_stdout(step).then(|| self.world.folder.file(&RunFolder::stdout(&step.id.0, attempt))),
            isolation: step.isolation.map(|Isolation::Pid| self.world.path()),
        }
    }

    async fn with_process(
        &mut self,
        step: &Step,
        attempt: u32,
        ready: process::Ready,
        allowed: Allowed,
        network: &Network,
        before: &BTreeMap<String, String>,
    ) -> Result<StepEnded, Failure> {
        let since = SystemTime::now();
        let tracked = self.tracked_changes().await;
        let (log, stdout) = (ready.command().log.clone(), ready.command().stdout.clone());
        let mut watcher = StepWatcher { recorder: &mut self.recorder, step: &step.id, attempt };
        let mut outcome = ready.run(self.world.stop.clone(), &mut watcher).await?;
        for (file, written) in [(Some(log), &mut outcome.log), (stdout, &mut outcome.stdout)] {
            let looked = written.as_mut().and_then(|written| written.looked.take());
            self.looked.extend(file.zip(looked));
        }
        let (mut found, reached) = match outcome.ended {
            Ended::Exited(_) => self.evidence(step, attempt, since, network, before).await,
            Ended::Signalled(_)
            | Ended::TimedOut
            | Ended::Silent
            | Ended::Interrupted
            | Ended::NotStarted(_)
            | Ended::Unseen => (Found::default(), Reached::default()),
        };
        found.results.extend(self.untold_changes(step, &tracked).await);
        // What a log does not hold cannot have been searched.
        found.results.extend(outcome.lost.as_ref().map(|lost| CheckResult::unknown("output", "output", lost)));
        Ok(conclude(step, attempt, allowed, outcome, found, reached))
    }

    /// A step that citadel does itself.
    pub(super) async fn without_process(&self, step: &Step, attempt: u32, network: &Network) -> StepEnded {
        match &step.action {
            Action::Secrets { template, file, requires } => {
                let view = self.view();
                let results = super::secrets::check(&view, network, template, file, requires);
                let told: Vec<String> =
                    results.iter().map(|result| format!("{}: {}\n", result.verdict, result.message)).collect();
                let (path, told) = (RunFolder::log(&step.id.0, attempt), told.concat());
                // The log is for people; what counts is in the journal.
                let written = write_file(&self.world.folder.file(&path), told.as_bytes()).is_ok();
                let log = Log { path, digest: Digest::Sha256(sha256(told.as_bytes())), bytes: told.len() as u64 };
                let outcome = match worst(results.iter().map(|result| result.verdict)) {
                    Verdict::Passed | Verdict::Waived => StepOutcome::Done,
                    Verdict::Waiting | Verdict::Unknown | Verdict::Failed => StepOutcome::Failed,
                };
                StepEnded {
                    outcome,
                    reason: first_problem(&results),
                    evidence: results,
                    logs: written.then_some(log).into_iter().collect(),
                    ..StepEnded::done(step.id.clone(), attempt)
                }
            }
            Action::Manual { instructions } => self.by_hand(step, attempt, instructions, network).await,
            Action::Npm { .. } | Action::Make { .. } | Action::Run { .. } | Action::Shell { .. } => {
                not_started(step, attempt, "it has no command".into())
            }
        }
    }

    /// A step that a person does: where it has evidence, that tells whether they did.
    pub(super) async fn by_hand(
        &self,
        step: &Step,
        attempt: u32,
        instructions: &Template,
        network: &Network,
    ) -> StepEnded {
        let (found, reached) = self.evidence(step, attempt, SystemTime::UNIX_EPOCH, network, &BTreeMap::new()).await;
        let problem = first_problem(&found.results);
        let handed_in = self.recorder.progress().handed_in.contains_key(&step.id);
        if (handed_in || !step.evidence.is_empty()) && problem.is_none() {
            let hashes = found.transactions.into_iter().flat_map(|found| found.hashes);
            let transactions = hashes.map(|hash| hash.to_lowercase()).collect();
            let (evidence, artefacts) = (found.results, found.artefacts);
            return StepEnded {
                evidence,
                artefacts,
                last_block: reached.last_block,
                finalized: reached.finalized,
                transactions,
                ..StepEnded::done(step.id.clone(), attempt)
            };
        }
        let text = instructions.render(&self.view().scope(network)).unwrap_or_else(|_| instructions.0.clone());
        let (id, on) = (&step.id, &self.world.network);
        let then = format!("then `citadel step complete {id} --evidence … --network {on}`");
        StepEnded {
            outcome: StepOutcome::Indeterminate,
            reason: Some(match problem.filter(|_| handed_in) {
                Some(problem) => format!("{problem}; a person must do it: {text} {then}"),
                None => format!("a person must do it: {text} {then}"),
            }),
            evidence: found.results,
            ..StepEnded::done(step.id.clone(), attempt)
        }
    }
}

/// Whether nothing is asked, moved or waited for before its intent is written, so that what came before can be settled then.
fn is_ready_at_once(step: &Step, attempt: u32) -> bool {
    let reads = |evidence: &Evidence| match &evidence.kind {
        EvidenceKind::File(file) => !file.written && !file.unchanged,
        EvidenceKind::Output(_) => true,
        EvidenceKind::Chain(_) | EvidenceKind::Transactions(_) => false,
    };
    attempt == 1 && step.effects == Effects::None && step.before.is_empty() && step.evidence.iter().all(reads)
}

/// What an attempt comes down to, once its intent is recorded.
enum Doing {
    /// It ended before it began.
    Nothing(Box<StepEnded>),
    WithoutProcess,
    Process {
        command: Box<process::Command>,
        allowed: Allowed,
        /// The files that it must write, as they were.
        before: BTreeMap<String, String>,
    },
}

/// Whether evidence reads what it printed on stdout alone.
fn reads_stdout(step: &Step) -> bool {
    step.evidence.iter().any(|evidence| match &evidence.kind {
        EvidenceKind::Output(output) => !output.json.is_empty() || output.keep.is_some(),
        EvidenceKind::File(_) | EvidenceKind::Chain(_) | EvidenceKind::Transactions(_) => false,
    })
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
