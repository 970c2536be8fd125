//! What a phase means, as canonical JSON and its SHA-256: what was rehearsed or approved is what runs.
//!
//! Without titles, comments, places, key order and time limits; templates stay open, so that a rehearsal on one network
//! has the digest of the real thing on another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Contract, Network, Phase, Runbook, Step, StepId, template};

/// SHA-256, in lowercase hex, of the phase's definition and of the scripts that its steps run: the bodies of npm
/// scripts and the recipes of make targets, as the caller read them.
pub fn phase_digest(runbook: &Runbook, phase: &Phase, scripts: &BTreeMap<StepId, String>) -> String {
    of_phase(runbook, phase, scripts).0
}

/// The same, and what of the definition is not its steps', which are kept by digests of their own.
pub fn of_phase(runbook: &Runbook, phase: &Phase, scripts: &BTreeMap<StepId, String>) -> (String, Value) {
    let own: BTreeMap<&str, &String> =
        phase.steps.iter().filter_map(|step| Some((step.id.0.as_str(), scripts.get(&step.id)?))).collect();
    let mut whole = object([("definition", definition(runbook, phase)), ("scripts", value(&own))]);
    let digest = sha256(&whole);
    (digest, less_steps(whole["definition"].take()))
}

/// What of a phase's definition is not its steps'.
pub fn without_steps(runbook: &Runbook, phase: &Phase) -> Value {
    less_steps(definition(runbook, phase))
}

fn less_steps(mut definition: Value) -> Value {
    if let Some(phase) = definition["phase"].as_object_mut() {
        phase.remove("steps");
    }
    definition
}

/// One step's definition and the script that it runs.
pub fn step_definition(step: &Step, script: Option<&str>) -> Value {
    object([("definition", value(step)), ("script", value(&script))])
}

/// The same with its digest before it.
pub fn of_step(step: &Step, script: Option<&str>) -> (String, Value) {
    let definition = step_definition(step, script);
    (of_definition(&definition), definition)
}

/// SHA-256, in lowercase hex, of a definition.
pub fn of_definition(definition: &Value) -> String {
    sha256(definition)
}

/// What differs between two definitions, one line a field: `place: before → after`.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(at: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let of = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
                compare(&format!("{at}.{key}"), &of(old), &of(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{at}[{index}]"), old, new, found);
            }
        }
        _ if before == after => {}
        (Value::Null, Value::Object(_)) => found.push(format!("`{}` is new", at.trim_start_matches('.'))),
        (Value::Object(_), Value::Null) => found.push(format!("`{}` is gone", at.trim_start_matches('.'))),
        _ => found.push(format!("`{}`: {before} → {after}", at.trim_start_matches('.'))),
    }
}

fn sha256(of: &Value) -> String {
    format!("{:x}", Sha256::digest(serde_json::to_vec(of).unwrap_or_default()))
}

/// What the digest covers but the scripts, so that two definitions can be compared field by field.
///
/// Keys are sorted, so equal meanings are equal texts.
pub fn definition(runbook: &Runbook, phase: &Phase) -> Value {
    let phase_value = value(phase);
    let mut used = BTreeSet::new();
    holes(&phase_value, &mut used);
    let vars = runbook.vars.iter().filter(|(name, _)| used.contains(&format!("var.{name}")));
    let vars: BTreeMap<_, _> = vars.map(|(name, var)| (name, value(var))).collect();
    let group = phase.gate.sign_off.as_ref().and_then(|sign_off| runbook.signers.get(&sign_off.signers));
    let contracts = runbook.contracts.iter().map(|(name, of)| (name, contract(of))).collect::<BTreeMap<_, _>>();
    let networks = runbook.networks.iter().map(|(name, of)| (name, network(of))).collect::<BTreeMap<_, _>>();
    object([
        ("phase", phase_value),
        ("invariants", value(&runbook.invariants)),
        ("contracts", value(&contracts)),
        ("networks", value(&networks)),
        ("path", value(&runbook.workspace.path)),
        ("signers", value(&group)),
        ("vars", value(&vars)),
    ])
}

/// An object of values that are moved into it: of a long phase, a copy takes as long as all the rest.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn contract(contract: &Contract) -> Value {
    let mut digested = json!({ "kind": value(&contract.kind), "address": value(&contract.address) });
    if !contract.settlers.is_empty() {
        digested["settlers"] = value(&contract.settlers);
    }
    digested
}

/// Which chain it is, and how gates read it; not where the endpoints are or who may open a run.
fn network(network: &Network) -> Value {
    json!({
        "chain_id": network.chain_id,
        "genesis": network.genesis,
        "passed_as": network.passed_as,
        "agree": network.agree,
        "block": value(&network.block),
    })
}

fn value<T: serde::Serialize>(of: &T) -> Value {
    // Plain data with text keys: nothing in it can fail to become JSON.
    serde_json::to_value(of).unwrap_or_default()
}

/// The names of all holes in the texts of a phase.
pub fn holes_of(phase: &Phase) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    holes(&value(&phase.gate), &mut found);
    // One step after the other: all of a long phase as JSON takes much memory.
    phase.steps.iter().for_each(|step| holes(&value(step), &mut found));
    found
}

/// Adds the names of all holes in the texts of a value.
fn holes(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(template::names(text).map(str::to_owned)),
        Value::Array(list) => list.iter().for_each(|value| holes(value, found)),
        Value::Object(object) => object.values().for_each(|value| holes(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve::tests::MINIMAL;
    use super::*;

    const STEP: &str = r#"
[[phase.step]]
id = "emit"
title = "Emit"
npm = "emit"
args = ["--network", "{{ net }}", "{{ var.used }}"]
timeout = "5m"
env = { B = "2", A = "1" }
[phase.gate]
title = "Gate"
sign_off = { statement = "seen", covers = [], signers = "people", threshold = 1, max_age = "24h" }
[signers.people]
dev_chain = "people"
[var]
used = "a"
unused = "b"
"#;

    fn digest(text: &str, script: &str) -> String {
        let runbook = super::super::parse(text, std::path::Path::new("runbook.toml"));
        let runbook = runbook.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let scripts = [(StepId::new("1", "emit"), script.to_owned()), (StepId::new("9", "x"), script.to_owned())];
        phase_digest(&runbook, &runbook.phases[0], &scripts.into())
    }

    /// The runbook of these tests: the minimal one, its gate exchanged.
    fn base() -> String {
        format!("{}{STEP}", MINIMAL.split("[phase.gate]").next().unwrap())
    }

    #[track_caller]
    fn check(from: &str, to: &str, same: bool) {
        let text = base();
        assert!(text.contains(from), "{from}");
        let equal = digest(&text, "s") == digest(&text.replacen(from, to, 1), "s");
        assert_eq!(equal, same, "`{from}` to `{to}`");
    }

    #[test]
    fn what_does_not_matter_does_not_change_the_digest() {
        check("title = \"Emit\"", "title = \"Another\" # comment", true);
        check("title = \"Gate\"", "title = \"Another\"", true);
        check("timeout = \"5m\"", "timeout = \"6m\"", true);
        check("B = \"2\", A = \"1\"", "A = \"1\", B = \"2\"", true);
        check("unused = \"b\"", "unused = \"c\"", true);
        check("npm = \"emit\"\n", "idempotent = false\nnpm = \"emit\"\n", true);
        check("[[phase]]", "\n\n[[phase]]", true);
    }

    #[test]
    fn what_matters_does() {
        check("--network", "--net", false);
        check("used = \"a\"", "used = \"x\"", false);
        check("threshold = 1", "threshold = 2", false);
        check("npm = \"emit\"", "npm = \"emit2\"", false);
        check("max_age = \"24h\"", "max_age = \"25h\"", false);
        check("chain_id = 1", "chain_id = 2", false);
        check("dev_chain = \"people\"", "dev_chain = \"others\"", false);
        check("title = \"Emit\"", "title = \"Emit\"\neffects = \"files\"", false);
        check(
            "[var]",
            "[[invariant]]\nid = \"a\"\njson = { file = \"x\", rules = [{ at = \"$\", eq = 1 }] }\n[var]",
            false,
        );
        check("[var]", "[contract.c]\nkind = \"plain\"\naddress = {}\n[var]", false);
    }

    #[test]
    fn scripts_of_the_phase_count() {
        assert_ne!(digest(&base(), "s"), digest(&base(), "t"));
        assert_eq!(digest(&base(), "s").len(), 64);
    }
}
