//! What the model says.

use crate::Fault;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::time::Duration;

/// One answer of the model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// What it thinks before it answers.
    pub reasoning: String,
    /// What it says.
    pub text: String,
    /// The tools it calls: name and arguments.
    pub calls: Vec<(String, Value)>,
    /// Tokens read and written.
    pub tokens: (u64, u64),
    /// What goes wrong, one for each attempt; the attempt after the last of them is answered.
    pub faults: Vec<Fault>,
    /// How long it takes for each event of its answer; in files, `pace` is in milliseconds.
    #[serde(deserialize_with = "milliseconds")]
    pub pace: Duration,
}

impl Turn {
    /// An answer of text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { text: text.to_owned(), tokens: (10, 5), ..Self::default() }
    }
    /// An answer that calls a tool.
    #[must_use]
    pub fn call(name: &str, arguments: Value) -> Self {
        Self { calls: vec![(name.to_owned(), arguments)], tokens: (10, 5), ..Self::default() }
    }
    /// The same answer, after something went wrong.
    #[must_use]
    pub fn after(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

pub(crate) fn milliseconds<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    u64::deserialize(value).map(Duration::from_millis)
}
