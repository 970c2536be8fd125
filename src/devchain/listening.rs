//! Reads from Anvil's log which port it chose.

use std::net::SocketAddr;

/// The address in the line `Listening on 127.0.0.1:45193`, once that line is complete. `--silent` would hide it.
pub(super) fn address(log: &str) -> Option<SocketAddr> {
    let line = log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    line.filter_map(|line| line.trim().strip_prefix("Listening on ")?.parse().ok()).find(|address: &SocketAddr| {
        // The prefix of a longer number would be a port as well, so only whole lines are read.
        address.ip().is_loopback() && address.port() != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: Option<u16>) {
        assert_eq!(address(log).map(|address| address.port()), expected, "{log:?}");
    }

    #[test]
    fn finds_the_port() {
        check("", None);
        check("Genesis Number\n====\n\n0\n\nListening on 127.0.0.1:45193\n", Some(45193));
        check("Listening on 127.0.0.1:45193\r\nmore", Some(45193));
        check("Listening on 127.0.0.1:451", None);
        check("Listening on 0.0.0.0:8545\n", None);
        check("Listening on 127.0.0.1:0\n", None);
        check("Listening on somewhere\n", None);
    }
}
