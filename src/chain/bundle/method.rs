//! A call's data rebuilt from the method and the values that the bundle shows its readers.

use ethers::abi::{ParamType, Token};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::chain::abi::{Signature, from_json, one_type, strict};
use crate::chain::text::{brief, tame};
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
        Ok((self.signature()?.encode(&tokens), words(name, &tokens)))
    }

    /// The function that the bundle shows its readers.
    pub(super) fn signature(&self) -> Result<Signature, String> {
        let types: Vec<String> = self.inputs.iter().map(Input::spelt).collect();
        Signature::parse(&format!("{}({})", self.name, types.join(",")))
    }

    /// Where calldata differs from the values, as far as it is a call of this function at all.
    pub(super) fn difference(&self, values: &Map<String, Value>, data: &[u8]) -> Option<String> {
        let signature = self.signature().ok()?;
        if !data.starts_with(&signature.selector()) {
            return Some(format!("it calls another function, {}", brief(data.get(..4)?)));
        }
        let tokens = strict(&signature.inputs, &data[4..]).ok()?;
        let differs = |(input, token): (&Input, &Token)| {
            let described = from_json(&input.parsed().ok()?, values.get(&input.name)?).ok()?;
            let (is, says) = (shown(token), shown(&described));
            (*token != described).then(|| format!("`{}` is {is} in the data and {says} in the description", input.name))
        };
        self.inputs.iter().zip(&tokens).find_map(differs)
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

/// A call in words.
pub(crate) fn words(name: &str, tokens: &[Token]) -> String {
    format!("{name}({})", tokens.iter().map(shown).collect::<Vec<_>>().join(", "))
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
