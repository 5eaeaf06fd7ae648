//! The models and images that Oz knows by name. The lists are for choosing; what is not in them is passed through as it
//! is.

use crate::api::{Image, ModelInfo, ModelProvider};

/// The model of runs that name none: whichever the worker is set up for.
pub const DEFAULT_MODEL: &str = "auto";

/// The known models, the default first.
#[must_use]
pub fn models() -> Vec<ModelInfo> {
    let model = |id: &str, name: &str, provider: ModelProvider, description: &str| ModelInfo {
        id: id.to_owned(),
        display_name: name.to_owned(),
        provider,
        vision_supported: true,
        description: Some(description.to_owned()),
        reasoning_level: None,
        disable_reason: None,
    };
    use ModelProvider as P;
    vec![
        model(
            DEFAULT_MODEL,
            "Auto",
            P::Other,
            "For most tasks, of what the team and the worker are set up for",
        ),
        model("auto-efficient", "Auto (efficient)", P::Other, "The fast and cheap of these"),
        model("auto-genius", "Auto (genius)", P::Other, "The strongest of these"),
        model("auto-open", "Auto (open weights)", P::Other, "Those of these with open weights"),
        model("claude-opus-4-5", "Claude Opus 4.5", P::Anthropic, "For the hardest tasks"),
        model("claude-opus-4-1", "Claude Opus 4.1", P::Anthropic, "For hard tasks"),
        model("claude-sonnet-4-5", "Claude Sonnet 4.5", P::Anthropic, "For most tasks"),
        model("claude-haiku-4-5", "Claude Haiku 4.5", P::Anthropic, "Fast and cheap"),
        model("gpt-5.2", "GPT-5.2", P::OpenAi, "For the hardest tasks"),
        model("gpt-5", "GPT-5", P::OpenAi, "For most tasks"),
        model("gpt-5-codex", "GPT-5 Codex", P::OpenAi, "For code"),
        model("gpt-5-mini", "GPT-5 mini", P::OpenAi, "Fast and cheap"),
        model("gemini-2.5-pro", "Gemini 2.5 Pro", P::Google, "For most tasks"),
    ]
}

/// Well-known images that agents run in: all are built on glibc.
#[must_use]
pub fn images() -> Vec<Image> {
    [
        "debian:12",
        "debian:12-slim",
        "ubuntu:24.04",
        "ubuntu:22.04",
        "fedora:42",
        "node:24",
        "node:22",
        "python:3.13",
        "python:3.12",
        "rust:1",
        "golang:1",
        "ruby:3.4",
        "eclipse-temurin:21",
        "mcr.microsoft.com/dotnet/sdk:9.0",
        "mcr.microsoft.com/devcontainers/base:ubuntu",
    ]
    .map(Image::named)
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_is_in_the_list_and_no_id_is_there_twice() {
        let ids: Vec<String> = super::models().into_iter().map(|m| m.id).collect();
        assert_eq!(ids[0], super::DEFAULT_MODEL);
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn every_image_names_its_tag() {
        for image in super::images() {
            assert_eq!(image.image, format!("{}:{}", image.repository, image.tag));
        }
    }
}
