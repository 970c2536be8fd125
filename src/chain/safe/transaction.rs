//! The hash that owners of a Safe sign, computed from its parts alone (EIP-712, Safe 1.3.0 and later).

use ethers::abi::{Token, encode};
use ethers::types::{Address, H256, U256};
use ethers::utils::keccak256;

const DOMAIN: &str = "EIP712Domain(uint256 chainId,address verifyingContract)";
const SAFE_TX: &str = "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)";

/// What a Safe is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SafeTransaction {
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
    /// 0: a call; 1: a delegatecall.
    pub(crate) operation: u8,
    pub(crate) safe_tx_gas: U256,
    pub(crate) base_gas: U256,
    pub(crate) gas_price: U256,
    pub(crate) gas_token: Address,
    pub(crate) refund_receiver: Address,
    pub(crate) nonce: U256,
}

impl SafeTransaction {
    /// The hash that owners sign.
    pub(crate) fn hash(&self, chain_id: u64, safe: Address) -> H256 {
        H256(keccak256(self.preimage(chain_id, safe)))
    }

    /// What the hash is of (EIP-712).
    pub(crate) fn preimage(&self, chain_id: u64, safe: Address) -> Vec<u8> {
        [&[0x19, 0x01], domain(chain_id, safe).as_bytes(), self.message().as_bytes()].concat()
    }

    /// The second of the two hashes that devices show.
    pub(crate) fn message(&self) -> H256 {
        let data = Token::FixedBytes(keccak256(&self.data).to_vec());
        let mut tokens = vec![Token::FixedBytes(keccak256(SAFE_TX).to_vec())];
        tokens.extend(self.arguments());
        tokens[3] = data;
        H256(keccak256(encode(&tokens)))
    }

    /// The arguments of the contract's own `getTransactionHash`.
    pub(crate) fn arguments(&self) -> Vec<Token> {
        vec![
            Token::Address(self.to),
            Token::Uint(self.value),
            Token::Bytes(self.data.clone()),
            Token::Uint(self.operation.into()),
            Token::Uint(self.safe_tx_gas),
            Token::Uint(self.base_gas),
            Token::Uint(self.gas_price),
            Token::Address(self.gas_token),
            Token::Address(self.refund_receiver),
            Token::Uint(self.nonce),
        ]
    }
}

/// The first of the two hashes that devices show.
pub(crate) fn domain(chain_id: u64, safe: Address) -> H256 {
    let kind = Token::FixedBytes(keccak256(DOMAIN).to_vec());
    H256(keccak256(encode(&[kind, Token::Uint(chain_id.into()), Token::Address(safe)])))
}

#[cfg(test)]
mod tests {
    use ethers::types::transaction::eip712::{Eip712, TypedData};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The hash as a wallet computes it, from types and values.
    fn typed(transaction: &SafeTransaction, chain_id: u64, safe: Address) -> H256 {
        let field = |part: &str| {
            let (of, name) = part.split_once(' ').unwrap();
            json!({ "name": name, "type": of })
        };
        let fields = |text: &str| text.split(['(', ')']).nth(1).unwrap().split(',').map(field).collect::<Vec<_>>();
        let text = |number: U256| number.to_string();
        let typed = json!({
            "types": { "EIP712Domain": fields(DOMAIN), "SafeTx": fields(SAFE_TX) },
            "primaryType": "SafeTx",
            "domain": { "chainId": chain_id, "verifyingContract": safe },
            "message": {
                "to": transaction.to, "value": text(transaction.value),
                "data": ethers::types::Bytes::from(transaction.data.clone()),
                "operation": transaction.operation.to_string(), "safeTxGas": text(transaction.safe_tx_gas),
                "baseGas": text(transaction.base_gas), "gasPrice": text(transaction.gas_price),
                "gasToken": transaction.gas_token, "refundReceiver": transaction.refund_receiver,
                "nonce": text(transaction.nonce),
            },
        });
        let typed: TypedData = serde_json::from_value(typed).unwrap();
        H256(typed.encode_eip712().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Encoded by hand, and by an implementation of EIP-712 that knows no Safe.
        #[test]
        fn the_hash_is_that_of_typed_data(
            accounts in any::<[[u8; 20]; 4]>(),
            numbers in any::<[[u8; 32]; 5]>(),
            data in prop::collection::vec(any::<u8>(), 0..100),
            operation in 0..2u8,
            chain_id in any::<u64>(),
        ) {
            let [to, gas_token, refund_receiver, safe] = accounts.map(Address::from);
            let [value, safe_tx_gas, base_gas, gas_price, nonce] = numbers.map(|bytes| U256::from_big_endian(&bytes));
            let transaction = SafeTransaction {
                to, value, data, operation, safe_tx_gas, base_gas, gas_price, gas_token, refund_receiver, nonce,
            };
            prop_assert_eq!(typed(&transaction, chain_id, safe), transaction.hash(chain_id, safe));
        }
    }

    #[test]
    fn the_hash_is_the_contracts_own() {
        // Read from a Safe 1.4.1 on a development chain.
        let safe: Address = "0xa46f9e3dd87effff0276815664472cc10deae66c".parse().unwrap();
        let transaction = SafeTransaction {
            to: "0x1111111111111111111111111111111111111111".parse().unwrap(),
            value: 7.into(),
            data: vec![0xde, 0xad, 0xbe, 0xef],
            operation: 1,
            safe_tx_gas: 100_000.into(),
            base_gas: 0.into(),
            gas_price: 0.into(),
            gas_token: Address::zero(),
            refund_receiver: Address::zero(),
            nonce: 3.into(),
        };
        assert_eq!(typed(&transaction, 31337, safe), transaction.hash(31337, safe));
        let hex = |hash: H256| format!("{hash:?}");
        assert_eq!(hex(domain(31337, safe)), "0xbd3dda2c367d745303553bb62ad8f5c162ca4dcfb2b8538bcab046064223019c");
        assert_eq!(
            hex(transaction.hash(31337, safe)),
            "0x8b87a566547e111543980b965b729c4eb1ae9805bc8680027dd16a910e820f51"
        );
        assert_eq!(hex(H256(keccak256(DOMAIN)))[..10], *"0x47e79534");
        assert_eq!(hex(H256(keccak256(SAFE_TX)))[..10], *"0xbb8310d4");
    }
}
