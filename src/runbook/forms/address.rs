//! Ethereum addresses with their EIP-55 checksum, and 32-byte hashes.

use ethers::types::{Address, H256};
use ethers::utils::to_checksum;

use super::Wrong;

/// An address, spelt with its checksum and not zero.
pub(in crate::runbook) fn address(text: &str) -> Result<Address, Wrong> {
    let address: Address = bytes(text, 20, "an address")?.parse().map_err(|_| Wrong::new("not an address"))?;
    if address.is_zero() {
        let wrong = Wrong::new("the zero address is nobody's").label("no contract lives here");
        return Err(wrong.help("leave the network out until its address is known"));
    }
    let right = to_checksum(&address, None);
    if text == right {
        return Ok(address);
    }
    let digits = &text[2..];
    let plain = digits == digits.to_lowercase() || digits == digits.to_uppercase();
    if plain {
        let wrong = Wrong::new("an address without its EIP-55 checksum").label("all in one case");
        return Err(wrong.help(format!("compare it with its source, then write `{right}`")));
    }
    let differs = text.bytes().zip(right.bytes()).position(|(a, b)| a != b).unwrap_or(0);
    let wrong = Wrong::new("the EIP-55 checksum of this address is wrong").part(differs..text.len());
    Err(wrong
        .label("differs from here")
        .help(format!("a digit may be mistyped: compare it with its source; these digits would be spelt `{right}`")))
}

/// A 32-byte hash.
pub(in crate::runbook) fn hash(text: &str) -> Result<H256, Wrong> {
    bytes(text, 32, "a hash")?.parse().map_err(|_| Wrong::new("not a hash"))
}

/// The hex digits of so many bytes.
fn bytes<'t>(text: &'t str, size: usize, noun: &str) -> Result<&'t str, Wrong> {
    let shape = format!("{noun} is `0x` and {} hex digits", size * 2);
    let Some(digits) = text.strip_prefix("0x") else {
        return Err(Wrong::new(format!("`{text}` is not {noun}")).help(shape));
    };
    if let Some((at, odd)) = digits.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let part = at + 2..at + 2 + odd.len_utf8();
        return Err(Wrong::new(format!("`{text}` is not {noun}")).part(part).label("not a hex digit").help(shape));
    }
    if digits.len() != size * 2 {
        let label = format!("{} digits", digits.len());
        return Err(Wrong::new(format!("{noun} of the wrong length")).label(label).help(shape));
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let answer = address(text).map_or_else(|wrong| wrong.message, |_| "ok".to_owned());
        assert_eq!(answer, expected, "{text}");
    }

    #[test]
    fn addresses_need_their_checksum() {
        check(RIGHT, "ok");
        check(&RIGHT.to_lowercase(), "an address without its EIP-55 checksum");
        check(&format!("0x{}", RIGHT[2..].to_uppercase()), "an address without its EIP-55 checksum");
        check(&RIGHT.replace("EeA", "Eea").replace("aAeb", "aaeb"), "the EIP-55 checksum of this address is wrong");
        check("0x0000000000000000000000000000000000000000", "the zero address is nobody's");
        check(&RIGHT[..41], "an address of the wrong length");
        check(&RIGHT.replace("0x", "0X"), &format!("`{}` is not an address", RIGHT.replace("0x", "0X")));
        check("0xé", "`0xé` is not an address");
        check("0x", "an address of the wrong length");
        // All digits and no letters: spelt the same in every case.
        check("0x1234567890123456789012345678901234567890", "ok");
    }

    #[test]
    fn help_shows_the_right_spelling() {
        assert!(address(&RIGHT.to_lowercase()).unwrap_err().help.unwrap().contains(RIGHT));
    }

    #[test]
    fn hashes_are_thirty_two_bytes() {
        assert!(hash(&format!("0x{}", "ab".repeat(32))).is_ok());
        assert_eq!(hash("0xab").unwrap_err().message, "a hash of the wrong length");
    }
}
