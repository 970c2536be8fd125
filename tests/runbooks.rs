//! Whole runbooks: the good ones resolve; each bad one gives exactly the words in the file beside it; broken ones never
//! crash anything.
//!
//! `UPDATE_RUNBOOKS=1 cargo test --test runbooks` writes the words anew: read every change before it is committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use citadel::error::ExitCode;
use citadel::runbook::digest::{definition, phase_digest};
use citadel::runbook::{ContractAddress, EvidenceKind, ExpectedExit, Isolation, Need, Problems, Runbook, load, parse};

const RICH: &str = "tests/runbooks/good/rich.toml";

fn folder(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("tests/runbooks").join(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn rich() -> Runbook {
    load(Path::new(RICH)).unwrap().runbook
}

#[test]
fn good_runbooks_resolve() {
    for path in folder("good") {
        if let Err(failure) = load(&path) {
            let problems = failure.source.downcast_ref::<Problems>().map(|problems| problems.render(false));
            panic!("{}:\n{}", path.display(), problems.unwrap_or(failure.to_string()));
        }
    }
}

#[test]
fn the_runbook_of_this_repository_resolves() {
    assert!(load(Path::new("runbook.toml")).is_ok(), "`citadel check` says why not");
}

#[test]
fn bad_runbooks_say_exactly_what_is_wrong() {
    let update = std::env::var_os("UPDATE_RUNBOOKS").is_some();
    let files = folder("bad");
    assert!(files.len() >= 50, "{} bad runbooks", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let failure = load(&path).expect_err(&path.display().to_string());
        assert_eq!(failure.code, ExitCode::RunbookInvalid, "{}", path.display());
        let said = failure.source.downcast_ref::<Problems>().unwrap().render(false);
        let beside = path.with_extension("txt");
        if update {
            fs::write(&beside, &said).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "other words than expected:\n\n{}", wrong.join("\n"));
}

#[test]
fn colours_change_nothing_but_colours() {
    for path in folder("bad") {
        let failure = load(&path).unwrap_err();
        let problems = failure.source.downcast_ref::<Problems>().unwrap();
        let styled = anstream::adapter::strip_str(&problems.render(true)).to_string();
        assert_eq!(styled, problems.render(false), "{}", path.display());
    }
}

#[test]
fn the_rich_runbook_means_what_it_says() {
    let runbook = rich();
    assert_eq!(runbook.networks.len(), 3);
    let local = &runbook.networks["local"];
    assert_eq!((local.chain_id, local.passed_as.as_str(), local.agree), (31_337, "anvil", 1));
    assert_eq!(local.dev_chain.as_ref().unwrap().version, "1.7.1");
    assert_eq!(runbook.networks.values().map(|network| network.accounts.len()).sum::<usize>(), 1);
    assert!(matches!(runbook.contracts["fee_pool"].address["local"], ContractAddress::DevChain(_)));
    let plan = &runbook.phases[1].steps[0];
    assert_eq!(plan.id.0, "1.plan-safe");
    assert_eq!((plan.timeout.as_secs(), plan.silence.as_millis()), (5400, 500));
    assert_eq!(plan.isolation, Some(Isolation::Pid));
    assert_eq!(runbook.phases[1].steps[1].isolation, None);
    let limits = runbook.limits;
    assert_eq!((limits.grace.as_secs(), limits.drain.as_secs()), (10, 3));
    assert_eq!(limits.run.unwrap().as_secs(), 6 * 3600);
    assert_eq!(plan.env["HARDHAT_NETWORK"].0, "{{ net }}");
    assert_eq!((plan.place.line(), plan.place.column()), (147, 1));
    let export = &runbook.phases[1].steps[2];
    assert_eq!((export.exit, export.timeout.as_secs()), (ExpectedExit::Any, 900));
    assert_eq!(export.needs, [Need::Rpc, Need::Key, Need::of("explorer")]);
    assert_eq!(serde_json::to_value(&export.needs).unwrap(), serde_json::json!(["rpc", "key", "explorer"]));
    assert_eq!(runbook.granted(local, &Need::of("explorer")), ["ETHERSCAN_API_KEY"]);
    let EvidenceKind::File(file) = &plan.evidence[0].kind else { panic!("a file") };
    assert_eq!((file.json.len(), file.keep.as_deref(), file.written), (8, Some("bundle.json"), true));
    assert_eq!(runbook.phases[1].steps[1].before[0].id, "1.look before 1");
    assert_eq!(runbook.phases[1].steps[1].before[1].id, "own-id");
    assert_eq!(runbook.contingencies[0].steps[0].id.0, "thermal-runaway.pause");
    assert!(!format!("{:?}", runbook.signers["governance"].keys[0].key).contains("comment"));
}

#[test]
fn every_phase_has_a_digest_of_its_own() {
    let runbook = rich();
    let digests: Vec<String> = runbook.phases.iter().map(|p| phase_digest(&runbook, p, &BTreeMap::new())).collect();
    assert!(digests.iter().all(|digest| digest.len() == 64));
    assert_ne!(digests[0], digests[1]);
    let definition = definition(&runbook, &runbook.phases[2]);
    assert_eq!(definition["vars"]["max_temp"]["each"]["local"], "200");
    assert!(definition["vars"].get("scope").is_none());
    assert!(definition["phase"].get("title").is_none());
}

/// Reading must end with an answer, and the answer must be printable.
fn survive(text: &str) {
    read(text).inspect_err(|problems| assert!(problems.render(false).ends_with("in `runbook.toml`\n"))).ok();
}

fn read(text: &str) -> Result<Runbook, Problems> {
    parse(text, Path::new("runbook.toml"))
}

/// Cuts a runbook at every so many bytes.
fn cut(file: &str, step: usize) {
    let text = fs::read_to_string(file).unwrap();
    for end in (0..text.len()).step_by(step).filter(|end| text.is_char_boundary(*end)) {
        // Printing takes longer than reading: some do.
        if end % 31 == 0 { survive(&text[..end]) } else { drop(read(&text[..end])) }
    }
}

#[test]
fn a_runbook_cut_anywhere_never_crashes() {
    cut("tests/runbooks/good/minimal.toml", 1);
    cut(RICH, 3);
}

/// A small generator (`SplitMix64`), so that every failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }
}

#[test]
fn a_runbook_with_flipped_bytes_never_crashes() {
    let original = fs::read(RICH).unwrap();
    for seed in 0..1000 {
        let mut random = Random(seed);
        let mut bytes = original.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        survive(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_runbook_with_moved_pieces_never_crashes() {
    let original = fs::read_to_string(RICH).unwrap();
    let lines: Vec<&str> = original.lines().collect();
    for seed in 0..500 {
        let mut random = Random(seed);
        let mut moved = lines.clone();
        for _ in 0..=random.below(6) {
            let line = moved.remove(random.below(moved.len()));
            moved.insert(random.below(moved.len()), line);
        }
        survive(&moved.join("\n"));
    }
}

#[test]
fn monsters_are_refused() {
    survive(&"[".repeat(500_000));
    survive(&"a.".repeat(200_000));
    survive(&format!("x = \"{}\"", "{{ a }}".repeat(100_000)));
    survive(&format!("x = {}", "{a=".repeat(100_000)));
    survive(&(0..20_000).map(|n| format!("key{n} = 1")).collect::<Vec<_>>().join("\n"));
    survive(&"\u{1}\u{7f}é\u{202e}\n".repeat(10_000));
}

/// The kinds of checks as the resolver lists them.
fn kinds() -> Vec<String> {
    let text = fs::read_to_string("src/runbook/resolve/check.rs").unwrap();
    let list = text.split("const KINDS: &[&str] = &[").nth(1).unwrap().split("];").next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All source of the chain room and of what judges files, as one text whose lines are joined where strings go on.
fn source_of_messages(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_of_messages(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_kind_of_check_has_its_page_and_every_message_there_is_real() {
    let kinds = kinds();
    assert!(kinds.len() >= 18, "{kinds:?}");
    let mut source = String::new();
    for folder in ["src/chain", "src/runbook/predicate", "src/engine"] {
        source_of_messages(Path::new(folder), &mut source);
    }
    let index = fs::read_to_string("docs/checks/README.md").unwrap();
    for kind in kinds {
        let page =
            fs::read_to_string(format!("docs/checks/{kind}.md")).unwrap_or_else(|_| panic!("no page for {kind}"));
        assert!(index.contains(&format!("[{kind}]({kind}.md)")), "the index lacks {kind}");
        let form = format!("{kind} = {{ ");
        for part in [format!("# `{kind}`").as_str(), "## Form", "## Reads", "## Messages", "## What to do", &form] {
            assert!(page.contains(part), "{kind} lacks {part}");
        }
        let messages = page.split("## Messages").nth(1).unwrap().split("## ").next().unwrap();
        let messages: Vec<&str> = messages.lines().filter_map(|line| line.strip_prefix("- `")).collect();
        assert!(!messages.is_empty(), "{kind} has no message");
        for part in messages.iter().flat_map(|line| line.trim_end_matches('`').split('…')) {
            let part = part.trim_matches(|c: char| c == '`' || c == ' ');
            assert!(part.len() < 4 || source.contains(part), "{kind}: no message says `{part}`");
        }
    }
}
