//! The transport to one endpoint: one POST a batch, smaller ones and then single ones where batches are refused, retries
//! within a deadline. Remembers what went wrong on the way.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::post::{Failed, Poster, no_time};
use super::{EndpointUrl, Request, Trouble, envelope};
use crate::chain::text::count;
use crate::chain::together::together;

/// Requests in one POST, as long as the endpoint does not refuse.
const BATCH: usize = 250;
/// Requests in one POST to an endpoint that refused more.
const SMALL_BATCH: usize = 50;
/// Single POSTs under way at once.
const SINGLES: usize = 8;
/// How often a request is tried, its first time included.
const TRIES: u32 = 5;
/// The wait before the second try; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(150);
/// How many happenings are kept.
const MOST_HAPPENED: usize = 40;

type Outcome = Result<Value, Trouble>;

/// One endpoint with its connections.
pub(crate) struct Endpoint {
    pub(crate) at: EndpointUrl,
    pub(super) poster: Poster,
    next_id: AtomicU64,
    /// The largest batch that it is sent.
    pub(super) batch: AtomicUsize,
    /// The newest block that it ever told.
    head: AtomicU64,
    /// The last time that it told an older one: what it had told before, and what it told then.
    fell: Mutex<Option<(u64, u64)>>,
    happened: Mutex<Vec<String>>,
}

impl Endpoint {
    /// An endpoint that was asked nothing yet.
    pub(crate) fn new(at: EndpointUrl, poster: Poster) -> Self {
        let (next_id, batch) = (AtomicU64::new(1), AtomicUsize::new(BATCH));
        Self { at, poster, next_id, batch, head: AtomicU64::new(0), fell: Mutex::default(), happened: Mutex::default() }
    }

    /// Keeps a happening that is no answer: a repetition, a refused batch, a head that went backwards.
    pub(crate) fn note(&self, what: String) {
        let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        if happened.len() < MOST_HAPPENED && !happened.contains(&what) {
            happened.push(what);
        }
    }

    /// Takes the newest block that it tells now or told before, and notes one that went backwards.
    pub(crate) fn saw_head(&self, head: Option<u64>) {
        let Some(head) = head else { return };
        let highest = self.head.fetch_max(head, Ordering::Relaxed);
        if head < highest {
            self.note(backwards(highest, head));
            *self.fell.lock().unwrap_or_else(PoisonError::into_inner) = Some((highest, head));
        }
    }

    /// That its head went backwards, as a sentence about it.
    pub(crate) fn went_backwards(&self) -> Option<String> {
        let (highest, head) = (*self.fell.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(format!("{}: {}", self.at.label(), backwards(highest, head)))
    }

    /// What happened so far.
    pub(crate) fn happened(&self) -> Vec<String> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answers to all requests, in their order, by `until` at the latest.
    pub(crate) async fn ask(&self, requests: &[Request], until: Instant) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = requests.iter().map(|_| Err(no_time())).collect();
        let mut open: Vec<usize> = (0..requests.len()).collect();
        let mut wait = FIRST_WAIT;
        for attempt in 1..=TRIES {
            let asked: Vec<&Request> = open.iter().map(|at| &requests[*at]).collect();
            for (at, outcome) in open.iter().zip(self.once(&asked, until).await) {
                // The reason of an earlier try says more than that its repetition came too late.
                if attempt == 1 || outcome != Err(no_time()) {
                    outcomes[*at] = outcome;
                }
            }
            let again: Vec<(usize, Duration)> =
                open.iter().filter_map(|at| Some((*at, retry(&outcomes[*at], &requests[*at])?))).collect();
            let asked_for = again.iter().map(|(_, after)| *after).max().unwrap_or_default();
            let pause = jittered(asked_for.max(wait));
            if again.is_empty() || attempt == TRIES || Instant::now() + pause >= until {
                break;
            }
            self.note_repetition(&again, &outcomes);
            sleep(pause).await;
            wait *= 2;
            open = again.into_iter().map(|(at, _)| at).collect();
        }
        outcomes
            .into_iter()
            .map(|outcome| outcome.map_err(|trouble| trouble.scrubbed(|text| self.at.scrub(text))))
            .collect()
    }

    fn note_repetition(&self, again: &[(usize, Duration)], outcomes: &[Outcome]) {
        let Some((Err(trouble), (_, after))) = again.first().map(|first| (&outcomes[first.0], first)) else { return };
        let after = if after.is_zero() { String::new() } else { format!(" after {} s", after.as_secs()) };
        let reason = self.at.scrub(&trouble.to_string());
        self.note(format!("was asked {} again{after}: {reason}", count(again.len(), "request")));
    }

    /// Every request once.
    async fn once(&self, requests: &[&Request], until: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(requests.len());
        while outcomes.len() < requests.len() {
            let rest = &requests[outcomes.len()..];
            let size = rest.len().min(self.batch.load(Ordering::Relaxed));
            if size <= 1 {
                outcomes.extend(self.singles(rest, until).await);
                break;
            }
            if let Some(batch) = self.batch(&rest[..size], until).await {
                outcomes.extend(batch);
            }
        }
        outcomes
    }

    /// One POST for all; none where the endpoint refuses a batch of that size.
    async fn batch(&self, requests: &[&Request], until: Instant) -> Option<Vec<Outcome>> {
        let numbered: Vec<(u64, &Request)> = requests.iter().map(|request| (self.id(), *request)).collect();
        let ids: Vec<u64> = numbered.iter().map(|(id, _)| *id).collect();
        let failed = match self.poster.post(&self.at, &envelope::batch(&numbered), until).await {
            Ok(body) => match envelope::open_batch(&ids, &body) {
                Ok(Some(outcomes)) => return Some(outcomes),
                Ok(None) => Failed::Batch,
                Err(trouble) => Failed::Anything(trouble),
            },
            Err(failed) => failed,
        };
        let why = match failed {
            Failed::Anything(trouble) => return Some(requests.iter().map(|_| Err(trouble.clone())).collect()),
            Failed::Batch => "answered without one".to_owned(),
            Failed::Maybe(trouble) => self.at.scrub(&trouble.to_string()),
        };
        let smaller = if requests.len() > SMALL_BATCH { SMALL_BATCH } else { 1 };
        self.batch.store(smaller, Ordering::Relaxed);
        let then = if smaller == 1 { "asked one by one".to_owned() } else { format!("asked {smaller} at a time") };
        self.note(format!("took no batch of {}: {why}; {then}", requests.len()));
        None
    }

    async fn singles(&self, requests: &[&Request], until: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for chunk in requests.chunks(SINGLES) {
            outcomes.extend(together(chunk.iter().map(|request| self.single(request, until))).await);
        }
        outcomes
    }

    async fn single(&self, request: &Request, until: Instant) -> Outcome {
        let id = self.id();
        match self.poster.post(&self.at, &envelope::single(id, request), until).await {
            Ok(body) => envelope::open_single(id, &body),
            Err(Failed::Anything(trouble) | Failed::Maybe(trouble)) => Err(trouble),
            Err(Failed::Batch) => Err(Trouble::lasting("refused the request")),
        }
    }

    fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

fn backwards(highest: u64, head: u64) -> String {
    format!("its head went backwards, from block {highest} to {head}")
}

fn retry(outcome: &Outcome, request: &Request) -> Option<Duration> {
    outcome.as_ref().err()?.again(request.patient)
}

/// Up to half as long again, so that many who were refused together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait + wait.mul_f64(f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::surroundings::Limits;

    #[test]
    fn a_head_that_goes_backwards_is_noted_once() {
        let at = EndpointUrl::new("X_RPC_URL", "https://eth.example.com/secretkey").unwrap();
        let endpoint = Endpoint::new(at, Poster::new(Limits::USUAL, false).unwrap());
        for head in [Some(100), None, Some(101), Some(98), Some(98), Some(101)] {
            endpoint.saw_head(head);
        }
        assert_eq!(endpoint.happened(), ["its head went backwards, from block 101 to 98"]);
        let told = "`X_RPC_URL` (eth.example.com): its head went backwards, from block 101 to 98";
        assert_eq!(endpoint.went_backwards().as_deref(), Some(told));
    }

    #[test]
    fn pauses_grow_by_up_to_half() {
        for _ in 0..1000 {
            let pause = jittered(FIRST_WAIT);
            assert!(pause >= FIRST_WAIT && pause <= FIRST_WAIT * 3 / 2 + Duration::from_nanos(1), "{pause:?}");
        }
    }
}
