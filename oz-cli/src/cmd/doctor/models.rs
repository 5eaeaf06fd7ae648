//! The model services that this machine's agents can use: whether each answers and accepts its key.

mod file;

use super::{
    Surroundings,
    http::{self, LIMIT},
    report::Check,
};
use futures_util::future::join_all;
use oz_core::{env, inference::EndpointApi};
use std::{path::Path, time::Duration};

const ANTHROPIC: &str = "https://api.anthropic.com";
const OPENAI: &str = "https://api.openai.com/v1";
const OLLAMA: &str = "http://127.0.0.1:11434/v1";
/// How long to look for an Ollama that nobody has named.
const PROBE: Duration = Duration::from_millis(500);

/// A service to ask for its models, which costs nothing.
struct Service {
    name: String,
    api: EndpointApi,
    base_url: String,
    /// The variable that its key is looked for in.
    variable: Option<String>,
    key: Option<String>,
    /// Whether it is known to want a key.
    wants_key: bool,
}

pub(super) async fn checks(here: &Surroundings) -> Vec<Check> {
    let mut services = from_variables(here);
    let mut checks = Vec::new();
    match file::services(here) {
        Ok(more) => services.extend(more),
        Err(check) => checks.push(check),
    }
    checks.extend(here.var(env::SCRIPTED_MODEL).map(|path| scripted(Path::new(path))));
    if services.is_empty() && checks.is_empty() {
        return vec![nothing_configured(OLLAMA).await];
    }
    let mut asked = join_all(services.iter().map(ask)).await;
    asked.extend(checks);
    asked
}

fn from_variables(here: &Surroundings) -> Vec<Service> {
    let service = |name: &str, api, url: Option<&str>, default: &str, key: &str| {
        let value = here.var(key).map(str::to_owned);
        (url.is_some() || value.is_some()).then(|| Service {
            name: name.to_owned(),
            api,
            base_url: url.unwrap_or(default).to_owned(),
            variable: Some(key.to_owned()),
            key: value,
            // A server of one's own may want none.
            wants_key: url.is_none(),
        })
    };
    let (anthropic, openai) = (here.var(env::ANTHROPIC_BASE_URL), here.var(env::OPENAI_BASE_URL));
    let mut services: Vec<Service> = [
        service("anthropic", EndpointApi::Anthropic, anthropic, ANTHROPIC, env::ANTHROPIC_API_KEY),
        service("openai", EndpointApi::OpenAiChat, openai, OPENAI, env::OPENAI_API_KEY),
    ]
    .into_iter()
    .flatten()
    .collect();
    services.extend(here.var(env::OLLAMA_HOST).map(|host| Service {
        name: "ollama".to_owned(),
        api: EndpointApi::OpenAiChat,
        base_url: ollama(host),
        variable: None,
        key: None,
        wants_key: false,
    }));
    services
}

/// The API's address for a host as Ollama itself understands it.
fn ollama(host: &str) -> String {
    let (scheme, rest) = host.split_once("://").unwrap_or(("http", host));
    let rest = rest.trim_end_matches('/').replacen("0.0.0.0", "127.0.0.1", 1);
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if has_port || host.contains("://") { "" } else { ":11434" };
    format!("{scheme}://{rest}{port}/v1")
}

async fn ask(service: &Service) -> Check {
    let key = service.key.as_deref();
    if key.is_none() && service.wants_key {
        return Check::problem(
            &service.name,
            format!("{} wants a key", service.base_url),
            &give_key(service),
        );
    }
    let base = service.base_url.trim_end_matches('/');
    let bearer = key.map(|key| format!("Bearer {key}"));
    let mut headers = Vec::new();
    let url = if service.api == EndpointApi::Anthropic {
        headers.push(("anthropic-version", "2023-06-01"));
        headers.extend(key.map(|key| ("x-api-key", key)));
        format!("{base}/v1/models")
    } else {
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        format!("{base}/models")
    };
    judge(service, http::get(&url, &headers, LIMIT).await)
}

fn judge(service: &Service, answer: Result<http::Answer, String>) -> Check {
    let Service { name, base_url, .. } = service;
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Check::problem(name, format!("{base_url}: {reason}"), &start(service)),
    };
    match answer.status {
        200 => {
            let models = models(&answer.body).map(|count| format!(", {count} models")).unwrap_or_default();
            let accepts = if service.key.is_some() { "accepts the key" } else { "answers" };
            if models == ", 0 models" && name == "ollama" {
                let text = format!("{base_url} answers, but has no model");
                return Check::warning(name, text, "ollama pull qwen3-coder");
            }
            Check::ok(name, format!("{base_url} {accepts}{models}"))
        }
        401 | 403 => {
            let says = if service.key.is_some() { "does not accept the key" } else { "wants a key" };
            Check::problem(name, format!("{base_url} {says}"), &give_key(service))
        }
        // Not everything that serves models can list them.
        404 | 405 | 501 => Check::ok(name, format!("{base_url} answers, but can't be asked about the key")),
        status => {
            let text = format!("{base_url} answers with HTTP status {status}");
            Check::warning(name, text, "oz doctor --local-only")
        }
    }
}

/// How a service gets its key.
fn give_key(service: &Service) -> String {
    match &service.variable {
        Some(variable) => format!("export {variable}=KEY"),
        None => "add api_key_env, the variable with its key, to its entry in models.yaml".to_owned(),
    }
}

/// What brings a service up.
fn start(service: &Service) -> String {
    if service.name == "ollama" {
        return "ollama serve".to_owned();
    }
    format!("curl -i {}", service.base_url)
}

/// How many models a list has.
fn models(body: &[u8]) -> Option<usize> {
    let list: serde_json::Value = serde_json::from_slice(body).ok()?;
    list["data"].as_array().map(Vec::len)
}

fn scripted(path: &Path) -> Check {
    let (name, shown) = ("scripted", path.display());
    if path.is_file() {
        return Check::ok(name, format!("the script is {shown}"));
    }
    Check::problem(name, format!("{} names no file: {shown}", env::SCRIPTED_MODEL), "unset OZ_SCRIPTED_MODEL")
}

async fn nothing_configured(ollama: &str) -> Check {
    let name = "models";
    match http::get(&format!("{ollama}/models"), &[], PROBE).await {
        Ok(answer) if answer.status == 200 => Check::warning(
            name,
            "no model provider is configured, but Ollama runs here",
            "export OLLAMA_HOST=127.0.0.1:11434",
        ),
        _ => Check::warning(
            name,
            "no model provider is configured for agents on this machine",
            "export ANTHROPIC_API_KEY=KEY, or OPENAI_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST",
        ),
    }
}

#[cfg(test)]
mod tests;
