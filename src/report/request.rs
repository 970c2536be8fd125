//! What people are asked to sign, on one screen: fixed width, no scrolling, hashes to compare, and the commands to paste.
//! The details are in the request's files.

use std::path::Path;

use super::blocks;
use crate::event::{OpeningRequested, SignOffRequested};
use crate::progress::Progress;
use crate::signoff;
use crate::text::{Line, Tone, count, list};
use crate::verdict::Verdict;

/// The screen is laid out for so many columns, whatever the terminal has.
pub const COLUMNS: usize = 80;

/// Where values begin.
const VALUES: usize = 13;

/// A gate's request.
pub fn sign_off(request: &SignOffRequested, progress: &Progress, folder: &str) -> Vec<Line> {
    let gate = progress.gates.get(&request.gate);
    let signed: Vec<&str> = gate.iter().flat_map(|gate| gate.signed.keys()).map(String::as_str).collect();
    let mut lines = vec![Line::new(0), title(&format!("Sign-off of gate {}", request.gate))];
    lines.extend(where_of(progress, gate.and_then(|gate| gate.judged.as_ref()).map(|judged| judged.network.as_str())));
    if let Some(block) = &request.block {
        lines.push(field("block", &format!("{} {}", block.number, ends(block.hash.trim_start_matches("0x")))));
    }
    let phase = progress.phases.iter().find(|phase| phase.id == request.gate);
    lines.push(field("phase", &format!("{} {}", request.gate, phase.map_or("", |phase| &phase.title))).cut());
    lines.push(field("statement", &request.sentence));
    lines.push(field("made", &made(request)));
    lines.push(compare(&request.sha256));
    lines.push(Line::new(VALUES).add(Tone::Strong, &request.sha256));
    lines.push(field("voided by", &voided_by(request, progress)));
    let still: Vec<String> = request
        .signers
        .iter()
        .filter(|who| !signed.contains(&who.as_str()) && !request.not.contains(who))
        .cloned()
        .collect();
    let so_far = if signed.is_empty() { "nobody yet".to_owned() } else { list(&signed) };
    lines.push(field("signed", &format!("{} of {}: {so_far}", signed.len(), request.threshold)));
    let not = if request.not.is_empty() { String::new() } else { format!("; not {}", list(&request.not)) };
    lines.push(field(
        "can sign",
        &format!("{}{not}", if still.is_empty() { "nobody else".into() } else { list(&still) }),
    ));
    lines.push(field("until", &until(&request.expires)));
    let shown = one_each(&still, request);
    lines.extend(how(&request.statement, folder, &shown, &request.ways));
    if still.len() > shown.len() {
        lines.push(Line::new(2).quiet(format!("the others the same under their names: {}", signoff::HOW_TO)));
    }
    lines
}

/// The request to the operator.
pub fn opening(request: &OpeningRequested, progress: &Progress, folder: &str) -> Vec<Line> {
    let operator = &request.operator;
    let mut lines = vec![Line::new(0), title(&format!("Opening signature of {operator}"))];
    lines.extend(where_of(progress, None));
    lines.push(field("says", &format!("{operator} operates this run, and so does not sign its gates off")));
    lines.push(compare(&request.sha256));
    lines.push(Line::new(VALUES).add(Tone::Strong, &request.sha256));
    lines.push(field("voided by", "another runbook file, workspace commit or operator"));
    lines.push(field("until", &until(&request.expires)));
    let ways = [(operator.clone(), request.ways.clone())].into();
    lines.extend(how(&request.statement, folder, std::slice::from_ref(operator), &ways));
    lines
}

fn title(text: &str) -> Line {
    Line::new(0).add(Tone::Strong, text)
}

fn field(name: &str, value: &str) -> Line {
    Line::new(2).quiet(format!("{name:<11}")).plain(value).wrapped(VALUES)
}

fn where_of(progress: &Progress, network: Option<&str>) -> Vec<Line> {
    let Some(run) = &progress.run else { return Vec::new() };
    let place = match network {
        Some(network) if network != run.network => network.to_owned(),
        _ => format!("{} (chain {})", run.network, run.chain_id),
    };
    vec![field("network", &place), field("run", &format!("{} of {}", run.run, run.runbook))]
}

fn made(request: &SignOffRequested) -> String {
    if request.covers.is_empty() {
        return "nothing that is covered by hash".into();
    }
    let each = request.covers.iter().map(|(name, hash)| format!("{name} {}", blocks::short(hash)));
    each.collect::<Vec<_>>().join(", ")
}

fn compare(sha256: &str) -> Line {
    field("compare", &format!("{}, the SHA-256 of statement.txt; in full:", ends(sha256)))
}

/// A hash by both its ends.
fn ends(hash: &str) -> String {
    format!("{}…{}", hash.get(..8).unwrap_or(hash), hash.get(56..).unwrap_or_default())
}

fn voided_by(request: &SignOffRequested, progress: &Progress) -> String {
    let judged = progress.gates.get(&request.gate).and_then(|gate| gate.judged.as_ref());
    let checks = judged.map_or(0, |judged| judged.results.iter().filter(|one| one.verdict == Verdict::Passed).count());
    let files = count(request.covers.len(), "file");
    format!("a change in {}, {files}, the runbook or the commit", count(checks, "check"))
}

fn until(expires: &str) -> String {
    // Nanoseconds help nobody here; the statement has them.
    let time = expires.split_once('.').map_or(expires, |(seconds, _)| seconds).trim_end_matches('Z');
    format!("{} UTC", time.replace('T', " "))
}

/// One person for every way of signing.
fn one_each(people: &[String], request: &SignOffRequested) -> Vec<String> {
    let mut seen = Vec::new();
    let mut chosen = Vec::new();
    for who in people {
        let ways = request.ways.get(who).cloned().unwrap_or_default();
        if chosen.is_empty() || ways.iter().any(|way| !seen.contains(way)) {
            seen.extend(ways);
            chosen.push(who.clone());
        }
    }
    chosen
}

fn how(
    statement: &str,
    folder: &str,
    people: &[String],
    ways: &std::collections::BTreeMap<String, Vec<String>>,
) -> Vec<Line> {
    let at = Path::new(folder).join(Path::new(statement).parent().unwrap_or(Path::new("")));
    let commands = signoff::commands(&at, people, ways);
    let head = Line::new(2).quiet("to sign, in another terminal:");
    std::iter::once(head).chain(commands.iter().map(|line| Line::new(4).plain(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BlockRef, Event};
    use crate::report::fixture;

    fn progress(request: &SignOffRequested) -> Progress {
        let mut events = fixture::events();
        events.truncate(15);
        events.push(Event::SignOffRequested(request.clone()));
        events.push(fixture::judged("1", Verdict::Waiting, fixture::passed_results()));
        events.push(fixture::signed("1", "signer-1"));
        Progress::replay(&events)
    }

    fn request() -> SignOffRequested {
        SignOffRequested {
            block: Some(BlockRef { number: 21_234_567, hash: format!("0x{}", "12ab".repeat(16)), time: 1 }),
            sentence: "I reviewed the configuration diff and the pause checklist.".into(),
            not: vec!["signer-4".into()],
            expires: "2026-11-23T19:40:05.123456789Z".into(),
            ..fixture::request("1")
        }
    }

    #[test]
    fn everything_stands_on_one_screen() {
        let request = request();
        let folder = "/home/ann/.local/state/citadel/astral-citadel/mainnet/2026-11-22T19-40-05Z";
        let lines = sign_off(&request, &progress(&request), folder);
        let text: String = lines.iter().map(|line| line.render(COLUMNS, false) + "\n").collect();
        let rows: usize = text.lines().map(|line| line.chars().count().div_ceil(COLUMNS).max(1)).sum();
        assert!(rows <= 23, "{rows} rows\n{text}");
        let expected = "
Sign-off of gate 1
  network    local (chain 31337)
  run        2026-11-22T19-40-05Z of astral-citadel
  block      21234567 12ab12ab…12ab12ab
  phase      1 Governance Posture
  statement  I reviewed the configuration diff and the pause checklist.
  made       bundle.json bbbbbbbb…
  compare    5e5e5e5e…5e5e5e5e, the SHA-256 of statement.txt; in full:
             5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e
  voided by  a change in 2 checks, 1 file, the runbook or the commit
  signed     1 of 2: signer-1
  can sign   signer-2 and signer-3; not signer-4
  until      2026-11-23 19:40:05 UTC
  to sign, in another terminal:
    cd /home/ann/.local/state/citadel/astral-citadel/mainnet/2026-11-22T19-40-05Z/sign-offs/1.0123abcd
    less statement.txt
    ssh-keygen -Y sign -n citadel-sign-off@v1 -f ~/.ssh/id_ed25519 \\
      < statement.txt > signer-2.sig
  the others the same under their names: how-to-sign.txt
";
        assert_eq!(text, expected, "{text}");
    }
}
