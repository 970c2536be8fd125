//! Addresses as text, and the ones that stand for nothing. Reads no chain.

use std::sync::LazyLock;

use ethers::types::Address;
use ethers::utils::{get_contract_address, to_checksum};

/// The first ten accounts of the mnemonic that every development node starts with.
const DEV_ACCOUNTS: [&str; 10] = [
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
];

/// How many contracts of the first development account count as well known.
const DEV_CONTRACTS: u64 = 64;

static WELL_KNOWN: LazyLock<Vec<Address>> = LazyLock::new(|| {
    let accounts: Vec<Address> = DEV_ACCOUNTS.iter().filter_map(|text| text.parse().ok()).collect();
    let deployer = accounts.first().copied().unwrap_or_default();
    let contracts = (0..DEV_CONTRACTS).map(|nonce| get_contract_address(deployer, nonce));
    accounts.iter().copied().chain(contracts).collect()
});

/// The address with its EIP-55 checksum.
pub fn checksum(address: Address) -> String {
    to_checksum(&address, None)
}

/// Reads an address that must carry its EIP-55 checksum.
///
/// # Errors
/// What is wrong, with the right spelling where there is one.
pub fn checksummed(text: &str) -> Result<Address, String> {
    let address = any_case(text)?;
    let right = checksum(address);
    if text == right { Ok(address) } else { Err(format!("`{text}` has no valid EIP-55 checksum: `{right}`")) }
}

/// Reads an address in one case or with a right checksum; a wrong checksum is a typing error.
pub(crate) fn lenient(text: &str) -> Result<Address, String> {
    let digits = text.get(2..).unwrap_or_default();
    let one_case = digits == digits.to_lowercase() || digits == digits.to_uppercase();
    if one_case { any_case(text) } else { checksummed(text) }
}

fn any_case(text: &str) -> Result<Address, String> {
    super::text::unhex(text)
        .filter(|bytes| bytes.len() == 20)
        .map(|bytes| Address::from_slice(&bytes))
        .ok_or_else(|| format!("`{}` is not an address", super::text::tame(text)))
}

/// Why an address cannot be meant on a real chain, if so.
pub(crate) fn placeholder(address: Address) -> Option<&'static str> {
    let bytes = address.as_bytes();
    let first = bytes[0];
    if address.is_zero() {
        Some("the zero address")
    } else if first >> 4 == first & 15 && bytes.iter().all(|byte| *byte == first) {
        Some("a placeholder of one repeated digit")
    } else if bytes[..18].iter().all(|byte| *byte == 0) {
        Some("a precompile or burn address")
    } else if WELL_KNOWN.contains(&address) {
        Some("a well-known address of development nodes")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_demanded() {
        let right = "0x41675C099F32341bf84BFc5382aF534df5C7461a";
        assert_eq!(checksum(checksummed(right).unwrap()), right);
        let message = checksummed(&right.to_lowercase()).unwrap_err();
        assert!(message.contains(right), "{message}");
        assert!(lenient(&right.to_lowercase()).is_ok());
        assert!(lenient("0x41675c099F32341bf84BFc5382aF534df5C7461a").is_err());
        for bad in ["", "0x", "41675C099F32341bf84BFc5382aF534df5C7461a", "0x41675C099F32341bf84BFc5382aF534df5C7461"] {
            assert!(lenient(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn placeholders_are_known() {
        let check = |text: &str, expected: Option<&str>| {
            let found = placeholder(lenient(text).unwrap());
            assert_eq!(found.is_some(), expected.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}: {found:?}");
        };
        check("0x0000000000000000000000000000000000000000", Some("zero"));
        check("0x5555555555555555555555555555555555555555", Some("repeated"));
        check("0x000000000000000000000000000000000000dead", Some("burn"));
        check("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", Some("development"));
        check("0x5FbDB2315678afecb367f032d93F642f64180aa3", Some("development"));
        check("0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", Some("development"));
        check("0x5656565656565656565656565656565656565656", None);
        check("0x41675C099F32341bf84BFc5382aF534df5C7461a", None);
    }
}
