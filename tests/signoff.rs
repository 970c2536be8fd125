//! Sign-offs with signatures that the real `ssh-keygen` made, cross-checked with `ssh-keygen -Y verify`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "starts the real ssh-keygen")]

#[path = "signoff/accounts.rs"]
mod accounts;
#[path = "signoff/refused.rs"]
mod refused;
#[path = "signoff/security_keys.rs"]
mod security_keys;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use citadel::event::SignOffRequested;
use citadel::runbook::{PersonKey, PhaseId, SignerKey};
use citadel::signoff::{Asked, NAMESPACE, Tally, judge, nobody, verify};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const STATEMENT: &[u8] = b"citadel sign-off v1\nrunbook: astral-citadel\nnonce: 1\n";

/// The key types that are accepted, as `ssh-keygen` names them.
const TYPES: &[&[&str]] = &[
    &["-t", "ed25519"],
    &["-t", "ecdsa", "-b", "256"],
    &["-t", "rsa", "-b", "2048"],
    &["-t", "ecdsa", "-b", "384"],
    &["-t", "ecdsa", "-b", "521"],
];

/// Runs `ssh-keygen` with `input` on stdin; its stdout, or its complaint.
fn ssh_keygen(args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    use std::io::Write;
    let mut child = Command::new("ssh-keygen")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the program `ssh-keygen` (OpenSSH 8.1 or newer)");
    // It may end without reading everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// People with real keys, and a folder that they hand their signatures in to.
struct Room {
    home: TempDir,
}

impl Room {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("request")).unwrap();
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn folder(&self) -> PathBuf {
        self.path("request")
    }

    /// Makes a key in the file `name`.
    fn key(&self, who: &str, name: &str, of: &[&str]) -> SignerKey {
        let path = self.path(name);
        ssh_keygen(&[of, &["-q", "-N", "", "-C", who, "-f", path.to_str().unwrap()]].concat(), b"").unwrap();
        let ssh = fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned();
        SignerKey { who: who.to_owned(), key: PersonKey::Ssh(ssh) }
    }

    fn sign(&self, name: &str, namespace: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        let args = ["-Y", "sign", "-q", "-n", namespace, "-f", path.to_str().unwrap()];
        String::from_utf8(ssh_keygen(&args, bytes).unwrap()).unwrap()
    }

    fn hand_in(&self, file: &str, signature: &str) {
        fs::write(self.folder().join(file), signature).unwrap();
    }

    /// What `ssh-keygen -Y verify` says.
    fn openssh_accepts(&self, key: &SignerKey, namespace: &str, bytes: &[u8], signature: &str) -> bool {
        let (allowed, file) = (self.path("allowed"), self.path("signature"));
        fs::write(&allowed, format!("{} {}\n", key.who, ssh(key))).unwrap();
        fs::write(&file, signature).unwrap();
        let (allowed, file) = (allowed.to_str().unwrap(), file.to_str().unwrap());
        ssh_keygen(&["-Y", "verify", "-f", allowed, "-I", &key.who, "-n", namespace, "-s", file], bytes).is_ok()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(text: &str) -> Vec<u8> {
    let values = text.trim_end_matches('=').bytes().map(|c| ALPHABET.iter().position(|known| *known == c).unwrap());
    let bits: Vec<u8> =
        values.flat_map(|value| (0..6).rev().map(move |shift| u8::from(value >> shift & 1 == 1))).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

fn armored(blob: &[u8]) -> String {
    let mut text = String::new();
    for group in blob.chunks(3) {
        let bits = group.iter().chain([0, 0].iter()).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let letters = [18, 12, 6, 0].map(|shift| char::from(ALPHABET[bits >> shift & 63]));
        text.extend(&letters[..=group.len()]);
        text.extend(std::iter::repeat_n('=', 3 - group.len()));
    }
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

fn now() -> Timestamp {
    "2026-11-22T19:40:05Z".parse().unwrap()
}

fn request(signers: &[&str], threshold: u32) -> SignOffRequested {
    SignOffRequested {
        gate: PhaseId("1".into()),
        nonce: "1".into(),
        statement: "sign-offs/1.1/statement.txt".into(),
        sha256: format!("{:x}", Sha256::digest(STATEMENT)),
        expires: (now() + SignedDuration::from_hours(24)).to_string(),
        threshold,
        signers: signers.iter().map(|who| (*who).to_owned()).collect(),
        journal_sequence: 7,
        journal_hash: "ab".repeat(32),
        block: None,
        sentence: String::new(),
        covers: Vec::new(),
        not: Vec::new(),
        ways: BTreeMap::new(),
        voids: Vec::new(),
    }
}

/// The key as OpenSSH writes it.
fn ssh(key: &SignerKey) -> &str {
    match &key.key {
        PersonKey::Ssh(ssh) => ssh,
        PersonKey::Ethereum(_) => panic!("`{}` has no SSH key", key.who),
    }
}

/// Nobody but the operator is excluded.
fn without_operator() -> BTreeMap<String, String> {
    BTreeMap::from([("operator".to_owned(), "`operator` operates this run".to_owned())])
}

fn judged(
    request: &SignOffRequested,
    statement: &[u8],
    folder: &Path,
    keys: &[SignerKey],
    excluded: &BTreeMap<String, String>,
    now: Timestamp,
) -> Tally {
    judge(&Asked::sign_off(request, statement, excluded), folder, keys, now)
}

fn tally(folder: &Path, keys: &[SignerKey], threshold: u32) -> Tally {
    let names: Vec<&str> = keys.iter().map(|key| key.who.as_str()).collect();
    judged(&request(&names, threshold), STATEMENT, folder, keys, &without_operator(), now())
}

#[test]
fn signatures_of_every_key_type_are_accepted_and_openssh_agrees() {
    let room = Room::new();
    for (index, of) in TYPES.iter().enumerate() {
        let name = format!("key{index}");
        let key = room.key("ann", &name, of);
        let signature = room.sign(&name, NAMESPACE, STATEMENT);
        assert!(room.openssh_accepts(&key, NAMESPACE, STATEMENT, &signature));
        let verified = verify(STATEMENT, &signature, std::slice::from_ref(&key)).unwrap();
        let listed = ssh_keygen(&["-l", "-f", room.path(&name).to_str().unwrap()], b"").unwrap();
        assert_eq!(verified.who, "ann");
        assert!(String::from_utf8(listed).unwrap().contains(&verified.key), "{of:?}");
    }
}

#[test]
fn windows_line_ends_and_blank_lines_around_do_no_harm() {
    let room = Room::new();
    let key = room.key("ann", "key", TYPES[0]);
    let signature = room.sign("key", NAMESPACE, STATEMENT);
    let check = |text: &str| assert!(verify(STATEMENT, text, std::slice::from_ref(&key)).is_ok(), "{text}");
    check(&format!("\n{signature}\n\n"));
    check(&signature.replace('\n', "\r\n"));
}

#[test]
fn what_openssh_refuses_is_refused_with_a_sentence() {
    let room = Room::new();
    for (index, of) in TYPES.iter().enumerate() {
        let name = format!("key{index}");
        let key = room.key("ann", &name, of);
        let good = room.sign(&name, NAMESPACE, STATEMENT);
        let check = |bytes: &[u8], signature: &str, wanted: &str| {
            assert!(!room.openssh_accepts(&key, NAMESPACE, bytes, signature), "{wanted}");
            let refused = verify(bytes, signature, std::slice::from_ref(&key)).unwrap_err().0;
            assert!(refused.contains(wanted), "{refused}");
        };
        let changed = [STATEMENT, b" "].concat();
        check(&changed, &good, "does not fit the statement: `ann` signed other bytes");
        check(b"", &good, "does not fit the statement");
        check(STATEMENT, &room.sign(&name, "file", STATEMENT), "namespace `file`; sign with `-n citadel-sign-off@v1`");
        check(STATEMENT, &good[..good.len() / 2], "is cut off");
        check(STATEMENT, "", "is empty");
        check(STATEMENT, "I agree", "is not an SSH signature");
        let lines: Vec<&str> = good.lines().collect();
        let without = [&lines[..2], &lines[3..]].concat().join("\n");
        check(STATEMENT, &without, "is damaged");
    }
}

#[test]
fn a_stranger_is_refused() {
    let room = Room::new();
    let ann = room.key("ann", "ann", TYPES[0]);
    room.key("mallory", "mallory", TYPES[0]);
    room.hand_in("ann.sig", &room.sign("mallory", NAMESPACE, STATEMENT));
    let tally = tally(&room.folder(), &[ann], 1);
    assert_eq!(tally.missing, 1);
    assert!(tally.refused[0].1.contains("which none of the declared signers has"), "{:?}", tally.refused);
}

#[test]
fn no_truncation_or_flip_is_accepted_and_none_panics() {
    let room = Room::new();
    for (index, of) in TYPES.iter().enumerate() {
        let name = format!("key{index}");
        let key = [room.key("ann", &name, of)];
        let good = room.sign(&name, NAMESPACE, STATEMENT);
        for end in 0..good.trim_end().len() {
            assert!(verify(STATEMENT, &good[..end], &key).is_err(), "{of:?} {end}");
        }
        for index in 0..good.trim_end().len() {
            let mut bytes = good.clone().into_bytes();
            // Stays ASCII, and turns letters into other letters of the base64 alphabet.
            bytes[index] ^= 0x01;
            let text = String::from_utf8(bytes).unwrap();
            assert!(verify(STATEMENT, &text, &key).is_err(), "{of:?} {index}");
        }
    }
}

#[test]
fn an_rsa_signature_with_sha1_is_refused() {
    let room = Room::new();
    let key = room.key("ann", "key", TYPES[2]);
    let good = room.sign("key", NAMESPACE, STATEMENT);
    // The same signature under the name that stands for SHA-1; three lengths change with it.
    let blob = base64(&good.lines().filter(|line| !line.starts_with("--")).collect::<String>());
    let name = b"\0\0\0\x0crsa-sha2-512";
    let at = blob.windows(name.len()).position(|part| part == name).unwrap();
    let rest = &blob[at + name.len()..];
    let length = u32::try_from(11 + rest.len()).unwrap().to_be_bytes();
    let forged = [&blob[..at - 4], &length, b"\0\0\0\x07ssh-rsa", rest].concat();
    let text = armored(&forged);
    assert!(!room.openssh_accepts(&key, NAMESPACE, STATEMENT, &text));
    assert_eq!(armored(&blob), good, "the test's own armor is wrong");
    let refused = verify(STATEMENT, &text, &[key]).unwrap_err().0;
    assert!(refused.contains("rsa with SHA-2"), "{refused}");
}

#[test]
fn people_are_counted_not_keys() {
    let room = Room::new();
    let keys = [room.key("ann", "ann1", TYPES[0]), room.key("ann", "ann2", TYPES[1]), room.key("bob", "bob", TYPES[2])];
    room.hand_in("a.sig", &room.sign("ann1", NAMESPACE, STATEMENT));
    room.hand_in("b.sig", &room.sign("ann2", NAMESPACE, STATEMENT));
    let once = tally(&room.folder(), &keys, 2);
    assert_eq!((once.accepted.len(), once.missing, once.complete()), (1, 1, false));
    assert_eq!(
        once.refused,
        [("b.sig".into(), "`ann` already signed in `a.sig`: people are counted, not keys".into())]
    );
    room.hand_in("statement.txt.sig", &room.sign("bob", NAMESPACE, STATEMENT));
    let twice = tally(&room.folder(), &keys, 2);
    let who: Vec<&str> = twice.accepted.iter().map(|accepted| accepted.who.as_str()).collect();
    assert_eq!((who, twice.missing, twice.complete()), (vec!["ann", "bob"], 0, true));
    assert_eq!(twice.accepted[1].file, "statement.txt.sig");
}

#[test]
fn the_operator_does_not_count_where_others_must_sign() {
    let room = Room::new();
    let keys = [room.key("operator", "key", TYPES[0])];
    room.hand_in("operator.sig", &room.sign("key", NAMESPACE, STATEMENT));
    let refused = tally(&room.folder(), &keys, 1);
    assert_eq!((refused.accepted.len(), refused.missing), (0, 1));
    assert!(refused.refused[0].1.contains("`operator` operates this run"), "{:?}", refused.refused);
    let allowed = judged(&request(&["operator"], 1), STATEMENT, &room.folder(), &keys, nobody(), now());
    assert!(allowed.complete());
}

#[test]
fn a_request_that_expired_or_whose_statement_changed_counts_nobody() {
    let room = Room::new();
    let keys = [room.key("ann", "key", TYPES[0])];
    room.hand_in("ann.sig", &room.sign("key", NAMESPACE, STATEMENT));
    let check = |statement: &[u8], request: &SignOffRequested, at: Timestamp, wanted: &str| {
        let tally = judged(request, statement, &room.folder(), &keys, &without_operator(), at);
        assert_eq!((tally.accepted.len(), tally.missing), (0, 1));
        assert!(tally.refused[0].1.contains(wanted), "{:?}", tally.refused);
    };
    let good = request(&["ann"], 1);
    let hours = |hours: i64| now() + SignedDuration::from_hours(hours);
    check(STATEMENT, &good, hours(24), "expired at 2026-11-23T19:40:05Z");
    check(STATEMENT, &SignOffRequested { expires: "soon".into(), ..good.clone() }, now(), "`soon` is not a time");
    check(b"another statement", &good, now(), "not the one that people were asked to sign");
    check(STATEMENT, &request(&["bob"], 1), now(), "`ann` was not asked to sign this: the request names bob");
    assert!(judged(&good, STATEMENT, &room.folder(), &keys, nobody(), hours(23)).complete());
}

#[test]
fn the_printed_commands_make_a_signature_that_counts() {
    let room = Room::new();
    let keys = [room.key("signer 1", "key", TYPES[0])];
    let statement = room.folder().join("statement.txt");
    fs::write(&statement, STATEMENT).unwrap();
    let lines = citadel::signoff::commands(&room.folder(), &["signer 1".into()], &BTreeMap::new());
    let script = lines.join("\n").replace("~/.ssh/id_ed25519", room.path("key").to_str().unwrap());
    let output = Command::new("sh").args(["-c", &script.replace("less ", "cat ")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(tally(&room.folder(), &keys, 1).complete());
    // The plain form writes `statement.txt.sig` beside the statement; it counts as well.
    fs::remove_file(room.folder().join("signer_1.sig")).unwrap();
    let (key, file) = (room.path("key"), statement.to_str().unwrap());
    ssh_keygen(&["-Y", "sign", "-q", "-n", NAMESPACE, "-f", key.to_str().unwrap(), file], b"").unwrap();
    assert_eq!(tally(&room.folder(), &keys, 1).accepted[0].file, "statement.txt.sig");
}

#[test]
fn openssh_reads_allowed_signers_as_we_do() {
    let room = Room::new();
    let key = room.key("ann@citadel.dev", "key", TYPES[0]);
    let signature = room.sign("key", NAMESPACE, STATEMENT);
    let (allowed, file) = (room.path("allowed"), room.path("signature"));
    fs::write(&file, &signature).unwrap();
    let openssh = |line: &str| {
        fs::write(&allowed, line).unwrap();
        let (allowed, file) = (allowed.to_str().unwrap(), file.to_str().unwrap());
        let time = "-Overify-time=20261122000000Z";
        let args = ["-Y", "verify", "-f", allowed, "-I", &key.who, "-n", NAMESPACE, "-s", file, time];
        ssh_keygen(&args, STATEMENT).is_ok()
    };
    let check = |options: &str, good: bool| {
        let line = format!("{} {options} {}\n", key.who, ssh(&key));
        let at = "2026-11-22T00:00:00Z".parse().unwrap();
        let (signers, problems) = citadel::signoff::allowed_signers::parse(&line, at);
        assert_eq!((signers.len(), problems.is_empty()), (usize::from(good), good), "{line} {problems:?}");
        assert_eq!(openssh(&line), good, "{line}");
    };
    check("", true);
    check(&format!("namespaces=\"git,{NAMESPACE}\""), true);
    check(&format!("namespaces=\"{NAMESPACE}\",valid-after=\"20260101Z\",valid-before=\"20270101120000Z\""), true);
    check("valid-before=\"20260101Z\"", false);
    check("valid-after=\"20270101Z\"", false);
    check("valid-before=\"2027-01-01T00:00:00Z\"", false);
    check(&format!("namespaces=\"{NAMESPACE}\" valid-before=\"20270101Z\""), false);
    check("namespaces=git", false);
    check("namespace=\"git\"", false);
}
