//! Reads a long runbook in pieces, between steps of one phase, so that the parser's own tree of all of it never stands
//! in memory at once, and two threads can read.
//!
//! Never decides that something is wrong: whatever is not plain is left to the reading of the whole.

use std::ops::Range;

use toml::de::DeTable;

use super::document::{Entry, Node, Table, Value, is_long, read_table};
use super::place::Lines;

/// How many steps a piece has.
const STEPS: usize = 250;

/// The same table that reading the whole gives; nothing where the text is short, unusual or wrong.
pub(super) fn parse<'t>(lines: &Lines<'t>) -> Option<Table<'t>> {
    let text = lines.text();
    let cuts = if is_long(text) { cuts(text, STEPS) } else { None };
    join(lines, &cuts?)
}

/// Where each piece begins: at a step that is not the first of its phase, and at the next phase after one.
fn cuts(text: &str, most: usize) -> Option<Vec<usize>> {
    // Only in a text of several lines can a line look like a header and be none.
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let (mut cuts, mut at, mut steps) = (vec![0], 0, 0);
    for line in text.split_inclusive('\n') {
        let header = line.trim();
        if header.starts_with('[') && !is_plain(header) {
            return None;
        }
        if header == "[[phase.step]]" {
            steps += 1;
            if steps % most == 0 && steps > 1 {
                cuts.push(at);
            }
        } else if header == "[[phase]]" {
            steps = 0;
            if cuts.len() > 1 {
                cuts.push(at);
            }
        }
        at += line.len();
    }
    (cuts.len() > 1).then_some(cuts)
}

/// Bare keys in brackets and nothing else: not the line of a list.
fn is_plain(header: &str) -> bool {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let inside = header.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let inside = inside.or_else(|| header.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')));
    inside.is_some_and(|inside| inside.starts_with(|c: char| c.is_ascii_alphabetic()) && inside.chars().all(bare))
}

fn join<'t>(lines: &Lines<'t>, cuts: &[usize]) -> Option<Table<'t>> {
    let ends = cuts.iter().skip(1).copied().chain([lines.text().len()]);
    let ranges: Vec<Range<usize>> = cuts.iter().copied().zip(ends).map(|(from, to)| from..to).collect();
    let (first, second) = ranges.split_at(ranges.len() / 2);
    let of = lines.clone();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(move || read(&of, second));
        (read(lines, first), second.join().ok().flatten())
    });
    let mut root = Table::default();
    first?.into_iter().chain(second?).try_for_each(|piece| append(&mut root, piece))?;
    Some(root)
}

/// The tables of some pieces; nothing where something is wrong with one.
fn read<'t>(lines: &Lines<'t>, ranges: &[Range<usize>]) -> Option<Vec<Table<'t>>> {
    let read = |range: &Range<usize>| {
        let (piece, errors) = DeTable::parse_recoverable(&lines.text()[range.clone()]);
        errors.is_empty().then(|| read_table(lines, range.start, piece.into_inner()))
    };
    ranges.iter().map(read).collect()
}

/// Adds what a later piece holds; nothing where a key would stand twice.
fn append<'t>(root: &mut Table<'t>, piece: Table<'t>) -> Option<()> {
    for entry in piece.entries {
        match find(root, &entry.key) {
            None => root.entries.push(entry),
            Some(there) if entry.key == "phase" => append_phases(there, entry.node.value)?,
            Some(_) => return None,
        }
    }
    Some(())
}

/// More phases, or more of the last one.
fn append_phases<'t>(there: &mut Node<'t>, more: Value<'t>) -> Option<()> {
    let Value::List(phases) = &mut there.value else { return None };
    match more {
        Value::List(more) => phases.extend(more),
        Value::Table(more) => {
            let Value::Table(last) = &mut phases.last_mut()?.value else { return None };
            more.entries.into_iter().try_for_each(|entry| append_to_phase(last, entry))?;
        }
        _ => return None,
    }
    Some(())
}

fn append_to_phase<'t>(phase: &mut Table<'t>, entry: Entry<'t>) -> Option<()> {
    match (find(phase, &entry.key), entry.node.value) {
        (None, value) => phase.entries.push(Entry { node: Node { value, ..entry.node }, ..entry }),
        (Some(Node { value: Value::List(steps), .. }), Value::List(more)) if entry.key == "step" => steps.extend(more),
        (Some(_), _) => return None,
    }
    Some(())
}

fn find<'m, 't>(table: &'m mut Table<'t>, key: &str) -> Option<&'m mut Node<'t>> {
    table.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::document;

    const HEAD: &str = "format = 1\n[runbook]\nid = \"é\"\n[[phase]]\nid = \"1\"\n";
    const STEP: &str = "[[phase.step]]\nid = \"ü\"\nenv = { A = \"1\" }\n[[phase.step.evidence]]\nfile = \"x\"\n";
    const GATE: &str = "[phase.gate]\ntitle = \"g\"\n";

    #[track_caller]
    fn check(text: &str, pieces: Option<usize>) {
        let lines = Lines::new(text);
        let cuts = cuts(text, 2);
        let joined = cuts.as_ref().and_then(|cuts| join(&lines, cuts));
        assert_eq!(joined.as_ref().and(cuts).map(|cuts| cuts.len()), pieces);
        if let Some(joined) = joined {
            assert_eq!(format!("{joined:?}"), format!("{:?}", document::parse(&lines).0));
        }
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let steps = |count| STEP.repeat(count);
        check(&format!("{HEAD}{}{GATE}", steps(1)), None);
        check(&format!("{HEAD}{}{GATE}", steps(2)), Some(2));
        check(&format!("{HEAD}{}{GATE}", steps(7)), Some(4));
        check(&format!("{HEAD}{}{GATE}[[contingency]]\nid = \"c\"\n", steps(4)), Some(3));
        let phase = format!("[[phase]]\r\nid = \"2\"\n{}{GATE}", steps(3));
        check(&format!("{HEAD}{}{GATE}{phase}{phase}[var]\na = \"1\"\n", steps(4)), Some(7));
        check(&format!("{HEAD}{}[[phase]]\nid = \"3\"\n[[phase]]\n{}", steps(2), steps(1)), Some(4));
    }

    #[test]
    fn what_is_unusual_or_wrong_is_left_to_the_whole() {
        let steps = STEP.repeat(4);
        check(&format!("{HEAD}{steps}{GATE}{GATE}"), None);
        check(&format!("{HEAD}{STEP}{STEP}{GATE}{STEP}{STEP}{GATE}"), None);
        check(&format!("{HEAD}{steps}[runbook]\ntitle = \"x\"\n"), None);
        check(&format!("{HEAD}{steps}a = \n"), None);
        check(&format!("{HEAD}{steps}a = \"\"\"\n[[phase.step]]\n\"\"\"\n"), None);
        check(&format!("{HEAD}{steps}a = [\n[1],\n]\n"), None);
        check(&format!("{HEAD}{steps}[[ phase ]]\nstep = []\n{STEP}"), None);
        check(&format!("{HEAD}step = []\n{steps}"), None);
    }
}
