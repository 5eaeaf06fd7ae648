//! What model calls cost, in US dollars per million tokens. A model that no row names has no price: a cost is known or
//! absent, never guessed.

use super::yaml_error;
use oz_core::{Error, usage::Usage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The price of one model, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input: f64,
    /// Tokens read from the provider's cache; as much as `input` when absent.
    pub cache_read: Option<f64>,
    /// Tokens written to the provider's cache; as much as `input` when absent.
    pub cache_write: Option<f64>,
    /// Tokens written by the model.
    pub output: f64,
}

impl Price {
    /// What `usage` costs.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^52")]
        let part = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        part(usage.input_tokens, self.input)
            + part(usage.cache_read_tokens, self.cache_read.unwrap_or(self.input))
            + part(usage.cache_write_tokens, self.cache_write.unwrap_or(self.input))
            + part(usage.output_tokens, self.output)
    }
}

const fn anthropic(input: f64, output: f64) -> Price {
    Price { input, cache_read: Some(input / 10.0), cache_write: Some(input * 1.25), output }
}

const fn openai(input: f64, cache_read: f64, output: f64) -> Price {
    Price { input, cache_read: Some(cache_read), cache_write: None, output }
}

const BUILT_IN: &[(&str, Price)] = &[
    ("claude-opus-4-6", anthropic(5.0, 25.0)),
    ("claude-opus-4-5", anthropic(5.0, 25.0)),
    ("claude-opus-4-1", anthropic(15.0, 75.0)),
    ("claude-opus-4-0", anthropic(15.0, 75.0)),
    ("claude-opus-4", anthropic(15.0, 75.0)),
    ("claude-sonnet-4-6", anthropic(3.0, 15.0)),
    ("claude-sonnet-4-5", anthropic(3.0, 15.0)),
    ("claude-sonnet-4-0", anthropic(3.0, 15.0)),
    ("claude-sonnet-4", anthropic(3.0, 15.0)),
    ("claude-haiku-4-5", anthropic(1.0, 5.0)),
    ("claude-3-7-sonnet", anthropic(3.0, 15.0)),
    ("claude-3-5-sonnet", anthropic(3.0, 15.0)),
    ("claude-3-5-haiku", anthropic(0.8, 4.0)),
    ("claude-3-opus", anthropic(15.0, 75.0)),
    ("gpt-5.2", openai(1.75, 0.175, 14.0)),
    ("gpt-5.1", openai(1.25, 0.125, 10.0)),
    ("gpt-5.1-codex", openai(1.25, 0.125, 10.0)),
    ("gpt-5", openai(1.25, 0.125, 10.0)),
    ("gpt-5-codex", openai(1.25, 0.125, 10.0)),
    ("gpt-5-mini", openai(0.25, 0.025, 2.0)),
    ("gpt-5-nano", openai(0.05, 0.005, 0.4)),
    ("gpt-4.1", openai(2.0, 0.5, 8.0)),
    ("gpt-4.1-mini", openai(0.4, 0.1, 1.6)),
    ("gpt-4.1-nano", openai(0.1, 0.025, 0.4)),
    ("gpt-4o", openai(2.5, 1.25, 10.0)),
    ("gpt-4o-mini", openai(0.15, 0.075, 0.6)),
    ("o3", openai(2.0, 0.5, 8.0)),
    ("o3-mini", openai(1.1, 0.55, 4.4)),
    ("o4-mini", openai(1.1, 0.275, 4.4)),
    ("codex-mini", openai(1.5, 0.375, 6.0)),
];

/// Prices of models.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    own: BTreeMap<String, Price>,
}

impl Prices {
    /// The built-in prices, with those in `yaml` in front: a map from a prefix of model names to `input`, `output` and,
    /// where they differ from `input`, `cache_read` and `cache_write`.
    ///
    /// # Errors
    /// `invalid_request` that says what is wrong in the YAML.
    pub fn with(yaml: &str) -> Result<Self, Error> {
        let own: BTreeMap<String, Price> = serde_saphyr::from_str(yaml)
            .map_err(|e| Error::invalid(format!("model prices: {}", yaml_error(&e))))?;
        for (model, price) in &own {
            for value in [Some(price.input), Some(price.output), price.cache_read, price.cache_write] {
                if value.is_some_and(|v| !v.is_finite() || v < 0.0) {
                    return Err(Error::invalid(format!("model prices: {model}: a price must be 0 or more")));
                }
            }
        }
        Ok(Self { own })
    }

    /// What `usage` of `model` costs. Models on the user's own machine cost nothing.
    #[must_use]
    pub fn cost(&self, provider: &str, model: &str, usage: &Usage) -> Option<f64> {
        if matches!(provider, "ollama" | "scripted") {
            return Some(usage.cost_usd.unwrap_or(0.0));
        }
        self.find(model).map(|price| price.of(usage))
    }

    fn find(&self, model: &str) -> Option<Price> {
        let own = self.own.iter().filter(|(prefix, _)| model.starts_with(*prefix));
        let own = own.max_by_key(|(prefix, _)| prefix.len()).map(|(_, price)| *price);
        own.or_else(|| {
            let rows = BUILT_IN.iter().filter(|(name, _)| model.strip_prefix(name).is_some_and(is_version));
            rows.max_by_key(|(name, _)| name.len()).map(|(_, price)| *price)
        })
    }
}

/// Whether what follows a model's name only says which edition it is: `-20250929`, `-2025-08-07` or `-latest`. A newer
/// sibling such as `gpt-5-max` may cost anything.
fn is_version(rest: &str) -> bool {
    rest.is_empty() || rest == "-latest" || rest.starts_with("-20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> Usage {
        Usage {
            input_tokens: 1_000_000,
            cache_read_tokens: 2_000_000,
            cache_write_tokens: 400_000,
            output_tokens: 100_000,
            cost_usd: None,
        }
    }

    fn close(cost: Option<f64>, expected: f64) {
        let cost = cost.unwrap();
        assert!((cost - expected).abs() < 1e-9, "{cost} is not {expected}");
    }

    #[test]
    fn every_kind_of_token_has_its_price() {
        let prices = Prices::default();
        close(prices.cost("anthropic", "claude-sonnet-4-5-20250929", &usage()), 3.0 + 0.6 + 1.5 + 1.5);
        close(prices.cost("openai", "gpt-5-mini-2025-08-07", &usage()), 0.25 + 0.05 + 0.1 + 0.2);
        close(prices.cost("ollama", "anything", &usage()), 0.0);
    }

    #[test]
    fn a_price_is_never_guessed() {
        let prices = Prices::default();
        for model in ["gpt-5-max", "gpt-5.9", "claude-opus-9", "llama3", ""] {
            assert_eq!(prices.cost("openai", model, &usage()), None, "{model}");
        }
    }

    #[test]
    fn own_prices_come_first_and_the_longest_prefix_wins() {
        let prices =
            Prices::with("gpt: { input: 1, output: 2 }\ngpt-5: { input: 4, output: 0, cache_read: 0 }")
                .unwrap();
        close(prices.cost("openai", "gpt-5", &usage()), 4.0 + 1.6);
        close(prices.cost("openai", "gpt-9-anything", &usage()), 3.4 + 0.2);
    }

    #[test]
    fn wrong_prices_are_refused_with_a_reason() {
        for (yaml, expected) in [
            ("x: { input: 1 }", "output"),
            ("x: { input: -1, output: 2 }", "x: a price"),
            ("- 1", "model prices"),
        ] {
            let error = Prices::with(yaml).unwrap_err().to_string();
            assert!(error.contains(expected), "{yaml}: {error}");
        }
    }
}
