//! What `gate verify` found, as GitHub's runner reads it: annotations at the places in the runbook, and the gates in
//! groups of the log. Text of strangers can give the runner no command.

use std::fmt::Write;

use super::blocks;
use super::gates::GateView;
use crate::text::clean;
use crate::verdict::{CheckResult, Verdict};

/// Wide enough that no line is wrapped.
const COLUMNS: usize = 100_000;

/// The lines for the runner. `file` is the runbook, relative to the repository.
pub fn log(views: &[GateView], file: &str, note: &str) -> String {
    let mut out = String::new();
    for view in views {
        let mut lines = blocks::gate_head(&view.id.0, &view.title, view.verdict, view.block.as_ref(), &view.results);
        let head = if lines.is_empty() { String::new() } else { lines.remove(0).render(COLUMNS, false) };
        lines.extend(blocks::checks(&view.results, view.block.as_ref(), 2));
        let _ = writeln!(out, "::group::{}", data(&head));
        let text = lines.iter().map(|line| line.render(COLUMNS, false)).collect::<Vec<_>>().join("\n");
        for line in text.lines() {
            out += &(harmless(line) + "\n");
        }
        out += "::endgroup::\n";
    }
    if !note.is_empty() {
        let _ = writeln!(out, "::notice::{}", data(note));
    }
    for verdict in [Verdict::Failed, Verdict::Unknown, Verdict::Waiting, Verdict::Waived] {
        for view in views {
            let of = view.results.iter().filter(|result| result.verdict == verdict);
            out.extend(of.map(|result| annotation(view, result, file)));
        }
    }
    for view in views.iter().filter(|view| view.results.is_empty()) {
        let _ = writeln!(out, "::error title={}::nothing was judged", property(&format!("gate {}", view.id)));
    }
    out
}

/// One annotation at the line where the check is declared.
fn annotation(view: &GateView, result: &CheckResult, file: &str) -> String {
    let level = if matches!(result.verdict, Verdict::Waiting | Verdict::Waived) { "warning" } else { "error" };
    let title = format!("gate {}: {} is {}", view.id, result.id, result.verdict);
    let facts = blocks::facts(result, view.block.as_ref());
    let facts = facts.iter().map(|(name, value)| format!("{name:<10}{}", clean(value)));
    let message = std::iter::once(clean(&result.message)).chain(facts).collect::<Vec<_>>().join("\n");
    let line = view.lines.get(&result.id).map(|line| format!(",line={line}")).unwrap_or_default();
    format!("::{level} file={}{line},title={}::{}\n", property(file), property(&title), data(&message))
}

/// The text of a command. GitHub undoes these escapes.
pub(super) fn data(text: &str) -> String {
    unmarked(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
pub(super) fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}

/// A line of the log that is no command: those begin with `::`, spaces aside; older ones hold `##[` anywhere.
pub(super) fn harmless(line: &str) -> String {
    let line = unmarked(line);
    if line.trim_start().starts_with("::") { format!("| {line}") } else { line }
}

fn unmarked(text: &str) -> String {
    text.replace("##[", "## [")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gates::tests::views;

    #[test]
    fn each_problem_is_an_annotation_at_its_line() {
        let log = log(&views(), "ops/run,book.toml", "no run");
        let lines: Vec<&str> = log.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(
            lines,
            [
                "::group::Gate 1  PASSED   block 57 0x12ab34…  1 check",
                "::endgroup::",
                "::group::Gate 2  UNKNOWN   block 57 0x12ab34…  1 check",
                "::endgroup::",
                "::group::Gate 3  UNKNOWN   block 57 0x12ab34…  0 checks",
                "::endgroup::",
                "::notice::no run",
                "::error file=ops/run%2Cbook.toml,line=7,title=gate 2%3A safe is unknown::no answer%0Ahint      `anvil`",
                "::error title=gate 3::nothing was judged",
            ]
        );
    }

    #[test]
    fn text_of_strangers_is_no_command() {
        let check = |message: &str, expected: &str| {
            let mut view = views().remove(1);
            view.results = vec![CheckResult::failed("c", "call", message).hint(message)];
            let log = log(&[view], "f", "");
            let commands: Vec<&str> = log.lines().filter(|line| line.trim_start().starts_with("::")).collect();
            assert_eq!(commands.len(), 3, "{log}");
            assert!(!log.contains("##["), "{log}");
            assert!(commands[2].contains(expected), "{log}");
        };
        check("50%\n::set-env name=PATH::/evil", "50%25 ::set-env name=PATH::/evil%0Ahint");
        check("::stop-commands::x", "::::stop-commands::x%0Ahint      ::stop-commands::x");
        check("##[error]x\r\n::error::y", "## [error]x  ::error::y");
        check("a\u{1b}[31m%0A", "a\\u{1b}[31m%250A");
        let mut view = views().remove(1);
        view.results = vec![CheckResult::failed("a,b::c", "call", "")];
        assert!(log(&[view], "f", "").contains("title=gate 2%3A a%2Cb%3A%3Ac is failed::"));
        assert_eq!(harmless("    ::error::x"), "|     ::error::x");
    }
}
