//! The environment of every child: an allow-list and a few fixed values, never citadel's whole own.
//!
//! A leftover `NETWORK`, RPC URL, key or token of the operator's shell reaches no command by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables that pass unchanged.
const PASSED: &[&str] = &[
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// npm settings that say where packages come from; those that change what a command does, and credentials, are not
/// among them. npm reads `npm_config_x`, in any case.
const NPM: &[&str] = &[
    "cache",
    "cafile",
    "fetch_retries",
    "fetch_timeout",
    "globalconfig",
    "https_proxy",
    "noproxy",
    "offline",
    "omit_lockfile_registry_resolved",
    "prefer_offline",
    "proxy",
    "registry",
    "replace_registry_host",
    "strict_ssl",
    "userconfig",
];

const NPM_PREFIX: &str = "npm_config_";

/// Values that every child is given: nothing asks, decorates or calls home.
const FIXED: &[(&str, &str)] = &[
    ("DOTENV_CONFIG_QUIET", "true"),
    ("NO_COLOR", "1"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("TERM", "dumb"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
];

/// The environment that a child starts from, with `first` before everything else on its PATH.
pub fn base(original: &BTreeMap<String, String>, first: &[PathBuf]) -> BTreeMap<String, String> {
    let passed = original.iter().filter(|(name, _)| passes(name));
    let mut env: BTreeMap<_, _> = passed.map(|(name, value)| (name.clone(), value.clone())).collect();
    let path = original.get("PATH").map_or("", String::as_str);
    env.extend(FIXED.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    env.insert("PATH".to_owned(), join_path(first, path));
    env
}

fn passes(name: &str) -> bool {
    PASSED.contains(&name)
        || name.starts_with("LC_")
        || npm_setting(name).is_some_and(|key| NPM.contains(&key.as_str()))
}

fn npm_setting(name: &str) -> Option<String> {
    let (prefix, key) = name.split_at_checked(NPM_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(NPM_PREFIX).then(|| key.to_ascii_lowercase())
}

/// Empty and relative entries are left out: they would mean the folder a command happens to stand in.
fn join_path(first: &[PathBuf], rest: &str) -> String {
    let first = first.iter().filter_map(|folder| folder.to_str());
    let entries = first.chain(rest.split(':')).filter(|entry| Path::new(entry).is_absolute());
    entries.collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(original: &[(&str, &str)], first: &[&str]) -> BTreeMap<String, String> {
        let first: Vec<_> = first.iter().map(PathBuf::from).collect();
        base(&original.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(), &first)
    }

    fn check(name: &str, passes: bool) {
        assert_eq!(env(&[(name, "probe")], &[]).get(name).map(String::as_str) == Some("probe"), passes, "{name}");
    }

    #[test]
    fn passes_what_commands_need() {
        check("HOME", true);
        check("LC_ALL", true);
        check("https_proxy", true);
        check("NPM_CONFIG_REGISTRY", true);
        check("npm_config_cache", true);
        check("npm_config_//registry.example.net/:_authToken", false);
    }

    #[test]
    fn leaks_nothing_else() {
        for name in ["NETWORK", "MAINNET_RPC_URL", "PRIVATE_KEY", "npm_config_dry_run", "NODE_OPTIONS", "ANVIL", "CI"] {
            check(name, false);
        }
        for name in ["MAKEFLAGS", "GIT_DIR", "LD_PRELOAD", "npm_config_local_prefix", "npm_config__auth", "DEBUG"] {
            check(name, false);
        }
    }

    #[test]
    fn fixed_values_win() {
        let env = env(&[("TERM", "xterm"), ("NPM_CONFIG_FUND", "true")], &[]);
        assert_eq!(env["TERM"], "dumb");
        assert_eq!(env["npm_config_fund"], "false");
        assert!(!env.contains_key("NPM_CONFIG_FUND"));
    }

    #[test]
    fn path_has_only_absolute_folders() {
        let check =
            |path: &str, first: &[&str], expected: &str| assert_eq!(env(&[("PATH", path)], first)["PATH"], expected);
        check("/usr/bin:/bin", &["/shims"], "/shims:/usr/bin:/bin");
        check("/usr/bin::.:bin:", &["node_modules/.bin"], "/usr/bin");
        check("", &["/shims"], "/shims");
    }
}
