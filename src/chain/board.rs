//! Lets checks be written as straight lines while all their reads travel together: a check that needs an answer puts its
//! question on the board and waits; when every check waits, all open questions are asked at once. That is a round.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::question::{Answer, Question};

/// A check in the making.
pub(crate) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever answers the questions of a round.
pub(crate) trait Answers: Sync {
    /// One answer for each question.
    fn answers(&self, questions: &[Question]) -> impl Future<Output = Vec<Answer>> + Send;
}

/// Questions without an answer yet, and the answers so far. The same question is asked once.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: Vec<Question>,
    answers: HashMap<Question, Answer>,
}

impl Board {
    /// The answers to these questions, after the next round at the latest.
    pub(crate) async fn ask(&self, questions: Vec<Question>) -> Vec<Answer> {
        poll_fn(|_| {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let found: Option<Vec<_>> = questions.iter().map(|question| inner.answers.get(question).cloned()).collect();
            if let Some(found) = found {
                return Poll::Ready(found);
            }
            for question in &questions {
                if !inner.answers.contains_key(question) && !inner.open.contains(question) {
                    inner.open.push(question.clone());
                }
            }
            Poll::Pending
        })
        .await
    }

    fn take_open(&self) -> Vec<Question> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).open)
    }

    fn answer(&self, questions: Vec<Question>, answers: Vec<Answer>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.extend(questions.into_iter().zip(answers));
    }

    /// Runs all work to its end, round by round. Work that waits for something that is no question has no result.
    pub(crate) async fn run<T>(&self, work: Vec<Work<'_, T>>, chain: &impl Answers) -> Vec<Option<T>> {
        let mut work: Vec<_> = work.into_iter().map(|work| (work, None)).collect();
        loop {
            let mut ended = false;
            for (future, done) in work.iter_mut().filter(|(_, done)| done.is_none()) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    *done = Some(value);
                    ended = true;
                }
            }
            if ended {
                // Others may have waited for what ended.
                continue;
            }
            let open = self.take_open();
            if open.is_empty() {
                return work.into_iter().map(|(_, done)| done).collect();
            }
            let answers = chain.answers(&open).await;
            self.answer(open, answers);
        }
    }
}

#[cfg(test)]
mod tests {
    use ethers::types::Address;

    use super::*;

    /// Remembers how much was asked in each round.
    #[derive(Default)]
    struct Rounds(Mutex<Vec<usize>>);

    impl Answers for Rounds {
        async fn answers(&self, questions: &[Question]) -> Vec<Answer> {
            self.0.lock().unwrap().push(questions.len());
            vec![Answer::Bytes(vec![]); questions.len()]
        }
    }

    #[tokio::test]
    async fn reads_of_all_checks_travel_in_one_round() {
        let (board, rounds) = (Board::default(), Rounds::default());
        let code = |n: u64| Question::Code(Address::from_low_u64_be(n));
        let one = async {
            board.ask(vec![code(1)]).await;
            board.ask(vec![code(2), code(1)]).await.len()
        };
        let other = async { board.ask(vec![code(1), code(3)]).await.len() };
        let results = board.run(vec![Box::pin(one) as Work<'_, usize>, Box::pin(other)], &rounds).await;
        assert_eq!(results, [Some(2), Some(2)]);
        assert_eq!(*rounds.0.lock().unwrap(), [2, 1]);
    }

    #[tokio::test]
    async fn work_that_waits_for_anything_else_has_no_result() {
        let work = vec![Box::pin(std::future::pending::<u8>()) as Work<'_, u8>];
        assert_eq!(Board::default().run(work, &Rounds::default()).await, [None]);
    }
}
