//! Which model the quickstart uses: the one that was asked for, or the first that is there.

use crate::error::CliError;
use oz_core::env;
use std::time::Duration;

/// How long to look for a local Ollama.
const PROBE: Duration = Duration::from_millis(300);
const OLLAMA: &str = "127.0.0.1:11434";

/// A model, and why this one.
pub(super) struct Choice {
    pub(super) id: Option<String>,
    pub(super) why: String,
    /// Whether it replays the quickstart's own answers.
    pub(super) prepared: bool,
}

/// Chooses a model. One that was asked for but can't be used is an error here rather than in the run.
pub(super) async fn choose(wanted: Option<String>) -> Result<Choice, CliError> {
    let lookup = |name: &str| std::env::var(name).ok();
    let resolve = |model: Option<&str>| {
        oz_agent::model::resolve(model, &[], &oz_agent::model::Sources::new(&lookup, &[])?)
    };
    let set = |name: &str| lookup(name).is_some_and(|value| !value.trim().is_empty());
    if let Some(model) = wanted {
        if model == "scripted" && !set(env::SCRIPTED_MODEL) {
            return Ok(prepared("as you asked"));
        }
        resolve(Some(&model))?;
        return Ok(Choice { why: format!("{model}, as you asked"), id: Some(model), prepared: false });
    }
    for name in [env::ANTHROPIC_API_KEY, env::OPENAI_API_KEY] {
        if set(name) {
            let model = resolve(None)?.current().name().to_owned();
            // A model of the environment's own choice may name its provider, which the run must see.
            let id = lookup(env::MODEL).filter(|id| !id.trim().is_empty()).unwrap_or_else(|| model.clone());
            return Ok(Choice {
                id: Some(id),
                why: format!("{model}, because {name} is set"),
                prepared: false,
            });
        }
    }
    if let Some(model) = ollama(lookup(env::OLLAMA_HOST)).await {
        let why = format!("{model} of the Ollama that answers on this machine");
        return Ok(Choice { id: Some(format!("ollama/{model}")), why, prepared: false });
    }
    Ok(prepared("because neither ANTHROPIC_API_KEY nor OPENAI_API_KEY is set and no local Ollama answers"))
}

fn prepared(because: &str) -> Choice {
    let why =
        format!("prepared answers (the `scripted` model), {because}.\n    Everything else here is real.");
    Choice { id: Some("scripted".into()), why, prepared: true }
}

/// The first model of a local Ollama that can hold a conversation.
async fn ollama(host: Option<String>) -> Option<String> {
    let url = address(&host.filter(|host| !host.trim().is_empty()).unwrap_or_else(|| OLLAMA.to_owned()));
    let request = oz_client::http_client(&url).ok()?.get(format!("{url}/api/tags")).timeout(PROBE);
    let body = request.send().await.ok()?.bytes().await.ok()?;
    first_model(&serde_json::from_slice(&body).ok()?)
}

/// The address of a host that may lack scheme and port, or be the one that means "listen everywhere".
fn address(host: &str) -> String {
    let host = host.trim().trim_end_matches('/').replacen("0.0.0.0", "127.0.0.1", 1);
    if host.contains("://") {
        return host;
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    format!("http://{host}{}", if has_port { "" } else { ":11434" })
}

fn first_model(tags: &serde_json::Value) -> Option<String> {
    let models = tags["models"].as_array()?.iter().filter_map(|model| model["name"].as_str());
    models.into_iter().find(|name| !name.contains("embed")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ollama_is_found_however_its_host_is_written() {
        for (host, url) in [
            ("127.0.0.1:11434", "http://127.0.0.1:11434"),
            ("localhost", "http://localhost:11434"),
            ("0.0.0.0:1234", "http://127.0.0.1:1234"),
            ("https://ollama.example.com/", "https://ollama.example.com"),
        ] {
            assert_eq!(address(host), url);
        }
    }

    #[test]
    fn models_that_only_embed_are_passed_over() {
        let tags =
            serde_json::json!({ "models": [{ "name": "nomic-embed-text" }, { "name": "qwen3-coder:30b" }] });
        assert_eq!(first_model(&tags).as_deref(), Some("qwen3-coder:30b"));
        assert_eq!(first_model(&serde_json::json!({ "models": [] })), None);
    }
}
