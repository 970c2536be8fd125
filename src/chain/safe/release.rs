//! The released Safe contracts by the hash of their code. A proxy of known code, pointing at a singleton of known code, is a
//! Safe; anything else could answer what it likes. From `@safe-global/safe-deployments` 1.37.63 and the npm artifacts.

use ethers::types::H256;
use ethers::utils::keccak256;

/// The contracts that a Safe account can point at.
const SINGLETONS: [(&str, &str); 6] = [
    ("1.3.0", "0xbba688fbdb21ad2bb58bc320638b43d94e7d100f6f3ebaab0a4e4de6304b1c2e"),
    ("1.3.0", "0x21842597390c4c6e3c1239e434a682b054bd9548eee5e9b1d6a4482731023c0f"),
    ("1.4.1", "0x1fe2df852ba3299d6534ef416eefa406e56ced995bca886ab7a553e6d0c5e1c4"),
    ("1.4.1", "0xb1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff"),
    ("1.5.0", "0xdda019cbd7c867a533a2a86e5c53434fdc50b13122b5a5ddb4a8df61b31c20f2"),
    ("1.5.0", "0x180193227186ccb85316c94db1f0d156ed932b14712cfaac78901899178572dc"),
];

/// The accounts themselves.
const PROXIES: [(&str, &str); 3] = [
    ("1.3.0", "0xb89c1b3bdf2cf8827818646bce9a8f6e372885f8c55e5c07acbd307cb133b000"),
    ("1.4.1", "0xd7d408ebcd99b2b70be43e20253d6d92a8ea8fab29bd3be7f55b10032331fb4c"),
    ("1.5.0", "0x4e381985ca68b3e5d27b4425fa581c19cf33146d3f887a3cfca96f55528ea46f"),
];

/// `MultiSendCallOnly`: the one contract that a Safe transaction may delegate to here.
const MULTI_SENDS: [(&str, &str); 3] = [
    ("1.3.0", "0xa9865ac2d9c7a1591619b188c4d88167b50df6cc0c5327fcbd1c8c75f7c066ad"),
    ("1.4.1", "0xecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939"),
    ("1.5.0", "0xcdbdcec38d2f1c7d961b0029ff8416b7e86e9974d6f0e9c9580c7d17fcfb6663"),
];

/// The release of a singleton with this code.
pub(crate) fn singleton(code: &[u8]) -> Option<&'static str> {
    version(&SINGLETONS, code)
}

/// The release of an account with this code.
pub(crate) fn proxy(code: &[u8]) -> Option<&'static str> {
    version(&PROXIES, code)
}

/// The release of a `MultiSendCallOnly` with this code.
pub(crate) fn multi_send(code: &[u8]) -> Option<&'static str> {
    version(&MULTI_SENDS, code)
}

fn version(of: &[(&'static str, &str)], code: &[u8]) -> Option<&'static str> {
    let hash = format!("{:?}", H256(keccak256(code)));
    of.iter().find(|(_, known)| *known == hash).map(|(version, _)| *version)
}
