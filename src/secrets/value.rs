//! What is plainly wrong with the value of a secret variable, told without showing it.

/// The private keys that every Anvil and Hardhat node knows (from the mnemonic "test test … junk"), by their first bytes.
const PUBLIC_KEYS: &[&str] = &[
    "ac0974bec39a17e3",
    "59c6995e998f97a5",
    "5de4111afa1a4b94",
    "7c852118294e51e6",
    "47e179ec19748859",
    "8b3a350cf5c34c91",
    "92db14e403b83dfe",
    "4bbbf85ce3377467",
    "dbda1821b80551c9",
    "2a871d0798f97d79",
];

/// Words that stand in templates where a value belongs.
const PLACEHOLDERS: &[&str] =
    &["your", "changeme", "change-me", "placeholder", "<", ">", "xxxx", "todo", "example.com", "replace"];

/// What is wrong with `value`; on a dev chain its public keys are right.
pub fn problem(value: &str, dev_chain: bool) -> Option<String> {
    let value = value.trim().to_lowercase();
    if value.is_empty() {
        return Some("is empty".into());
    }
    if PLACEHOLDERS.iter().any(|word| value.contains(word)) {
        return Some("still has the placeholder of its template".into());
    }
    let public = is_public(value.strip_prefix("0x").unwrap_or(&value));
    (public && !dev_chain).then(|| "is a key that everybody knows: Anvil prints it at every start".into())
}

/// Whether these digits, in lowercase, are a key that everybody knows.
pub(super) fn is_public(digits: &str) -> bool {
    digits.len() == 64 && PUBLIC_KEYS.iter().any(|key| digits.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_cannot_be_right() {
        let check = |value: &str, dev: bool, wrong: bool| assert_eq!(problem(value, dev).is_some(), wrong, "{value}");
        let anvil = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        check(anvil, false, true);
        check(anvil, true, false);
        check("", false, true);
        check("https://mainnet.example.com/v3/<key>", false, true);
        check("YOUR_KEY_HERE", false, true);
        check("https://rpc.somewhere.net/v3/8f3a", false, false);
        check("0x1111111111111111111111111111111111111111111111111111111111111112", false, false);
    }
}
