//! The one predicate vocabulary: `eq ne lt le gt ge in has len set_eq`.

use serde_json::Value;

use super::Template;

/// A JSON place (RFC 9535) and what must hold there.
#[derive(Debug, Clone)]
pub struct JsonRule {
    pub at: String,
    pub all: Vec<Predicate>,
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub enum Operand {
    /// A value of the runbook; strings in it are templates.
    Literal(Value),
    /// The value at a place in a kept artefact.
    From { of: String, at: String },
    /// A template alone.
    Text(Template),
}

/// One condition. Integers are compared as integers, however large and however written.
#[derive(Debug, Clone)]
pub enum Predicate {
    Eq(Operand),
    Ne(Operand),
    Lt(Operand),
    Le(Operand),
    Gt(Operand),
    Ge(Operand),
    In(Vec<Operand>),
    Has(Operand),
    Len(Vec<Predicate>),
    SetEq(Vec<Operand>),
}
