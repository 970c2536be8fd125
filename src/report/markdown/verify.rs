//! What `gate verify` found, as Markdown: for a pull request, a ticket, or the summary of a CI step.

use super::escape::{code, table, text};
use super::{gate, gate_verdict, verdict};
use crate::report::gates::{self, GateView};

/// The gates as Markdown with a final newline.
pub(super) fn render(views: &[GateView], note: &str) -> String {
    let mut blocks = vec![format!("# Gates: {}", verdict(Some(gates::verdict(views))))];
    blocks.extend(gates::waived(views).map(|waived| format!("> **{}**", text(&waived))));
    if !note.is_empty() {
        blocks.push(format!("> {}", text(note)));
    }
    for view in views {
        blocks.push(format!("## Gate {}: {}", text(&view.id.0), gate_verdict(Some(view.verdict), &view.results)));
        let at = view.block.as_ref().map_or_else(
            || "no block was read".to_owned(),
            |block| format!("block {}, {}", block.number, code(&block.hash)),
        );
        blocks.push(format!("{}. Network {}, {at}.", text(&view.title), text(&view.network)));
        let rows = view.results.iter().map(|result| {
            vec![code(&result.id), text(&result.kind), verdict(Some(result.verdict)), text(&result.message)]
        });
        blocks.push(table(&["Check", "Kind", "Verdict", "Found"], rows));
        let details = gate::details(&view.results, view.block.as_ref());
        blocks.extend(Some(details).filter(|details| !details.is_empty()));
        blocks.extend(view.notes.iter().map(|note| format!("Note: {}.", text(note))));
    }
    blocks.join("\n\n") + "\n"
}
