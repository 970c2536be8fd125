//! What signers type: lines to paste into a shell, for each kind of key. Short, so that they fit a narrow terminal.

use std::collections::BTreeMap;
use std::path::Path;

use super::folder::file_name;
use super::ssh::NAMESPACE;
use crate::runbook::{PersonKey, SignerKey};

/// The file beside a statement that holds it as typed data.
pub const TYPED_DATA: &str = "statement.json";

/// The file beside a statement that says how to sign it.
pub const HOW_TO: &str = "how-to-sign.txt";

/// How each person can sign: `ethereum`, or the end of the name that `ssh-keygen` gives their kind of key.
pub fn ways(keys: &[SignerKey]) -> BTreeMap<String, Vec<String>> {
    let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for SignerKey { who, key } in keys {
        let way = match key {
            PersonKey::Ethereum(_) => "ethereum",
            PersonKey::Ssh(key) if key.starts_with("sk-ssh-") => "ed25519_sk",
            PersonKey::Ssh(key) if key.starts_with("sk-ecdsa-") => "ecdsa_sk",
            PersonKey::Ssh(key) if key.starts_with("ecdsa-") => "ecdsa",
            PersonKey::Ssh(key) if key.starts_with("ssh-rsa") => "rsa",
            PersonKey::Ssh(_) => "ed25519",
        };
        let known = ways.entry(who.clone()).or_default();
        if !known.iter().any(|known| known == way) {
            known.push(way.to_owned());
        }
    }
    ways
}

/// What `people` type in the request's folder, each in one of their ways.
///
/// The statement goes in by stdin, so that two people on one machine do not overwrite each other's `statement.txt.sig`.
pub fn commands(folder: &Path, people: &[String], ways: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut lines = vec![format!("cd {}", quoted(&folder.display().to_string())), "less statement.txt".to_owned()];
    let ssh = vec!["ed25519".to_owned()];
    for who in people {
        let file = file_name(who);
        for way in ways.get(who).unwrap_or(&ssh) {
            if way == "ethereum" {
                lines.push(format!("cast wallet sign --data --from-file {TYPED_DATA} --ledger > {file}.sig"));
            } else {
                lines.push(format!("ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_{way} \\"));
                lines.push(format!("  < statement.txt > {file}.sig"));
            }
        }
    }
    lines
}

/// Everything about signing a request, for the file beside its statement.
pub fn how_to(commands: &[String], again: &str) -> String {
    format!(
        "Read statement.txt. If you agree with every line of it, sign with your own key:\n\n  {}\n\n\
         Another key file: change the path after `-f`. Without a Ledger: `--trezor`,\n\
         `--keystore FILE` or `--interactive` in place of `--ledger`. With ethers:\n\
         `signTypedData` with the `domain`, the `types` (without `EIP712Domain`) and the\n\
         `message` of {TYPED_DATA}. For an account that is a contract (ERC-1271), such\n\
         as a Safe: put the signature that it accepts for this typed data into NAME.sig,\n\
         as hex.\n\n\
         On another machine: take statement.txt, {TYPED_DATA} and the runbook there,\n\
         look at them with `citadel sign-off show FILE`, sign there, and bring the\n\
         signature back with `citadel sign-off add FILE`.\n\n\
         When enough people have signed: `{again}`\n",
        commands.join("\n  ")
    )
}

/// A word of a shell command, quoted only where it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted() {
        let ways = BTreeMap::from([("Bob".to_owned(), vec!["rsa".to_owned(), "ethereum".to_owned()])]);
        let people = ["signer-1".to_owned(), "../Ann Example".to_owned(), "Bob".to_owned()];
        assert_eq!(
            commands(Path::new("/state/it's here/sign-offs/1.ab"), &people, &ways),
            [
                r"cd '/state/it'\''s here/sign-offs/1.ab'",
                "less statement.txt",
                r"ssh-keygen -Y sign -n citadel-sign-off@v1 -f ~/.ssh/id_ed25519 \",
                "  < statement.txt > signer-1.sig",
                r"ssh-keygen -Y sign -n citadel-sign-off@v1 -f ~/.ssh/id_ed25519 \",
                "  < statement.txt > .._Ann_Example.sig",
                r"ssh-keygen -Y sign -n citadel-sign-off@v1 -f ~/.ssh/id_rsa \",
                "  < statement.txt > Bob.sig",
                "cast wallet sign --data --from-file statement.json --ledger > Bob.sig",
            ]
        );
    }
}
