//! Judges recorded answers again, with today's checks and without a network. Believes nothing in the record that follows
//! from something else in it: what was agreed is agreed anew from what each endpoint said.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::board::{Answers, Board};
use super::comparison::{Said, agreed};
use super::judge::{doubt, findings, named};
use super::question::{Answer, Question};
use super::reading::{PinnedBlock, ReadRecord, Reading};
use super::surroundings::{Surroundings, TransactionsAsk};
use super::view::View;
use crate::runbook::{Check, Network};
use crate::verdict::CheckResult;

/// What a recorded reading says when it is judged again.
#[derive(Debug)]
pub struct Replayed {
    pub results: Vec<CheckResult>,
    /// What does not fit in the record itself, in one sentence each.
    pub problems: Vec<String>,
}

/// Judges `checks` and `transactions` from what `reading` recorded at its block.
pub async fn replay(
    network: &Network,
    reading: &Reading,
    block: PinnedBlock,
    checks: &[&Check],
    transactions: &[TransactionsAsk],
    around: &dyn Surroundings,
) -> Replayed {
    let recorded = Recorded { reading, block, agree: network.agree.max(1), problems: Mutex::default() };
    recorded.endpoints_fit(network);
    let board = Board::default();
    let view = View::new(around, network, block, String::new(), &board);
    let found = findings(&view, checks, transactions, &recorded).await;
    let mut results = named(found, checks, transactions, around);
    if let Err(reason) = recorded.canonical() {
        for result in &mut results {
            doubt(result, &reason);
        }
    }
    Replayed { results, problems: recorded.problems.into_inner().unwrap_or_else(PoisonError::into_inner) }
}

/// A reading that answers the questions that were asked for it, and no others.
struct Recorded<'a> {
    reading: &'a Reading,
    block: PinnedBlock,
    agree: usize,
    problems: Mutex<Vec<String>>,
}

impl Answers for Recorded<'_> {
    async fn answers(&self, questions: &[Question]) -> Vec<Answer> {
        questions.iter().map(|question| self.answer(question)).collect()
    }
}

impl Recorded<'_> {
    /// The answer to a question; to one that was asked again in a later round, the first.
    fn answer(&self, question: &Question) -> Answer {
        self.all(question)
            .into_iter()
            .next()
            .unwrap_or_else(|| Answer::Unknown("the record holds no answer".to_owned()))
    }

    /// Every answer to a question, each compared anew.
    fn all(&self, question: &Question) -> Vec<Answer> {
        let request = question.request(self.block.hash);
        let asked = format!("`{}` {}", request.method, request.params);
        let same = |read: &&ReadRecord| read.method == request.method && read.params == request.params;
        let answer = |read: &ReadRecord| {
            let answer = self.agreed_again(question, read);
            if answer.to_string() != read.answer {
                let recorded = &read.answer;
                self.problem(format!("of {asked} the endpoints' answers say {answer}, the record says {recorded}"));
            }
            answer
        };
        let answers: Vec<Answer> = self.reading.reads.iter().filter(same).map(answer).collect();
        if answers.is_empty() {
            self.problem(format!("the record holds no answer to {asked}"));
        }
        answers
    }

    /// In every round the block must have been the one of its number.
    fn canonical(&self) -> Result<(), String> {
        let answers = self.all(&Question::BlockHash(self.block.number));
        let stands = |answer: &Answer| *answer == Answer::BlockHash(Some(self.block.hash));
        if !answers.is_empty() && answers.iter().all(stands) {
            return Ok(());
        }
        Err(format!("block {} did not stand in every round", self.block.number))
    }

    /// What the counted endpoints said, each once, compared again.
    fn agreed_again(&self, question: &Question, read: &ReadRecord) -> Answer {
        let counted: BTreeSet<&str> = self.counted().collect();
        let mut seen = BTreeSet::new();
        let mut said: Vec<(String, Result<Answer, String>)> = Vec::new();
        for raw in &read.said {
            for variable in &raw.by {
                if !counted.contains(variable.as_str()) || !seen.insert(variable) {
                    self.problem(format!("`{variable}` answers more often than it is counted"));
                    continue;
                }
                said.push((self.label(variable), question.read_kept(&raw.said)));
            }
        }
        let said: Vec<Said<'_>> = said.iter().map(|(label, answer)| (label.as_str(), answer.clone())).collect();
        agreed(&said, self.agree)
    }

    fn counted(&self) -> impl Iterator<Item = &str> {
        self.reading.endpoints.iter().filter(|report| report.counted).map(|report| report.variable.as_str())
    }

    fn label(&self, variable: &str) -> String {
        let host = self.reading.endpoints.iter().find(|report| report.variable == variable);
        format!("`{variable}` ({})", host.map_or("", |report| report.host.as_str()))
    }

    /// Enough declared endpoints of the right chain were counted.
    fn endpoints_fit(&self, network: &Network) {
        let counted = self.counted().collect::<BTreeSet<_>>();
        if counted.len() < self.agree {
            self.problem(format!("{} endpoints were counted, {} are needed", counted.len(), self.agree));
        }
        for variable in counted.iter().filter(|variable| !network.rpc.iter().any(|name| name == *variable)) {
            self.problem(format!("`{variable}` is no endpoint of `{}`", network.name));
        }
        for report in self.reading.endpoints.iter().filter(|report| report.counted) {
            if report.chain_id != Some(network.chain_id) {
                self.problem(format!("`{}` was counted, but is not on chain {}", report.variable, network.chain_id));
            }
        }
        if self.reading.chain_id != network.chain_id {
            self.problem(format!("the reading is of chain {}, not {}", self.reading.chain_id, network.chain_id));
        }
        if network.genesis.is_some() && network.genesis != self.reading.genesis {
            self.problem("the reading has another genesis block than the runbook declares".to_owned());
        }
    }

    fn problem(&self, problem: String) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
