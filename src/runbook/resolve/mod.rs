//! Turns the TOML as written into a `Runbook`, checks every reference in it, and reports everything wrong at once.
//!
//! Reading goes on after a problem with an empty value in its place; a runbook comes out only where nothing was found.

mod action;
mod chain_check;
mod check;
mod contract;
mod evidence;
mod further_check;
mod head;
mod names;
mod network;
mod phase;
mod predicate;
mod reference;
mod rehearsed;
mod relation;
mod secret;
mod signers;
mod step;
mod tail;
mod text;
mod waiver;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, hash_map};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::names::Names;
use super::decode::Reader;
use super::diagnostic::{Diagnostic, Problems, Report};
use super::document::{self, Entry, Node, Table};
use super::forms;
use super::place::Place;
use super::{Check, Limits, Runbook};

/// Reads a runbook from its text; `file` is what messages call it, and where relative paths start.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, file: &Path) -> Result<Runbook, Problems> {
    let report = Report::new(text);
    let (root, syntax) = document::parse(&report.lines);
    let runbook = Resolve::new(&report, &root).runbook(&root, text, file);
    // A program reads one long runbook at most, and to take its tree apart would be a tenth of the work.
    if document::is_long(text) {
        std::mem::forget(root);
    }
    match report.problems(&file.display().to_string(), syntax) {
        None => Ok(runbook),
        Some(problems) => Err(problems),
    }
}

/// What is known while a runbook is resolved.
struct Resolve<'a> {
    report: &'a Report<'a>,
    names: Names,
    stage: Stage,
    /// Artefacts kept so far, and by which step.
    kept: BTreeMap<String, String>,
    invariant_ids: Unique<'a>,
    /// The invariants, and whether gates' checks can be compared with what they observe.
    observing: Vec<(String, bool)>,
    /// Ids of phases and contingencies, which steps are named after.
    parts: Unique<'a>,
    timeout: Duration,
    silence: Duration,
    limits: Limits,
}

/// Where in the runbook reading has come to: which gates and artefacts lie before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Invariants are checked with every gate, so nothing surely lies before them.
    Invariant,
    /// Before the gate of the phase with this index.
    Phase(usize),
    /// In a contingency or a deliverable: all phases lie before.
    After,
}

impl<'a> Resolve<'a> {
    fn new(report: &'a Report<'a>, root: &Table) -> Self {
        Self {
            report,
            names: Names::gather(root),
            stage: Stage::Invariant,
            kept: BTreeMap::new(),
            invariant_ids: Unique::new("invariant"),
            observing: Vec::new(),
            parts: Unique::new("phase"),
            timeout: Duration::from_mins(10),
            silence: Duration::from_mins(2),
            limits: Limits::default(),
        }
    }

    fn runbook(&mut self, root: &'a Table<'a>, text: &str, file: &Path) -> Runbook {
        let mut reader = Reader::new(self.report, root, Place::BEGINNING, "the runbook");
        self.format(&mut reader);
        let head = self.head(&mut reader);
        let workspace = self.workspace(&mut reader);
        self.defaults(&mut reader);
        let tools = self.tools(&mut reader);
        let networks = self.networks(&mut reader);
        let secrets = self.classes(&mut reader, &networks);
        let contracts = self.contracts(&mut reader);
        let vars = self.vars(&mut reader);
        let signers = self.signers(&mut reader);
        let invariants = self.invariants(&mut reader);
        let phases = self.phases(&mut reader);
        self.stage = Stage::After;
        let deliverables = self.deliverables(&mut reader);
        let contingencies = self.contingencies(&mut reader);
        reader.finish();
        Runbook {
            id: head.id,
            title: head.title,
            file: file.to_owned(),
            folder: file.parent().unwrap_or(Path::new("")).to_owned(),
            text: text.to_owned(),
            sha256: format!("{:x}", Sha256::digest(text)),
            reports: head.reports,
            source: head.source,
            archive: head.archive,
            workspace,
            limits: self.limits,
            tools,
            networks,
            secrets,
            contracts,
            vars,
            signers,
            invariants,
            phases,
            contingencies,
            deliverables,
        }
    }

    fn invariants(&mut self, root: &mut Reader<'a>) -> Vec<Check> {
        let mut ids = Unique::new("invariant");
        let invariants = self.checks(root, "invariant", "`[[invariant]]`", &mut ids);
        self.invariant_ids = ids;
        self.relations(&invariants, false);
        self.observing = invariants.iter().map(|check| (check.id.clone(), check.kind.can_be_compared_with())).collect();
        invariants
    }

    /// The entries of a table of named tables, whose names are checked: `[network.N]`.
    fn members(&self, root: &mut Reader<'a>, key: &'static str) -> Vec<(&'a Entry<'a>, Reader<'a>)> {
        let Some(table) = root.optional(key).and_then(|node| Reader::of(self.report, node, format!("`[{key}]`")))
        else {
            return Vec::new();
        };
        let mut members = Vec::new();
        for entry in table.entries() {
            self.name(entry);
            let what = format!("`[{key}.{}]`", entry.key);
            members.extend(Reader::of(self.report, &entry.node, what).map(|reader| (entry, reader)));
        }
        members
    }

    /// The tables of a list of tables: `[[phase]]`.
    fn tables(
        &self,
        reader: &mut Reader<'a>,
        key: &'static str,
        what: &str,
    ) -> impl Iterator<Item = (&'a Node<'a>, Reader<'a>)> + use<'a> {
        let report = self.report;
        let list = reader.list(key);
        let what = (!list.is_empty()).then(|| Rc::<str>::from(what));
        list.iter().filter_map(move |node| Some((node, Reader::of(report, node, what.clone()?)?)))
    }

    /// The name of a member must be usable as one.
    fn name(&self, entry: &Entry) {
        if let Err(wrong) = forms::id(&entry.key) {
            let diagnostic = Diagnostic::new(entry.place, wrong.message());
            self.report.add(diagnostic.help("use letters, digits, `-` and `_`, beginning with a letter or a digit"));
        }
    }
}

/// Takes the `id` of a table, which must be well formed and used once.
fn take_id<'a>(reader: &mut Reader<'a>, unique: &mut Unique<'a>) -> String {
    let Some(node) = reader.required("id") else {
        return String::new();
    };
    if reader.report.form(node, "id", forms::id).is_none() {
        return String::new();
    }
    let id = node.as_text().unwrap_or_default();
    unique.check(reader.report, id, node.place);
    id.to_owned()
}

/// Ids that may be used once.
#[derive(Clone)]
struct Unique<'a> {
    noun: &'static str,
    seen: HashMap<Cow<'a, str>, (&'static str, Place)>,
}

impl<'a> Unique<'a> {
    fn new(noun: &'static str) -> Self {
        Self::of(noun, 0)
    }

    /// With room for so many.
    fn of(noun: &'static str, count: usize) -> Self {
        Self { noun, seen: HashMap::with_capacity(count) }
    }

    fn check(&mut self, report: &Report<'_>, id: impl Into<Cow<'a, str>>, place: Place) {
        let taken = match self.seen.entry(id.into()) {
            hash_map::Entry::Occupied(taken) => taken,
            hash_map::Entry::Vacant(free) => {
                free.insert((self.noun, place));
                return;
            }
        };
        let (id, (noun, first)) = (taken.key(), *taken.get());
        let diagnostic =
            Diagnostic::new(place, format!("the {} `{id}` is declared twice", self.noun)).label("used before");
        let first = format!("the {noun} on line {} came first", first.line());
        report.add(diagnostic.help(format!("{first}; give one of them another name")));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The smallest runbook that is valid.
    pub(in super::super) const MINIMAL: &str = include_str!("../../../tests/runbooks/good/minimal.toml");

    #[track_caller]
    fn check(more: &str, expected: &[&str]) {
        let text = format!("{MINIMAL}{more}");
        let found = match parse(&text, Path::new("runbook.toml")) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.list().iter().map(|d| d.message.clone()).collect(),
        };
        assert_eq!(found, expected, "{more}");
    }

    #[test]
    fn a_block_is_a_tag_or_a_depth() {
        let check = |block: &str, expected: Result<crate::runbook::BlockTag, &str>| {
            let text =
                format!("{MINIMAL}\n[network.other]\nchain_id = 5\nrpc = [\"OTHER_RPC_URL\"]\nblock = {block}\n");
            let found = parse(&text, Path::new("runbook.toml")).map(|runbook| runbook.networks["other"].block);
            let found = found.map_err(|problems| problems.list()[0].message.clone());
            assert_eq!(found, expected.map_err(str::to_owned), "{block}");
        };
        check("\"safe\"", Ok(crate::runbook::BlockTag::Safe));
        check("{ depth = 12 }", Ok(crate::runbook::BlockTag::Depth(12)));
        check("\"earliest\"", Err("`block` cannot be `earliest`"));
        check("{ depth = 0 }", Err("`depth` must be a whole number from 1 up"));
        check("{ deep = 12 }", Err("`block` has no `depth`"));
    }

    #[test]
    fn the_minimal_runbook_has_defaults() {
        let runbook = parse(MINIMAL, Path::new("some/runbook.toml")).unwrap();
        assert_eq!(runbook.folder, Path::new("some"));
        assert_eq!(runbook.sha256.len(), 64);
        let network = &runbook.networks["mainnet"];
        assert_eq!((network.agree, network.passed_as.as_str()), (1, "mainnet"));
        assert_eq!(network.block, crate::runbook::BlockTag::Finalized);
        assert!(!network.confirm);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        check("", &[]);
        check(
            "[[tool]]\nnam = \"x\"\n[nonsense]\n",
            &[
                "`[[tool]]` has no `version_file`",
                "unknown key `nam` in `[[tool]]`",
                "unknown key `nonsense` in the runbook",
            ],
        );
    }
}
