//! Long questions about events, in pieces that an endpoint takes: one that refuses a range is asked for its halves. What
//! comes back is one answer for the whole range, or none; a piece is never left out.

use serde_json::Value;
use tokio::time::Instant;

use super::events::{METHOD, about, range};
use super::rpc::{Endpoint, Request, Trouble};
use super::text::count;

/// Pieces that one question is cut into at most.
const MOST: usize = 2000;

/// An endpoint that says nothing is asked for no less than this part of the range.
const LEAST_SILENT: u64 = 16;

type Outcome = Result<Value, Trouble>;

/// Asks all requests: those about events by themselves, since an endpoint may refuse or chew on them, the rest together.
pub(crate) async fn ask(endpoint: &Endpoint, requests: &[Request], until: Instant) -> Vec<Outcome> {
    let (long, short): (Vec<usize>, Vec<usize>) = (0..requests.len()).partition(|at| requests[*at].method == METHOD);
    if long.is_empty() {
        return endpoint.ask(requests, until).await;
    }
    let mut outcomes: Vec<Outcome> = requests.iter().map(|_| Err(Trouble::lasting("was not asked"))).collect();
    // The rest must have time, too.
    let now = Instant::now();
    let enough = now + until.saturating_duration_since(now) * 3 / 4;
    for at in long {
        outcomes[at] = whole(endpoint, &requests[at], enough).await;
    }
    // Last, so that whether the block still stands is asked after everything that it must stand for.
    let rest: Vec<Request> = short.iter().map(|at| requests[*at].clone()).collect();
    for (at, outcome) in short.into_iter().zip(endpoint.ask(&rest, until).await) {
        outcomes[at] = outcome;
    }
    outcomes
}

/// The events of the whole range.
async fn whole(endpoint: &Endpoint, request: &Request, until: Instant) -> Outcome {
    let Some((from, to)) = range(&request.params) else { return Err(Trouble::lasting("has no range of blocks")) };
    let (mut found, all) = (Vec::new(), to - from);
    let mut open = vec![(from, to)];
    let (mut asked, mut refusal) = (0, None);
    while !open.is_empty() {
        asked += open.len();
        if asked > MOST {
            let why = refusal.map_or_else(String::new, |trouble: Trouble| format!(": {trouble}"));
            return Err(Trouble::lasting(format!("takes too few blocks at a time{why}")));
        }
        let pieces: Vec<Request> = open.iter().map(|(from, to)| piece(request, *from, *to)).collect();
        let told = endpoint.ask(&pieces, until).await;
        let mut smaller = Vec::new();
        for ((from, to), outcome) in open.into_iter().zip(told) {
            match outcome {
                Ok(Value::Array(events)) => found.extend(events),
                Ok(_) => return Err(Trouble::lasting("malformed answer: not a list of events")),
                Err(trouble) if from < to && refuses(&trouble, to - from, all) && Instant::now() < until => {
                    let middle = from + (to - from) / 2;
                    smaller.extend([(from, middle), (middle + 1, to)]);
                    refusal = Some(trouble);
                }
                Err(trouble) => return Err(trouble),
            }
        }
        open = smaller;
    }
    if asked > 1 {
        endpoint.note(format!("took the events of blocks {from} to {to} in {}", count(asked, "piece")));
    }
    Ok(Value::Array(found))
}

fn piece(request: &Request, from: u64, to: u64) -> Request {
    Request::once(request.method, about(&request.params, from, to))
}

/// Whether fewer blocks may help: nodes have no common code for "range too large", so any error but the one that says that
/// there is no such method. An answer that was too long or too late may be shorter or sooner.
fn refuses(trouble: &Trouble, blocks: u64, all: u64) -> bool {
    match trouble {
        Trouble::Rpc(error) => error.code != -32601,
        Trouble::Silent { .. } => blocks > all / LEAST_SILENT,
    }
}
