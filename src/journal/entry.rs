//! One line of the journal: how it is sealed and how it is checked.

use std::fmt;

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::{sha256, sha256_of};
use crate::event::Event;

/// What the first record names as the one before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The format that this citadel writes.
const FORMAT: u32 = 1;

/// `,"hash":"` + 64 hex digits + `"}`
const SEAL: usize = 9 + 64 + 2;

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub v: u32,
    pub seq: u64,
    pub prev: String,
    pub time: Timestamp,
    pub event: Event,
    pub hash: String,
}

/// The record without its seal, exactly as it is hashed.
#[derive(Serialize, Deserialize)]
struct Body<E> {
    v: u32,
    seq: u64,
    prev: String,
    time: Timestamp,
    event: E,
}

/// Where and how a journal is not what citadel wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// From 1.
    pub line: u64,
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Entry {
    /// The record and its line, newline included.
    pub(super) fn seal(seq: u64, prev: String, time: Timestamp, event: Event) -> anyhow::Result<(Self, String)> {
        let body = Body { v: FORMAT, seq, prev, time, event };
        let mut line = serde_json::to_string(&body).context("cannot write an event as JSON")?;
        let hash = sha256(line.as_bytes());
        line.pop();
        line.push_str(",\"hash\":\"");
        line.push_str(&hash);
        line.push_str("\"}\n");
        let Body { v, seq, prev, time, event } = body;
        Ok((Self { v, seq, prev, time, event, hash }, line))
    }

    /// Checks one line: its seal, its number, its place in the chain, and that it holds an event we know.
    pub(super) fn open(line: &[u8], number: u64, before: Option<&Self>) -> Result<Self, Broken> {
        let broken = |what: &str| Broken { line: number, what: what.to_owned() };
        let text = std::str::from_utf8(line).map_err(|_| broken("is not UTF-8"))?;
        let cut = text.len().checked_sub(SEAL).filter(|cut| text.is_char_boundary(*cut));
        let (body, seal) = text.split_at(cut.ok_or_else(|| broken("is too short"))?);
        let sealed = seal.strip_prefix(",\"hash\":\"").and_then(|rest| rest.strip_suffix("\"}"));
        let sealed = sealed.ok_or_else(|| broken("has no `hash` at its end"))?;
        if sha256_of(&[body.as_bytes(), b"}"]) != sealed {
            return Err(broken("was changed: its hash does not fit"));
        }
        let known = serde_json::from_str::<Body<Event>>(text);
        // A format of its own may read as one of ours.
        let version = match &known {
            Ok(body) => body.v,
            Err(_) => serde_json::from_str::<Version>(text).map_err(|_| broken("is not a record"))?.v,
        };
        if version > FORMAT {
            let what = format!("has format {version}, this citadel reads up to {FORMAT}; use a newer citadel");
            return Err(broken(&what));
        }
        let body =
            known.map_err(|error| broken(&format!("holds an event that this citadel does not know: {error}")))?;
        let (seq, prev) = before.map_or((1, GENESIS), |entry| (entry.seq + 1, entry.hash.as_str()));
        if body.seq != seq {
            return Err(broken(&format!("is record {} where record {seq} must stand", body.seq)));
        }
        if body.prev != prev {
            return Err(broken("does not follow the record before it"));
        }
        let Body { v, seq, prev, time, event } = body;
        Ok(Self { v, seq, prev, time, event, hash: sealed.to_owned() })
    }
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}
