//! Calls that governance can make as they are: pausing, taking settlers off, and the two halves of a timelock operation,
//! with the file that the Safe Transaction Builder reads. Computed offline; sends and signs nothing.

use ethers::abi::{ParamType, Token, encode};
use ethers::types::{Address, U256};
use ethers::utils::keccak256;
use serde_json::{Map, Value, json};

use super::abi::{Signature, one_type};
use super::address::checksum;
use super::bundle::checksum_of;
use super::text::hex;
use super::value::to_json;

/// One call without value, with its name and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    to: Address,
    method: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    values: Vec<Token>,
    /// What it does, in a few words.
    pub what: String,
}

impl Call {
    /// Pauses all eight modules; reverts where one of them is paused already.
    pub fn pause_all(pause: Address) -> Self {
        let what = "pauses all eight modules, all or nothing".to_owned();
        Self { to: pause, method: "pauseAll", inputs: &[], values: Vec::new(), what }
    }

    /// Pauses one module through the `SystemPause` that owns it.
    pub fn pause_module(pause: Address, module: Address, name: &str) -> Self {
        let inner = keccak256("pause()")[..4].to_vec();
        Self {
            to: pause,
            method: "executeGovernanceCall",
            inputs: &[("target", "address"), ("data", "bytes")],
            values: vec![Token::Address(module), Token::Bytes(inner)],
            what: format!("pauses `{name}` alone"),
        }
    }

    /// Takes one account off the list of those that settle.
    pub fn settler_off(engine: Address, settler: Address, name: &str) -> Self {
        Self {
            to: engine,
            method: "setSettler",
            inputs: &[("settler", "address"), ("allowed", "bool")],
            values: vec![Token::Address(settler), Token::Bool(false)],
            what: format!("stops {} from settling at `{name}`, which no pause does", checksum(settler)),
        }
    }

    /// Where it goes, in EIP-55.
    pub fn to(&self) -> String {
        checksum(self.to)
    }

    /// Its data, as hex.
    pub fn data(&self) -> String {
        hex(&self.bytes())
    }

    /// The command that sends it; variables stand for the endpoint and the key.
    pub fn cast_send(&self, rpc: &str, key: &str) -> String {
        let values: Vec<String> = self.values.iter().map(|value| format!(" {}", word(value))).collect();
        format!(
            "cast send {} \"{}\"{} --rpc-url ${rpc} --private-key ${key}",
            self.to(),
            self.signature(),
            values.concat()
        )
    }

    fn signature(&self) -> String {
        let types: Vec<&str> = self.inputs.iter().map(|(_, of)| *of).collect();
        format!("{}({})", self.method, types.join(","))
    }

    fn bytes(&self) -> Vec<u8> {
        let inputs: Vec<ParamType> = self.inputs.iter().filter_map(|(_, of)| one_type(of).ok()).collect();
        Signature { name: self.method.to_owned(), inputs, outputs: Vec::new() }.encode(&self.values)
    }

    fn entry(&self) -> Value {
        let input = |(name, of): &(&str, &str)| json!({ "internalType": of, "name": name, "type": of });
        let inputs: Vec<Value> = self.inputs.iter().map(input).collect();
        let values =
            self.inputs.iter().zip(&self.values).map(|((name, _), value)| ((*name).to_owned(), word(value).into()));
        json!({
            "to": self.to(),
            "value": "0",
            "data": self.data(),
            "contractMethod": { "inputs": inputs, "name": self.method, "payable": false },
            "contractInputsValues": values.collect::<Map<_, _>>(),
        })
    }
}

/// A call that a timelock makes for governance, after its delay.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    timelock: Address,
    call: Call,
    salt: [u8; 32],
}

impl Operation {
    /// The operation of `timelock` for `call`; `salt` is any text, which keeps it apart from equal calls of other times.
    pub fn new(timelock: Address, call: Call, salt: &str) -> Self {
        Self { timelock, call, salt: keccak256(salt) }
    }

    /// The call to schedule it, with a delay in seconds, as decimal text.
    pub fn schedule(&self, delay: &str) -> Option<Call> {
        let mut values = self.values();
        values.push(Token::Uint(U256::from_dec_str(delay).ok()?));
        let inputs = &[
            ("target", "address"),
            ("value", "uint256"),
            ("data", "bytes"),
            ("predecessor", "bytes32"),
            ("salt", "bytes32"),
            ("delay", "uint256"),
        ];
        let what = format!("schedules: {}", self.call.what);
        Some(Call { to: self.timelock, method: "schedule", inputs, values, what })
    }

    /// The call to execute it once its delay has passed.
    pub fn execute(&self) -> Call {
        let inputs = &[
            ("target", "address"),
            ("value", "uint256"),
            ("payload", "bytes"),
            ("predecessor", "bytes32"),
            ("salt", "bytes32"),
        ];
        let what = format!("executes: {}", self.call.what);
        Call { to: self.timelock, method: "execute", inputs, values: self.values(), what }
    }

    /// The id by which the timelock knows it.
    pub fn id(&self) -> String {
        hex(&keccak256(encode(&self.values())))
    }

    fn values(&self) -> Vec<Token> {
        vec![
            Token::Address(self.call.to),
            Token::Uint(U256::zero()),
            Token::Bytes(self.call.bytes()),
            Token::FixedBytes(vec![0; 32]),
            Token::FixedBytes(self.salt.to_vec()),
        ]
    }
}

/// The file that the Safe Transaction Builder reads, with its checksum; `created` is in milliseconds since 1970.
pub fn safe_file(chain_id: u64, safe: Option<Address>, name: &str, created: i64, calls: &[Call]) -> String {
    let transactions: Vec<Value> = calls.iter().map(Call::entry).collect();
    let what: Vec<&str> = calls.iter().map(|call| call.what.as_str()).collect();
    let mut file = json!({
        "version": "1.0",
        "chainId": chain_id.to_string(),
        "createdAt": created,
        "meta": {
            "name": name,
            "description": what.join("; "),
            "txBuilderVersion": "1.16.6",
            "createdFromSafeAddress": safe.map(checksum).unwrap_or_default(),
            "createdFromOwnerAddress": "",
        },
        "transactions": transactions,
    });
    let checksum = checksum_of(&file);
    file["meta"]["checksum"] = checksum.into();
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// A value as commands and the Transaction Builder take it.
fn word(value: &Token) -> String {
    match to_json(std::slice::from_ref(value)) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::bundle::Bundle;

    fn at(number: u64) -> Address {
        Address::from_low_u64_be(0xc0de_0000 + number)
    }

    fn check(call: &Call, selector: &str) {
        assert_eq!(&call.data()[..10], selector, "{}", call.what);
        let file = safe_file(1, Some(at(9)), "pause", 1, std::slice::from_ref(call));
        let bundle = Bundle::read(file.as_bytes()).unwrap();
        assert_eq!((bundle.chain_id, bundle.safe), (1, Some(at(9))));
        assert_eq!((bundle.transactions[0].to, hex(&bundle.transactions[0].data)), (call.to, call.data()));
    }

    #[test]
    fn what_is_made_is_what_the_bundle_check_reads() {
        let pause = Call::pause_all(at(1));
        check(&pause, "0x595c6a67");
        check(
            &Call::pause_module(at(1), at(2), "feePool"),
            &hex(&keccak256("executeGovernanceCall(address,bytes)")[..4]),
        );
        check(&Call::settler_off(at(3), at(4), "engine"), &hex(&keccak256("setSettler(address,bool)")[..4]));
        let operation = Operation::new(at(5), pause, "salt");
        check(&operation.schedule("2").unwrap(), "0x01d5062a");
        check(&operation.execute(), "0x134008d3");
        assert_eq!(operation.schedule("two"), None);
    }

    /// The id as the contract computes it, for words encoded by hand.
    #[test]
    fn the_id_is_the_hash_of_the_encoded_call() {
        let operation = Operation::new(at(5), Call::pause_all(at(1)), "salt");
        let (zero, data) = ("0".repeat(64), format!("595c6a67{}", "0".repeat(56)));
        let address = checksum(at(1))[2..].to_lowercase();
        let salt = hex(&keccak256("salt"));
        let words = format!("{address:0>64}{zero}{:0>64x}{zero}{}{:0>64x}{data}", 0xa0, &salt[2..], 4);
        let bytes = crate::chain::text::unhex(&format!("0x{words}")).unwrap();
        assert_eq!(operation.id(), hex(&keccak256(bytes)));
    }

    #[test]
    fn the_command_names_variables_not_secrets() {
        let line = Call::settler_off(at(3), at(4), "engine").cast_send("RPC_URL", "KEY");
        let ends = "--rpc-url $RPC_URL --private-key $KEY";
        assert!(line.starts_with("cast send 0x") && line.ends_with(ends) && line.contains(" false "), "{line}");
    }
}
