//! OpenSSH public keys in text, with a sentence for each way in which base64 is no key.

use ssh_key::PublicKey;

/// Reads a key's type and base64 data; the error is a lowercase fragment.
pub(super) fn read(key_type: &str, data: &str) -> Result<PublicKey, String> {
    PublicKey::from_openssh(&format!("{key_type} {data}")).map_err(|error| {
        if !is_base64(data) {
            format!("the `{key_type}` key is not base64")
        } else if data.starts_with(&wire_start(key_type)) {
            format!("the `{key_type}` key is damaged: {error}")
        } else {
            format!(
                "the `{key_type}` key is base64 of {} bytes that are no SSH key: one starts with its type, `{}…`",
                data.trim_end_matches('=').len() * 3 / 4,
                wire_start(key_type)
            )
        }
    })
}

/// The base64 that every key of a type starts with: the length and name of the type, up to a whole group.
fn wire_start(key_type: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let length = u32::try_from(key_type.len()).unwrap_or(u32::MAX);
    let bytes = [&length.to_be_bytes(), key_type.as_bytes()].concat();
    let mut out = String::new();
    for group in bytes.as_chunks::<3>().0 {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        out.extend([18, 12, 6, 0].map(|shift| char::from(ALPHABET[bits >> shift & 63])));
    }
    out
}

fn is_base64(data: &str) -> bool {
    let body = data.trim_end_matches('=');
    data.len() - body.len() <= 2
        && data.len().is_multiple_of(4)
        && !body.is_empty()
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
