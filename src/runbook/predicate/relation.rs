//! Which other checks a predicate is compared with. Judges nothing.

use super::{Operand, Place, Predicate};

impl Predicate {
    /// The other checks whose observed values it is compared with, with the places where they are named.
    pub fn compared_with(&self) -> Vec<(&str, Place)> {
        match self {
            Self::Eq(one) | Self::Ne(one) | Self::Lt(one) | Self::Le(one) | Self::Gt(one) | Self::Ge(one) => {
                one.compared_with().into_iter().collect()
            }
            Self::Has(one) => one.compared_with().into_iter().collect(),
            Self::In(several) | Self::SetEq(several) => several.iter().filter_map(Operand::compared_with).collect(),
            Self::Len(nested) => nested.iter().flat_map(Self::compared_with).collect(),
        }
    }
}

impl Operand {
    fn compared_with(&self) -> Option<(&str, Place)> {
        match self {
            Self::Observed { check, place, .. } => Some((check, *place)),
            Self::Literal(_) | Self::From { .. } | Self::Text(_) => None,
        }
    }

    /// Where its value is from, as a sentence goes on after it; nothing where the runbook itself says it.
    pub(super) fn source(&self) -> String {
        match self {
            Self::Observed { check, at, .. } if at == "$" => format!(" (what `{check}` observed)"),
            Self::Observed { check, at, .. } => format!(" (`{at}` of what `{check}` observed)"),
            Self::Literal(_) | Self::From { .. } | Self::Text(_) => String::new(),
        }
    }
}
