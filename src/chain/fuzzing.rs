//! What fuzz targets call: bytes from strangers, read as everything that they can be. Never in what is published.

use ethers::abi::encode;
use ethers::types::{Address, H256, U256};

use super::abi::{Signature, strict};
use super::preflight::{examine, read_block, requests};
use super::question::Question;
use super::rpc::{EndpointUrl, open_batch, open_single};
use super::sequence::Sequence;
use super::value::to_json;
use super::{revert, text};
use crate::runbook::{BlockTag, Network, Place};

/// What calls return, as far as types differ in how they are decoded.
const SIGNATURES: [&str; 12] = [
    "f()()",
    "f()(bool)",
    "f()(address)",
    "f()(uint8)",
    "f()(int16)",
    "f()(uint256)",
    "f()(bytes4)",
    "f()(string)",
    "f()(bytes)",
    "f()(address[],address)",
    "f()((address,uint8,bytes)[])",
    "f()(uint256[2][],(bool,(string,int8[])))",
];

/// A body of an HTTP response. Nothing may panic, and what is a batch has an answer for each id.
///
/// # Panics
/// If it is read otherwise than it must be.
pub fn response(body: &[u8]) {
    let ids: Vec<u64> = (1..=8).collect();
    if let Ok(Some(answers)) = open_batch(&ids, body) {
        assert_eq!(answers.len(), ids.len());
        let at = EndpointUrl::new("X_RPC_URL", "https://eth.example.com/secretkey");
        for tag in [BlockTag::Latest, BlockTag::Finalized, BlockTag::Depth(3)] {
            assert_eq!(requests(tag).len(), ids.len());
            let Ok(at) = &at else { return };
            let examined = examine(at, &network(), tag, answers.clone(), 1_800_000_000);
            assert_eq!(examined.tagged.is_some(), examined.report.counted);
            assert_eq!(examined.report.trouble.is_none(), examined.report.counted);
        }
    }
    let _ = open_batch(&[1], body);
    let single = open_single(1, body);
    if let Ok(value) = &single {
        let _ = read_block(value);
    }
    for question in questions() {
        if let Ok(answer) = question.read(single.clone()) {
            let _ = answer.to_string();
        }
    }
    if let Err(trouble) = single {
        // Text of strangers never moves a cursor.
        assert!(!trouble.to_string().contains(char::is_control));
    }
}

/// The data that a call returned, or reverted with. What is decoded encodes to the same bytes.
///
/// # Panics
/// If it does not.
pub fn returned(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let Ok(signature) = Signature::parse(SIGNATURES[usize::from(*choice) % SIGNATURES.len()]) else { return };
    if let Ok(tokens) = strict(&signature.outputs, bytes) {
        assert_eq!(encode(&tokens), bytes);
        let _ = to_json(&tokens);
    }
    let reason = revert::reason(Some(bytes));
    assert!(!reason.contains(char::is_control), "{reason:?}");
    let _ = text::brief(bytes);
}

fn questions() -> [Question; 7] {
    let (address, hash) = (Address::zero(), H256::zero());
    [
        Question::Code(address),
        Question::Slot(address, hash),
        Question::Call { from: None, to: address, value: U256::zero(), data: vec![] },
        Question::Sequence(Sequence { calls: vec![], number: 1, time: 1 }),
        Question::Receipt(hash),
        Question::BlockHash(1),
        Question::Events { of: address, topics: vec![hash], from: 0, to: 9 },
    ]
}

/// A network with every demand.
fn network() -> Network {
    Network {
        name: "net".to_owned(),
        chain_id: 1,
        genesis: None,
        passed_as: "net".to_owned(),
        rpc: vec![],
        agree: 1,
        key: vec![],
        accounts: vec![],
        block: BlockTag::Latest,
        max_block_age: Some(std::time::Duration::from_mins(30)),
        settle: std::time::Duration::ZERO,
        confirm: false,
        operators: vec![],
        dev_chain: None,
        place: Place::default(),
    }
}
