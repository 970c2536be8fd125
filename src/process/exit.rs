//! Tells that a process of citadel's own has ended. Never asks for its status, which is left to whoever owns it.

/// One process, listened to until it ends.
pub(super) struct Exit(Option<imp::Source>);

impl Exit {
    /// Listens to a child whose status nobody has asked for.
    pub(super) fn of(pid: u32) -> Self {
        Self(imp::source(pid))
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

    /// None before Linux 5.3, and where the system refuses one: no reason to end a command that runs.
    pub(super) fn source(pid: u32) -> Option<Source> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        listen(pidfd_open(pid, PidfdFlags::empty()).ok()?).ok()
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
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) type Source = Signal;
    /// Every child that ends is told of.
    pub(super) const ONCE: bool = false;

    pub(super) fn source(_: u32) -> Option<Source> {
        signal(SignalKind::child()).ok()
    }

    pub(super) async fn ended(source: &mut Source) {
        source.recv().await;
    }
}
