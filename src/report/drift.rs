//! What changed between two snapshots, written for people, programs and GitHub's runner. Pure.

use std::fmt::Write;

use super::github;
use super::snapshot::{Drift, Drifted, SnapshotBlock};
use crate::error::Failure;
use crate::text::{clean, count, padded};

/// For people.
pub fn human(drift: &Drift) -> String {
    let mut out = format!("{}: {} to {}\n", clean(&drift.network), block(&drift.from), block(&drift.to));
    let all = || drift.changes.iter().chain(&drift.unknown).chain(&drift.moved);
    let width = all().map(|one| place(one).chars().count()).max().unwrap_or_default();
    for (mark, list) in [("✘", &drift.changes), ("?", &drift.unknown), ("·", &drift.moved)] {
        for one in list {
            let _ = writeln!(out, "  {mark} {}  {}", padded(&place(one), width), clean(&one.words));
        }
    }
    for note in &drift.notes {
        let _ = writeln!(out, "  note: {}", clean(note));
    }
    out + &summary(drift) + "\n"
}

/// For programs, format 1.
///
/// # Errors
/// None that can happen with such data.
pub fn json(drift: &Drift) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(drift).map_err(anyhow::Error::from)? + "\n")
}

/// For GitHub's runner: an error for each change, a warning for what could not be compared.
pub fn annotations(drift: &Drift) -> String {
    let mut out: String = human(drift).lines().map(|line| github::harmless(line) + "\n").collect();
    for (level, list) in [("error", &drift.changes), ("warning", &drift.unknown)] {
        for one in list {
            let (title, text) = (github::property(&place(one)), github::data(&clean(&one.words)));
            let _ = writeln!(out, "::{level} title={title}::{text}");
        }
    }
    out
}

fn place(of: &Drifted) -> String {
    clean(&format!("{} {}", of.of, of.check))
}

fn block(of: &SnapshotBlock) -> String {
    let time = i64::try_from(of.time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    let time = time.map(|time| format!(" of {time}")).unwrap_or_default();
    format!("block {} {}…{time}", of.number, clean(of.hash.get(..10).unwrap_or(&of.hash)))
}

fn summary(drift: &Drift) -> String {
    let changes = match drift.changes.len() {
        0 => "nothing changed".to_owned(),
        number => count(number, "change"),
    };
    let unknown = match drift.unknown.len() {
        0 => String::new(),
        number => format!("; {number} could not be compared"),
    };
    changes + &unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::snapshot::tests::snapshot;

    fn drift() -> Drift {
        Drift::between(&snapshot(5, "3", "1"), &snapshot(9, "2", "4")).unwrap()
    }

    #[test]
    fn people_read_what_changed() {
        assert_eq!(
            human(&drift()),
            "mainnet: block 5 0x00000000… of 2023-11-14T22:13:25Z to block 9 0x00000000… of 2023-11-14T22:13:29Z\n  \
             ✘ gate 1 safe  threshold 3 to 2\n  \
             · gate 1 safe  nonce 1 to 4\n\
             1 change\n"
        );
    }

    #[test]
    fn a_runner_reads_annotations_and_no_foreign_command() {
        let mut drift = drift();
        drift.changes[0].words = "a\n::error::b".to_owned();
        let text = annotations(&drift);
        let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(commands, ["::error title=gate 1 safe::a ::error::b"]);
    }

    #[test]
    fn programs_read_the_same() {
        let value: serde_json::Value = serde_json::from_str(&json(&drift()).unwrap()).unwrap();
        assert_eq!(value["changes"][0]["words"], "threshold 3 to 2");
        assert_eq!(value["moved"][0]["path"], "nonce");
    }
}
