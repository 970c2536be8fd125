//! `gate verify` of a complete run on a kept chain, in every form, and without a run.

use citadel::devchain::Record;
use serde_json::Value;

use super::fixture::kept;

#[test]
fn a_complete_run_passes_for_people() {
    let kept = kept();
    let outcome = kept.citadel("gate verify --network local").code(0);
    for gate in 0..5 {
        assert!(outcome.stdout.contains(&format!("Gate {gate}  PASSED")), "{}", outcome.stdout);
    }
    assert_eq!(outcome.stderr, "");
    outcome.says("signed by signer-1, signer-2").says("`safe-tx.json` is `bundle.json`");
    kept.citadel("gate verify --network local --phase 1..2").code(0).never_says("Gate 3").says("Gate 2 PASSED");
    kept.citadel("gate verify 4").code(0).never_says("Gate 3").says("Gate 4 PASSED");
}

#[test]
fn a_complete_run_passes_for_programs() {
    let outcome = kept().citadel("gate verify --network local --format json").code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&answer["format"], &answer["verdict"]), (&Value::from(1), &Value::from("passed")));
    let gates = answer["gates"].as_array().unwrap();
    assert_eq!(gates.len(), 5);
    for gate in gates {
        let results = gate["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["verdict"] == "passed"), "{gate}");
        for invariant in ["not-paused", "brake-works", "governed"] {
            assert!(results.iter().any(|result| result["id"] == invariant), "{invariant} at {}", gate["id"]);
        }
        let hash = gate["block"]["hash"].as_str().unwrap();
        assert!(hash.starts_with("0x") && hash.len() == 66, "{hash}");
    }
}

#[test]
fn a_complete_run_passes_for_ci() {
    let outcome = kept().citadel("gate verify --network local --format junit").code(0);
    let suites = junit(&outcome.stdout);
    assert_eq!(suites.len(), 5);
    assert!(suites.iter().all(|suite| suite.failures + suite.errors + suite.skipped == 0 && suite.tests >= 3));
}

#[test]
fn ci_sees_what_failed() {
    let kept = kept();
    kept.act("pause FeePool");
    let outcome = kept.citadel("gate verify 2 --network local --format junit").code(10);
    let suites = junit(&outcome.stdout);
    assert!(suites.len() == 1 && suites[0].failures == 2 && suites[0].errors == 0, "{}", outcome.stdout);
    kept.act("unpause FeePool");
    kept.act("bool-two FeePool");
    let outcome = kept.citadel("gate verify 2 --network local --format junit").code(11);
    let suites = junit(&outcome.stdout);
    assert!(suites[0].failures == 0 && suites[0].errors == 2, "{}", outcome.stdout);
}

#[test]
fn without_a_run_the_chain_alone_is_judged() {
    let kept = kept();
    let state = kept.root().join("chain-alone");
    let from = kept.state().join("astral-citadel/local/devchain/devchain.json");
    let to = state.join("astral-citadel/local/devchain/devchain.json");
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(from, &to).unwrap();
    let record: Record = serde_json::from_slice(&std::fs::read(&to).unwrap()).unwrap();
    assert_eq!(record.url, kept.url());
    let at = state.display().to_string();
    let outcome = kept.citadel(&format!("gate verify --local --state {at}")).code(0);
    let outcome = outcome.says("no run: the chain checks alone were judged; steps and sign-offs were not");
    outcome.never_says("✔ sign-off").never_says("step 3.mission");
    let outcome = kept.citadel(&format!("gate verify --local --state {at} --format json")).code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(answer["note"].as_str().unwrap().starts_with("no run"), "{}", answer["note"]);
    kept.act("pause FeePool");
    kept.citadel(&format!("gate verify --local --state {at}")).code(10).says("`feePool`");
    std::fs::remove_dir_all(&state).unwrap();
    let outcome = kept.citadel(&format!("gate verify --local --state {at}")).code(11);
    outcome.says("citadel devchain up");
    assert!(!state.exists(), "judging wrote to the state folder");
}

/// A suite of a `JUnit` file, counted by its own cases.
#[derive(Debug, Default)]
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

/// Reads `JUnit` and refuses what a CI server would: other elements, missing names, counts that do not add up.
fn junit(text: &str) -> Vec<Suite> {
    let document = roxmltree::Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    assert!(root.attribute("name").is_some_and(|name| !name.is_empty()));
    let suites: Vec<Suite> = elements(root).map(suite).collect();
    let total = suites.iter().fold(Suite::default(), |total, suite| Suite {
        tests: total.tests + suite.tests,
        failures: total.failures + suite.failures,
        errors: total.errors + suite.errors,
        skipped: total.skipped + suite.skipped,
    });
    assert_counts(root, &total);
    suites
}

fn suite(node: roxmltree::Node<'_, '_>) -> Suite {
    assert_eq!(node.tag_name().name(), "testsuite");
    assert!(node.attribute("name").is_some_and(|name| !name.is_empty()));
    let mut suite = Suite::default();
    for case in elements(node).filter(|node| node.tag_name().name() != "properties") {
        assert_eq!(case.tag_name().name(), "testcase");
        assert!(["name", "classname"].iter().all(|key| case.attribute(*key).is_some_and(|value| !value.is_empty())));
        suite.tests += 1;
        for answer in elements(case) {
            match answer.tag_name().name() {
                "failure" => suite.failures += 1,
                "error" => suite.errors += 1,
                "skipped" => suite.skipped += 1,
                "system-out" | "system-err" | "properties" => continue,
                other => panic!("<{other}> in a test case"),
            }
            assert!(answer.attribute("message").is_some_and(|message| !message.is_empty()), "an answer says nothing");
        }
    }
    assert_counts(node, &suite);
    suite
}

fn assert_counts(node: roxmltree::Node<'_, '_>, counted: &Suite) {
    let told = |key: &str| node.attribute(key).and_then(|value| value.parse::<usize>().ok());
    assert_eq!(told("tests"), Some(counted.tests));
    assert_eq!(told("failures"), Some(counted.failures));
    assert_eq!(told("errors"), Some(counted.errors));
    assert!(told("skipped").is_none_or(|skipped| skipped == counted.skipped));
}

fn elements<'a, 'b>(node: roxmltree::Node<'a, 'b>) -> impl Iterator<Item = roxmltree::Node<'a, 'b>> {
    node.children().filter(roxmltree::Node::is_element)
}
