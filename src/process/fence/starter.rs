//! A thread that prepared itself once and then starts processes for others.

use std::sync::{Mutex, PoisonError, mpsc};

type Job = Box<dyn FnOnce() + Send>;

/// The thread. It lives as long as citadel.
#[derive(Debug)]
pub(super) struct Starter {
    jobs: Mutex<mpsc::Sender<Job>>,
}

/// It only forks and waits for the exec.
const STACK: usize = 256 * 1024;

/// How often whoever waits looks before going to sleep: a start takes less than a millisecond, and being woken takes longer
/// than looking.
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
            if tell.send(prepared).is_ok() && goes_on {
                for job in taken {
                    job();
                }
            }
        });
        begun.map_err(|error| format!("no thread can be started: {error}"))?;
        told.recv().unwrap_or_else(|_| Err("its thread ended".to_owned()))?;
        Ok(Self { jobs: Mutex::new(jobs) })
    }

    /// Has the thread do it, and waits.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = mpsc::channel();
        let job = Box::new(move || {
            // Whoever asked waits for it.
            let _ = tell.send(work());
        });
        let sent = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job);
        let done = (0..LOOKS).find_map(|_| {
            std::thread::yield_now();
            told.try_recv().ok()
        });
        match done.or_else(|| sent.ok().and_then(|()| told.recv().ok())) {
            Some(done) => done,
            // A process outside the fence must never be the way out.
            None => unreachable!("the thread that starts processes lives as long as citadel"),
        }
    }
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
    fn without_its_preparation_there_is_none() {
        assert_eq!(Starter::begin(|| Err("no".to_owned())).err().unwrap(), "no");
    }
}
