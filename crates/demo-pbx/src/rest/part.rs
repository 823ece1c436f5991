//! Lists are told in parts.

use serde::Deserialize;

use super::errors::Refusal;

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    skip: usize,
    top: Option<usize>,
}

impl Part {
    /// How many are left out, and how many are told at most.
    ///
    /// # Errors
    /// More than 100 are asked for, or none.
    pub fn range(&self) -> Result<(usize, usize), Refusal> {
        let top = self.top.unwrap_or(100);
        if (1..=100).contains(&top) { Ok((self.skip, top)) } else { Err(Refusal::field("top")) }
    }
}
