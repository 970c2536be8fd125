//! `[signers.G]`: people whose signatures count.

use std::collections::BTreeMap;

use super::Resolve;
use crate::runbook::decode::Reader;
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::{SignerKey, Signers, forms};

impl<'a> Resolve<'a> {
    pub(super) fn signers(&self, root: &mut Reader<'a>) -> BTreeMap<String, Signers> {
        let mut groups = BTreeMap::new();
        for (entry, mut reader) in self.members(root, "signers") {
            let keys = self.keys(&mut reader);
            let dev_chain = reader.optional_text("dev_chain");
            if reader.lacks("key") && dev_chain.is_none() {
                let diagnostic = Diagnostic::new(reader.place, format!("nobody is in the group `{}`", entry.key));
                let help = "add `key = [{ who = \"NAME\", ssh = \"ssh-ed25519 …\" }]`";
                self.report.add(diagnostic.help(help).absence());
            }
            groups.insert(entry.key.clone(), Signers { name: entry.key.clone(), keys, dev_chain });
            reader.finish();
        }
        groups
    }

    fn keys(&self, group: &mut Reader<'a>) -> Vec<SignerKey> {
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        let mut keys = Vec::new();
        for (node, mut reader) in self.tables(group, "key", "a key") {
            let who = reader.text("who");
            let ssh = reader.required("ssh").and_then(|node| self.report.form(node, "ssh", forms::ssh_key));
            reader.finish();
            let Some(forms::Key(ssh)) = ssh else {
                continue;
            };
            if let Some(owner) = owners.insert(ssh.clone(), who.clone()) {
                let diagnostic = Diagnostic::new(node.place, format!("this key of `{who}` is already `{owner}`'s"));
                self.report
                    .add(diagnostic.label("the same key again").help("every person signs with a key of their own"));
            }
            keys.push(SignerKey { who, ssh });
        }
        keys
    }
}
