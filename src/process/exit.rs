//! Tells that a process of citadel's own has ended. Never asks for its status, which is left to whoever owns it.

use std::io;

/// One process, listened to until it ends.
pub(super) struct Exit(Option<imp::Source>);

impl Exit {
    /// Listens to a child whose status nobody has asked for.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        imp::source(pid).map(Self)
    }

    /// Comes back when it has ended, once; and never where the system cannot tell, so that whoever waits must look by a
    /// clock too.
    pub(super) async fn ended(&mut self) {
        match &mut self.0 {
            Some(source) => imp::ended(source).await,
            None => std::future::pending().await,
        }
        if imp::ONCE {
            self.0 = None;
        }
    }
}

/// A handle of the process, which wakes nobody but whoever listens to it. A handler of SIGCHLD would wake the thread that
/// started the process too.
#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(super) type Source = AsyncFd<OwnedFd>;
    pub(super) const ONCE: bool = true;

    /// None before Linux 5.3.
    pub(super) fn source(pid: u32) -> io::Result<Option<Source>> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        match pid.and_then(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok()) {
            Some(handle) => listen(handle).map(Some),
            None => Ok(None),
        }
    }

    #[expect(deprecated, reason = "an `OwnedFd` stays open as long as it is listened to; what replaces this is unsafe")]
    fn listen(handle: OwnedFd) -> io::Result<Source> {
        AsyncFd::with_interest(handle, Interest::READABLE)
    }

    pub(super) async fn ended(source: &mut Source) {
        let _ = source.readable().await;
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) type Source = Signal;
    /// Every child that ends is told of.
    pub(super) const ONCE: bool = false;

    pub(super) fn source(_: u32) -> io::Result<Option<Source>> {
        signal(SignalKind::child()).map(Some)
    }

    pub(super) async fn ended(source: &mut Source) {
        source.recv().await;
    }
}
