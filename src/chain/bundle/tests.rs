//! Bundles: both dialects are read; whatever a reader cannot trust is refused.

use ethers::types::Address;
use serde_json::{Value, json};

use super::*;
use crate::chain::abi::{Signature, from_text};
use crate::chain::safe::multisend::{Packed, calldata};
use crate::chain::text::hex;

const TARGET: &str = "0xa513E6E4b8f2a923D98304ec87F64353C4D5C853";

/// Calldata of a function with arguments as text.
fn call(signature: &str, arguments: &[&str]) -> Vec<u8> {
    let signature = Signature::parse(signature).unwrap();
    let tokens: Vec<_> =
        signature.inputs.iter().zip(arguments).map(|(of, text)| from_text(of, text).unwrap()).collect();
    signature.encode(&tokens)
}

/// One transaction as ethers scripts write it.
fn entry() -> Value {
    json!({
        "to": TARGET,
        "value": "0",
        "data": "0x9b026f4300000000000000000000000000000000000000000000003635c9adc5dea00000",
        "description": "Update maximum job reward",
        "contractInputsValues": { "maxReward": "1000000000000000000000" },
        "contractMethod": {
            "name": "setMaxJobReward",
            "payable": false,
            "stateMutability": "nonpayable",
            "inputs": [{ "name": "maxReward", "type": "uint256" }],
        },
    })
}

fn file(transactions: &[Value]) -> Value {
    json!({
        "version": "1.0",
        "chainId": 31337,
        "createdAt": "2026-11-22T18:30:34.262Z",
        "meta": { "name": "plan", "description": "", "txBuilderVersion": "1.16.6" },
        "transactions": transactions,
    })
}

/// The file after a change is refused with these words.
fn refused(change: impl FnOnce(&mut Value), words: &str) {
    let mut file = file(&[entry()]);
    change(&mut file);
    let message = Bundle::read(file.to_string().as_bytes()).unwrap_err().reason;
    assert!(message.contains(words), "{message}");
}

#[test]
fn the_scripts_dialect() {
    let bundle = Bundle::read(file(&[entry()]).to_string().as_bytes()).unwrap();
    assert_eq!((bundle.chain_id, bundle.safe), (31337, None));
    assert_eq!(bundle.transactions[0].words, "setMaxJobReward(1000000000000000000000)");
}

#[test]
fn the_official_dialect() {
    let official = json!({
        "version": "1.0",
        "chainId": "1",
        "createdAt": 1_700_000_000_000_u64,
        "meta": {
            "name": "batch", "description": "", "txBuilderVersion": "1.16.5",
            "createdFromSafeAddress": "0x41675C099F32341bf84BFc5382aF534df5C7461a", "createdFromOwnerAddress": "",
        },
        "transactions": [{
            "to": TARGET,
            "value": "0",
            "data": null,
            "contractMethod": {
                "inputs": [
                    { "internalType": "address[]", "name": "who", "type": "address[]" },
                    { "internalType": "struct P", "name": "p", "type": "tuple", "components": [
                        { "internalType": "uint8", "name": "a", "type": "uint8" },
                        { "internalType": "bool", "name": "b", "type": "bool" },
                    ] },
                ],
                "name": "configure", "payable": false,
            },
            "contractInputsValues": { "who": "[0x41675c099f32341bf84bfc5382af534df5c7461a]", "p": "[1, true]" },
        }],
    });
    let bundle = Bundle::read(official.to_string().as_bytes()).unwrap();
    assert!(bundle.safe.is_some());
    let signature = "configure(address[],(uint8,bool))";
    let expected = call(signature, &["[0x41675C099F32341bf84BFc5382aF534df5C7461a]", "(1,true)"]);
    assert_eq!(hex(&bundle.transactions[0].data), hex(&expected));
}

#[test]
fn what_a_reader_cannot_trust_is_refused() {
    refused(|file| file["version"] = json!("2.0"), "version");
    refused(|file| file["chainId"] = json!("0x1"), "chainId");
    refused(|file| file["safe"] = json!("x"), "unknown field `safe`");
    refused(|file| file["transactions"][0]["operation"] = json!(2), "`operation` is neither 0 nor 1");
    refused(|file| file["transactions"][0]["operation"] = json!("call"), "`operation` is neither 0 nor 1");
    refused(|file| file["transactions"][0]["value"] = json!("1 ether"), "`value` is no number");
    refused(|file| file["transactions"][0]["value"] = json!("-1"), "`value` is no number");
    refused(|file| file["transactions"][0]["value"] = json!(""), "`value` is no number");
    refused(
        |file| file["transactions"][0]["contractInputsValues"]["maxReward"] = json!("1"),
        "`maxReward` is 1000000000000000000000 in the data and 1 in the description",
    );
    refused(
        |file| file["transactions"][0]["contractMethod"]["name"] = json!("f"),
        "it calls another function, 0x9b026f43",
    );
    refused(|file| file["transactions"][0]["to"] = json!("0xA513E6E4b8f2a923D98304ec87F64353C4D5C853"), "checksum");
    refused(|file| file["transactions"][0]["to"] = json!("job_registry"), "not an address");
    refused(
        |file| file["transactions"][0]["contractInputsValues"]["maxReward"] = json!("1"),
        "its data is not `setMaxJobReward(1)`",
    );
    refused(|file| file["transactions"][0]["contractInputsValues"] = json!({}), "lacks the value");
    refused(|file| file["transactions"][0]["contractInputsValues"]["x"] = json!("1"), "has no input `x`");
    refused(|file| file["transactions"][0]["contractMethod"]["name"] = json!("harmless"), "its data is not `harmless");
    refused(
        |file| file["transactions"][0]["contractMethod"]["name"] = json!("f(address)g"),
        "not a function signature",
    );
    refused(|file| file["transactions"][0]["contractMethod"] = Value::Null, "no method");
    refused(|file| file["meta"]["checksum"] = json!("0x00"), "checksum does not match");
    refused(
        |file| {
            file["transactions"][0]["contractMethod"] = Value::Null;
            file["transactions"][0]["contractInputsValues"] = Value::Null;
        },
        "without a method",
    );
    refused(|file| file["transactions"][0] = json!({ "to": TARGET, "value": "0", "data": "0x" }), "calls nothing");
    let doubled = file(&[entry()]).to_string().replacen("\"value\":\"0\"", "\"value\":\"0\",\"value\":\"0\"", 1);
    assert!(Bundle::read(doubled.as_bytes()).unwrap_err().reason.contains("duplicate field"));
    assert!(Bundle::read(b"[]").is_err());
    assert!(Bundle::read(b"").is_err());
}

#[test]
fn the_checksum_is_the_builders_own() {
    let mut file = file(&[]);
    file["meta"] = json!({ "name": "any name" });
    let text = r#"{["chainId","createdAt","meta","transactions","version"]31337,"2026-11-22T18:30:34.262Z",{["name"]null,},[],"1.0",}"#;
    file["meta"]["checksum"] = json!(hex(&ethers::utils::keccak256(text)));
    assert!(Bundle::read(file.to_string().as_bytes()).is_ok());
    file["chainId"] = json!(1);
    assert!(Bundle::read(file.to_string().as_bytes()).is_err());
}

#[test]
fn power_is_never_handed_over() {
    let check = |signature: &str, arguments: &[&str], expected: Option<&str>| {
        let found = forbidden(&call(signature, arguments)).map(|found| found.reason);
        match expected {
            None => assert_eq!(found, None, "{signature}"),
            Some(words) => assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{signature}: {found:?}"),
        }
    };
    check("setPauser(address)", &["0x0000000000000000000000000000000000000000"], Some("zero address"));
    check("setPauser(address)", &[TARGET], None);
    check("transferOwnership(address)", &[TARGET], Some("ownership"));
    check("setGovernance(address)", &[TARGET], Some("governance"));
    check("changeThreshold(uint256)", &["1"], Some("Safe"));
    check("grantRole(bytes32,address)", &[&format!("0x{}", "0".repeat(64)), TARGET], Some("roles"));
    check("multicall(bytes[])", &["[]"], Some("cannot open"));
    check("setMaxJobReward(uint256)", &["1"], None);
    assert!(forbidden(&call("setPauser(address)", &[TARGET])[..35]).unwrap().reason.contains("malformed"));
    let declare = |signature, arguments: &[&str]| forbidden(&call(signature, arguments)).unwrap().declare;
    assert_eq!(declare("setGovernance(address)", &[TARGET]), Some("setGovernance(address)"));
    assert_eq!(declare("multicall(bytes[])", &["[]"]), None);
}

#[test]
fn carried_calls_are_opened() {
    let (safe, timelock, target) = (Address::repeat_byte(1), Address::repeat_byte(2), TARGET.parse().unwrap());
    let payload = hex(&call("setMaxJobReward(uint256)", &["1"]));
    let zero = format!("0x{}", "0".repeat(64));
    let made = |from, to, value: u64, data| Call { from, to, value: value.into(), data, delegate: false };
    let open = |data: Vec<u8>| inner(&made(safe, timelock, 0, data));
    let expected = made(timelock, target, 0, call("setMaxJobReward(uint256)", &["1"]));
    let schedule = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)";
    assert_eq!(open(call(schedule, &[TARGET, "0", &payload, &zero, &zero, "2"])), Ok(vec![expected.clone()]));
    let batch = "scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)";
    let lists = [format!("[{TARGET}]"), "[0]".to_owned(), format!("[{payload}]")];
    assert_eq!(open(call(batch, &[&lists[0], &lists[1], &lists[2], &zero, &zero, "2"])), Ok(vec![expected.clone()]));
    assert!(open(call(batch, &[&lists[0], "[]", &lists[2], &zero, &zero, "2"])).is_err());
    assert_eq!(open(call("executeGovernanceCall(address,bytes)", &[TARGET, &payload])), Ok(vec![expected]));
    let paid = open(call(schedule, &[TARGET, "1", &payload, &zero, &zero, "2"])).unwrap();
    assert_eq!(paid, [made(timelock, target, 1, call("setMaxJobReward(uint256)", &["1"]))]);
    let packed = calldata(&[Packed { operation: 0, to: target, value: 0.into(), data: vec![1] }]).unwrap();
    let delegated = Call { delegate: true, ..made(safe, timelock, 0, packed) };
    assert_eq!(inner(&delegated), Ok(vec![made(safe, target, 0, vec![1])]), "the Safe itself calls");
    let nested = calldata(&[Packed { operation: 1, to: target, value: 0.into(), data: vec![1] }]).unwrap();
    assert!(open(nested).unwrap_err().contains("carries a delegatecall"));
    assert!(open(call(schedule, &[TARGET, "0", &payload, &zero, &zero, "2"])[..200].to_vec()).is_err());
    assert_eq!(open(call("setMaxJobReward(uint256)", &["1"])), Ok(vec![]));
}

#[test]
fn a_real_plan_is_read_and_its_poison_found() {
    let bundle = Bundle::read(include_bytes!("../../../tests/chain/owner-safe-bundle.json")).unwrap();
    assert_eq!(bundle.transactions.len(), 20);
    let poison: Vec<&str> = bundle
        .transactions
        .iter()
        .filter(|transaction| forbidden(&transaction.data).is_some())
        .map(|transaction| transaction.words.as_str())
        .collect();
    let unset = "setPauser(0x0000000000000000000000000000000000000000)";
    assert!(poison.contains(&unset), "{poison:?}");
    assert!(bundle.transactions[0].words.starts_with("setMinAgentStake("));
}
