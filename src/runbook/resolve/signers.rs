//! `[signers.G]`: people whose signatures count.

use std::collections::BTreeMap;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::{ContractKind, PersonKey, SignerKey, Signers, forms};

impl<'a> Resolve<'a> {
    pub(super) fn signers(&self, root: &mut Reader<'a>) -> BTreeMap<String, Signers> {
        let mut groups = BTreeMap::new();
        for (entry, mut reader) in self.members(root, "signers") {
            let keys = self.keys(&mut reader);
            let dev_chain = reader.optional_text("dev_chain");
            let safe_owners = reader.optional("safe_owners");
            let safe_owners = safe_owners.and_then(|node| self.contract_at(node, "safe_owners", &[ContractKind::Safe]));
            if safe_owners.is_some() && keys.iter().any(|key| matches!(key.key, PersonKey::Ssh(_))) {
                let message = "beside `safe_owners`, keys only name the owners of the Safe";
                let diagnostic = Diagnostic::new(reader.key_place("key"), message);
                self.report
                    .add(diagnostic.help("name them by `ethereum`, or put the SSH keys in a group of their own"));
            }
            if reader.lacks("key") && dev_chain.is_none() && safe_owners.is_none() {
                let diagnostic = Diagnostic::new(reader.place, format!("nobody is in the group `{}`", entry.key));
                let help = "add `key = [{ who = \"NAME\", ssh = \"ssh-ed25519 …\" }]`";
                self.report.add(diagnostic.help(help).absence());
            }
            groups.insert(entry.key.to_string(), Signers { name: entry.key.to_string(), keys, dev_chain, safe_owners });
            reader.finish();
        }
        groups
    }

    fn keys(&self, group: &mut Reader<'a>) -> Vec<SignerKey> {
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        let mut keys = Vec::new();
        for (node, mut reader) in self.tables(group, "key", "a key") {
            let who = reader.text("who");
            let key = self.person_key(&mut reader);
            reader.finish();
            let Some(key) = key else {
                continue;
            };
            if let Some(owner) = owners.insert(format!("{key:?}"), who.clone()) {
                let diagnostic = Diagnostic::new(node.place, format!("this key of `{who}` is already `{owner}`'s"));
                self.report
                    .add(diagnostic.label("the same key again").help("every person signs with a key of their own"));
            }
            keys.push(SignerKey { who, key });
        }
        keys
    }

    fn person_key(&self, reader: &mut Reader<'a>) -> Option<PersonKey> {
        let ethereum = reader.optional("ethereum");
        let Some(ethereum) = ethereum else {
            let forms::Key(ssh) =
                reader.required("ssh").and_then(|node| self.report.form(node, "ssh", forms::ssh_key))?;
            return Some(PersonKey::Ssh(ssh));
        };
        if let Some(ssh) = reader.optional("ssh") {
            let diagnostic = Diagnostic::new(ssh.place, "one entry is one key: `ssh` or `ethereum`");
            self.report.add(diagnostic.help("write a second entry with the same `who`"));
        }
        self.report.form(ethereum, "ethereum", forms::address).map(PersonKey::Ethereum)
    }
}
