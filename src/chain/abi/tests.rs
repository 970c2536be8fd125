//! Decoding accepts exactly one encoding; arguments are read by their type.

use serde_json::json;

use super::*;
use crate::chain::text::unhex;
use crate::chain::value::to_json;

const WORD: &str = "000000000000000000000000000000000000000000000000000000000000000";

fn decoded(signature: &str, hex: &str) -> Result<serde_json::Value, String> {
    let signature = Signature::parse(signature).unwrap();
    strict(&signature.outputs, &unhex(hex).unwrap()).map(|tokens| to_json(&tokens))
}

#[test]
fn signatures() {
    let check = |text: &str, expected: Result<&str, &str>| match (Signature::parse(text), expected) {
        (Ok(signature), Ok(full)) => assert_eq!(signature.full(), full),
        (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
        (found, _) => panic!("{text}: {found:?}"),
    };
    check("paused()(bool)", Ok("paused()(bool)"));
    check("f(uint,int)", Ok("f(uint256,int256)()"));
    check("f((address,uint8)[],bytes32)(string[2])", Ok("f((address,uint8)[],bytes32)(string[2])"));
    check("f((uint8,(bool,bytes))[2][])((uint256,string))", Ok("f((uint8,(bool,bytes))[2][])((uint256,string))"));
    check("f", Err("no `(`"));
    check("(bool)", Err("no name"));
    check("1f()", Err("no name"));
    check("f(bool", Err("not closed"));
    check("f()(bool)x", Err("after the last"));
    check("f()(bool)(bool)", Err("after the last"));
    check("f(uint7)", Err("`uint7` is not a type"));
    check("f(uint264)", Err("not a type"));
    check("f(bytes33)", Err("not a type"));
    check("f(uint256[0])", Err("not a type"));
    check("f(adress)", Err("not a type"));
    check("f(bool,)", Err("not a type"));
    check("f(bool, bool)", Err("spaces"));
    assert_eq!(Signature::parse("paused()(bool)").unwrap().selector(), [0x5c, 0x97, 0x5a, 0xbb]);
}

#[test]
fn only_the_one_right_encoding_is_decoded() {
    let check = |signature: &str, hex: &str, expected: Option<serde_json::Value>| {
        let found = decoded(signature, hex);
        assert_eq!(found.clone().ok(), expected, "{signature} {hex}: {found:?}");
        assert!(found.is_ok() || found.unwrap_err().contains("malformed return"));
    };
    let bool_ = "paused()(bool)";
    check(bool_, &format!("0x{WORD}0"), Some(json!(false)));
    check(bool_, &format!("0x{WORD}1"), Some(json!(true)));
    check(bool_, &format!("0x{WORD}2"), None);
    check(bool_, &format!("0x01{}", &format!("{WORD}1")[2..]), None);
    check(bool_, "0x", None);
    check(bool_, "0x01", None);
    check(bool_, &format!("0x{WORD}1{WORD}0"), None);
    check(bool_, &format!("0x{WORD}100"), None);
    let owner = "owner()(address)";
    check(
        owner,
        "0x00000000000000000000000041675c099f32341bf84bfc5382af534df5c7461a",
        Some(json!("0x41675C099F32341bf84BFc5382aF534df5C7461a")),
    );
    check(owner, "0x01000000000000000000000041675c099f32341bf84bfc5382af534df5c7461a", None);
    let ones = "f".repeat(64);
    check("f()(uint256)", &format!("0x{ones}"), Some(json!(U256::MAX.to_string())));
    check("f()(uint8)", &format!("0x{ones}"), None);
    check("f()(uint8)", "0x0000000000000000000000000000000000000000000000000000000000000100", None);
    check("f()(int8)", &format!("0x{ones}"), Some(json!("-1")));
    check("f()(int8)", "0x0000000000000000000000000000000000000000000000000000000000000080", None);
    check("f()(int8)", &format!("0x{}80", "f".repeat(62)), Some(json!("-128")));
    check("f()(int256)", &format!("0x80{}", "0".repeat(62)), Some(json!(format!("-{}", U256::one() << 255))));
    check("f()(bytes4)", &format!("0xdeadbeef{}", "0".repeat(56)), Some(json!("0xdeadbeef")));
    check("f()(bytes4)", &format!("0xdeadbeef{}1", "0".repeat(55)), None);
    check("f()", "0x", Some(json!(null)));
    check("f()", "0x00", None);
    check("f()(bool,bool)", &format!("0x{WORD}0{WORD}1"), Some(json!([false, true])));
    // A string at an offset that leaves a gap, and one whose padding is dirty.
    let text = |offset: &str, content: &str| format!("0x{}{offset}{WORD}1{content:0<64}", &WORD[1..]);
    check("f()(string)", &text("20", "61"), Some(json!("a")));
    check("f()(string)", &text("40", &format!("{WORD}161")), None);
    check("f()(string)", &text("20", &format!("61{}1", "0".repeat(61))), None);
    check("f()(string)", &text("20", "ff"), None);
    // Lengths and offsets far beyond the data.
    check("f()(uint256[])", &format!("0x{0}20{ones}", &WORD[1..]), None);
    check("f()(bytes)", &format!("0x{ones}{ones}"), None);
}

#[test]
fn arguments_are_read_by_type() {
    let check = |of: &str, text: &str, expected: Option<serde_json::Value>| {
        let found = from_text(&one_type(of).unwrap(), text);
        assert_eq!(found.clone().ok().map(|token| to_json(&[token])), expected, "{of} {text}: {found:?}");
    };
    let safe = "0x41675C099F32341bf84BFc5382aF534df5C7461a";
    check("address", safe, Some(json!(safe)));
    check("address", &safe.to_lowercase(), None);
    check("uint8", "255", Some(json!("255")));
    check("uint8", "0xff", Some(json!("255")));
    check("uint8", "256", None);
    check("uint8", "-1", None);
    check("uint8", "1.5", None);
    check("uint8", "", None);
    check("int8", "-128", Some(json!("-128")));
    check("int8", "127", Some(json!("127")));
    check("int8", "128", None);
    check("int8", "-129", None);
    check("int8", "-0", Some(json!("0")));
    check("int256", &format!("-{}", U256::one() << 255), Some(json!(format!("-{}", U256::one() << 255))));
    check("int256", &(U256::one() << 255).to_string(), None);
    check("uint256", &U256::MAX.to_string(), Some(json!(U256::MAX.to_string())));
    check("uint256", &format!("{}0", U256::MAX), None);
    check("bool", "true", Some(json!(true)));
    check("bool", "1", None);
    check("bytes4", "0xdeadbeef", Some(json!("0xdeadbeef")));
    check("bytes4", "0xdeadbe", None);
    check("bytes", "0x", Some(json!("0x")));
    check("bytes", "ab", None);
    check("uint256[]", "[1, 2]", Some(json!(["1", "2"])));
    check("uint256[]", "[]", Some(json!([])));
    check("uint256[2]", "[1]", None);
    check("address[]", &format!("[{safe}]"), Some(json!([safe])));
    check("address[]", &format!("[\"{safe}\"]"), Some(json!([safe])));
    check("(uint8,bool)[]", "[(1,true),(2,false)]", Some(json!([["1", true], ["2", false]])));
    check("string", " a ", Some(json!(" a ")));
}
