//! Which values of secret variables are not secret after all, so that masking them would only spoil the output.
//!
//! Errs on the side of secrecy: whatever is not plainly harmless is masked.

/// Values shorter than this stand in ordinary text by chance.
const SHORTEST: usize = 6;

/// Numbers up to this length are chain ids, ports and counts; longer ones may be passwords.
const LONGEST_NUMBER: usize = 12;

/// Words that people put where a secret is expected, mostly names of networks.
const WORDS: &[&str] = &[
    "anvil",
    "arbitrum",
    "default",
    "development",
    "ethereum",
    "finalized",
    "gnosis",
    "goerli",
    "hardhat",
    "holesky",
    "hoodi",
    "latest",
    "localhost",
    "mainnet",
    "optimism",
    "polygon",
    "production",
    "sepolia",
    "staging",
    "testnet",
];

/// Whether a value can be shown: too short to be found without false alarms, a plain number, a well-known word, or a
/// loopback URL that carries no credential.
pub fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.len() < SHORTEST || is_number(value) || is_word(value) || is_plain_loopback(value)
}

/// Whether a variable of this name holds a secret, as far as names tell; for those that no runbook declares.
pub fn is_secret_name(name: &str) -> bool {
    const TELLING: [&str; 9] =
        ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "MNEMONIC", "CREDENTIALS", "AUTH"];
    let name = name.to_ascii_uppercase();
    let mut words = name.split(['_', '-', '.']);
    name.ends_with("RPC_URL") || name.contains("APIKEY") || words.any(|word| TELLING.contains(&word))
}

/// Whether a part of a secret is only its form: the frame of a PEM block, a word of a path, a line of JSON without a value.
pub(super) fn is_structural(part: &str) -> bool {
    let any = |is: fn(&char) -> bool| part.chars().any(|c| is(&c));
    let mixed = any(char::is_ascii_uppercase) && any(char::is_ascii_lowercase);
    part.starts_with("-----") || !(mixed || any(char::is_ascii_digit))
}

fn is_number(value: &str) -> bool {
    value.len() <= LONGEST_NUMBER && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(value: &str) -> bool {
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn is_plain_loopback(value: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(value) else { return false };
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    local && url.has_authority() && is_bare(&url)
}

fn is_bare(url: &reqwest::Url) -> bool {
    let nobody = url.username().is_empty() && url.password().is_none();
    nobody && matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: bool) {
        assert_eq!(is_harmless(value), expected, "{value:?}");
    }

    #[test]
    fn harmless_values() {
        check("", true);
        check("abc", true);
        check("31337", true);
        check("11155111", true);
        check("sepolia", true);
        check("Mainnet", true);
        check(" localhost ", true);
        check("http://127.0.0.1:8545", true);
        check("http://localhost:8545/", true);
        check("ws://[::1]:8546", true);
    }

    #[test]
    fn names_that_tell() {
        let check = |name: &str, expected: bool| assert_eq!(is_secret_name(name), expected, "{name}");
        check("PRIVATE_KEY", true);
        check("ETHERSCAN_API_KEY", true);
        check("npm_token", true);
        check("DEPLOYER_MNEMONIC", true);
        check("INFURA_APIKEY", true);
        check("SEPOLIA_RPC_URL", true);
        check("NETWORK", false);
        check("KEYBOARD", false);
        check("AURORA_REPORT_NAMESPACE", false);
        check("AUTHOR", false);
    }

    #[test]
    fn parts_that_are_only_form() {
        let check = |part: &str, expected: bool| assert_eq!(is_structural(part), expected, "{part}");
        check("-----BEGIN RSA PRIVATE KEY-----", true);
        check("-----END OPENSSH PRIVATE KEY-----", true);
        check("\"type\": \"service_account\",", true);
        check("ethereum-mainnet-archive", true);
        check("MIIEpAIBAAKCAQEA", false);
        check("a1b2c3d4e5f60718", false);
        check("hunter2pass", false);
    }

    #[test]
    fn secret_values() {
        check("hunter", false);
        check("1234567890123", false);
        check("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", false);
        check("https://rpc.example.net", false);
        check("https://rpc.example.net/v2/abcdef", false);
        check("http://user:pass@127.0.0.1:8545", false);
        check("http://127.0.0.1:8545/v2/abcdef", false);
        check("http://127.0.0.1:8545?key=abcdef", false);
        check("http://127.0.0.1.example.net", false);
        check("localhost:8545", false);
    }
}
