//! Runs one command from its start until nothing of it is left.
//!
//! The first process is not asked for its status before the end: as long as it is not, its id, which is also the id of
//! the group, cannot belong to anyone else, so every signal reaches this command only.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval_at, sleep};

use super::capture::{Capture, Seen, Source};
use super::exit::Exit;
use super::group::{KILLED, TICK};
use super::pipes::{Ends, Pipes};
use super::spawn::{Program, Running, spawn};
use super::{Command, Ended, Outcome, Stop, Watcher, clock, fence, isolation, leftover, pipes};
use crate::secrets::Mask;

/// How long citadel stays awake for what a command says and for its end: being woken takes a tenth of a millisecond where cores
/// are shared, which is much of a short command and nothing of a long one.
const AWAKE: Duration = Duration::from_millis(2);

/// A command that is made ready while a record of it is brought to disk: its log opened here, its program found by the thread
/// that will start it; where there is no fence, only when it runs. Nothing of it exists before [`Ready::run`].
pub struct Ready {
    command: Arc<Command>,
    mask: Mask,
    capture: Capture,
    /// None for a command that gets a namespace: whether there is one is asked when it starts.
    program: Option<fence::Later<Result<Piped, String>>>,
}

/// A program with the two pipes that it will write into.
type Piped = (Program, Ends, [Stdio; 2]);

impl Ready {
    /// Begins to look for its program and to make its pipes, and opens the files of its output.
    ///
    /// # Errors
    /// A file of its output cannot be made.
    pub fn begin(command: Command, mask: &Mask) -> anyhow::Result<Self> {
        let command = Arc::new(command);
        let program = command.isolation.is_none().then(|| {
            let command = Arc::clone(&command);
            fence::meanwhile(move || piped(&command, None))
        });
        let capture = Capture::open(&command, mask)?;
        Ok(Self { command, mask: mask.clone(), capture, program })
    }

    /// What it is.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Runs it, as [`run`] does.
    ///
    /// # Errors
    /// citadel could not do its part; whatever the command did is an outcome.
    pub async fn run(self, stop: watch::Receiver<Stop>, watcher: &mut dyn Watcher) -> anyhow::Result<Outcome> {
        let Self { command, mask, capture, program } = self;
        let begun = clock::now();
        if *stop.borrow() != Stop::No {
            return Ok(not_started("citadel was asked to stop before it began".to_owned()));
        }
        let started = match program {
            Some(program) => program.take(),
            None => isolated(&command).await,
        };
        let started = started.and_then(|(program, ends, [out, err])| Ok((spawn(program, out, err)?, ends)));
        let (mut running, ends) = match started {
            Ok(started) => started,
            Err(why) => return Ok(not_started(why)),
        };
        running.is_command();
        if let Err(error) = watcher.started(&running.family.started) {
            kill(&mut running).await?;
            return Err(error);
        }
        let pipes = Pipes::of(ends).context("cannot read the output of the command")?;
        let inodes = pipes.inodes();
        let (spoke, why, left, failed) = (begun, None, Vec::new(), None);
        let gone = false;
        let (command, mask) = (&command, &mask);
        let mut supervisor =
            Supervisor { command, mask, running, pipes, capture, stop, begun, spoke, why, left, gone, failed };
        supervisor.until_over(watcher).await?;
        supervisor.clear(&inodes, watcher).await?;
        let status = reap(&mut supervisor.running).await?;
        if let Some(error) = supervisor.failed {
            return Err(error);
        }
        let ended = supervisor.why.unwrap_or_else(|| by_itself(status));
        let Seen { bytes, prompt, tail, lost, log, stdout } = supervisor.capture.finish(watcher);
        let (elapsed, left) = (clock::now() - begun, supervisor.left);
        Ok(Outcome { ended, elapsed, bytes, prompt, left, tail, lost, log, stdout })
    }
}

/// Runs a command. An error means that citadel could not do its part; whatever the command did is an outcome.
///
/// A stop that was asked for before the start gives [`Ended::NotStarted`].
pub async fn run(
    command: &Command,
    mask: &Mask,
    stop: watch::Receiver<Stop>,
    watcher: &mut dyn Watcher,
) -> anyhow::Result<Outcome> {
    Ready::begin(command.clone(), mask)?.run(stop, watcher).await
}

/// Lets whatever else is ready go first: on a single core, the command.
async fn others_first() {
    std::thread::yield_now();
    tokio::task::yield_now().await;
}

async fn isolated(command: &Command) -> Result<Piped, String> {
    let wrapper = isolation::wrapper(command.isolation.as_deref().unwrap_or_default()).await?;
    piped(command, Some(&wrapper))
}

fn piped(command: &Command, wrapper: Option<&[String]>) -> Result<Piped, String> {
    let program = Program::find(&command.argv, &command.dir, &command.env, wrapper)?;
    let (ends, into) = pipes::pair().map_err(|error| format!("no pipe can be made for its output: {error}"))?;
    Ok((program, ends, into))
}

struct Supervisor<'a> {
    command: &'a Command,
    mask: &'a Mask,
    running: Running,
    pipes: Pipes,
    capture: Capture,
    stop: watch::Receiver<Stop>,
    begun: Instant,
    /// When it last said something.
    spoke: Instant,
    /// Why citadel ended it, if it did.
    why: Option<Ended>,
    /// Who was ended besides the first process and its group.
    left: Vec<String>,
    /// Nobody of it is alive and its pipes are closed, which stays so.
    gone: bool,
    /// What the watcher could not do about a stop; it keeps nobody from ending.
    failed: Option<anyhow::Error>,
}

enum Stage {
    Working,
    /// It was told to end, with this signal; the next is due then.
    Ending {
        sent: Signal,
        due: Instant,
    },
    /// Its first process is gone; others may still work and write until then.
    Draining {
        until: Instant,
    },
    Over,
}

impl Supervisor<'_> {
    async fn until_over(&mut self, watcher: &mut dyn Watcher) -> anyhow::Result<()> {
        let mut exit = Exit::of(self.running.child.id());
        // The first look is at what was there before anybody listened.
        let mut tick = interval_at(tokio::time::Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stage = self.next(Stage::Working, clock::now(), watcher);
        let awake = Instant::now() + AWAKE;
        while !matches!(stage, Stage::Over) {
            // What the family does is asked only when something may have changed, not for every piece of output.
            let look = tokio::select! {
                biased;
                // First the clock: endless output must not hold it up.
                _ = tick.tick() => true,
                () = exit.ended() => true,
                (source, buffer, read) = self.pipes.read() => {
                    take(&mut self.capture, &mut self.spoke, source, buffer, read)
                }
                () = others_first(), if Instant::now() < awake => false,
            };
            if look {
                self.capture.tell(watcher);
                stage = self.next(stage, clock::now(), watcher);
            }
        }
        Ok(())
    }

    fn next(&mut self, stage: Stage, now: Instant, watcher: &mut dyn Watcher) -> Stage {
        let stop = *self.stop.borrow();
        match stage {
            Stage::Working if self.running.family.leader_is_gone() || self.running.family.awaits_rest() => {
                self.next(Stage::Draining { until: now + self.command.drain }, now, watcher)
            }
            Stage::Working => match self.reason_to_end(stop, now) {
                Some((why, signal)) => {
                    if let Some(number) = stop.signal() {
                        self.failed = watcher.stopping(number).err();
                    }
                    self.why = Some(why);
                    self.send(signal, now)
                }
                None => stage,
            },
            Stage::Ending { .. } if self.running.family.leader_is_gone() && self.running.family.is_empty() => {
                Stage::Draining { until: now + self.command.drain }
            }
            Stage::Ending { sent: Signal::KILL, due } if now >= due => Stage::Over,
            // Again and again: a fork that was under way was not there to be killed.
            Stage::Ending { sent: Signal::KILL, due } => {
                self.running.family.signal(Signal::KILL);
                Stage::Ending { sent: Signal::KILL, due }
            }
            Stage::Ending { .. } if stop == Stop::Now => self.send(Signal::KILL, now),
            Stage::Ending { sent: Signal::TERM, due } if now >= due => self.send(Signal::KILL, now),
            Stage::Ending { due, .. } if now >= due => self.send(Signal::TERM, now),
            Stage::Draining { until } if now >= until || (stop != Stop::No && self.why.is_none()) => Stage::Over,
            Stage::Draining { .. } if self.is_gone() => Stage::Over,
            Stage::Ending { .. } | Stage::Draining { .. } | Stage::Over => stage,
        }
    }

    fn reason_to_end(&self, stop: Stop, now: Instant) -> Option<(Ended, Signal)> {
        match stop {
            Stop::Now => Some((Ended::Interrupted, Signal::KILL)),
            Stop::Graceful(number) => Some((Ended::Interrupted, Signal::from_named_raw(number).unwrap_or(Signal::INT))),
            Stop::No if now - self.begun >= self.command.timeout => Some((Ended::TimedOut, Signal::TERM)),
            Stop::No if now - self.spoke >= self.command.silence => Some((Ended::Silent, Signal::TERM)),
            Stop::No => None,
        }
    }

    fn send(&mut self, signal: Signal, now: Instant) -> Stage {
        if signal == Signal::KILL {
            self.left = leftover::escaped(&self.running.family, self.mask);
        }
        self.running.family.signal(signal);
        // A process that stopped itself would never get it.
        self.running.family.group.signal(Signal::CONT);
        let patience = if signal == Signal::KILL { KILLED } else { self.command.grace };
        Stage::Ending { sent: signal, due: now + patience }
    }

    /// Ends what is left of the family, or holds an end of a pipe, and reads the last of the output.
    async fn clear(&mut self, inodes: &[u64], watcher: &mut dyn Watcher) -> anyhow::Result<()> {
        let late = Instant::now() + KILLED;
        while !self.is_gone() && Instant::now() < late {
            // Again and again: what forks while it is looked for is found the next time.
            let found = leftover::kill(&self.running.family, inodes, self.mask);
            // A pipe whose other end nobody can be seen to hold is given up.
            let give_up = found.is_empty() && self.running.family.is_empty();
            let new: Vec<String> = found.into_iter().filter(|name| !self.left.contains(name)).collect();
            self.left.extend(new);
            self.listen(TICK).await;
            self.capture.tell(watcher);
            if give_up {
                break;
            }
        }
        if !self.gone && !self.running.family.wait_empty(Duration::ZERO).await {
            // A namespace's init that should have followed the last process.
            self.running.family.signal(Signal::KILL);
            anyhow::ensure!(self.running.family.wait_empty(KILLED).await, "a process of the command cannot be ended");
        }
        Ok(())
    }

    /// Takes what comes for so long.
    async fn listen(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        // Output that never ends must not keep it.
        while tokio::time::Instant::now() < until
            && let Ok((source, buffer, read)) = tokio::time::timeout_at(until, self.pipes.read()).await
        {
            take(&mut self.capture, &mut self.spoke, source, buffer, read);
        }
    }

    fn is_gone(&mut self) -> bool {
        self.gone = self.gone || (self.pipes.are_closed() && self.running.family.is_empty());
        self.gone
    }
}

/// Takes what was read; says whether a pipe was closed.
fn take(capture: &mut Capture, spoke: &mut Instant, source: Source, buffer: &mut Vec<u8>, read: usize) -> bool {
    if read > 0 {
        *spoke = clock::now();
        capture.take(source, buffer, read);
    }
    read == 0
}

async fn kill(running: &mut Running) -> anyhow::Result<()> {
    running.family.signal(Signal::KILL);
    running.family.wait_empty(KILLED).await;
    reap(running).await.map(drop)
}

async fn reap(running: &mut Running) -> anyhow::Result<ExitStatus> {
    let late = Instant::now() + KILLED;
    loop {
        if let Some(status) = running.child.try_wait().context("cannot ask for the exit status of the command")? {
            running.disarm();
            return Ok(status);
        }
        anyhow::ensure!(Instant::now() < late, "the command cannot be ended");
        sleep(TICK).await;
    }
}

fn by_itself(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Signalled(signal.unwrap_or_default()),
    }
}

fn not_started(why: String) -> Outcome {
    let (tail, left) = (Vec::new(), Vec::new());
    let ended = Ended::NotStarted(why);
    Outcome { ended, elapsed: Duration::ZERO, bytes: 0, prompt: None, left, tail, lost: None, log: None, stdout: None }
}
