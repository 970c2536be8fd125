//! The report for programs: versioned JSON.

use serde::Serialize;

use super::Report;

/// What programs can rely on while it is 1.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a> {
    format: u32,
    report: &'a Report,
}

/// The report as JSON, with a final newline.
pub fn render(report: &Report) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&Versioned { format: FORMAT, report })? + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::{Report, fixture};
    use super::*;

    #[test]
    fn programs_find_what_happened() {
        let entries = fixture::entries(fixture::events());
        let text = render(&Report::of(&entries)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let check = |pointer: &str, expected: serde_json::Value| {
            assert_eq!(value.pointer(pointer), Some(&expected), "{pointer}");
        };
        check("/format", 1.into());
        check("/report/outcome/is", "stopped".into());
        check("/report/phases/0/gate/verdict", "passed".into());
        check("/report/phases/0/gate/judgements/0/judged/verdict", "failed".into());
        check("/report/phases/0/steps/1/attempts/0/ended/outcome", "failed".into());
        check("/report/phases/0/gate/sign_offs/0/signed/1/who", "signer-2".into());
        check("/report/phases/1/steps/0/decisions/0/by", "bob".into());
        check("/report/artefacts/0/artefact/name", "bundle.json".into());
        check("/report/invocations/2/operator", "bob".into());
        check("/report/head/records", 23.into());
        assert_eq!(text, render(&Report::of(&entries)).unwrap());
    }

    #[test]
    fn every_beginning_of_a_run_can_be_told() {
        let entries = fixture::entries(fixture::events());
        for count in 0..=entries.len() {
            let report = Report::of(&entries[..count]);
            render(&report).unwrap();
            super::super::junit::render(&report).unwrap();
            super::super::markdown::render(&report);
        }
    }
}
