//! One POST to one endpoint: only status 200, at most 16 MiB, within its time, and errors told without the URL.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;
use tokio::time::Instant;

use super::url::user_agent;
use super::{EndpointUrl, Trouble};
use crate::chain::surroundings::Limits;

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 16 << 20;

/// The longest wait that an endpoint may ask for; whoever asks for more is not asked again.
const LONGEST_WAIT: u64 = 24 * 3600;

/// Why a POST has no body.
pub(super) enum Failed {
    /// The endpoint takes no batches.
    Batch,
    /// It may be because of a batch: worth smaller ones.
    Maybe(Trouble),
    Anything(Trouble),
}

/// The connections to the endpoints of a judgement; its clones share them.
#[derive(Clone)]
pub(crate) struct Poster {
    pub(super) client: Client,
    /// For one POST with its whole answer.
    limit: Duration,
}

impl Poster {
    /// A client that follows no redirect, uses no proxy of the environment and unpacks nothing. Without `https` it trusts
    /// no certificate: reading those of the machine takes longer than a gate of a dev chain.
    pub(crate) fn new(limits: Limits, https: bool) -> Result<Self, String> {
        let builder = if https { Client::builder() } else { Client::builder().tls_certs_only([]) };
        let client = builder
            .user_agent(user_agent())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limits.connect)
            .timeout(limits.request)
            .build()
            .map_err(|_| "cannot prepare connections: no usable TLS setup".to_owned())?;
        Ok(Self { client, limit: limits.request })
    }

    /// The body of the answer, by `until` at the latest.
    pub(super) async fn post(&self, at: &EndpointUrl, body: &Value, until: Instant) -> Result<Vec<u8>, Failed> {
        let time = until.saturating_duration_since(Instant::now()).min(self.limit);
        if time.is_zero() {
            return Err(Failed::Anything(no_time()));
        }
        let request = self.client.post(at.url()).header(CONTENT_TYPE, "application/json").timeout(time);
        let response = request.body(body.to_string()).send().await.map_err(|error| self.broken(at, &error, time))?;
        status(&response)?;
        self.read(at, response, time).await
    }

    /// The body of a page, where a GET is enough.
    pub(crate) async fn get(&self, at: &EndpointUrl, until: Instant) -> Result<Vec<u8>, Trouble> {
        let time = until.saturating_duration_since(Instant::now()).min(self.limit);
        let whole = async {
            let request = self.client.get(at.url()).timeout(time);
            let response = request.send().await.map_err(|error| self.broken(at, &error, time))?;
            status(&response)?;
            self.read(at, response, time).await
        };
        whole.await.map_err(|failed| match failed {
            Failed::Anything(trouble) | Failed::Maybe(trouble) => trouble,
            Failed::Batch => Trouble::lasting("refused the request"),
        })
    }

    async fn read(&self, at: &EndpointUrl, mut response: Response, time: Duration) -> Result<Vec<u8>, Failed> {
        let too_long = || Failed::Anything(Trouble::lasting("answered with more than 16 MiB"));
        if response.content_length().is_some_and(|length| length > LONGEST_ANSWER as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(at, &error, time))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a failed exchange means, told without the URL.
    fn broken(&self, at: &EndpointUrl, error: &reqwest::Error, time: Duration) -> Failed {
        if error.is_timeout() && time < self.limit {
            return Failed::Anything(no_time());
        }
        if error.is_timeout() {
            return Failed::Anything(Trouble::passing(format!("no answer within {:.1} s", time.as_secs_f32())));
        }
        let reason = innermost(error);
        if error.is_connect() {
            let refused = at.is_loopback() && reason.to_lowercase().contains("refused");
            return Failed::Anything(if refused {
                Trouble::lasting("connection refused: nothing listens there")
            } else {
                Trouble::passing(format!("cannot connect: {reason}"))
            });
        }
        Failed::Maybe(Trouble::passing(format!("the connection broke: {reason}")))
    }
}

pub(super) fn no_time() -> Trouble {
    Trouble::lasting("no answer before the deadline")
}

/// Only 200 carries an answer; a body beside any other status is not read.
fn status(response: &Response) -> Result<(), Failed> {
    let status = response.status();
    let reason = format!("HTTP status {}", status.as_u16());
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(Failed::Anything(busy(response))),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failed::Anything(Trouble::lasting(reason))),
        _ if status.is_server_error() => Err(Failed::Anything(Trouble::passing(reason))),
        _ if status.is_redirection() => {
            Err(Failed::Anything(Trouble::lasting(format!("{reason}, a redirect, which citadel does not follow"))))
        }
        _ => Err(Failed::Maybe(Trouble::lasting(reason))),
    }
}

fn busy(response: &Response) -> Trouble {
    let what = if response.status() == StatusCode::TOO_MANY_REQUESTS { "too many requests" } else { "not available" };
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let again = asked.and_then(|asked| retry_after(asked, Timestamp::now())).unwrap_or_default();
    let asks = if again.is_zero() { String::new() } else { format!(", asks for {} s", again.as_secs()) };
    let reason = format!("HTTP status {}, {what}{asks}", response.status().as_u16());
    Trouble::Silent { reason, again: Some(again) }
}

/// `Retry-After` as seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(LONGEST_WAIT.min(seconds)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    let seconds = u64::try_from(date.duration_since(now).as_secs()).unwrap_or_default();
    Some(Duration::from_secs(LONGEST_WAIT.min(seconds)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_ask_for_time_in_two_ways() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        };
        check("0", Some(0));
        check(" 120 ", Some(120));
        check("18446744073709551615", Some(LONGEST_WAIT));
        check("Sun, 06 Nov 9994 08:49:37 GMT", Some(LONGEST_WAIT));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(30));
        check("Sun, 06 Nov 1994 08:40:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
        check("", None);
    }
}
