//! Durations such as `10m`, `1h 30m` or `500ms`, always with a unit.

use std::time::Duration;

use jiff::SignedDuration;

use super::Wrong;
use crate::runbook::diagnostic::{Diagnostic, Report};
use crate::runbook::document::{Node, Value};

/// Longer than this is a slip, and overflows clocks.
const LONGEST: u64 = 366 * 24 * 3600;

const SHAPE: &str = "such as \"10m\", \"1h 30m\" or \"500ms\"";

/// A duration; zero only where it makes sense.
pub(in crate::runbook) fn duration(text: &str, zero: bool) -> Result<Duration, Wrong> {
    let signed: SignedDuration = text.parse().map_err(|_| malformed(text))?;
    let duration = Duration::try_from(signed)
        .map_err(|_| Wrong::new(format!("`{text}` is a negative duration")).help(format!("write one {SHAPE}")))?;
    if duration.is_zero() && !zero {
        return Err(Wrong::new("a duration of zero makes no sense here").help(format!("write one {SHAPE}")));
    }
    if duration.as_secs() > LONGEST {
        return Err(Wrong::new(format!("`{text}` is longer than a year")));
    }
    Ok(duration)
}

/// How old something may be, where a day is 24 hours: `7d`, or any duration.
pub(in crate::runbook) fn age(text: &str) -> Result<Duration, Wrong> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    days.map_or_else(|| duration(text, false), |days| duration(&format!("{}h", days.saturating_mul(24)), false))
}

fn malformed(text: &str) -> Wrong {
    let wrong = Wrong::new(format!("`{text}` is not a duration"));
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let Ok(number) = digits.parse::<u64>() else {
        return wrong.help(format!("write one {SHAPE}"));
    };
    match text[digits.len()..].trim() {
        "" => wrong.label("a unit is missing").help(unit_help(number)),
        "d" | "day" | "days" => {
            wrong.help(format!("days have no fixed length; write \"{}h\"", number.saturating_mul(24)))
        }
        _ => wrong.help(format!("write one {SHAPE}")),
    }
}

fn unit_help(number: u64) -> String {
    format!("write it with a unit: \"{number}s\", \"{number}m\" or \"{number}h\"")
}

impl Report<'_> {
    /// The duration that a value is.
    pub(in crate::runbook) fn duration(&self, node: &Node, key: &str, zero: bool) -> Option<Duration> {
        if let Value::Integer(Some(number)) = node.value {
            let help = u64::try_from(number).map_or(format!("write one {SHAPE}"), unit_help);
            let diagnostic = Diagnostic::new(node.place, format!("`{key}` must be a duration, not a bare number"));
            self.add(diagnostic.label("a unit is missing").help(help));
            return None;
        }
        self.form(node, key, |text| duration(text, zero))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<u64, &str>) {
        let read = duration(text, false).map(|d| u64::try_from(d.as_millis()).unwrap());
        assert_eq!(read.as_ref().map_err(|wrong| wrong.message.as_str()), expected.as_ref().map_err(|e| *e), "{text}");
    }

    #[test]
    fn durations_have_units() {
        check("10m", Ok(600_000));
        check("1h 30m", Ok(5_400_000));
        check("500ms", Ok(500));
        check("PT5M", Ok(300_000));
        check("24h", Ok(86_400_000));
        check("10", Err("`10` is not a duration"));
        check("1d", Err("`1d` is not a duration"));
        check("soon", Err("`soon` is not a duration"));
        check("-5m", Err("`-5m` is a negative duration"));
        check("0s", Err("a duration of zero makes no sense here"));
        check("99999h", Err("`99999h` is longer than a year"));
        check("99999999999999999999h", Err("`99999999999999999999h` is not a duration"));
    }

    #[test]
    fn an_age_may_be_in_days() {
        assert_eq!(age("7d").unwrap(), Duration::from_hours(168));
        assert_eq!(age("12h").unwrap(), Duration::from_hours(12));
        assert_eq!(age("0d").unwrap_err().message, "a duration of zero makes no sense here");
        assert_eq!(age("9999d").unwrap_err().message, "`239976h` is longer than a year");
        assert_eq!(age("-1d").unwrap_err().message, "`-1d` is not a duration");
    }

    #[test]
    fn zero_where_it_makes_sense() {
        assert_eq!(duration("0s", true), Ok(Duration::ZERO));
    }

    #[test]
    fn help_shows_the_right_form() {
        assert_eq!(duration("5", false).unwrap_err().help.unwrap(), "write it with a unit: \"5s\", \"5m\" or \"5h\"");
        assert_eq!(duration("2d", false).unwrap_err().help.unwrap(), "days have no fixed length; write \"48h\"");
    }
}
