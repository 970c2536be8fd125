//! The bytes that people sign: everything a gate's judgement rests on, readable, one fact a line, in a fixed order.
//!
//! Two different statements never have the same bytes: names and texts are escaped, values are canonical JSON.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use crate::text::{deceives, escaped};
use crate::verdict::{CheckResult, Verdict};

/// The first line of a statement.
pub(super) const TITLE: &str = "citadel sign-off v1";

/// What a person puts their name to.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub runbook: String,
    pub runbook_sha256: String,
    pub run: String,
    /// Makes the statement single-use.
    pub nonce: String,
    pub network: String,
    pub chain_id: u64,
    /// The hash of the chain's first block.
    pub genesis: Option<String>,
    pub gate: String,
    /// The sentence of the runbook.
    pub statement: String,
    /// The git commit of the workspace.
    pub commit: Option<String>,
    pub artefacts: Vec<CoveredArtefact>,
    pub checks: Vec<Witnessed>,
    pub journal: JournalPoint,
    pub expires: Timestamp,
}

/// A file that the signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredArtefact {
    pub name: String,
    pub sha256: String,
}

/// A check's answer that the signature covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Witnessed {
    pub id: String,
    pub kind: String,
    pub verdict: Verdict,
    pub observed: Value,
}

/// The journal's last record at the time of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPoint {
    pub sequence: u64,
    pub hash: String,
}

impl From<&CheckResult> for Witnessed {
    fn from(result: &CheckResult) -> Self {
        let CheckResult { id, kind, verdict, observed, .. } = result;
        Self { id: id.clone(), kind: kind.clone(), verdict: *verdict, observed: observed.clone() }
    }
}

impl Statement {
    /// The exact bytes to sign: UTF-8, ending with a newline.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{TITLE}\n");
        let none = || "none".to_owned();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "{name}: {value}");
        };
        line("runbook", &escaped(&self.runbook));
        line("runbook-sha256", &escaped(&self.runbook_sha256));
        line("run", &escaped(&self.run));
        line("nonce", &escaped(&self.nonce));
        line("network", &escaped(&self.network));
        line("chain-id", &self.chain_id.to_string());
        line("genesis", &self.genesis.as_deref().map_or_else(none, escaped));
        line("gate", &escaped(&self.gate));
        line("statement", &escaped(&self.statement));
        line("workspace-commit", &self.commit.as_deref().map_or_else(none, escaped));
        for artefact in &self.artefacts {
            line("artefact", &format!("{} {}", word(&artefact.sha256), word(&artefact.name)));
        }
        for check in &self.checks {
            let (id, kind) = (word(&check.id), word(&check.kind));
            line("check", &format!("{id} {kind} {} {}", check.verdict, canonical(&check.observed)));
        }
        line("journal", &format!("{} {}", self.journal.sequence, word(&self.journal.hash)));
        line("expires", &self.expires.to_string());
        out.into_bytes()
    }
}

/// A word between spaces: as it is where it cannot be mistaken, else as a JSON string.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { string(text) }
}

/// Compact JSON with sorted keys, on one line, without deceiving characters.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}:{}", string(key), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::String(text) => string(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A JSON string in which deceiving characters are escaped by their code (`\u` and four hex digits, RFC 8259, 7).
fn string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if deceives(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement() -> Statement {
        Statement {
            runbook: "astral-citadel".into(),
            runbook_sha256: "aa11".into(),
            run: "2026-11-22T19-40-05Z".into(),
            nonce: "n0nce".into(),
            network: "mainnet".into(),
            chain_id: 1,
            genesis: Some("0xd4e5".into()),
            gate: "1".into(),
            statement: "I reviewed the diff.\nAll of it.".into(),
            commit: None,
            artefacts: vec![CoveredArtefact { name: "bundle.json".into(), sha256: "bb22".into() }],
            checks: vec![
                Witnessed {
                    id: "not-paused".into(),
                    kind: "pause".into(),
                    verdict: Verdict::Passed,
                    observed: json!({ "z": [1, "two\n"], "a": null }),
                },
                Witnessed {
                    id: "step 1.plan-safe".into(),
                    kind: "step".into(),
                    verdict: Verdict::Passed,
                    observed: Value::Null,
                },
            ],
            journal: JournalPoint { sequence: 57, hash: "cc33".into() },
            expires: "2026-11-23T19:40:05Z".parse().unwrap(),
        }
    }

    const TEXT: &str = r#"citadel sign-off v1
runbook: astral-citadel
runbook-sha256: aa11
run: 2026-11-22T19-40-05Z
nonce: n0nce
network: mainnet
chain-id: 1
genesis: 0xd4e5
gate: 1
statement: I reviewed the diff.\nAll of it.
workspace-commit: none
artefact: bb22 bundle.json
check: not-paused pause passed {"a":null,"z":[1,"two\n"]}
check: "step 1.plan-safe" step passed null
journal: 57 cc33
expires: 2026-11-23T19:40:05Z
"#;

    #[test]
    fn the_bytes_are_readable_and_fixed() {
        assert_eq!(String::from_utf8(statement().bytes()).unwrap(), TEXT);
    }

    #[test]
    fn every_field_changes_the_bytes() {
        let check = |change: fn(&mut Statement)| {
            let mut changed = statement();
            change(&mut changed);
            assert_ne!(changed.bytes(), statement().bytes());
        };
        check(|s| s.runbook.push('x'));
        check(|s| s.runbook_sha256.push('x'));
        check(|s| s.run.push('x'));
        check(|s| s.nonce.push('x'));
        check(|s| s.network.push('x'));
        check(|s| s.chain_id += 1);
        check(|s| s.genesis = None);
        check(|s| s.gate.push('x'));
        check(|s| s.statement.push(' '));
        check(|s| s.commit = Some("abc".into()));
        check(|s| s.artefacts[0].name.push('x'));
        check(|s| s.artefacts[0].sha256.push('x'));
        check(|s| s.artefacts.clear());
        check(|s| s.checks[0].id.push('x'));
        check(|s| s.checks[0].kind.push('x'));
        check(|s| s.checks[0].verdict = Verdict::Unknown);
        check(|s| s.checks[0].observed["a"] = json!(0));
        check(|s| s.checks.swap(0, 1));
        check(|s| s.journal.sequence += 1);
        check(|s| s.journal.hash.push('x'));
        check(|s| s.expires += jiff::SignedDuration::from_secs(1));
    }

    #[test]
    fn no_text_can_add_a_line_or_pass_for_another() {
        let lines = TEXT.lines().count();
        let check = |text: &str| {
            let mut evil = statement();
            evil.statement = text.into();
            evil.network = text.into();
            evil.artefacts[0].name = text.into();
            evil.checks[0].id = text.into();
            evil.checks[0].observed = json!({ text: text });
            let bytes = String::from_utf8(evil.bytes()).unwrap();
            assert_eq!(bytes.lines().count(), lines, "{bytes}");
            assert!(!bytes.chars().any(|c| c != '\n' && deceives(c)), "{bytes}");
        };
        check("x\nexpires: 2099-01-01T00:00:00Z");
        check("x\r\ny");
        check("\u{2028}gate: 4");
        check("\u{202e}txet\u{1b}[2J");
        check("\u{85}\u{b}\u{c}");
        let mut quoted = statement();
        quoted.checks[1].id = "step".into();
        quoted.checks[1].kind = "1.plan-safe step".into();
        assert_ne!(quoted.bytes(), statement().bytes());
    }

    #[test]
    fn canonical_json_does_not_depend_on_the_order_of_keys() {
        let check = |input: &str, expected: &str| {
            assert_eq!(canonical(&serde_json::from_str(input).unwrap()), expected);
        };
        check(r#"{"b":1,"a":{"d":2,"c":3}}"#, r#"{"a":{"c":3,"d":2},"b":1}"#);
        check(r#"[ 1, "2", null, true ]"#, r#"[1,"2",null,true]"#);
        check(r#""é\u0007\ud83d\ude00""#, r#""é\u0007😀""#);
        check(r#""\udb40\udc41""#, r#""\udb40\udc41""#);
    }
}
