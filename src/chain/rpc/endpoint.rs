//! The transport to one endpoint: one POST a batch, single POSTs where batches are refused, retries within a deadline.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::url::user_agent;
use super::{EndpointUrl, Request, Trouble, envelope};
use crate::chain::surroundings::Limits;
use crate::chain::together::together;

/// Requests in one POST.
const BATCH: usize = 50;
/// Single POSTs under way at once.
const SINGLES: usize = 8;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 16 << 20;
/// How often a request is tried, its first time included.
const TRIES: u32 = 5;
/// The wait before the second try; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(150);

type Outcome = Result<Value, Trouble>;

/// One endpoint with its connections.
pub(crate) struct Endpoint {
    pub(crate) at: EndpointUrl,
    pub(super) client: Client,
    next_id: AtomicU64,
    pub(super) batches: AtomicBool,
    request: Duration,
}

impl Endpoint {
    /// An endpoint that follows no redirect and uses no proxy of the environment.
    pub(crate) fn new(at: EndpointUrl, limits: Limits) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(user_agent())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limits.connect)
            .timeout(limits.request)
            .build()
            .map_err(|_| "cannot prepare connections: no usable TLS setup".to_owned())?;
        let (next_id, batches) = (AtomicU64::new(1), AtomicBool::new(true));
        Ok(Self { at, client, next_id, batches, request: limits.request })
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
            let longest = again.iter().map(|(_, after)| *after).max().unwrap_or_default().max(wait);
            if again.is_empty() || attempt == TRIES || Instant::now() + longest >= until {
                break;
            }
            sleep(longest).await;
            wait *= 2;
            open = again.into_iter().map(|(at, _)| at).collect();
        }
        outcomes
            .into_iter()
            .map(|outcome| outcome.map_err(|trouble| trouble.scrubbed(|text| self.at.scrub(text))))
            .collect()
    }

    /// Every request once.
    async fn once(&self, requests: &[&Request], until: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for chunk in requests.chunks(BATCH) {
            let batched = if chunk.len() > 1 && self.batches.load(Ordering::Relaxed) {
                self.batch(chunk, until).await
            } else {
                None
            };
            match batched {
                Some(batched) => outcomes.extend(batched),
                None => outcomes.extend(self.singles(chunk, until).await),
            }
        }
        outcomes
    }

    /// One POST for all; none where the endpoint refuses batches.
    async fn batch(&self, requests: &[&Request], until: Instant) -> Option<Vec<Outcome>> {
        let numbered: Vec<(u64, &Request)> = requests.iter().map(|request| (self.id(), *request)).collect();
        let ids: Vec<u64> = numbered.iter().map(|(id, _)| *id).collect();
        let trouble = match self.post(&envelope::batch(&numbered), until).await {
            Ok(body) => match envelope::open_batch(&ids, &body) {
                Ok(Some(outcomes)) => return Some(outcomes),
                Ok(None) => Failed::Batch,
                Err(trouble) => Failed::Anything(trouble),
            },
            Err(failed) => failed,
        };
        match trouble {
            Failed::Anything(trouble) => Some(requests.iter().map(|_| Err(trouble.clone())).collect()),
            Failed::Batch | Failed::Maybe(_) => {
                self.batches.store(false, Ordering::Relaxed);
                None
            }
        }
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
        match self.post(&envelope::single(id, request), until).await {
            Ok(body) => envelope::open_single(id, &body),
            Err(Failed::Anything(trouble) | Failed::Maybe(trouble)) => Err(trouble),
            Err(Failed::Batch) => Err(Trouble::lasting("refused the request")),
        }
    }

    async fn post(&self, body: &Value, until: Instant) -> Result<Vec<u8>, Failed> {
        let time = until.saturating_duration_since(Instant::now()).min(self.request);
        if time.is_zero() {
            return Err(Failed::Anything(no_time()));
        }
        let request = self.client.post(self.at.url()).header(CONTENT_TYPE, "application/json").timeout(time);
        let response = request.body(body.to_string()).send().await.map_err(|error| self.broken(&error, time))?;
        status(&response)?;
        self.read(response, time).await
    }

    async fn read(&self, mut response: Response, time: Duration) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error, time))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failed::Anything(Trouble::lasting("answered with more than 16 MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a failed exchange means, told without the URL.
    fn broken(&self, error: &reqwest::Error, time: Duration) -> Failed {
        if error.is_timeout() && time < self.request {
            return Failed::Anything(no_time());
        }
        if error.is_timeout() {
            return Failed::Anything(Trouble::passing(format!("no answer within {:.1} s", time.as_secs_f32())));
        }
        let reason = innermost(error);
        if error.is_connect() {
            let refused = self.at.is_loopback() && reason.to_lowercase().contains("refused");
            return Failed::Anything(if refused {
                Trouble::lasting("connection refused: nothing listens there")
            } else {
                Trouble::passing(format!("cannot connect: {reason}"))
            });
        }
        Failed::Maybe(Trouble::passing(format!("the connection broke: {reason}")))
    }

    fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

/// Why a POST has no body.
enum Failed {
    /// The endpoint takes no batches.
    Batch,
    /// It may be because of a batch: worth single requests.
    Maybe(Trouble),
    Anything(Trouble),
}

/// Only 200 carries an answer; a body beside any other status is not read.
fn status(response: &Response) -> Result<(), Failed> {
    let status = response.status();
    let reason = format!("HTTP status {}", status.as_u16());
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::TOO_MANY_REQUESTS => Err(Failed::Anything(Trouble::Silent {
            reason: format!("{reason}, too many requests"),
            again: Some(retry_after(response)),
        })),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failed::Anything(Trouble::lasting(reason))),
        _ if status.is_server_error() => Err(Failed::Anything(Trouble::passing(reason))),
        _ if status.is_redirection() => {
            Err(Failed::Anything(Trouble::lasting(format!("{reason}, a redirect, which citadel does not follow"))))
        }
        _ => Err(Failed::Maybe(Trouble::lasting(reason))),
    }
}

fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

fn retry(outcome: &Outcome, request: &Request) -> Option<Duration> {
    outcome.as_ref().err()?.again(request.patient)
}

fn no_time() -> Trouble {
    Trouble::lasting("no answer before the deadline")
}

/// The last cause of an error: the one that says what happened.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.source().is_none() && cause.is::<reqwest::Error>() {
        return "no reason given".to_owned();
    }
    crate::chain::text::tame(&cause.to_string())
}
