//! Runs one command from its start until nothing of it is left.
//!
//! The first process is not asked for its status before the end: as long as it is not, its id, which is also the id of
//! the group, cannot belong to anyone else, so every signal reaches this command only.

use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::capture::{Capture, Seen, Source};
use super::group::{KILLED, TICK};
use super::spawn::{Running, Spawn, spawn};
use super::{Command, Ended, Outcome, Stop, Watcher, leftover};
use crate::secrets::Mask;

/// Runs a command. An error means that citadel could not do its part; whatever the command did is an outcome.
///
/// A stop that was asked for before the start gives [`Ended::NotStarted`].
pub async fn run(
    command: &Command,
    mask: &Mask,
    stop: watch::Receiver<Stop>,
    watcher: &mut dyn Watcher,
) -> anyhow::Result<Outcome> {
    let capture = Capture::open(command, mask)?;
    let begun = Instant::now();
    if *stop.borrow() != Stop::No {
        return Ok(not_started("citadel was asked to stop before it began".to_owned()));
    }
    let (argv, dir, env) = (&command.argv, &command.dir, &command.env);
    let mut running = match spawn(Spawn { argv, dir, env, stdout: Stdio::piped(), stderr: Stdio::piped() }) {
        Ok(running) => running,
        Err(why) => return Ok(not_started(why)),
    };
    if let Err(error) = watcher.started(&running.started) {
        kill(&mut running).await?;
        return Err(error);
    }
    let pipes = Pipes { out: running.child.stdout.take(), err: running.child.stderr.take() };
    let inodes = leftover::inodes(pipes.out.as_ref(), pipes.err.as_ref());
    let mut supervisor = Supervisor { command, running, pipes, capture, stop, begun, spoke: begun, why: None };
    supervisor.until_over(watcher).await?;
    let left = supervisor.clear(&inodes, mask, watcher).await?;
    let status = reap(&mut supervisor.running).await?;
    let ended = supervisor.why.unwrap_or_else(|| by_itself(status));
    let Seen { bytes, prompt, tail, lost } = supervisor.capture.finish(watcher);
    Ok(Outcome { ended, elapsed: begun.elapsed(), bytes, prompt, left, tail: tail.into(), lost })
}

struct Supervisor<'a> {
    command: &'a Command,
    running: Running,
    pipes: Pipes,
    capture: Capture,
    stop: watch::Receiver<Stop>,
    begun: Instant,
    /// When it last said something.
    spoke: Instant,
    /// Why citadel ended it, if it did.
    why: Option<Ended>,
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
        let mut children = signal(SignalKind::child()).context("cannot hear of ended processes")?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stage = Stage::Working;
        let (mut out, mut err) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        while !matches!(stage, Stage::Over) {
            // What the group does is asked only when something may have changed, not for every piece of output.
            let look = tokio::select! {
                read = read(&mut self.pipes.out, &mut out) => self.take(Source::Stdout, &out[..read], watcher),
                read = read(&mut self.pipes.err, &mut err) => self.take(Source::Stderr, &err[..read], watcher),
                _ = children.recv() => true,
                _ = tick.tick() => true,
            };
            if look {
                stage = self.next(stage, Instant::now())?;
            }
        }
        Ok(())
    }

    /// Takes what was read; says whether a pipe was closed.
    fn take(&mut self, source: Source, bytes: &[u8], watcher: &mut dyn Watcher) -> bool {
        if !bytes.is_empty() {
            self.spoke = Instant::now();
            self.capture.take(source, bytes, watcher);
        }
        bytes.is_empty()
    }

    fn next(&mut self, stage: Stage, now: Instant) -> anyhow::Result<Stage> {
        let stop = *self.stop.borrow();
        Ok(match stage {
            Stage::Working if self.has_exited()? => {
                self.next(Stage::Draining { until: now + self.command.drain }, now)?
            }
            Stage::Working => match self.reason_to_end(stop, now) {
                Some((why, signal)) => {
                    self.why = Some(why);
                    self.send(signal, now)
                }
                None => stage,
            },
            Stage::Ending { .. } if self.has_exited()? && self.running.group.is_empty() => {
                Stage::Draining { until: now + self.command.drain }
            }
            Stage::Ending { sent: Signal::KILL, due } if now >= due => Stage::Over,
            // Again and again: a fork that was under way was not there to be killed.
            Stage::Ending { sent: Signal::KILL, due } => {
                self.running.group.signal(Signal::KILL);
                Stage::Ending { sent: Signal::KILL, due }
            }
            Stage::Ending { .. } if stop == Stop::Now => self.send(Signal::KILL, now),
            Stage::Ending { sent: Signal::TERM, due } if now >= due => self.send(Signal::KILL, now),
            Stage::Ending { due, .. } if now >= due => self.send(Signal::TERM, now),
            Stage::Draining { until } if now >= until || (stop != Stop::No && self.why.is_none()) => Stage::Over,
            Stage::Draining { .. } if self.is_gone() => Stage::Over,
            Stage::Ending { .. } | Stage::Draining { .. } | Stage::Over => stage,
        })
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

    fn send(&self, signal: Signal, now: Instant) -> Stage {
        self.running.group.signal(signal);
        let patience = if signal == Signal::KILL { KILLED } else { self.command.grace };
        Stage::Ending { sent: signal, due: now + patience }
    }

    fn has_exited(&self) -> anyhow::Result<bool> {
        let pid = i32::try_from(self.running.started.pid).ok().and_then(Pid::from_raw).context("a pid out of range")?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(pid), options).context("cannot ask for the state of the command")?.is_some())
    }

    /// Ends what is left, in the group or outside with an end of a pipe, and reads the last of the output.
    async fn clear(&mut self, inodes: &[u64], mask: &Mask, watcher: &mut dyn Watcher) -> anyhow::Result<Vec<String>> {
        let (mut left, mut out, mut err) = (Vec::new(), vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let late = Instant::now() + KILLED;
        while !self.is_gone() && Instant::now() < late {
            // Again and again: what forks while it is looked for is found the next time.
            let found = leftover::kill(self.running.group, inodes, mask);
            // A pipe whose other end nobody can be seen to hold is given up.
            let give_up = found.is_empty() && self.running.group.is_empty();
            left.extend(found.into_iter().filter(|name| !left.contains(name)).collect::<Vec<_>>());
            let mut tick = pin!(sleep(TICK));
            loop {
                tokio::select! {
                    read = read(&mut self.pipes.out, &mut out) => self.take(Source::Stdout, &out[..read], watcher),
                    read = read(&mut self.pipes.err, &mut err) => self.take(Source::Stderr, &err[..read], watcher),
                    () = &mut tick => break,
                };
            }
            if give_up {
                break;
            }
        }
        anyhow::ensure!(self.running.group.is_empty(), "a process of the command cannot be ended");
        Ok(left)
    }

    fn is_gone(&self) -> bool {
        self.pipes.are_closed() && self.running.group.is_empty()
    }
}

struct Pipes {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
}

impl Pipes {
    fn are_closed(&self) -> bool {
        self.out.is_none() && self.err.is_none()
    }
}

/// Reads once; the end of a pipe, or its failure, closes it. A closed pipe says nothing, forever.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    let Some(open) = pipe else { return std::future::pending().await };
    let read = open.read(buffer).await.unwrap_or(0);
    if read == 0 {
        *pipe = None;
    }
    read
}

async fn kill(running: &mut Running) -> anyhow::Result<()> {
    running.group.signal(Signal::KILL);
    running.group.wait_empty(KILLED).await;
    reap(running).await.map(drop)
}

async fn reap(running: &mut Running) -> anyhow::Result<ExitStatus> {
    let status = timeout(KILLED, running.child.wait()).await.context("the command cannot be ended")?;
    running.disarm();
    status.context("cannot ask for the exit status of the command")
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
    Outcome { ended, elapsed: Duration::ZERO, bytes: 0, prompt: None, left, tail, lost: None }
}
