//! A thread that prepared itself once and then starts processes for others.

use std::sync::{Mutex, PoisonError, mpsc};

struct Job {
    work: Box<dyn FnOnce() + Send>,
    /// Another follows at once.
    soon: bool,
}

/// The thread. It lives as long as citadel.
#[derive(Debug)]
pub(super) struct Starter {
    jobs: Mutex<mpsc::Sender<Job>>,
}

/// It only finds programs, forks and waits for the exec.
const STACK: usize = 256 * 1024;

/// How often whoever waits looks before going to sleep: a start takes less than a millisecond, as does a record that is
/// synced, and being woken takes longer than looking.
const LOOKS: usize = 2000;

impl Starter {
    /// Begins a thread that first does `prepare`, whose error is returned.
    pub(super) fn begin(prepare: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<Self, String> {
        let (jobs, taken) = mpsc::channel::<Job>();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name("starter".to_owned()).stack_size(STACK);
        let begun = thread.spawn(move || {
            let prepared = prepare();
            let goes_on = prepared.is_ok();
            if tell.send(prepared).is_err() || !goes_on {
                return;
            }
            let mut soon = false;
            while let Some(job) = next(&taken, soon) {
                soon = job.soon;
                (job.work)();
            }
        });
        begun.map_err(|error| format!("no thread can be started: {error}"))?;
        told.recv().unwrap_or_else(|_| Err("its thread ended".to_owned()))?;
        Ok(Self { jobs: Mutex::new(jobs) })
    }

    /// Has the thread do it, and waits.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        Later::There(self.post(work, false)).take()
    }

    /// Has the thread do it while whoever asked does something else, after which something is to be started.
    pub(super) fn meanwhile<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Later<T> {
        Later::There(self.post(work, true))
    }

    fn post<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static, soon: bool) -> mpsc::Receiver<T> {
        // With room for one answer: a channel without bounds takes room for thirty.
        let (tell, told) = mpsc::sync_channel(1);
        let work = Box::new(move || {
            // Nobody may want it any more.
            let _ = tell.send(work());
        });
        // A thread that is gone is told of by what it does not answer.
        let _ = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(Job { work, soon });
        told
    }
}

/// What is made on the way to a start.
pub(in crate::process) enum Later<T> {
    /// By the thread, while whoever asked does something else.
    There(mpsc::Receiver<T>),
    /// By whoever asked, when it is wanted.
    Here(Box<dyn FnOnce() -> T>),
}

impl<T> Later<T> {
    /// Waits for it.
    pub(in crate::process) fn take(self) -> T {
        match self {
            Self::Here(make) => make(),
            Self::There(told) => match next(&told, true) {
                Some(done) => done,
                // A process outside the fence must never be the way out.
                None => unreachable!("the thread that starts processes lives as long as citadel"),
            },
        }
    }
}

/// What comes next; what comes soon is looked for before going to sleep.
fn next<T>(from: &mpsc::Receiver<T>, soon: bool) -> Option<T> {
    let looks = if soon { LOOKS } else { 0 };
    let seen = (0..looks).find_map(|_| {
        std::thread::yield_now();
        from.try_recv().ok()
    });
    seen.or_else(|| from.recv().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_on_a_thread_of_its_own() {
        let starter = Starter::begin(|| Ok(())).unwrap();
        let there = starter.run(|| std::thread::current().id());
        assert_ne!(there, std::thread::current().id());
        assert_eq!(starter.run(|| std::thread::current().id()), there);
    }

    #[test]
    fn what_it_does_meanwhile_can_be_waited_for_or_left() {
        let starter = Starter::begin(|| Ok(())).unwrap();
        let (later, left) = (starter.meanwhile(|| std::thread::current().id()), starter.meanwhile(|| 2));
        drop(left);
        assert_eq!(starter.run(|| 3), 3);
        assert_eq!(later.take(), starter.run(|| std::thread::current().id()));
    }

    #[test]
    fn without_its_preparation_there_is_none() {
        assert_eq!(Starter::begin(|| Err("no".to_owned())).err().unwrap(), "no");
    }
}
