//! People: opening a run with a signature, signing off with the printed commands, and everything that does not count.

use std::path::{Path, PathBuf};

use citadel::event::Event;
use citadel::journal::Journal;
use citadel::secrets::Mask;
use serde_json::{Value, json};

use super::builder::{Outcome, Test};
use super::fixture::{Lease, kept, rpc};
use super::stub::{step, stub_on_chain};
use super::watchdog::Watchdog;

/// Where the stub's contract lives, and one that judges signatures.
const THING: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const WALLET: &str = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0";

/// A chain that is kept up, ann who operates, bob and cy with SSH keys, and a contract that signs for eve.
fn people() -> (Test, Watchdog) {
    let (test, watchdog) = stub_on_chain(&format!(
        "{}[[phase.step.evidence]]\nfile = \"out.json\"\nkeep = \"out.json\"\n",
        step("make", "echo 1 > out.json", "")
    ));
    let key = |who: &str, of: &str| {
        test.sh(&format!("mkdir -p ../keys && ssh-keygen -q -t {of} -N '' -C x -f ../keys/{who}"));
        let public = std::fs::read_to_string(test.root().join(format!("keys/{who}.pub"))).unwrap();
        let key = public.rsplit_once(' ').unwrap().0.to_owned();
        format!("{{ who = \"{who}\", ssh = \"{key}\" }}")
    };
    let keys = [key("ann", "ed25519"), key("bob", "ecdsa"), key("cy", "rsa")].join(", ");
    test.edit("runbook.toml", "dev_chain = { program", "operators = [\"ann\"]\ndev_chain = { program");
    test.edit("runbook.toml", "eq = 1", "ge = 1");
    let before = test.read("runbook.toml");
    test.write(
        "runbook.toml",
        format!(
            "{before}[phase.gate.sign_off]\nstatement = \"I looked at it.\"\ncovers = [\"out.json\"]\nsigners = \
             \"people\"\nthreshold = 2\nmax_age = \"24h\"\nnot_operator = true\n[signers.people]\nkey = [{keys}, {{ who \
             = \"eve\", ethereum = \"{WALLET}\" }}]\n"
        ),
    );
    (test.set("CITADEL_OPERATOR", "ann"), watchdog)
}

/// Types what was printed, from `cd` to the last signature by an SSH key, as `who` with their own key.
fn type_printed(test: &Test, outcome: &Outcome, who: &str) {
    let lines: Vec<&str> = outcome.stderr.lines().map(str::trim).collect();
    let start = lines.iter().rposition(|line| line.starts_with("cd ")).expect("commands are printed");
    let of: Vec<&str> = lines[start..].iter().take_while(|line| !line.is_empty()).copied().collect();
    let at = of.iter().position(|line| line.starts_with("ssh-keygen")).unwrap();
    let key = test.root().join("keys").join(who);
    let (path, rest) = of[at].split_once("~/.ssh/").unwrap();
    let sign = format!("{path}{}{}", key.display(), rest.split_once(' ').map_or("", |_| " \\"));
    let to = of[at + 1].rsplit_once("> ").unwrap().0;
    test.sh(&format!("{}\n{sign}\n{to}> {who}.sig", of[0]));
}

fn latest(test: &Test, folder: &str) -> PathBuf {
    let run = test.runs("stub", "local").pop().unwrap();
    let folders = std::fs::read_dir(run.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    folders.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).expect("somebody was asked")
}

/// A signature by `who` on a statement, in a file of its own.
fn signature(test: &Test, who: &str, statement: &Path) -> PathBuf {
    let (root, at) = (test.root().display(), statement.display());
    test.sh(&format!("ssh-keygen -q -Y sign -n citadel-sign-off@v1 -f {root}/keys/{who} < {at} > {root}/{who}.out"));
    test.root().join(format!("{who}.out"))
}

fn opened(test: &Test) {
    let outcome = test.citadel("run --local").code(12).says("Opening signature of ann");
    type_printed(test, &outcome, "ann");
}

fn on_chain(test: &Test, method: &str, params: &Value) {
    let file = test.state().join("stub/local/devchain/devchain.json");
    let record: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    rpc(record["url"].as_str().unwrap(), method, params);
}

#[test]
fn a_whole_run_is_signed_with_the_printed_commands() {
    let (test, _watchdog) = people();
    let outcome = test.citadel("run --local").code(12).says("Opening signature of ann").never_says("1.make");
    test.citadel("run --local").code(12).says("citadel sign-off show opening --network local");
    type_printed(&test, &outcome, "ann");
    let outcome = test.citadel("run --local").code(12).says("✔ ann operates this run").says("Sign-off of gate 1");
    let outcome = outcome.says("can sign bob, cy and eve; not ann");
    type_printed(&test, &outcome, "bob");
    let outcome = test.citadel("run --local").code(12).says("signed 1 of 2: bob");
    type_printed(&test, &outcome, "cy");
    test.citadel("run --local").code(0).says("signed by bob, cy").says("COMPLETE");
    test.citadel("sign-off verify --local").code(0).says("opening by ann verifies").says("gate 1 by cy verifies");
    test.citadel("sign-off list --local").code(0).says("gate 1 passed: 2 of 2 signed (bob and cy)");
    test.citadel("gate verify --local").code(0);
    // Nothing is believed because the journal says so: the files are verified again.
    let opening = latest(&test, "openings").join("ann.sig");
    std::fs::copy(signature(&test, "ann", Path::new("runbook.toml")), opening).unwrap();
    test.citadel("gate verify --local")
        .code(11)
        .says("`not_operator` cannot be judged: the opening signature of `ann`");
    test.citadel("sign-off verify --local").code(18).says("opening by ann does NOT verify");
}

#[test]
fn nobody_else_opens_a_run() {
    let (test, watchdog) = people();
    test.citadel("run --local --opening x").code(2).says("no opening was asked for yet");
    test.citadel("run --local").code(12);
    let statement = latest(&test, "openings").join("statement.txt");
    let forged = signature(&test, "bob", &statement).display().to_string();
    test.citadel_with(&["run", "--local", "--opening", &forged]).code(12).says("none of the declared signers has");
    test.citadel_with(&["sign-off", "add", &forged, "--local"]).code(18).says("the opening: is by the key");
    let good = signature(&test, "ann", &statement).display().to_string();
    test.citadel_with(&["run", "--local", "--opening", &good]).code(12).says("✔ ann operates this run");
    // It is good for this run alone, and for this runbook.
    test.citadel("run --local --new").code(12).says("Opening signature of ann");
    test.citadel_with(&["run", "--local", "--opening", &good]).code(12).says("does not fit the statement");
    let test = test.set("CITADEL_OPERATOR", "bob");
    // Ends the chain before the folder goes.
    let _watchdog = watchdog;
    test.citadel("run --local").code(15).says("`bob` is no operator of local: ann may open a run");
}

#[test]
fn a_changed_value_voids_what_was_signed_and_is_shown() {
    let (test, _watchdog) = people();
    opened(&test);
    test.citadel("run --local").code(12);
    let folder = latest(&test, "sign-offs");
    let early = signature(&test, "bob", &folder.join("statement.txt")).display().to_string();
    on_chain(&test, "anvil_setCode", &json!([THING, "0x600260005260206000f3"]));
    on_chain(&test, "evm_mine", &json!([]));
    let outcome = test.citadel("run --local").code(12).says("the request before it is void");
    outcome.says("check one: call passed \"1\" → call passed \"2\"");
    test.citadel_with(&["sign-off", "add", &early, "--local"]).code(18).says("signed other bytes");
    std::fs::copy(&early, latest(&test, "sign-offs").join("bob.sig")).unwrap();
    test.citadel("run --local").code(12).says("`bob.sig`: does not fit the statement");
}

#[test]
fn a_signature_is_checked_before_it_is_stored() {
    let (test, _watchdog) = people();
    opened(&test);
    test.citadel("run --local").code(12);
    let folder = latest(&test, "sign-offs");
    let statement = folder.join("statement.txt");
    let add = |who: &str| {
        let file = signature(&test, who, &statement).display().to_string();
        test.citadel_with(&["sign-off", "add", &file, "--local"])
    };
    add("ann").code(18).says("`ann` operates this run");
    add("bob").code(0).says("bob signed gate 1: 1 of 2 signed");
    add("bob").code(18).says("`bob` already signed gate 1");
    assert!(!folder.join("ann.sig").exists() && folder.join("bob.sig").exists());
    test.citadel("sign-off add runbook.toml --local").code(18).says("is not an SSH signature");
    let (at, signed) = (statement.display().to_string(), folder.join("bob.sig").display().to_string());
    // Another machine has the runbook and copies, and no run.
    let args = ["--state", "elsewhere", "sign-off", "verify", "--statement", &at, "--signature", &signed];
    test.citadel_with(&args).code(0).says("good: by bob with SHA256:");
    test.citadel_with(&["--state", "elsewhere", "sign-off", "show", &at]).code(0).says("I looked at it.");
    test.citadel("sign-off request 1 --local").code(12).says("Sign-off of gate 1");
    add("cy").code(0).says("complete");
    test.citadel("run --local").code(0).says("signed by bob, cy");
}

#[test]
fn a_clock_that_was_set_back_makes_no_request_last_longer() {
    let (test, _watchdog) = people();
    opened(&test);
    test.citadel("run --local").code(12);
    let statement = latest(&test, "sign-offs").join("statement.txt");
    let good = signature(&test, "bob", &statement).display().to_string();
    // What the journal says happened later than the expiry did: this machine's clock is behind.
    let later = |hours: i64| {
        let run = test.runs("stub", "local").pop().unwrap();
        let (mut journal, _) = Journal::open(&run.join("journal.jsonl"), &Mask::none()).unwrap();
        let time = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        journal.append(Event::AnotherTry { by: "later".into() }, time).unwrap();
    };
    later(23);
    test.citadel_with(&["sign-off", "add", &good, "--local"]).code(0).says("1 of 2 signed");
    let other = signature(&test, "cy", &statement).display().to_string();
    later(25);
    test.citadel_with(&["sign-off", "add", &other, "--local"]).code(18).says("the request expired at");
    test.citadel("gate verify --local").code(12).says("`bob.sig`: the request expired at");
    test.citadel("run --local").code(15).says("the clock was set back");
}

#[test]
fn a_contract_signs_only_with_the_magic_value() {
    let (test, _watchdog) = people();
    // Returns a word that starts with these four bytes, padded with `last`.
    let answers = |magic: &str, last: &str| {
        let word = format!("{magic}{}{last}", "0".repeat(64 - magic.len() - last.len()));
        on_chain(&test, "anvil_setCode", &json!([WALLET, format!("0x7f{word}60005260206000f3")]));
        on_chain(&test, "evm_mine", &json!([]));
    };
    opened(&test);
    test.citadel("run --local").code(12);
    let folder = latest(&test, "sign-offs");
    std::fs::copy(signature(&test, "bob", &folder.join("statement.txt")), folder.join("bob.sig")).unwrap();
    std::fs::write(folder.join("eve.sig"), "0x1234\n").unwrap();
    test.citadel("run --local").code(12).says("`eve.sig`: could not be judged").says("no code at");
    answers("ffffffff", "");
    test.citadel("run --local").code(12).says("it answers \"0xffffffff\", not 0x1626ba7e");
    answers("1626ba7e", "01");
    test.citadel("run --local").code(12).says("`eve.sig`: could not be judged");
    answers("1626ba7e", "");
    test.citadel("run --local").code(0).says("signed by bob, eve");
    test.citadel("gate verify --local").code(0);
    answers("00000000", "");
    test.citadel("gate verify --local").code(12).says("1 of 2 people signed");
}

#[test]
fn keys_are_imported_and_what_cannot_be_honoured_is_refused() {
    let (test, _watchdog) = people();
    let key = std::fs::read_to_string(test.root().join("keys/ann.pub")).unwrap();
    let key = key.rsplit_once(' ').unwrap().0;
    test.write("good", format!("ann@citadel.dev namespaces=\"citadel-sign-off@v1\" {key}\n"));
    let outcome = test.citadel("sign-off import good --group ops").code(0).says("[signers.ops]");
    assert!(outcome.stdout.contains(&format!("{{ who = \"ann@citadel.dev\", ssh = \"{key}\" }},")), "{outcome:?}");
    let check = |line: &str, expected: &str| {
        test.write("bad", format!("{line}\n"));
        let outcome = test.citadel("sign-off import bad").code(18).says(expected);
        assert_eq!(outcome.stdout, "");
    };
    check(&format!("ann@citadel.dev cert-authority {key}"), "line 1: `cert-authority` is not honoured");
    check(&format!("ann@citadel.dev namespaces=\"git\" {key}"), "line 1: its `namespaces` do not allow");
    check(&format!("ann@citadel.dev valid-before=\"20990101Z\" {key}"), "`valid-before` are not honoured");
    check(&format!("ann@citadel.dev valid-before=\"20200101Z\" {key}"), "line 1: expired at 2020-01-01");
    check(&format!("*@citadel.dev {key}"), "`*@citadel.dev` is a pattern, not a person");
    check("ann@citadel.dev ssh-ed25519 cGxhY2Vob2xkZXI=", "line 1: the `ssh-ed25519` key is base64 of");
    check("# nobody", "no line names a key");
}

/// The owners of the practice Safe, in the order that it lists them.
fn owners(kept: &Lease) -> Vec<String> {
    let call = json!([{ "to": kept.address("GovernanceSafe"), "data": "0xa0e67e2b" }, "latest"]);
    let answer = kept.rpc("eth_call", &call);
    let words = answer.as_str().unwrap().as_bytes()[2..].chunks(64).skip(2);
    let addresses = words.map(|word| format!("0x{}", std::str::from_utf8(&word[24..]).unwrap()));
    addresses.map(|address| citadel::chain::checksum(address.parse().unwrap())).collect()
}

#[test]
fn the_owners_of_a_safe_sign_and_a_removed_one_does_not() {
    let kept = kept();
    let owners = owners(&kept);
    let named = |number: usize| format!("{{ who = \"owner-{number}\", ethereum = \"{}\" }}", owners[number]);
    let group = format!("safe_owners = \"governance_safe\"\nkey = [{}, {}]", named(0), named(1));
    kept.edit("runbook.toml", "key = []\ndev_chain = \"governance\"", &group);
    // An exchanged owner closes the gate before anybody is asked, where the runbook declares the owners.
    let declared = ", owners = { set_eq = [\"{{ var.owner_1 }}\", \"{{ var.owner_2 }}\", \"{{ var.owner_3 }}\"] }";
    kept.edit("runbook.toml", declared, "");
    let folder = || {
        let run = kept.run().join("sign-offs");
        let folders = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
        folders.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
    };
    // As a wallet would: the chain's own node holds these keys.
    let sign = |number: usize| {
        let typed: Value = serde_json::from_slice(&std::fs::read(folder().join("statement.json")).unwrap()).unwrap();
        let signature = kept.rpc("eth_signTypedData_v4", &json!([owners[number], typed]));
        std::fs::write(folder().join(format!("owner-{number}.sig")), signature.as_str().unwrap()).unwrap();
    };
    let outcome = kept.citadel("run --local --phase 1").code(12);
    outcome.says("Sign-off of gate 1").says("owner-0").says(&format!("not {}", owners[2]));
    sign(0);
    sign(2);
    let outcome = kept.citadel("run --local --phase 1").code(12).says("1 of 2 people signed");
    outcome.says(&format!("nobody declared who `{}` is", owners[2]));
    // The Safe puts another in the place of an owner who has signed: what was asked for is void, and they cannot sign again.
    let safe = kept.address("GovernanceSafe");
    let words = ["1", &owners[0][2..], &WALLET[2..]].map(|word| format!("{word:0>64}")).concat();
    kept.rpc("anvil_impersonateAccount", &json!([safe]));
    kept.rpc("anvil_setBalance", &json!([safe, "0xde0b6b3a7640000"]));
    let call = json!([{ "from": safe, "to": safe, "data": format!("0xe318b52b{words}"), "gas": "0x7a120" }]);
    kept.rpc("eth_sendTransaction", &call);
    kept.rpc("anvil_stopImpersonatingAccount", &json!([safe]));
    kept.rpc("evm_mine", &json!([]));
    assert_eq!(self::owners(&kept)[1..], owners[1..]);
    assert_ne!(self::owners(&kept)[0], owners[0]);
    let outcome = kept.citadel("run --local --phase 1").code(12).says("the request before it is void");
    outcome.says("check signers governance: `owners[").says("0 of 2 people signed");
    sign(0);
    kept.citadel("run --local --phase 1").code(12).says("which none of the declared signers has");
}

#[test]
fn what_ethers_signs_is_accepted_and_what_we_ask_for_ethers_accepts() {
    let kept = kept();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures");
    let script = "const { Wallet, verifyTypedData, id } = require('ethers'); const fs = require('node:fs');
        const d = JSON.parse(fs.readFileSync(process.env.AT + '/statement.json')); delete d.types.EIP712Domain;
        const told = fs.readFileSync(process.env.AT + '/cast.sig', 'utf8').trim();
        console.log(verifyTypedData(d.domain, d.types, d.message, told));
        new Wallet(id('citadel test signer 2')).signTypedData(d.domain, d.types, d.message).then(console.log);";
    kept.write("practice/ethers.js", script);
    let told = kept.sh(&format!("cd practice && AT='{}' node ethers.js; rm ethers.js", folder.display()));
    let told: Vec<&str> = told.split_whitespace().collect();
    assert_eq!(told[0], "0xf620791667c44205EDff74220F7F88F12A5f36aB");
    assert_eq!(told[1], std::fs::read_to_string(folder.join("ethers.sig")).unwrap().trim());
}

/// Foundry's `cast`, as npm has it.
const CAST: &str = "npm exec --yes --package @foundry-rs/cast@1.7.1 -- cast";

#[test]
fn what_cast_signs_with_the_printed_command_is_accepted_and_cast_verifies_it() {
    let (test, _watchdog) = people();
    let ask = |script: &str| test.sh(script).trim().to_owned();
    let key = format!("0x{}", "5e".repeat(32));
    let account = ask(&format!("{CAST} wallet address --private-key {key}"));
    let account = account.lines().find(|line| line.starts_with("0x")).unwrap();
    test.edit("runbook.toml", &format!("ethereum = \"{WALLET}\""), &format!("ethereum = \"{account}\""));
    opened(&test);
    let outcome = test.citadel("run --local").code(12);
    let folder = latest(&test, "sign-offs");
    let printed = std::fs::read_to_string(folder.join("how-to-sign.txt")).unwrap();
    let line = printed.lines().find(|line| line.contains("cast wallet sign")).unwrap_or_else(|| panic!("{printed}"));
    let command = line.trim().replace("--ledger", &format!("--private-key {key}")).replacen("cast", CAST, 1);
    test.sh(&format!("cd {} && {command}", folder.display()));
    let signature = std::fs::read_to_string(folder.join("eve.sig")).unwrap();
    let (signature, data) = (signature.trim(), folder.join("statement.json"));
    let verify = |signature: &str| {
        let script =
            format!("{CAST} wallet verify --data --from-file --address {account} {} {signature} 2>&1", data.display());
        test.sh(&format!("{script} || true"))
    };
    assert!(verify(signature).contains("Validation succeeded"), "{}", verify(signature));
    let wrong = signature.replacen(&signature[4..6], if &signature[4..6] == "00" { "01" } else { "00" }, 1);
    assert!(!verify(&wrong).contains("Validation succeeded"));
    type_printed(&test, &outcome, "bob");
    test.citadel("run --local").code(0).says("signed by bob, eve");
}
