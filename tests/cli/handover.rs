//! Two operators with a state folder and a checkout each: a run goes from one to the other and back, and never has two
//! writers.

use std::path::{Path, PathBuf};

use citadel::digest::sha256;
use serde_json::{Value, json};

use super::builder::{Outcome, Test};
use super::fixture::rpc;
use super::stub::{phase, step, stub_on_chain};
use super::watchdog::Watchdog;

const THING: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

/// ann's checkout and state are the test's own, bob's are beside them.
struct Two {
    /// First, so that the chain ends before the folder goes.
    _watchdog: Watchdog,
    test: Test,
    url: String,
}

impl Two {
    fn new() -> Self {
        let keep = "[[phase.step.evidence]]\nfile = \"out.json\"\nkeep = \"out.json\"\n";
        let (test, watchdog) = stub_on_chain(&format!("{}{keep}", step("make", "echo 1 > out.json", "")));
        let record = std::fs::read(test.state().join("stub/local/devchain/devchain.json")).unwrap();
        let url = serde_json::from_slice::<Value>(&record).unwrap()["url"].as_str().unwrap().to_owned();
        let test = test.set("TEST_RPC_URL", &url);
        let key = |who: &str| {
            test.sh(&format!("mkdir -p ../keys && ssh-keygen -q -t ed25519 -N '' -C x -f ../keys/{who}"));
            let public = std::fs::read_to_string(test.root().join(format!("keys/{who}.pub"))).unwrap();
            format!("{{ who = \"{who}\", ssh = \"{}\" }}", public.rsplit_once(' ').unwrap().0)
        };
        let keys = ["ann", "bob", "cy"].map(key).join(", ");
        let operators = "chain_id = 31337\nblock = \"latest\"\noperators = [\"ann\", \"bob\"]";
        test.edit("runbook.toml", "chain_id = 5", operators);
        test.edit("runbook.toml", "address = {", &format!("address = {{ test = \"{THING}\","));
        let signed = "[phase.gate.sign_off]\nstatement = \"I looked.\"\ncovers = [\"out.json\"]\nsigners = \"people\"\n\
                      threshold = 1\nmax_age = \"24h\"\nnot_operator = true\n";
        let deliverable = "[[deliverable]]\nid = \"out\"\ntitle = \"Out\"\npath = \"out.json\"\nof = [\"out.json\"]\n";
        let second = phase("2", &step("end", "true", ""));
        let before = test.read("runbook.toml");
        let more = format!("{signed}{second}{deliverable}[signers.people]\nkey = [{keys}]\n");
        test.write("runbook.toml", format!("{before}{more}"));
        test.sh("cp -r . ../bob");
        Self { test, url, _watchdog: watchdog }
    }

    fn ann(&self, args: &str) -> Outcome {
        self.test.citadel_as("ann", &args.split_whitespace().collect::<Vec<_>>())
    }

    fn bob(&self, args: &str) -> Outcome {
        self.as_at("bob", args)
    }

    /// Somebody at bob's machine.
    fn as_at(&self, who: &str, args: &str) -> Outcome {
        let rest = args.split_whitespace();
        let all = ["--state", "../state-of-bob", "-f", "../bob/runbook.toml"].into_iter().chain(rest);
        let all: Vec<&str> = all.collect();
        self.test.citadel_as(who, &all)
    }

    fn run_of(&self, who: &str) -> PathBuf {
        let state = if who == "ann" { "state" } else { "state-of-bob" };
        let home = citadel::journal::Home::new(&self.test.root().join(state), "stub", "test");
        home.run(home.runs().unwrap().last().unwrap()).path().to_owned()
    }

    /// Signs what was asked for last, in the run of `at`.
    fn sign(&self, at: &str, folder: &str, who: &str) {
        let folders = std::fs::read_dir(self.run_of(at).join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let last = folders.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap();
        let (key, at) = (self.test.root().join("keys").join(who), last.display());
        let sign = format!("ssh-keygen -q -Y sign -n citadel-sign-off@v1 -f {}", key.display());
        self.test.sh(&format!("cd {at} && {sign} < statement.txt > {who}.sig"));
    }

    /// ann opens a run and brings it behind gate 1.
    fn half(&self) {
        self.ann("run --network test --phase 1").code(12).says("Opening signature of ann");
        self.sign("ann", "openings", "ann");
        self.ann("run --network test --phase 1").code(12).says("Sign-off of gate 1");
        self.sign("ann", "sign-offs", "cy");
        self.ann("run --network test --phase 1").code(0).says("signed by cy");
    }

    fn handed_over(&self) -> PathBuf {
        self.half();
        self.ann("handover --to bob --network test --out ../box").code(0).says("is handed over to bob");
        self.test.root().join("box")
    }

    fn take(&self) -> Outcome {
        self.bob("take ../box --workspace ../bob")
    }

    fn bob_has_nothing(&self) {
        let home = citadel::journal::Home::new(&self.test.root().join("state-of-bob"), "stub", "test");
        assert!(home.runs().unwrap().is_empty());
    }
}

#[test]
fn a_run_that_holds_a_secret_is_not_handed_over() {
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIKh3vUu9Zr2T0q8mXoW4nJ5bLxYc7dGfEaHsRtPyQw1ZoAoGCCqGSM49";
    let test = super::stub::stub(&step("leak", "cat key.pem; exit 1", ""));
    test.write("key.pem", key);
    test.citadel("run --network test").code(19);
    let refused = test.citadel("handover --to bob --network test --out ../box").code(19);
    refused.says("logs/1.leak.1.log` holds a PEM private key").says("nothing of this run must be passed on");
    assert!(!test.root().join("box").exists(), "nothing leaves");
    let last = test.journal("stub", "test").pop().unwrap().event;
    assert!(!matches!(last, citadel::event::Event::HandedOver { .. }), "{last:?}");
}

#[test]
fn a_run_goes_to_another_operator_and_back() {
    let two = Two::new();
    two.handed_over();
    two.ann("run --network test").code(16).says("was handed over to bob after record").says("nothing was started");
    two.ann("sign-off add ../keys/cy.pub --network test").code(16).says("was handed over to bob");
    two.ann("step complete make --evidence x --network test").code(2);
    two.ann("decide make --happened --reason x --network test").code(16).says("was handed over to bob");
    two.ann("handover --to cy --network test").code(2).says("`cy` is no operator of test");
    two.ann("status --network test").says("handed over to bob").says("bob goes on with it");
    two.as_at("cy", "take ../box --workspace ../bob").code(15).says("handed over to bob, and you are cy");
    two.bob_has_nothing();
    two.take().code(0).says("taken over from ann").says("passed again by the endpoints of this machine: gate 1");
    // bob proves who he is, as everybody who goes on with a run.
    two.bob("run --network test --workspace ../bob").code(12).says("Opening signature of bob");
    two.sign("bob", "openings", "bob");
    two.bob("run --network test --workspace ../bob").code(0).says("2 of 2").says("COMPLETE");
    two.bob("sign-off verify --network test").code(0).says("opening by ann verifies").says("opening by bob verifies");
    // What each of them holds is consistent for a stranger, and so is what leaves.
    for who in ["ann", "bob"] {
        two.as_at("cy", &format!("verify {}", two.run_of(who).display())).code(0).says("CONSISTENT");
    }
    // What must not leave is what stands in bob's `.env`.
    let head = citadel::journal::read(&two.run_of("bob").join("journal.jsonl")).unwrap().entries.pop().unwrap().hash;
    two.test.write("../bob/.env", format!("RELEASE_TOKEN={head}\n"));
    two.bob("export --network test --to ../out").code(19).says("RELEASE_TOKEN");
    two.test.sh("rm ../bob/.env");
    two.bob("export --network test --to ../out").code(0);
    let told = two.as_at("cy", &format!("verify {}", two.test.root().join("out").display())).code(0);
    told.says("CONSISTENT  every gate passed").says("`cy` signed at gate");
    let report = std::fs::read_to_string(two.test.root().join("bob/reports/test/citadel-report.md")).unwrap();
    assert!(
        report.contains("- **Handed over** by ann to bob at ") && report.contains("passed again there: 1 at"),
        "{report}"
    );
    // The first still holds a copy that ends with the handover, and so does the box.
    two.ann("run --network test").code(16);
    two.take().code(17).says("this is a stale copy").says("here record").says("offered record");
    two.bob("handover --to ann --network test --out ../back").code(0);
    two.bob("run --network test --workspace ../bob").code(16).says("was handed over to ann");
    two.ann("take ../box").code(15).says("handed over to bob, and you are ann");
    two.ann("take ../back").code(0).says("passed again by the endpoints of this machine: gate 1, gate 2");
    two.ann("gate verify --network test").code(0);
    two.ann("take ../back").code(17).says("this is a stale copy");
}

#[test]
fn a_run_that_went_on_in_two_places_is_refused_with_both_heads() {
    let two = Two::new();
    two.half();
    two.test.sh("cp -r ../state ../backup");
    two.ann("handover --to bob --network test --out ../box").code(0);
    two.take().code(0);
    // ann puts back what she had before, and goes on with it; bob goes on with the run.
    two.test.sh("rm -rf ../state/stub/test && cp -r ../backup/stub/test ../state/stub/");
    two.ann("run --network test").code(0).says("2 of 2");
    two.bob("run --network test --workspace ../bob").code(12);
    let head =
        |who: &str| citadel::journal::read(&two.run_of(who).join("journal.jsonl")).unwrap().entries.pop().unwrap();
    two.bob("handover --to ann --network test --out ../back").code(0);
    let (here, there) = (head("ann"), head("bob"));
    let outcome = two.ann("take ../back").code(18).says("went on in two places: its journals part");
    outcome.says(&here.hash).says(&there.hash).says("the same up to record");
    assert_eq!(head("ann").hash, here.hash);
}

#[test]
fn what_was_changed_on_the_way_is_not_imported() {
    let two = Two::new();
    let folder = two.handed_over();
    let names = |path: &str| {
        let entries = std::fs::read_dir(folder.join(path)).unwrap().map(|entry| entry.unwrap().path());
        entries.max().unwrap()
    };
    let opening = names("run/openings").join("ann.sig");
    let check = |file: &Path, bytes: &[u8], expected: &str| {
        let (before, manifest) = (std::fs::read(file).unwrap(), std::fs::read(folder.join("handover.json")).unwrap());
        std::fs::write(file, bytes).unwrap();
        two.take().code(18).says("is not what was handed over");
        // Whoever changes it can change the list as well; the journal still knows.
        let mut list: Value = serde_json::from_slice(&manifest).unwrap();
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        list["files"][name] = json!(sha256(bytes));
        std::fs::write(folder.join("handover.json"), list.to_string()).unwrap();
        two.take().code(18).says(expected);
        std::fs::write(file, before).unwrap();
        std::fs::write(folder.join("handover.json"), manifest).unwrap();
        two.bob_has_nothing();
    };
    check(&names("run/artefacts"), b"2\n", "its SHA-256 is");
    check(&names("run/gates"), b"{}", "its SHA-256 is");
    check(&opening, b"no", "opening by ann: is not an SSH signature");
    let journal = folder.join("run/journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    check(&journal, text.replacen("\"ann\"", "\"eve\"", 1).as_bytes(), "is broken: line 1");
    let cut = text.trim_end().rfind('\n').unwrap() + 1;
    check(&journal, &text.as_bytes()[..cut], "does not end with the handover to bob");
    std::fs::write(folder.join("run/more"), "x").unwrap();
    two.take().code(18).says("`run/more` is not listed");
    std::fs::remove_file(folder.join("run/more")).unwrap();
    two.take().code(0);
}

#[test]
fn the_second_operator_believes_their_own_endpoints_and_checkout() {
    let two = Two::new();
    two.handed_over();
    let set = |code: &str| {
        rpc(&two.url, "anvil_setCode", &json!([THING, code]));
        rpc(&two.url, "evm_mine", &json!([]));
    };
    set("0x600260005260206000f3");
    two.take().code(10).says("gate 1 had passed, and is failed by the endpoints of this machine");
    two.bob_has_nothing();
    set("0x600160005260206000f3");
    two.test.sh("sed -i 's/echo 1/echo 2/' ../bob/runbook.toml");
    two.take().code(17).says("step 1.make `definition.action.run.argv[2]`").says("runbook ");
    two.test.sh("sed -i 's/echo 2/echo 1/' ../bob/runbook.toml");
    two.bob_has_nothing();
    two.take().code(0);
}
