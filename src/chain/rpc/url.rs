//! An endpoint's URL, which is a secret: it can be used and named, never shown.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::HeaderValue;

/// Parts of a URL shorter than this are words, not secrets.
const SHORTEST_SECRET: usize = 8;

/// A URL with the name of the environment variable that holds it. Debug and messages show the variable and the host.
#[derive(Clone)]
pub struct EndpointUrl {
    variable: String,
    url: Url,
}

impl EndpointUrl {
    /// Takes an https URL, or an http URL of this machine.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn new(variable: &str, url: &str) -> Result<Self, String> {
        let mut url = Url::parse(url.trim()).map_err(|_| format!("`{variable}` does not hold a URL"))?;
        url.set_fragment(None);
        let endpoint = Self { variable: variable.to_owned(), url };
        match endpoint.url.scheme() {
            "https" => Ok(endpoint),
            "http" if endpoint.is_loopback() => Ok(endpoint),
            "http" => Err(format!("`{variable}` is a plain http URL; only https reaches other machines safely")),
            _ => Err(format!("`{variable}` is not an https URL")),
        }
    }

    /// The environment variable.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// The host, with its port where the URL names one.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The endpoint's name in messages.
    pub(crate) fn label(&self) -> String {
        format!("`{}` ({})", self.variable, self.host())
    }

    /// What two endpoints share when they are the same party: the host; on this machine each port is its own.
    pub(crate) fn party(&self) -> String {
        if self.is_loopback() {
            self.url.port_or_known_default().unwrap_or_default().to_string()
        } else {
            self.url.host_str().unwrap_or_default().trim_end_matches('.').to_lowercase()
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_end_matches('.');
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(ip) => {
                let ip = ip.to_canonical();
                ip.is_loopback() || ip.is_unspecified()
            }
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The text without any part of the URL that may be secret.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets() {
            text = text.replace(&secret, "…");
        }
        text
    }

    fn secrets(&self) -> Vec<String> {
        let user = [self.url.username(), self.url.password().unwrap_or_default()].map(str::to_owned);
        let path = self.url.path_segments().into_iter().flatten().map(str::to_owned);
        let query = self.url.query_pairs().map(|(_, value)| value.into_owned());
        let parts = user.into_iter().chain(path).chain(query).filter(|part| part.len() >= SHORTEST_SECRET);
        let mut secrets: Vec<String> = parts.chain([self.url.to_string()]).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

/// What citadel calls itself.
pub(super) fn user_agent() -> HeaderValue {
    HeaderValue::from_static(concat!("citadel/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> EndpointUrl {
        EndpointUrl::new("X_RPC_URL", url).unwrap()
    }

    #[test]
    fn only_https_or_this_machine() {
        let check = |url: &str, fine: bool| match EndpointUrl::new("X_RPC_URL", url) {
            Ok(_) => assert!(fine, "{url}"),
            Err(message) => {
                assert!(!fine, "{url}: {message}");
                assert!(message.contains("X_RPC_URL") && !message.contains("secretkey"), "{message}");
            }
        };
        check("https://eth.example.com/v3/secretkey", true);
        check("http://127.0.0.1:8545", true);
        check("http://[::1]:8545", true);
        check("http://localhost:8545", true);
        check("http://eth.example.com/v3/secretkey", false);
        check("http://10.0.0.1:8545/secretkey", false);
        check("http://127.0.0.1.example.com/secretkey", false);
        check("wss://eth.example.com/secretkey", false);
        check("file:///secretkey", false);
        check("secretkey", false);
        check("", false);
    }

    #[test]
    fn no_part_of_the_url_is_shown() {
        let url = "https://user:secretpass@eth.example.com:8443/v3/secretkey1?token=secretkey2";
        let endpoint = endpoint(url);
        assert_eq!(format!("{endpoint:?}"), "`X_RPC_URL` (eth.example.com:8443)");
        let said = endpoint.scrub(&format!("no such key secretkey1 at {url} with secretkey2 and secretpass"));
        assert!(!said.contains("secretkey") && !said.contains("secretpass"), "{said}");
    }

    #[test]
    fn one_host_is_one_party() {
        let same = |one: &str, other: &str| endpoint(one).party() == endpoint(other).party();
        assert!(same("https://eth.example.com/a", "https://ETH.example.com/b"));
        assert!(same("https://eth.example.com/a", "https://eth.example.com.:8443/b"));
        assert!(!same("https://eth.example.com", "https://eth.example.org"));
        assert!(!same("http://127.0.0.1:1", "http://127.0.0.1:2"));
        assert!(same("http://127.0.0.1:1", "http://localhost:1"));
    }
}
