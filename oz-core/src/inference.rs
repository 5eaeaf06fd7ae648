//! Model services that a team or a person configures: anything that speaks one of the known formats, on localhost too.

use crate::{Error, config::SecretRef, open::open_enum};
use serde::{Deserialize, Serialize};

open_enum! {
    /// The format that a model service speaks.
    EndpointApi {
        /// OpenAI's Chat Completions.
        OpenAiChat = "openai-chat" | "openai_chat" | "chat",
        /// OpenAI's Responses.
        OpenAiResponses = "openai-responses" | "openai_responses" | "responses",
        /// Anthropic's Messages.
        Anthropic = "anthropic",
    }
}

open_enum! {
    /// What a model is chosen for when a run leaves the choice to Oz.
    ModelTier {
        /// The strongest: `auto-genius`.
        Genius = "genius",
        /// For most tasks: `auto`.
        Standard = "standard",
        /// Fast and cheap: `auto-efficient`.
        Efficient = "efficient",
    }
}

/// A model of a configured service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndpointModel {
    /// Its id at the service.
    pub id: String,
    /// What it is chosen for; `standard` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<ModelTier>,
    /// Whether its weights are open, so that `auto-open` may choose it.
    #[serde(default)]
    pub open: bool,
    /// US dollars for a million tokens read; absent means that its price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_usd_per_million: Option<f64>,
    /// US dollars for a million tokens written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_usd_per_million: Option<f64>,
}

/// A model service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Its name: models are chosen as `NAME/MODEL`.
    pub name: String,
    /// The format that it speaks.
    pub api: EndpointApi,
    /// Its address, such as `http://localhost:11434/v1`; as the agent's machine reaches it.
    pub base_url: String,
    /// Its models. A model that is not listed can be used by its name all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<EndpointModel>,
    /// The secret with its key; absent for a service that wants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
}

impl EndpointConfig {
    /// Checks what the types can't.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `at` and its value.
    pub fn validate(&self, at: &str) -> Result<(), Error> {
        let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(legal) {
            let expected = "small letters, digits, '-' and '_', at most 64";
            return Err(Error::invalid_field(&format!("{at}.name"), &self.name, expected));
        }
        if ["anthropic", "openai", "openai-chat", "ollama", "scripted", "auto"].contains(&self.name.as_str())
        {
            let expected = "a name that is not one of the built-in providers";
            return Err(Error::invalid_field(&format!("{at}.name"), &self.name, expected));
        }
        self.api.require_known(&format!("{at}.api"))?;
        let address =
            self.base_url.strip_prefix("http://").or_else(|| self.base_url.strip_prefix("https://"));
        if address.is_none_or(|rest| rest.is_empty() || rest.starts_with('/') || rest.contains(['@', ' '])) {
            let expected = "an http or https address without user and password";
            return Err(Error::invalid_field(&format!("{at}.base_url"), &self.base_url, expected));
        }
        for (i, model) in self.models.iter().enumerate() {
            if model.id.trim().is_empty() || model.id.len() > 256 {
                return Err(Error::invalid_field(
                    &format!("{at}.models[{i}].id"),
                    &model.id,
                    "1 to 256 bytes",
                ));
            }
            if let Some(tier) = &model.tier {
                tier.require_known(&format!("{at}.models[{i}].tier"))?;
            }
            if model.input_usd_per_million.is_some() != model.output_usd_per_million.is_some() {
                let text = format!(
                    "{at}.models[{i}]: input_usd_per_million and output_usd_per_million go together; only one is there"
                );
                return Err(Error::invalid(text));
            }
            for price in [model.input_usd_per_million, model.output_usd_per_million].into_iter().flatten() {
                if !(price.is_finite() && price >= 0.0) {
                    let field = format!("{at}.models[{i}]");
                    return Err(Error::invalid_field(&field, &price.to_string(), "prices of 0 or more"));
                }
            }
        }
        Ok(())
    }
}
