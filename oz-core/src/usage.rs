//! What a run used: tokens and, where the price is known, money.

use serde::{Deserialize, Serialize};

/// Tokens and cost of one model call, or of many added up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Tokens read, without those served from the provider's cache.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    #[serde(default)]
    pub cache_read_tokens: u64,
    /// Tokens written to the provider's cache.
    #[serde(default)]
    pub cache_write_tokens: u64,
    /// Tokens written by the model.
    #[serde(default)]
    pub output_tokens: u64,
    /// Cost in US dollars; absent when the model's price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// All tokens together.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens
    }

    /// Adds `other`. An unknown cost on one side counts as nothing, so the sum is a lower bound.
    pub fn add(&mut self, other: &Self) {
        self.input_tokens += other.input_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.output_tokens += other.output_tokens;
        self.cost_usd = match (self.cost_usd, other.cost_usd) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }
}

/// The usage part of a run record. Costs in the first three fields are credits on the wire; here one credit is one
/// US cent, and the `_usd` twins say the same in dollars.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestUsage {
    /// Cost of model calls, in credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_cost: Option<f64>,
    /// Cost of compute, in credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_cost: Option<f64>,
    /// Cost of the platform, in credits; always zero here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_cost: Option<f64>,
    /// Cost of model calls, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_cost_usd: Option<f64>,
    /// All tokens together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
}

impl From<&Usage> for RequestUsage {
    fn from(usage: &Usage) -> Self {
        Self {
            inference_cost: usage.cost_usd.map(|usd| usd * 100.0),
            compute_cost: Some(0.0),
            platform_cost: Some(0.0),
            inference_cost_usd: usage.cost_usd,
            total_tokens: Some(usage.total_tokens()),
        }
    }
}
