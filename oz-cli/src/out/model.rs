//! Models and model services as people read them.

use super::{
    environment::scope,
    table::{Listing, joined, short},
};
use oz_core::{
    api::{ModelEndpoint, ModelInfo, ModelProvider},
    inference::EndpointModel,
};

/// A list of models.
pub(crate) const LIST: Listing<ModelInfo, 4> = Listing {
    header: ["ID", "NAME", "PROVIDER", "DESCRIPTION"],
    whole: 1,
    row: |model| {
        let unusable = model.disable_reason.as_ref().map(|reason| format!("can't be used: {reason}"));
        [
            model.id.clone(),
            model.display_name.clone(),
            provider(model),
            short(unusable.as_deref().or(model.description.as_deref())),
        ]
    },
    none: "No models found.",
};

/// The provider; of those that have no name, the service that the id begins with.
fn provider(model: &ModelInfo) -> String {
    match (&model.provider, model.id.split_once('/')) {
        (ModelProvider::Other, Some((service, _))) => service.to_owned(),
        (provider, _) => provider.to_string(),
    }
}

/// A list of model services.
pub(crate) const SERVICES: Listing<ModelEndpoint, 7> = Listing {
    header: ["ID", "NAME", "API", "ADDRESS", "MODELS", "SECRET", "SCOPE"],
    whole: 2,
    row: |service| {
        let config = &service.config;
        let models: Vec<String> = config.models.iter().map(model).collect();
        [
            service.uid.clone(),
            config.name.clone(),
            config.api.to_string(),
            config.base_url.clone(),
            joined(models.iter().map(String::as_str)),
            short(config.secret.as_ref().map(|secret| secret.name.as_str())),
            scope(service.scope.as_ref()),
        ]
    },
    none: "No model services found.",
};

/// A model with what is special about it.
fn model(model: &EndpointModel) -> String {
    let mut special: Vec<String> = model.tier.iter().map(ToString::to_string).collect();
    special.extend(model.open.then(|| "open".to_owned()));
    special.extend(model.input_usd_per_million.map(|usd| format!("${usd} in")));
    special.extend(model.output_usd_per_million.map(|usd| format!("${usd} out")));
    if special.is_empty() { model.id.clone() } else { format!("{} ({})", model.id, special.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn models_and_services_are_tables() {
        let models: Vec<ModelInfo> = from_value(json!([
            { "id": "claude-opus-4-5", "display_name": "Opus", "provider": "ANTHROPIC", "vision_supported": true,
                "description": "strong" },
            { "id": "lab/qwen", "display_name": "qwen", "provider": "UNKNOWN", "vision_supported": false },
            { "id": "gpt-5", "display_name": "GPT", "provider": "OPENAI", "vision_supported": true,
                "description": "good", "disable_reason": "PROVIDER_OUTAGE" },
        ]))
        .unwrap();
        insta::assert_snapshot!(LIST.text(&models, Format::Text), @"
        ID	NAME	PROVIDER	DESCRIPTION
        claude-opus-4-5	Opus	ANTHROPIC	strong
        lab/qwen	qwen	lab	-
        gpt-5	GPT	OPENAI	can't be used: PROVIDER_OUTAGE
        ");
        let models = json!([{ "id": "qwen", "open": true, "tier": "genius", "input_usd_per_million": 0.5 }, { "id": "b" }]);
        let config = json!({ "name": "lab", "api": "openai-chat", "base_url": "http://lab/v1", "models": models,
            "secret": { "name": "LAB_KEY" } });
        let service =
            from_value(json!({ "uid": "m1", "config": config, "created_at": "2026-03-02T08:00:00Z",
            "scope": { "type": "Team" }, "last_updated": "2026-03-02T08:00:00Z", "revision": 1 }));
        insta::assert_snapshot!(SERVICES.text(&[service.unwrap()], Format::Text), @"
        ID	NAME	API	ADDRESS	MODELS	SECRET	SCOPE
        m1	lab	openai-chat	http://lab/v1	qwen (genius; open; $0.5 in), b	LAB_KEY	Team
        ");
    }
}
