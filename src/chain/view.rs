//! What a check sees: contracts by name, strict reads at the pinned block, and the words for what went wrong.

use std::fmt;

use ethers::abi::Token;
use ethers::types::{Address, H256, U256};

use super::abi::{Signature, strict};
use super::address::{checksum, placeholder};
use super::board::Board;
use super::finding::{Finding, Repeat};
use super::question::{Answer, Question};
use super::reading::PinnedBlock;
use super::related::Related;
use super::revert;
use super::sequence::{Made, Ran, Sequence};
use super::surroundings::{Known, Surroundings, is_dev_chain};
use crate::runbook::{ContractKind, Network};

/// The start of an account's code that only delegates to another contract (EIP-7702).
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// The chain at the pinned block, as checks see it.
pub(crate) struct View<'a> {
    pub(crate) around: &'a dyn Surroundings,
    pub(crate) network: &'a Network,
    pub(crate) block: PinnedBlock,
    /// What other checks of the same judgement observed.
    pub(crate) related: Related,
    /// The variable that commands in hints name.
    pub(super) variable: String,
    pub(super) board: &'a Board,
}

/// A contract that is read, with the name that messages give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) address: Address,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", checksum(self.address), self.name)
    }
}

/// What became of a simulated call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Simulated {
    Returned(Vec<u8>),
    Reverted(Option<Vec<u8>>),
}

impl<'a> View<'a> {
    pub(crate) fn new(
        around: &'a dyn Surroundings,
        network: &'a Network,
        block: PinnedBlock,
        variable: String,
        board: &'a Board,
    ) -> Self {
        Self { around, network, block, related: Related::default(), variable, board }
    }

    /// The contract of that name, with an address that can be meant.
    pub(crate) fn contract(&self, name: &str) -> Result<(Subject, ContractKind), Finding> {
        let network = &self.network.name;
        let key = format!("set `address.{network}` of `[contract.{name}]` in the runbook");
        let Some(Known { kind, address, .. }) = self.around.contract(name) else {
            return Err(Finding::failed(format!("`{name}` has no address on `{network}`")).hint(key));
        };
        let subject = self.fit(name, address).map_err(|finding| finding.hint(key))?;
        Ok((subject, kind))
    }

    /// The subject, unless its address cannot be meant on this network.
    pub(crate) fn fit(&self, name: &str, address: Address) -> Result<Subject, Finding> {
        let subject = Subject { name: name.to_owned(), address };
        match placeholder(address) {
            Some(what) if !is_dev_chain(self.network) || address.is_zero() => {
                Err(Finding::failed(format!("{subject} is {what}")))
            }
            _ => Ok(subject),
        }
    }

    /// The name that messages give an address: a contract's where it is one.
    pub(crate) fn who(&self, address: Address) -> String {
        match self.around.contracts().into_iter().find(|known| known.address == address) {
            Some(known) => format!("{} (`{}`)", checksum(address), known.name),
            None if address.is_zero() => "the zero address".to_owned(),
            None => checksum(address),
        }
    }

    /// The code of a contract; no code, or only a delegation, is *failed*.
    pub(crate) async fn code(&self, of: &Subject) -> Result<Vec<u8>, Finding> {
        let answer = self.one(Question::Code(of.address)).await;
        self.has_code(of, answer)
    }

    fn has_code(&self, of: &Subject, answer: Answer) -> Result<Vec<u8>, Finding> {
        let asked = || self.cast_code(of);
        match answer {
            Answer::Bytes(code) if code.is_empty() => {
                Err(Finding::failed(format!("no code at {of}")).expected("a contract").asked(asked()))
            }
            Answer::Bytes(code) if code.starts_with(&DELEGATION) && code.len() == 23 => {
                let to = checksum(Address::from_slice(&code[3..]));
                let message = format!("{of} is an account that delegates to {to} (EIP-7702), not a contract");
                Err(Finding::failed(message).expected("a contract").asked(asked()))
            }
            Answer::Bytes(code) => Ok(code),
            other => Err(unseen(&format!("the code of {of}"), &other).asked(asked())),
        }
    }

    /// The value of a storage slot of a contract.
    pub(crate) async fn slot(&self, of: &Subject, slot: H256) -> Result<H256, Finding> {
        let mut answers = self.board.ask(vec![Question::Code(of.address), Question::Slot(of.address, slot)]).await;
        let (value, code) = (pop(&mut answers), pop(&mut answers));
        self.has_code(of, code)?;
        match value {
            Answer::Bytes(word) if word.len() == 32 => Ok(H256::from_slice(&word)),
            other => Err(unseen(&format!("slot {slot:?} of {of}"), &other).asked(self.cast_slot(of, slot))),
        }
    }

    /// The address in a storage slot of a contract, whose upper bytes must be zero.
    pub(crate) async fn address_in(&self, of: &Subject, slot: H256) -> Result<Address, Finding> {
        let word = self.slot(of, slot).await?;
        if word.as_bytes()[..12].iter().any(|byte| *byte != 0) {
            let message = format!("slot {slot:?} of {of} holds no address: {word:?}");
            return Err(Finding::unknown(message).asked(self.cast_slot(of, slot)));
        }
        Ok(Address::from_slice(&word.as_bytes()[12..]))
    }

    /// Calls a function without arguments, such as `owner()(address)`.
    pub(crate) async fn get(&self, of: &Subject, signature: &str) -> Result<Vec<Token>, Finding> {
        self.call(of, signature, &[]).await
    }

    /// Calls a function and decodes its answer strictly; a revert is *failed*.
    pub(crate) async fn call(&self, of: &Subject, signature: &str, arguments: &[Token]) -> Result<Vec<Token>, Finding> {
        let signature = Signature::parse(signature).map_err(Finding::unknown)?;
        self.call_from(None, of, &signature, arguments).await
    }

    /// The same from an account.
    pub(crate) async fn call_from(
        &self,
        from: Option<Address>,
        of: &Subject,
        signature: &Signature,
        arguments: &[Token],
    ) -> Result<Vec<Token>, Finding> {
        let asked = || self.cast_call(from, of.address, signature, arguments);
        match self.simulate(from, of, signature.encode(arguments)).await.map_err(|finding| finding.or_asked(asked()))? {
            Simulated::Returned(bytes) => strict(&signature.outputs, &bytes).map_err(|reason| {
                Finding::unknown(format!("`{}` of {of}: {reason}", signature.short())).asked(asked())
            }),
            Simulated::Reverted(data) => {
                let message =
                    format!("`{}` of {of} reverts {}", signature.short(), with(&revert::reason(data.as_deref())));
                Err(Finding::failed(message).asked(asked()))
            }
        }
    }

    /// A call to a contract, whatever it does.
    pub(crate) async fn simulate(
        &self,
        from: Option<Address>,
        of: &Subject,
        data: Vec<u8>,
    ) -> Result<Simulated, Finding> {
        self.simulate_paid(from, of, U256::zero(), data).await
    }

    /// The same with wei that it sends.
    pub(crate) async fn simulate_paid(
        &self,
        from: Option<Address>,
        of: &Subject,
        value: U256,
        data: Vec<u8>,
    ) -> Result<Simulated, Finding> {
        let call = Question::Call { from, to: of.address, value, data };
        let mut answers = self.board.ask(vec![Question::Code(of.address), call]).await;
        let (answer, code) = (pop(&mut answers), pop(&mut answers));
        self.has_code(of, code)?;
        match answer {
            Answer::Bytes(bytes) => Ok(Simulated::Returned(bytes)),
            Answer::Reverted(data) => Ok(Simulated::Reverted(data)),
            other => Err(unseen(&format!("a call of {of}"), &other)),
        }
    }

    /// What becomes of calls that follow one another after the pinned block, and how that is repeated; nothing where too few
    /// endpoints tell.
    pub(crate) async fn in_sequence(&self, calls: Vec<Made>) -> Result<Option<(Vec<Ran>, Repeat)>, Finding> {
        let sequence = Sequence { calls, number: self.block.number, time: self.block.time };
        let command = sequence.cast(self.block.hash, &self.variable);
        let question = Question::Sequence(sequence);
        let repeat = Repeat { question: question.clone(), command };
        match self.one(question).await {
            Answer::Ran(ran) => Ok(Some((ran, repeat))),
            Answer::Unsupported => Ok(None),
            other => Err(unseen("what the calls do one after the other", &other).asked(repeat)),
        }
    }

    /// `name()(address)` of a contract.
    pub(crate) async fn address_of(&self, of: &Subject, name: &str) -> Result<Address, Finding> {
        let value = self.get(of, &format!("{name}()(address)")).await?.pop().and_then(Token::into_address);
        value.ok_or_else(|| Finding::unknown(format!("`{name}()` of {of} told no address")))
    }

    /// `name()(uint256)` of a contract.
    pub(crate) async fn number_of(&self, of: &Subject, name: &str) -> Result<U256, Finding> {
        let value = self.get(of, &format!("{name}()(uint256)")).await?.pop().and_then(Token::into_uint);
        value.ok_or_else(|| Finding::unknown(format!("`{name}()` of {of} told no number")))
    }

    /// A function's answer of yes or no.
    pub(crate) async fn flag(&self, of: &Subject, signature: &str, arguments: &[Token]) -> Result<bool, Finding> {
        let value = self.call(of, signature, arguments).await?.pop().and_then(Token::into_bool);
        value.ok_or_else(|| Finding::unknown(format!("`{signature}` of {of} told neither yes nor no")))
    }

    /// One answer.
    pub(crate) async fn one(&self, question: Question) -> Answer {
        pop(&mut self.board.ask(vec![question]).await)
    }

    /// Several answers of one round.
    pub(crate) async fn several(&self, questions: Vec<Question>) -> Vec<Answer> {
        self.board.ask(questions).await
    }
}

/// `with "reason"`, unless the reason is a sentence part of its own.
pub(crate) fn with(reason: &str) -> String {
    if reason.starts_with("with") { reason.to_owned() } else { format!("with {reason}") }
}

/// What could not be read is *unknown*.
fn unseen(what: &str, answer: &Answer) -> Finding {
    match answer {
        Answer::Unknown(reason) => Finding::unknown(format!("{what} could not be read: {reason}")),
        other => Finding::unknown(format!("{what} could not be read: {other}")),
    }
}

fn pop(answers: &mut Vec<Answer>) -> Answer {
    answers.pop().unwrap_or_else(|| Answer::Unknown("it was not asked".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::chain::{Seen, Wait};
    use crate::runbook::{BlockTag, PhaseId, Place, Scope};
    use crate::verdict::Verdict;

    struct Declared(Vec<Known>, Scope);

    impl Surroundings for Declared {
        fn contracts(&self) -> Vec<Known> {
            self.0.clone()
        }

        fn artefact(&self, _: &str) -> Result<Vec<u8>, String> {
            Err("none".to_owned())
        }

        fn scope(&self) -> &Scope {
            &self.1
        }

        fn earlier(&self, _: &PhaseId, _: &str) -> Option<Value> {
            None
        }

        fn seen(&self) -> Seen {
            Seen::default()
        }

        fn waits(&self, _: &Wait) -> bool {
            false
        }
    }

    fn network(chain_id: u64) -> Network {
        Network {
            name: "net".to_owned(),
            chain_id,
            genesis: None,
            passed_as: "net".to_owned(),
            rpc: vec![],
            agree: 1,
            key: vec![],
            accounts: vec![],
            block: BlockTag::Latest,
            max_block_age: None,
            settle: std::time::Duration::ZERO,
            confirm: false,
            operators: vec![],
            dev_chain: None,
            place: Place::default(),
        }
    }

    /// What comes of an address on a chain: `None` where it can be read.
    fn check(address: &str, chain_id: u64, expected: Option<&str>) {
        let address = address.parse().unwrap();
        let known = Known { name: "c".to_owned(), kind: ContractKind::Plain, address, settlers: vec![] };
        let (around, network, board) = (Declared(vec![known], Scope::default()), network(chain_id), Board::default());
        let block = PinnedBlock { number: 1, hash: H256::zero(), time: 0 };
        let view = View::new(&around, &network, block, "RPC".to_owned(), &board);
        match (view.contract("c"), expected) {
            (Ok(_), None) => {}
            (Err(finding), Some(words)) => {
                assert_eq!(finding.verdict(), Verdict::Failed);
                assert!(finding.message().contains(words), "{}", finding.message());
                let result = finding.named("", "");
                assert!(result.hint.unwrap().contains("`address.net` of `[contract.c]`"));
            }
            (found, _) => panic!("{address} on {chain_id}: {found:?}"),
        }
    }

    #[test]
    fn placeholders_are_refused_off_dev_chains() {
        check("0x5FbDB2315678afecb367f032d93F642f64180aa3", 31337, None);
        check("0x5FbDB2315678afecb367f032d93F642f64180aa3", 1, Some("well-known address"));
        check("0x5555555555555555555555555555555555555555", 31337, None);
        check("0x5555555555555555555555555555555555555555", 1, Some("repeated digit"));
        check("0x0000000000000000000000000000000000000000", 31337, Some("the zero address"));
        check("0x0000000000000000000000000000000000000000", 1, Some("the zero address"));
        check("0x41675C099F32341bf84BFc5382aF534df5C7461a", 1, None);
    }
}
