//! Asks the open questions of a round at all endpoints together, compares the answers, and keeps what was read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::board::Answers;
use super::comparison::{Said, agreed};
use super::question::{Answer, Question};
use super::ranges;
use super::reading::{PinnedBlock, Raw, RawAnswer, ReadRecord};
use super::rpc::{Endpoint, Request, Trouble};
use super::surroundings::Limits;
use super::together::together;

impl Answers for Reader<'_> {
    fn answers(&self, questions: &[Question]) -> impl Future<Output = Vec<Answer>> + Send {
        self.ask(questions)
    }
}

/// Reads at one pinned block.
pub(crate) struct Reader<'a> {
    sources: Vec<Source<'a>>,
    agree: usize,
    block: PinnedBlock,
    limits: Limits,
    until: Instant,
    records: Mutex<Vec<ReadRecord>>,
    /// Whether the pinned block was still the one of its number, as the last round had it; the first *no* stays.
    standing: Mutex<Option<Answer>>,
}

struct Source<'a> {
    endpoint: &'a Endpoint,
    label: String,
    /// Why it is not asked any more.
    gone: Mutex<Option<String>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        endpoints: Vec<&'a Endpoint>,
        agree: usize,
        block: PinnedBlock,
        limits: Limits,
        until: Instant,
    ) -> Self {
        let source = |endpoint: &'a Endpoint| Source { endpoint, label: endpoint.at.label(), gone: Mutex::default() };
        let sources = endpoints.into_iter().map(source).collect();
        Self { sources, agree, block, limits, until, records: Mutex::default(), standing: Mutex::default() }
    }

    /// One answer for each question. The last question of every round is whether the pinned block still stands.
    pub(crate) async fn ask(&self, questions: &[Question]) -> Vec<Answer> {
        let questions = &[questions, &[Question::BlockHash(self.block.number)]].concat();
        let requests: Vec<Request> = questions.iter().map(|question| question.request(self.block.hash)).collect();
        let until = self.until.min(Instant::now() + self.limits.round);
        let mut told = together(self.sources.iter().map(|source| source.ask(&requests, until))).await;
        let mut answers = Vec::with_capacity(questions.len());
        for (question, request) in questions.iter().zip(&requests).rev() {
            let raw: Vec<Result<Value, Trouble>> = told
                .iter_mut()
                .map(|told| told.pop().unwrap_or_else(|| Err(Trouble::lasting("was not asked"))))
                .collect();
            let kept = raw.iter().map(|raw| question.kept(raw)).collect();
            let labels = self.sources.iter().map(|source| source.label.as_str());
            let said: Vec<Said<'_>> = labels.zip(raw.into_iter().map(|raw| question.read(raw))).collect();
            let answer = agreed(&said, self.agree);
            self.record(request, &answer, &said, kept);
            answers.push(answer);
        }
        answers.reverse();
        self.stand(answers.pop());
        answers
    }

    fn stand(&self, answer: Option<Answer>) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.is_none() || *standing == Some(Answer::BlockHash(Some(self.block.hash))) {
            *standing = answer;
        }
    }

    /// Whether the pinned block still is the one of its number, since the last answer that counts.
    ///
    /// # Errors
    /// Why not, or why that is not known.
    pub(crate) async fn still_canonical(&self) -> Result<(), String> {
        if self.standing.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.ask(&[]).await;
        }
        let number = self.block.number;
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match standing {
            Some(Answer::BlockHash(Some(hash))) if hash == self.block.hash => Ok(()),
            Some(Answer::BlockHash(_)) => Err(format!("block {number} was replaced by another while it was read")),
            Some(Answer::Unknown(reason)) => Err(format!("whether block {number} still stands is unknown: {reason}")),
            _ => Err(format!("whether block {number} still stands is unknown")),
        }
    }

    /// Everything read so far, and who stopped answering.
    pub(crate) fn finish(self) -> (Vec<ReadRecord>, Vec<(String, String)>) {
        let gone = self.sources.into_iter().filter_map(|source| {
            let reason = source.gone.into_inner().unwrap_or_else(PoisonError::into_inner)?;
            Some((source.endpoint.at.variable().to_owned(), reason))
        });
        (self.records.into_inner().unwrap_or_else(PoisonError::into_inner), gone.collect())
    }

    /// Endpoints that said the same share an entry.
    fn together(&self, kept: Vec<Raw>) -> Vec<RawAnswer> {
        let mut raw: Vec<RawAnswer> = Vec::new();
        for (source, said) in self.sources.iter().zip(kept) {
            let variable = source.endpoint.at.variable().to_owned();
            match raw.iter_mut().find(|other| other.said == said) {
                Some(same) => same.by.push(variable),
                None => raw.push(RawAnswer { by: vec![variable], said }),
            }
        }
        raw
    }

    fn record(&self, request: &Request, answer: &Answer, said: &[Said<'_>], kept: Vec<Raw>) {
        let mut record = ReadRecord {
            method: request.method.to_owned(),
            params: request.params.clone(),
            answer: answer.to_string(),
            said_by: Vec::new(),
            others: BTreeMap::new(),
            said: self.together(kept),
        };
        for (source, (_, said)) in self.sources.iter().zip(said) {
            let variable = source.endpoint.at.variable().to_owned();
            if *said == Ok(Answer::BlockHash(None)) {
                source.endpoint.note(format!("told no block {}", request.params[0].as_str().unwrap_or_default()));
            }
            match said {
                Ok(same) if same == answer => record.said_by.push(variable),
                Ok(other) => drop(record.others.insert(variable, other.to_string())),
                Err(reason) => drop(record.others.insert(variable, format!("no answer: {reason}"))),
            }
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether the block stands is asked every round: once where the answer stays the same.
        if !records.contains(&record) {
            records.push(record);
        }
    }
}

impl Source<'_> {
    /// Asks, unless the endpoint fell silent in an earlier round: a dead one must not eat the time of the others.
    async fn ask(&self, requests: &[Request], until: Instant) -> Vec<Result<Value, Trouble>> {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(reason) = gone {
            return requests.iter().map(|_| Err(Trouble::lasting(reason.clone()))).collect();
        }
        let told = ranges::ask(self.endpoint, requests, until).await;
        if told.iter().all(|answer| matches!(answer, Err(Trouble::Silent { .. })))
            && let Some(Err(trouble)) = told.first()
        {
            *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble.to_string());
        }
        told
    }
}
