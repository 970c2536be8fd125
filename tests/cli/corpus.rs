//! A corpus of secrets through everything that citadel writes and shows, looked for by other code than citadel's own; and
//! real outputs of the real commands, in which nothing is taken for a secret.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use citadel::secrets::{Mask, Secret, hide, shapes};

use super::builder::Test;
use super::pseudo_terminal::shown;
use super::stub::Pipe;

const PEM: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKh3vUu9Zr2T0q8mXoW4nJ5bLxYc7dGfEaHsRtPyQw1ZoAoGCCqGSM49
AwEHoUQDQgAEx7LqVb3mKt9PzRfWnYcJ2sHdGu6oEiXa4TkM8vQrB5lZyN1jUwCp
-----END EC PRIVATE KEY-----";

/// A name, its value, and the parts of it that must not be seen either.
const SECRETS: [(&str, &str, &[&str]); 9] = [
    (
        "CORPUS_HEX",
        "0x7d1f0a93c45be86237ab94d05ef1c68a2b3970de41f5862c9ab7e03d18c4f56a",
        &["7d1f0a93c45be86237ab94d05ef1c68a2b3970de41f5862c9ab7e03d18c4f56a"],
    ),
    (
        "CORPUS_BARE",
        "E4A90B6C72D35F18C0E7A2946B8D51F3097EC4AB62D8F13507B9EC4A86D2F1B3",
        &["e4a90b6c72d35f18c0e7a2946b8d51f3097ec4ab62d8f13507b9ec4a86d2f1b3"],
    ),
    ("CORPUS_PEM", PEM, &["MHcCAQEEIKh3vUu9Zr2T0q8mXoW4nJ5bLxYc7dGfEaHsRtPyQw1ZoAoGCCqGSM49"]),
    ("CORPUS_WORD", r#"p@ss/w+rd "quoted" \back & 100% ~(it's) 7!*"#, &[]),
    ("CORPUS_JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjb3JwdXMifQ.c2lnbmF0dXJlLW9mLXRoZS1jb3JwdXM", &[]),
    ("CORPUS_LEFT", "left8Q2zshared5Kx", &[]),
    ("CORPUS_RIGHT", "shared5Kxright9Wp", &[]),
    ("CORPUS_SHORT", "Zq83hL", &[]),
    ("CORPUS_UMLAUT", "früh & spät <in Köln> 22", &[]),
];

const URL: &str = "https://ops:hunter2%40correct-horse@rpc.test.invalid/v2/Kw93hLxP0sBk71TbVyQz?token=tok-55aaXX-91";
const URL_PARTS: [&str; 4] =
    ["hunter2%40correct-horse", "hunter2@correct-horse", "Kw93hLxP0sBk71TbVyQz", "tok-55aaXX-91"];

/// Says everything it was given in every form, in pieces of every size.
const LEAK: &str = r#"
const { spawnSync } = require('node:child_process');
const names = Object.keys(process.env).filter((name) => name.startsWith('CORPUS_'));
const forms = (value) => [value, encodeURIComponent(value), JSON.stringify(value), JSON.stringify({ a: { b: value } }),
  ...['', 'x', 'xx'].map((before) => Buffer.from(before + value + 'after').toString('base64')),
  Buffer.from(value).toString('base64url'), Buffer.from(value).toString('hex'), Buffer.from(value).toString('hex').toUpperCase(),
  new URLSearchParams({ value }).toString(), ...escaped(value), ...wrapped(value), ...wrapped(`it is ${value} and more`)];
const escaped = (value) => [/[^ -~]/g, /[^ -~]|[<>&]/g, /[<>&']/g].flatMap((which) => [(hex) => hex, (hex) => hex.toUpperCase()]
  .map((hex) => JSON.stringify(value).replace(which, (c) => '\\u' + hex(c.charCodeAt(0).toString(16).padStart(4, '0')))));
const wrapped = (value) => [...['base64', 'hex'].flatMap((how) => [60, 64, 76].flatMap((width) => ['\n', '\r\n'].map((end) =>
    Buffer.from(value).toString(how).match(new RegExp(`.{1,${width}}`, 'g')).join(end)))),
  ...[['base64'], ['openssl', 'base64'], ['xxd', '-p']].map(([tool, ...how]) => spawnSync(tool, how, { input: value }))
    .filter((done) => done.status === 0).map((done) => done.stdout.toString())];
const texts = names.flatMap((name) => forms(process.env[name]));
texts.push(decodeURIComponent(new URL(process.env.CORPUS_URL).password));
texts.push(process.env.CORPUS_LEFT + process.env.CORPUS_RIGHT.slice('shared5Kx'.length));
const say = async (out, text, size) => {
  for (let at = 0; at < text.length; at += size) await new Promise((done) => out.write(text.slice(at, at + size), done));
};
(async () => {
  for (const text of texts) {
    await say(process.stdout, text + '\n', 3);
    await say(process.stderr, `Error: invalid value ${text}\n`, 7);
    await say(process.stdout, `{"v": ${JSON.stringify(text)}}\n`, 4096);
  }
  if (process.argv[2]) require('node:fs').writeFileSync(process.argv[2], JSON.stringify({ ok: 1, texts }));
  process.exit(Number(process.env.LEAK_CODE || 0));
})();
"#;

const RUNBOOK: &str = r#"format = 1
[runbook]
id = "corpus"
title = "Corpus"
reports = "reports/{{ network }}"
[workspace]
marker = "marker"
[network.test]
chain_id = 5
rpc = ["CORPUS_URL"]
key = ["CORPUS_HEX", "CORPUS_BARE", "CORPUS_PEM", "CORPUS_WORD", "CORPUS_JWT", "CORPUS_LEFT", "CORPUS_RIGHT", "CORPUS_SHORT", "CORPUS_UMLAUT"]
[[phase]]
id = "1"
title = "Phase 1"
STEPS
[phase.gate]
title = "Done"
[[phase.gate.check]]
id = "open"
json = { file = "gate.json", rules = [{ at = "$.open", eq = true }] }
[[deliverable]]
id = "said"
title = "What was said"
of = ["said.txt"]
path = "said.txt"
"#;

const SAYS: &str = r#"
[[phase.step]]
id = "says"
title = "Says everything"
run = ["node", "leak.js"]
needs = ["rpc", "key"]
  [[phase.step.evidence]]
  output = { has = ["invalid value"], keep = "said.txt" }
"#;

const FAILS: &str = r#"
[[phase.step]]
id = "fails"
title = "Says everything and fails"
run = ["node", "leak.js"]
needs = ["rpc", "key"]
env = { LEAK_CODE = "3" }
"#;

const WRITES: &str = r#"
[[phase.step]]
id = "writes"
title = "Writes everything into its evidence"
run = ["node", "leak.js", "evidence.json"]
needs = ["rpc", "key"]
  [[phase.step.evidence]]
  file = "evidence.json"
  json = [{ at = "$.texts[0]", eq = "something else" }]
  keep = "evidence.json"
"#;

const BY_HAND: &str = r#"
[[phase.step]]
id = "call"
title = "Calls somebody"
manual = "Call them."
  [[phase.step.evidence]]
  file = "evidence.json"
  json = [{ at = "$.texts", eq = "something else" }]
"#;

fn site(steps: &str) -> Test {
    let mut test = Test::apart().set("CORPUS_URL", URL);
    for (name, value, _) in SECRETS {
        test = test.set(name, value);
    }
    let deliverable = if steps.contains("said.txt") { "" } else { "[[deliverable]]" };
    let runbook = RUNBOOK.replace("STEPS", steps);
    let end = runbook.find(deliverable).filter(|_| !deliverable.is_empty()).unwrap_or(runbook.len());
    test.write("runbook.toml", &runbook[..end]);
    test.write("marker", "");
    test.write("leak.js", LEAK);
    test.write("gate.json", "{ \"open\": true }");
    test
}

/// Everything that gives a secret away, with the name it goes by; made by other code than the mask.
fn needles() -> Vec<(String, String)> {
    let mut needles = Vec::new();
    let whole = SECRETS.iter().map(|(name, value, parts)| (*name, *value, *parts));
    for (name, value, parts) in whole.chain([("CORPUS_URL", URL, &URL_PARTS[..])]) {
        for text in [value].into_iter().chain(parts.iter().copied()) {
            needles.push((name, text.to_owned()));
            let json = serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
            for more in ["", "<>&", "<>&'"] {
                let code = |c: char| format!("\\u{:04x}", u32::from(c));
                let escape = |c: char| if c.is_ascii() && !more.contains(c) { c.to_string() } else { code(c) };
                needles.push((name, json.chars().map(escape).collect()));
            }
            needles.push((name, json));
            for plain in ["-_.~", "-_.!~*'()", "-_.*"] {
                let percent = |c: char| match c {
                    c if c.is_ascii_alphanumeric() || plain.contains(c) => c.to_string(),
                    c => format!("%{:02X}", u32::from(c)),
                };
                let encoded: String = text.chars().map(percent).collect();
                needles.push((name, encoded.replace("%20", "+")));
                needles.push((name, encoded));
            }
            let hex: String = text
                .bytes()
                .flat_map(|byte| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap()))
                .collect();
            needles.push((name, hex.to_uppercase()));
            needles.push((name, hex));
            for before in ["", "x", "xx"] {
                let encoded = STANDARD.encode(format!("{before}{text}"));
                // Without what stands before and what the end depends on.
                let inside = &encoded[(before.len() * 4).div_ceil(3)..encoded.trim_end_matches('=').len() - 1];
                needles.push((name, inside.to_owned()));
                needles.push((name, inside.replace('+', "-").replace('/', "_")));
            }
        }
    }
    needles.into_iter().map(|(name, needle)| (name.to_owned(), needle)).collect()
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // As it reads where a tool broke it into lines.
    let joined = ["\r", "\n", "\\r", "\\n"].iter().fold(text.to_string(), |text, gap| text.replace(gap, ""));
    for (name, needle) in needles() {
        if let Some(at) = text.find(&needle) {
            let line = text[..at].lines().count();
            panic!("{what} holds {name} as `{needle}`, line {line}");
        }
        assert!(!joined.contains(&needle), "{what} holds {name} as `{needle}`, broken into lines");
    }
}

/// Every file below a folder; says how many there are.
fn files_clean(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            clean(&entry.path().display().to_string(), entry.file_name().as_encoded_bytes());
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => files_clean(&entry.path()),
                kind if kind.is_file() => {
                    clean(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap());
                    1
                }
                _ => 0,
            }
        })
        .sum()
}

fn commands_are_clean(test: &Test) {
    for command in [
        "status",
        "report",
        "report --format json",
        "report --format junit",
        "gate verify",
        "gate verify --format json",
        "gate verify --format junit",
        "gate verify --format github",
        "gate verify --format markdown",
        "plan",
        "-vv plan",
        "doctor",
        "doctor --format json",
    ] {
        let outcome = test.citadel(&format!("{command} --network test"));
        clean(command, outcome.stdout.as_bytes());
        clean(command, outcome.stderr.as_bytes());
    }
}

#[test]
fn the_corpus_reaches_no_sink() {
    let test = site(SAYS);
    let (code, screen) = shown(&test, &["-vv", "run", "--network", "test", "--yes"]);
    let told = String::from_utf8_lossy(&screen);
    assert_eq!(code, 0, "{told}");
    clean("the terminal", &screen);
    let log = fs::read_to_string(test.runs("corpus", "test")[0].join("logs/1.says.1.log")).unwrap();
    for (name, ..) in SECRETS {
        assert!(log.contains(&format!("[{name}]")), "{name} was said, and is named: {log}");
    }
    assert!(log.contains("Error: invalid value "), "what is harmless stays");
    assert!(files_clean(&test.state()) > 5);
    assert!(files_clean(&test.path("reports")) > 1);
    commands_are_clean(&test);
    let archive = test.path("archive.tar.zst");
    test.citadel(&format!("archive --network test --out {}", archive.display())).code(0);
    let mut unpacked = ruzstd::decoding::StreamingDecoder::new(fs::File::open(&archive).unwrap()).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut unpacked, &mut bytes).unwrap();
    clean("the archive", &bytes);
    assert!(bytes.len() > 10_000);
}

#[test]
fn a_failure_quotes_none_of_it() {
    let test = site(FAILS);
    let (code, screen) = shown(&test, &["run", "--network", "test", "--yes"]);
    assert_eq!(code, 13, "{}", String::from_utf8_lossy(&screen));
    clean("the terminal", &screen);
    let outcome = test.citadel("run --network test --yes").code(13).says("[CORPUS_");
    clean("stderr", outcome.stderr.as_bytes());
    files_clean(&test.state());
    files_clean(&test.path("reports"));
    commands_are_clean(&test);
}

#[test]
fn evidence_that_holds_one_is_refused_and_not_altered() {
    let test = site(WRITES);
    let outcome = test.citadel("run --network test --yes").code(13);
    let outcome = outcome.says("it holds the value of `CORPUS_BARE`, and is not kept");
    clean("stderr", outcome.stderr.as_bytes());
    assert!(test.read("evidence.json").contains("7d1f0a93c45b"), "what the step wrote is as it wrote it");
    files_clean(&test.state());
    files_clean(&test.path("reports"));
    commands_are_clean(&test);
}

/// What nobody declared, and what a person may write down of a key.
fn typed() -> String {
    let secrets: Vec<&str> = SECRETS.iter().map(|(_, value, _)| *value).collect();
    format!("they said {} and privateKey=0x{}", secrets.join(", "), "5e".repeat(32))
}

#[track_caller]
fn nothing_of_it_is_anywhere(test: &Test) {
    files_clean(&test.state());
    files_clean(&test.path("reports"));
    commands_are_clean(test);
    let journal = fs::read_to_string(test.runs("corpus", "test")[0].join("journal.jsonl")).unwrap();
    assert!(!journal.contains("5e5e5e5e"), "{journal}");
}

#[test]
fn a_gate_quotes_none_of_what_it_looks_at() {
    let test = site(&super::stub::step("hello", "echo hello", ""));
    test.sh("node leak.js gate.json > said 2>&1 && rm said");
    test.edit("gate.json", "\"ok\":1", "\"open\":\"privateKey=0x5e\"");
    let said = "`gate.json` holds the value of `CORPUS_BARE`, and is not looked at";
    let outcome = test.citadel("run --network test --yes").code(11).says(said);
    clean("stderr", outcome.stderr.as_bytes());
    test.citadel("gate verify --network test").code(11).says(said);
    nothing_of_it_is_anywhere(&test);
    let undeclared = format!("{{ \"open\": {{ \"privateKey\": \"{}\" }} }}", "5e".repeat(32));
    test.write("gate.json", undeclared);
    let outcome = test.citadel("gate verify --network test").code(11);
    outcome.says("holds a private key in hex, and is not looked at").never_says("5e5e5e5e");
}

#[test]
fn what_people_write_and_what_is_judged_after_them_is_masked() {
    let test = site(BY_HAND);
    test.sh("node leak.js evidence.json > said 2>&1 && rm said");
    let run = |code| {
        let outcome = test.citadel("run --network test --yes").code(code);
        clean("stderr", outcome.stderr.as_bytes());
        outcome
    };
    run(20).says("Call them.");
    let told = ["step", "complete", "1.call", "--evidence", &typed(), "--network", "test"];
    clean("stdout", test.citadel_with(&told).code(0).stdout.as_bytes());
    run(20).says("Call them.");
    nothing_of_it_is_anywhere(&test);
    let told = ["decide", "1.call", "--happened", "--reason", &typed(), "--network", "test"];
    clean("stdout", test.citadel_with(&told).code(0).stdout.as_bytes());
    run(13).says("its effect happened, but its evidence does not hold");
    nothing_of_it_is_anywhere(&test);
    let journal = fs::read_to_string(test.runs("corpus", "test")[0].join("journal.jsonl")).unwrap();
    let quotes = |what: &str| journal.lines().any(|line| line.contains(what) && line.contains("[CORPUS_HEX]"));
    assert!(
        ["handed_in", "step_decided", "step_ended"].into_iter().all(quotes),
        "masked, and else as it was: {journal}"
    );
}

#[test]
fn a_shape_nobody_declared_is_hidden_on_the_screen_and_found_at_the_end() {
    let test = site(&super::stub::step("leak", "cat key.pem; echo; cat hex; exit 1", ""));
    test.write("hex", format!("privateKey=0x{}", "5e".repeat(32)));
    test.write("key.pem", PEM.replace("EC PRIVATE", "PRIVATE"));
    let test = test.unset("CORPUS_PEM").set("CORPUS_PEM", "another-Key-17-of-the-test");
    let (code, screen) = shown(&test, &["run", "--network", "test", "--yes"]);
    let told = String::from_utf8_lossy(&screen);
    assert_eq!(code, 19, "{told}");
    assert!(!told.contains("MHcCAQEEI") && !told.contains("5e5e5e5e"), "{told}");
    assert!(told.contains("[a PEM private key]") && told.contains("[a private key in hex]"), "{told}");
    let report = test.read("reports/test/citadel-report.md");
    assert!(!report.contains("MHcCAQEEI") && !report.contains("5e5e5e5e"), "{report}");
    let journal = fs::read_to_string(test.runs("corpus", "test")[0].join("journal.jsonl")).unwrap();
    assert!(!journal.contains("MHcCAQEEI") && !journal.contains("5e5e5e5e"));
}

#[test]
fn kept_evidence_with_a_shape_is_refused() {
    let line = format!(
        "echo '{{\"privateKey\": \"0x{}\"}}' > made.json; echo privateKey: {}",
        "5e".repeat(32),
        "6f".repeat(32)
    );
    let evidence = "  [[phase.step.evidence]]\n  file = \"made.json\"\n  keep = \"made.json\"\n";
    let test = site(&super::stub::step("make", &line, evidence));
    let outcome = test.citadel("run --network test --yes").says("it holds a private key in hex, and is not kept");
    assert!(outcome.code == 13 || outcome.code == 19, "{outcome:?}");
    let evidence = "  [[phase.step.evidence]]\n  output = { keep = \"said.txt\" }\n";
    let test = site(&super::stub::step("make", &line, evidence));
    test.citadel("run --network test --yes").says("holds a private key in hex, and is not kept");
}

#[test]
fn no_process_has_one_in_its_arguments() {
    let test = site(
        "[[phase.step]]\nid = \"waits\"\ntitle = \"Waits\"\nrun = [\"sh\", \"wait.sh\"]\nneeds = [\"rpc\", \"key\"]\n",
    );
    test.write("wait.sh", "echo here > ready; read line < go; true");
    let ready = Pipe::new(&test.path("ready"));
    let _go = Pipe::new(&test.path("go"));
    let running = test.start("run --network test --yes");
    ready.wait();
    let mut seen = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(line) = fs::read(entry.path().join("cmdline")) {
            clean(&format!("the arguments of {}", entry.path().display()), &line);
            seen += usize::from(String::from_utf8_lossy(&line).contains("wait.sh"));
        }
    }
    assert!(seen > 0 || !Path::new("/proc/self/cmdline").exists());
    fs::write(test.path("go"), "go\n").unwrap();
    assert_eq!(running.finish().code, 0);
}

#[test]
fn nothing_in_real_outputs_is_taken_for_a_secret() {
    let secrets = SECRETS.iter().map(|(name, value, _)| (*name, Secret::new(*value)));
    let usual = [("RPC_URL", URL), ("LOCAL", "http://127.0.0.1:8545"), ("NET", "sepolia"), ("ID", "11155111")];
    let mask = Mask::new(secrets.chain(usual.map(|(name, value)| (name, Secret::new(value))))).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(mask.bytes(&bytes) == bytes, "{} is masked", path.display());
        assert_eq!(shapes(&bytes), [""; 0], "{}", path.display());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(hide(&text), text, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 8, "the samples were not found");
}
