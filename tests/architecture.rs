//! The rules of the source itself: which room may use which, and what each room never does. A rule that is broken names
//! the file.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use citadel::error::EXIT_CODES;

/// Rooms and files that only think: they read and write nothing, and ask no clock.
const PURE: [&str; 20] = [
    "difference.rs",
    "digest.rs",
    "error.rs",
    "event/",
    "progress/",
    "plan/",
    "report/",
    "runbook/",
    "text/",
    "verdict.rs",
    "chain/abi",
    "chain/bundle/",
    "chain/safe/",
    "signoff/commands.rs",
    "signoff/ethereum.rs",
    "signoff/fields.rs",
    "signoff/opening.rs",
    "signoff/statement.rs",
    "signoff/typed_data.rs",
    "signoff/void.rs",
];

/// What a pure room never names. `runbook/load.rs` is the one file that reads a runbook.
const EFFECTS: [&str; 11] = [
    "std::fs",
    "std::env",
    "std::io",
    "std::net",
    "std::process",
    "tokio",
    "reqwest",
    "rustix",
    "tempfile",
    "::now()",
    "File::open",
];

/// Where Ethereum's types are used. Everything else speaks of contracts by name.
const ETHEREUM: [&str; 12] = [
    "chain/",
    "devchain/deployment.rs",
    "engine/accounts.rs",
    "engine/dev_chain.rs",
    "engine/names.rs",
    "runbook/check.rs",
    "runbook/forms/address.rs",
    "runbook/mod.rs",
    "runbook/resolve/chain_check.rs",
    "runbook/resolve/contract.rs",
    "signoff/ethereum.rs",
    "signoff/typed_data.rs",
];

const PRINTS: [&str; 5] = ["println!", "print!(", "eprintln!", "eprint!(", "dbg!"];

/// A source file without its comments and its tests.
struct Source {
    /// Relative to `src`.
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The room that it belongs to.
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    fn names(&self, word: &str) -> bool {
        self.code.contains(word)
    }

    /// The rooms that it uses, and in each the first name: `journal` and `Entry` of `crate::journal::{Entry, …}`.
    fn uses(&self) -> Vec<(String, String)> {
        let after = self.code.split("crate::").skip(1);
        after.flat_map(used).filter(|(room, _)| room != self.room()).collect()
    }
}

/// What stands behind one `crate::`.
fn used(text: &str) -> Vec<(String, String)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let room = word(text);
    let rest = text[room.len()..].strip_prefix("::").unwrap_or_default();
    let names = match rest.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap().split(',').map(|name| word(name.trim())).collect(),
        None => vec![word(rest)],
    };
    names.into_iter().map(|name| (room.clone(), name)).filter(|(room, _)| !room.is_empty()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&folder(), &mut files);
    let tests = test_modules(&files);
    files.retain(|file| !tests.contains(&file.path));
    assert!(files.len() > 100, "the sources were not found");
    files
}

fn collect(folder: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let tested = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
            let lines = text[..tested].lines().map(|line| line.split("//").next().unwrap());
            let code = lines.collect::<Vec<_>>().join("\n");
            let path = path.strip_prefix(self::folder()).unwrap().display().to_string();
            files.push(Source { path, text, code });
        }
    }
}

/// Files that exist for tests alone: `#[cfg(test)] mod name;`.
fn test_modules(files: &[Source]) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for file in files {
        let folder = match file.path.strip_suffix("mod.rs") {
            Some(folder) => folder.to_owned(),
            None => format!("{}/", file.path.trim_end_matches(".rs")),
        };
        for module in file.text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.lines().nth(1)) {
            if let Some(name) = module.split("mod ").nth(1).and_then(|rest| rest.strip_suffix(';')) {
                tests.insert(format!("{folder}{name}.rs"));
            }
        }
    }
    tests
}

/// Nothing breaks the rule; otherwise every file that does is named.
#[track_caller]
fn holds(rule: &str, broken: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn a_room_uses_only_those_above_it() {
    let files = sources();
    let map = fs::read_to_string(folder().join("lib.rs")).unwrap();
    let order: Vec<&str> = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |room: &str| order.iter().position(|other| *other == room);
    let rooms: BTreeSet<&str> = files.iter().map(Source::room).filter(|room| !["lib", "main"].contains(room)).collect();
    assert_eq!(rooms, order.iter().copied().collect(), "lib.rs lists every room");
    let mut broken = BTreeSet::new();
    for file in files.iter().filter(|file| !["lib", "main"].contains(&file.room())) {
        for (used, _) in file.uses().iter().filter(|(used, _)| place(used) >= place(file.room())) {
            broken.insert(format!("{} uses `{used}`", file.path));
        }
    }
    holds("lib.rs lists the rooms in the order of their dependencies", broken);
}

/// What the other tests here rely on.
#[test]
fn a_room_is_named_by_its_whole_path() {
    let files = sources();
    let top = |file: &Source| file.path.matches('/').count() == usize::from(file.path.ends_with("/mod.rs"));
    let hides = |file: &&Source| file.names("crate::{") || top(file) && file.names("super::");
    let broken = files.iter().filter(hides).map(|file| file.path.clone());
    holds("write `crate::room::…`, one room a line", broken);
}

#[test]
fn reports_know_no_engine_and_read_the_journal_as_records_alone() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| file.room() == "report") {
        let knows = |(room, name): &(String, String)| {
            ["engine", "commands", "recorder"].contains(&room.as_str()) || room == "journal" && name != "Entry"
        };
        broken.extend(file.uses().iter().filter(|used| knows(used)).map(|used| format!("{}: {used:?}", file.path)));
    }
    holds("a report is made of records", broken);
}

#[test]
fn the_engine_knows_no_terminal_and_no_command_line() {
    let files = sources();
    let engine = files.iter().filter(|file| file.room() == "engine");
    let knows = |file: &&Source| {
        let rooms = file.uses().into_iter().any(|(room, _)| ["terminal", "cli", "commands"].contains(&room.as_str()));
        rooms || ["clap", "indicatif", "anstream", "toml::"].iter().any(|name| file.names(name))
    };
    holds("the engine tells observers only", engine.filter(knows).map(|file| file.path.clone()));
}

#[test]
fn pure_rooms_have_no_effects() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| file.is_in(&PURE) && file.path != "runbook/load.rs") {
        broken.extend(EFFECTS.iter().filter(|word| file.names(word)).map(|word| format!("{}: {word}", file.path)));
    }
    holds("these rooms read, write and wait for nothing", broken);
}

#[test]
fn ethereum_is_spoken_where_chains_are_read() {
    let files = sources();
    let speak: Vec<&Source> = files.iter().filter(|file| file.names("ethers::")).collect();
    let broken = speak.iter().filter(|file| !file.is_in(&ETHEREUM)).map(|file| file.path.clone());
    holds("`ethers` stays in the rooms that need it", broken);
    let spoken = |place: &&&str| speak.iter().any(|file| file.path.starts_with(**place));
    let unused = ETHEREUM.iter().filter(|place| !spoken(place)).map(|place| (*place).to_owned());
    holds("the list of exceptions is as small as it can be", unused);
}

#[test]
fn only_the_terminal_prints() {
    let files = sources();
    let broken = files.iter().filter(|file| file.room() != "terminal" && file.room() != "main");
    let broken = broken.filter(|file| PRINTS.iter().any(|word| file.names(word)));
    holds("data and talk go through the terminal room", broken.map(|file| file.path.clone()));
}

#[test]
fn the_environment_is_read_by_commands_alone() {
    let files = sources();
    let broken = files.iter().filter(|file| file.room() != "commands" && file.room() != "main");
    let broken = broken.filter(|file| file.names("std::env") || file.names("env::var"));
    holds("the environment is handed down", broken.map(|file| file.path.clone()));
}

#[test]
fn processes_are_started_in_one_room() {
    let files = sources();
    let broken = files.iter().filter(|file| file.room() != "process");
    let broken = broken.filter(|file| file.names("process::Command::new") || file.names("Command::new("));
    holds("children are started in the process room", broken.map(|file| file.path.clone()));
}

#[test]
fn every_module_says_what_it_is_for() {
    let broken = sources().into_iter().filter(|file| !file.text.starts_with("//! "));
    holds("a module opens with `//!`", broken.map(|file| file.path));
}

#[test]
fn nothing_signs_for_a_chain() {
    let files = sources();
    let words =
        ["eth_sendTransaction", "eth_sendRawTransaction", "personal_", "SigningKey", "LocalWallet", "sign_hash"];
    let broken = files.iter().filter(|file| words.iter().any(|word| file.names(word)));
    holds("citadel holds no keys and sends no transactions", broken.map(|file| file.path.clone()));
}

#[test]
fn the_documented_exit_codes_are_the_real_ones() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
    let text = fs::read_to_string(document).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let expected: Vec<String> =
        EXIT_CODES.iter().map(|(code, meaning, next)| format!("| {} | {meaning} | {next} |", code.number())).collect();
    assert_eq!(rows, expected);
}

/// `prevents` and `detects` are claims: each row that makes one names tests, and they are there.
#[test]
fn what_security_promises_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack |"));
    let (mut broken, mut named) = (Vec::new(), BTreeSet::new());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [attack, claim, shown] = cells[..] else { panic!("three cells: {row}") };
        let promises =
            ["prevents", "detects", "prevented"].iter().any(|word| claim.replace("does not detect", "").contains(word));
        let tests: Vec<&str> = shown.split('`').filter(|part| part.contains("::")).collect();
        if promises && tests.is_empty() {
            broken.push(format!("no test is named: {attack}"));
        }
        named.extend(tests);
    }
    let in_text = text.split('`').filter(|part| part.contains(".rs::"));
    named.extend(in_text);
    assert!(named.len() > 40, "{named:?}");
    for test in named {
        let (file, name) = test.split_once("::").unwrap();
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        // A table of tests names each at the beginning of its row.
        let is = [format!("fn {name}("), format!("\n    {name}: \"")].iter().any(|form| source.contains(form));
        if !is {
            broken.push(format!("there is no {test}"));
        }
    }
    holds("SECURITY.md names the tests of what it promises", broken);
}
