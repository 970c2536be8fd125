//! Turns the signals that citadel receives into the watch channel that everything long listens to.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Stop, suspend};

/// Listens for INT, TERM and HUP: the first asks to stop, a second INT or TERM kills. TSTP suspends citadel together
/// with its commands.
///
/// Must be called inside a tokio runtime.
pub fn listen() -> anyhow::Result<watch::Receiver<Stop>> {
    let (sender, receiver) = watch::channel(Stop::No);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let stream = signal(kind).context("cannot listen for signals")?;
        tokio::spawn(forward(stream, kind, sender.clone()));
    }
    let suspended = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()));
    tokio::spawn(suspend_each_time(suspended.context("cannot listen for signals")?));
    Ok(receiver)
}

async fn suspend_each_time(mut stream: Signal) {
    while stream.recv().await.is_some() {
        suspend::suspend().await;
    }
}

async fn forward(mut stream: Signal, kind: SignalKind, sender: watch::Sender<Stop>) {
    while stream.recv().await.is_some() {
        sender.send_modify(|stop| *stop = after(*stop, kind));
    }
}

/// A lost terminal often comes together with a TERM or INT for the same reason: it never makes a stop harder.
fn after(stop: Stop, kind: SignalKind) -> Stop {
    match stop {
        Stop::No => Stop::Graceful(kind.as_raw_value()),
        Stop::Graceful(_) | Stop::Now if kind == SignalKind::hangup() => stop,
        Stop::Graceful(_) | Stop::Now => Stop::Now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: SignalKind = SignalKind::interrupt();
    const TERM: SignalKind = SignalKind::terminate();
    const HUP: SignalKind = SignalKind::hangup();

    fn check(signals: &[SignalKind], expected: Stop) {
        assert_eq!(signals.iter().fold(Stop::No, |stop, &kind| after(stop, kind)), expected);
    }

    #[test]
    fn first_asks_second_kills() {
        check(&[], Stop::No);
        check(&[INT], Stop::Graceful(2));
        check(&[TERM], Stop::Graceful(15));
        check(&[HUP], Stop::Graceful(1));
        check(&[INT, INT], Stop::Now);
        check(&[HUP, INT], Stop::Now);
        check(&[TERM, HUP], Stop::Graceful(15));
        check(&[HUP, HUP], Stop::Graceful(1));
        check(&[INT, INT, HUP], Stop::Now);
    }
}
