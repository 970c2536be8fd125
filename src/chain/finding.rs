//! What a check says before it has a name: a verdict with words. A check answers `Ok` or `Err` with one, so that the first
//! thing that does not hold ends it.

use serde_json::Value;

use super::question::Question;
use crate::verdict::{CheckResult, Verdict};

/// A result without id and kind, with the question that decided.
#[derive(Debug)]
pub(crate) struct Finding(Box<(CheckResult, Option<Question>)>);

/// A question and the command that repeats it.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    pub(crate) question: Question,
    pub(crate) command: String,
}

/// `Err` where a check ended before its last line; both sides carry their verdict.
pub(crate) type Judged = Result<Finding, Finding>;

impl Finding {
    pub(crate) fn passed(message: impl Into<String>) -> Self {
        Self(Box::new((CheckResult::passed("", "", message), None)))
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self(Box::new((CheckResult::failed("", "", message), None)))
    }

    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self(Box::new((CheckResult::unknown("", "", message), None)))
    }

    /// Passed where `holds`, else failed.
    pub(crate) fn if_true(holds: bool, passed: impl Into<String>, failed: impl Into<String>) -> Self {
        if holds { Self::passed(passed) } else { Self::failed(failed) }
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.0.expected = expected.into();
        self
    }

    /// What would have passed, where nothing said so before.
    pub(crate) fn or_expected(self, expected: String) -> Self {
        if self.0.0.expected.is_empty() { self.expected(expected) } else { self }
    }

    pub(crate) fn observed(mut self, observed: Value) -> Self {
        self.0.0.observed = observed;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.0.hint = Some(hint.into());
        self
    }

    /// The question that decided.
    pub(crate) fn asked(mut self, repeat: Repeat) -> Self {
        self.0.0.reproduce = Some(repeat.command);
        self.0.1 = Some(repeat.question);
        self
    }

    /// The question that decided, where nothing said so before.
    pub(crate) fn or_asked(self, repeat: Repeat) -> Self {
        if self.0.1.is_some() { self } else { self.asked(repeat) }
    }

    /// The command that repeats another check's question.
    pub(crate) fn repeated(mut self, command: Option<String>) -> Self {
        self.0.0.reproduce = command;
        self
    }

    /// The same finding in other words.
    pub(crate) fn said(mut self, message: impl Into<String>) -> Self {
        self.0.0.message = message.into();
        self
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.0.0.verdict
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.0.message
    }

    /// What it observed, where that is known.
    pub(crate) fn seen(&self) -> Option<&Value> {
        let CheckResult { verdict, observed, .. } = &self.0.0;
        (*verdict != Verdict::Unknown && !observed.is_null()).then_some(observed)
    }

    /// The question that decided, where there was one.
    pub(crate) fn question(&self) -> Option<&Question> {
        self.0.1.as_ref()
    }

    /// The finding as the result of the check `id`.
    pub(crate) fn named(self, id: &str, kind: &str) -> CheckResult {
        CheckResult { id: id.to_owned(), kind: kind.to_owned(), ..self.0.0 }
    }
}
