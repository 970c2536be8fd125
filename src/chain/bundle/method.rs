//! A call's data rebuilt from the method and the values that the bundle shows its readers.

use ethers::abi::{ParamType, Token};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::chain::abi::{Signature, from_json, one_type};
use crate::chain::text::tame;
use crate::chain::value::to_json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Method {
    name: String,
    inputs: Vec<Input>,
    #[expect(dead_code, reason = "a key that is known; no value is sent in any case")]
    payable: Option<bool>,
    #[expect(dead_code, reason = "a key that is known; no value is sent in any case")]
    state_mutability: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Input {
    name: String,
    #[serde(rename = "type")]
    of: String,
    #[expect(dead_code, reason = "a key that is known; the ABI does not have it")]
    internal_type: Option<String>,
    components: Option<Vec<Input>>,
}

impl Method {
    /// The calldata, and the call in words.
    pub(super) fn encode(&self, values: &Map<String, Value>) -> Result<(Vec<u8>, String), String> {
        let name = &self.name;
        let mut tokens: Vec<Token> = Vec::new();
        for input in &self.inputs {
            let value =
                values.get(&input.name).ok_or_else(|| format!("`{name}` lacks the value of `{}`", input.name))?;
            tokens.push(
                from_json(&input.parsed()?, value)
                    .map_err(|reason| format!("`{}` of `{name}`: {reason}", input.name))?,
            );
        }
        if let Some(extra) = values.keys().find(|key| !self.inputs.iter().any(|input| input.name == **key)) {
            return Err(format!("`{name}` has no input `{}`", tame(extra)));
        }
        let types: Vec<String> = self.inputs.iter().map(Input::spelt).collect();
        let signature = Signature::parse(&format!("{name}({})", types.join(",")))?;
        let words = format!("{name}({})", tokens.iter().map(shown).collect::<Vec<_>>().join(", "));
        Ok((signature.encode(&tokens), words))
    }
}

impl Input {
    fn parsed(&self) -> Result<ParamType, String> {
        one_type(&self.spelt())
    }

    /// The type as signatures spell it: `tuple[]` with its components becomes `(…)[]`.
    fn spelt(&self) -> String {
        match (self.of.strip_prefix("tuple"), &self.components) {
            (Some(suffix), Some(parts)) => {
                format!("({}){suffix}", parts.iter().map(Self::spelt).collect::<Vec<_>>().join(","))
            }
            _ => self.of.clone(),
        }
    }
}

fn shown(token: &Token) -> String {
    match to_json(std::slice::from_ref(token)) {
        Value::String(text) if text.len() > 80 => {
            format!("{}… ({} characters)", text.chars().take(40).collect::<String>(), text.len())
        }
        Value::String(text) => tame(&text),
        other => tame(&other.to_string().replace('"', "")),
    }
}
