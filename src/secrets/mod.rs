//! Secret values: which values are secret, and how they are kept out of everything that is written or shown.
//!
//! Never reads the environment or a file, and never shows a value: names only.

mod classify;
mod forms;
mod mask;
mod search;
mod shapes;
mod stream;
mod value;
mod wrapped;

use std::fmt;

pub use classify::{is_harmless, is_secret_name};
pub use mask::Mask;
pub use search::Search;
pub use shapes::{LineShapes, hide, shapes};
pub use stream::Masker;
pub use value::problem;

/// A secret value whose `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter22")), "Secret(…)");
        assert_eq!(Secret::new("hunter22").expose(), "hunter22");
    }
}
