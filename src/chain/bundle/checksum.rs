//! The Transaction Builder's checksum: the hash of a serialisation of its own, with `meta.name` null and without the
//! checksum itself. It proves integrity, not who made the file.

use ethers::utils::keccak256;
use serde_json::Value;

use crate::chain::text::hex;

/// Whether the file has the checksum that it claims.
pub(super) fn holds(file: &Value, claimed: &str) -> bool {
    of(file) == claimed.to_lowercase()
}

/// The checksum of a file, whatever it claims itself.
pub(in crate::chain) fn of(file: &Value) -> String {
    let mut file = file.clone();
    if let Some(meta) = file.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("checksum");
        meta.insert("name".to_owned(), Value::Null);
    }
    let mut text = String::new();
    serialise(&file, &mut text);
    hex(&keccak256(text))
}

fn serialise(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                serialise(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            text.push('{');
            text.push_str(&serde_json::json!(keys).to_string());
            for key in keys {
                serialise(&fields[key], text);
                text.push(',');
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
