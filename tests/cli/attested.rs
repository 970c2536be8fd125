//! Attestations that leave with a run, read and verified by other people's programs: the reference implementations of DSSE
//! and in-toto, which Python's registry has, and `ssh-keygen`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use citadel::attest::{Key, NAMESPACE};
use citadel::audit::{Audit, Expected, audit};

use super::builder::Test;
use super::rehearsal::{rehearsed, run_folder};
use super::stub::{step, stub};

/// A Python with the verifiers, in a folder of its own.
static PYTHON: LazyLock<(Test, PathBuf)> = LazyLock::new(|| {
    let test = Test::empty();
    test.sh("python3 -m venv python && python/bin/pip install --quiet --disable-pip-version-check --no-input \
             securesystemslib==1.6.0 cryptography==50.0.2 in-toto-attestation==0.9.3");
    let python = test.path("python/bin/python");
    (test, python)
});

/// Verifies every envelope of a folder with a plain ed25519 key, parses its statement strictly, and prints what it is about.
const VERIFY: &str = r#"
import json, pathlib, sys
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

folder, keyid = pathlib.Path(sys.argv[1]), sys.argv[2]
public = load_ssh_public_key((folder / "signer.pub").read_bytes())
key = SSlibKey(keyid, "ed25519", "ed25519", {"public": public.public_bytes_raw().hex()})
for file in sorted(folder.glob("*.json")):
    envelope = Envelope.from_dict(json.loads(file.read_text()))
    assert envelope.payload_type == "application/vnd.in-toto+json"
    envelope.verify([key], 1)
    read = json.loads(envelope.payload)
    Statement.copy_from_pb(ParseDict(read, statement_pb2.Statement())).validate()
    if "test-result" in read["predicateType"]:
        ParseDict(read["predicate"], test_result_pb2.TestResult())
        outcome = read["predicate"]["result"]
    else:
        outcome = read["predicate"]["outcome"]
    print(file.stem, outcome)
"#;

/// Signs with a key in PEM, as the operator's own program would.
const SIGN: &str = "node -e 'const fs = require(\"fs\"); process.stdout.write(require(\"crypto\").sign(null, fs.readFileSync(0), fs.readFileSync(\"KEY\")).toString(\"base64\"))'";

/// Two ed25519 keys in PEM: `one.pem` and `one.pub`, `other.pem` and `other.pub`.
fn keys(test: &Test) {
    test.write(
        "keys.js",
        "const { generateKeyPairSync } = require('crypto'), fs = require('fs');
        for (const name of ['one', 'other']) {
            const { privateKey, publicKey } = generateKeyPairSync('ed25519');
            fs.writeFileSync(`${name}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }));
            fs.writeFileSync(`${name}.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
        }",
    );
    test.sh("node keys.js");
}

fn sign_with(key: &Path) -> String {
    SIGN.replace("KEY", &key.display().to_string())
}

fn key(file: &Path) -> Key {
    Key::read(&fs::read_to_string(file).unwrap()).unwrap()
}

fn audited(folder: &Path, signer: Option<&Key>) -> Audit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(audit(folder, &Expected { signer, ..Expected::default() })).unwrap()
}

fn problems(folder: &Path, signer: Option<&Key>) -> Vec<String> {
    let told = |problem: citadel::audit::Problem| format!("{} {}", problem.file.unwrap_or_default(), problem.what);
    audited(folder, signer).problems.into_iter().map(told).collect()
}

#[test]
fn other_peoples_verifiers_accept_the_archive_of_a_local_run_where_nothing_else_is() {
    let (rehearsal, _) = rehearsed();
    let elsewhere = Test::empty();
    keys(&elsewhere);
    let pack = |name: &str| {
        let (out, run) = (elsewhere.path(name).display().to_string(), run_folder().display().to_string());
        let (with, signer) = (sign_with(&elsewhere.path("one.pem")), elsewhere.path("one.pub").display().to_string());
        let args = ["archive", "--run", &run, "--out", &out, "--sign-with", &with, "--signer", &signer];
        rehearsal.citadel_with(&args).code(0);
        fs::read(elsewhere.path(name)).unwrap()
    };
    assert_eq!(pack("run.tar.zst"), pack("again.tar.zst"), "signed, and still the same bytes");
    let mut plain = Vec::new();
    let packed = fs::read(elsewhere.path("run.tar.zst")).unwrap();
    std::io::copy(&mut ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).unwrap(), &mut plain).unwrap();
    tar::Archive::new(plain.as_slice()).unpack(elsewhere.path("there")).unwrap();
    let folder = fs::read_dir(elsewhere.path("there")).unwrap().next().unwrap().unwrap().path();

    let sums = elsewhere.sh(&format!("cd {} && sha256sum --check --strict SHA256SUMS", folder.display()));
    assert!(sums.lines().all(|line| line.ends_with(": OK")), "{sums}");
    let told = verified_by_python(&folder.join("attestations"), &key(&elsewhere.path("one.pub")).id());
    assert!(told.len() > 25, "{told:?}");
    assert_eq!(told.iter().filter(|(name, outcome)| name.starts_with("gate.") && *outcome == "PASSED").count(), 5);
    assert_eq!(told["step.3.mission.1"], "done");

    // No state, no runbook, another home.
    let home = tempfile::tempdir().unwrap();
    let stranger = Test::empty().default_state().set("HOME", &home.path().display().to_string());
    let (folder, signer) = (folder.display().to_string(), elsewhere.path("one.pub").display().to_string());
    let told = stranger.citadel_with(&["verify", &folder, "--signer", &signer]).code(0);
    told.says("CONSISTENT").says("attestations: say what the journal says").says("attested by SHA256:");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing was kept");
}

/// What each envelope is about, if all of them are good.
fn verified_by_python(folder: &Path, keyid: &str) -> BTreeMap<String, String> {
    let (test, python) = &*PYTHON;
    test.write("verify.py", VERIFY);
    let script = test.path("verify.py");
    let told = test.sh(&format!("{} {} '{}' {keyid}", python.display(), script.display(), folder.display()));
    let pair = |line: &str| line.split_once(' ').map(|(name, outcome)| (name.to_owned(), outcome.to_owned()));
    told.lines().filter_map(pair).collect()
}

/// A complete run whose first attempt failed.
fn twice() -> Test {
    let test = stub(&step("late", "echo looked; test -e there", ""));
    test.citadel("run --network test").code(13);
    test.write("there", "");
    test.citadel("run --network test").code(0);
    test
}

#[test]
fn a_failed_attempt_is_attested_too_and_ssh_keygen_verifies_the_signatures() {
    let test = twice();
    test.sh("ssh-keygen -q -t ed25519 -N '' -C release -f key && ssh-keygen -q -t ecdsa -N '' -f other");
    let with = format!("ssh-keygen -q -Y sign -n {NAMESPACE} -f key");
    test.citadel_with(&["export", "--network", "test", "--to", "out", "--sign-with", &with, "--signer", "key.pub"])
        .code(0);
    let audit = audited(&test.path("out"), Some(&key(&test.path("key.pub"))));
    assert_eq!((audit.problems.as_slice(), audit.checked["attestations"]), ([].as_slice(), 3));
    test.sh("echo \"release $(cat out/attestations/signer.pub)\" > allowed
        for file in out/attestations/*.json; do
            node -e '
                const fs = require(\"fs\");
                const { payload, payloadType, signatures } = JSON.parse(fs.readFileSync(process.argv[1]));
                const bytes = Buffer.from(payload, \"base64\");
                const head = `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `;
                fs.writeFileSync(\"pae\", Buffer.concat([Buffer.from(head), bytes]));
                fs.writeFileSync(\"sig\", Buffer.from(signatures[0].sig, \"base64\"));
            ' $file
            ssh-keygen -Y verify -f allowed -I release -n citadel-attestation@v1 -s sig < pae || exit 1
        done");
    let payload = |file: &str| {
        let envelope: serde_json::Value = serde_json::from_str(&test.read(file)).unwrap();
        test.write("payload", envelope["payload"].as_str().unwrap());
        serde_json::from_str::<serde_json::Value>(&test.sh("base64 -d payload")).unwrap()
    };
    let failed = payload("out/attestations/step.1.late.1.json");
    assert_eq!(
        (&failed["predicate"]["outcome"], &failed["predicate"]["ended"]["exited"]),
        (&"failed".into(), &1.into())
    );
    let log = test.sh("sha256sum < out/run/logs/1.late.1.log");
    assert_eq!(failed["subject"][1]["digest"]["sha256"], log.split_whitespace().next().unwrap());
    assert_eq!(payload("out/attestations/step.1.late.2.json")["predicate"]["outcome"], "done");
}

#[test]
fn what_does_not_sign_keeps_everything_here() {
    let test = twice();
    keys(&test);
    let refused = |with: &str, signer: &str, code: i32, why: &str| {
        let args = ["export", "--network", "test", "--to", "out", "--sign-with", with, "--signer", signer];
        test.citadel_with(&args).code(code).says(why);
        assert!(!test.path("out").exists(), "{with}");
    };
    refused("exit 3", "one.pub", 15, "did not sign: `sh` failed: exit status: 3");
    refused("cat", "one.pub", 15, "is no ed25519 signature");
    refused(&sign_with(&test.path("other.pem")), "one.pub", 15, "is not by SHA256:");
    refused("true", "one.pem", 2, "is a private key");
    refused("true", "none.pub", 2, "cannot be read");
    test.citadel("export --network test --to out --signer one.pub").code(2).says("--sign-with");
}

#[test]
fn attestations_that_were_changed_dropped_or_signed_by_another_are_named() {
    let test = twice();
    keys(&test);
    let export = |to: &str, key: &str| {
        let (with, signer) = (sign_with(&test.path(&format!("{key}.pem"))), format!("{key}.pub"));
        test.citadel_with(&["export", "--network", "test", "--to", to, "--sign-with", &with, "--signer", &signer])
            .code(0);
    };
    export("out", "one");
    export("by-another", "other");
    test.citadel("export --network test --to unsigned").code(0);
    let (one, other) = (key(&test.path("one.pub")), key(&test.path("other.pub")));
    assert_eq!(problems(&test.path("out"), Some(&one)), [""; 0]);
    assert_eq!(problems(&test.path("unsigned"), None), [""; 0]);
    assert!(audited(&test.path("unsigned"), None).noted.iter().any(|note| note.contains("not signed")));

    // Somebody who changes files makes the list of sums anew, too.
    let sums = "find . -type f ! -name SHA256SUMS | sed 's|^./||' | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 sha256sum > SHA256SUMS";
    let check = |change: &str, file: &str, what: &str| {
        test.sh(&format!("rm -rf copy && cp -r out copy && cd copy/attestations && {change} && cd .. && {sums}"));
        let found = problems(&test.path("copy"), Some(&one));
        let place = format!("attestations/{file} ");
        assert!(found.iter().any(|found| found.starts_with(&place) && found.contains(what)), "{change}: {found:?}");
    };
    let (first, second, gate) = ("step.1.late.1.json", "step.1.late.2.json", "gate.1.*.json");
    check(&format!("rm {first}"), first, "cannot be read");
    check(&format!("cp {second} {first}"), first, "does not say what the journal says");
    check(&format!("cp {second} more.json"), "more.json", "attests nothing");
    check(&format!("sed -i 's/in-toto+json/in-toto+text/' {first}"), first, "holds another payload");
    check(&format!("sed -i 's/\"payload\":\"./\"payload\":\"A/' {first}"), first, "does not say");
    check(&format!("cp ../../unsigned/attestations/{first} ."), first, "is not signed");
    check(&format!("cp ../../by-another/attestations/{first} ."), first, "names another key");
    check(&format!("sed -i 's/}}]/}},{{\"keyid\":\"x\",\"sig\":\"\"}}]/' {first}"), first, "more than one signature");
    let exchanged =
        format!("sig=$(grep -o '\"sig\":\".*\"' {second}) && sed -i \"s|\\\"sig\\\":\\\".*\\\"|$sig|\" {first}");
    check(&exchanged, first, "has a signature that is not by");
    check("cp ../../by-another/attestations/* .", "signer.pub", &format!("is {}, not {}", other.id(), one.id()));
    check("rm signer.pub", "signer.pub", "is missing");
    check("cp ../../unsigned/attestations/*.json . && rm signer.pub", "signer.pub", "signed nothing here");
    assert!(test.sh(&format!("ls out/attestations/{gate}")).lines().count() == 1);

    // The folder alone cannot tell whose key it should be.
    assert_eq!(problems(&test.path("by-another"), None), [""; 0]);
    let told = test.citadel("verify by-another --signer one.pub").code(18);
    told.says(&format!("attestations/signer.pub`: is {}", other.id()));
}
