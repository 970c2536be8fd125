//! OpenSSH public keys.

use ssh_key::PublicKey;

use super::Wrong;

/// A parsed key, as OpenSSH spells it, without its comment.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runbook) struct Key(pub(in crate::runbook) String);

/// Reads a public key. Nothing of a text that may be a private key is repeated.
pub(in crate::runbook) fn ssh_key(text: &str) -> Result<Key, Wrong> {
    if text.contains("PRIVATE KEY") {
        let wrong = Wrong::new("a private key stands in the runbook").secret();
        return Err(wrong.help("rotate this key; write the public one, the line in the file that ends in `.pub`"));
    }
    let unreadable = |reason: String| {
        let wrong = Wrong::new("not an OpenSSH public key").label(reason);
        wrong.help("one line, as in \"ssh-ed25519 AAAA…\", from the file that ends in `.pub`")
    };
    let mut key = PublicKey::from_openssh(text.trim()).map_err(|error| unreadable(error.to_string()))?;
    key.set_comment("");
    key.to_openssh().map(|line| Key(line.trim_end().to_owned())).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn reads_a_key_without_its_comment() {
        assert_eq!(ssh_key(KEY), Ok(Key(KEY.to_owned())));
        assert_eq!(ssh_key(&format!("{KEY} signer-1@example")), Ok(Key(KEY.to_owned())));
    }

    #[test]
    fn refuses_what_is_none() {
        for bad in ["AAAA", "ssh-ed25519 AAAA", "ssh-ed25519", &KEY[..60], &KEY.replace("ed25519 ", "rsa ")] {
            assert_eq!(ssh_key(bad).unwrap_err().message, "not an OpenSSH public key", "{bad}");
        }
        let private = ssh_key("-----BEGIN OPENSSH PRIVATE KEY-----").unwrap_err();
        assert_eq!(private.message, "a private key stands in the runbook");
    }
}
