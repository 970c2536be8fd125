//! Why citadel could not do what was asked, and what to do next.

use std::io::Write;

use crate::error::Failure;
use crate::text::{Line, Tone};

/// Prints a failure: `error: …`, then `hint: …`.
pub fn failure(failure: &Failure) {
    print(&lines(failure));
}

/// Prints rendered diagnostics as they are.
pub fn diagnostics(rendered: &str) {
    let end = if rendered.ends_with('\n') { "" } else { "\n" };
    let _ = write!(anstream::stderr(), "{rendered}{end}");
}

/// Prints something that a person should know and that stops nothing.
pub fn warning(text: &str) {
    print(&labelled("warning", Tone::Doubt, text));
}

/// Prints a sentence as talk.
pub fn note(text: &str) {
    print(&text.lines().map(|line| Line::new(0).plain(line)).collect::<Vec<_>>());
}

fn lines(failure: &Failure) -> Vec<Line> {
    let mut lines = labelled("error", Tone::Bad, &failure.to_string());
    for detail in &failure.details {
        for (number, line) in detail.lines().enumerate() {
            lines.push(if number == 0 { Line::new(4).plain("- ").plain(line) } else { Line::new(4).plain(line) });
        }
    }
    lines.extend(failure.hint.iter().flat_map(|hint| labelled("hint", Tone::Accent, hint)));
    lines
}

/// `label: text`, further lines below its start; nothing is wrapped, so that commands can be copied.
fn labelled(label: &str, tone: Tone, text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.lines() {
        lines.push(if lines.is_empty() {
            Line::new(0).add(tone, label).plain(": ").plain(line)
        } else {
            Line::new(label.len() + 2).plain(line)
        });
    }
    lines
}

fn print(lines: &[Line]) {
    super::screen::Screen::stderr(super::colour_on_stderr()).show(lines);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ExitCode;

    #[test]
    fn errors_and_hints() {
        let check = |failure: &Failure, expected: &str| {
            let text: String = lines(failure).iter().map(|line| line.render(40, false) + "\n").collect();
            assert_eq!(text, expected);
        };
        let failure = Failure::new(ExitCode::Usage, "no network is called `mainet`");
        check(&failure, "error: no network is called `mainet`\n");
        let hinted = failure.hint("there is `mainnet`; a very long command that stays on its own line\nand another");
        check(
            &hinted,
            "error: no network is called `mainet`\n\
             hint: there is `mainnet`; a very long command that stays on its own line\n      and another\n",
        );
        let cause = anyhow::anyhow!("No such file").context("cannot read `x`");
        check(&Failure::from(cause), "error: cannot read `x`: No such file\n");
    }
}
