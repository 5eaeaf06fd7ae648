//! Which provider and model a run uses: a pure choice over a name and the environment, then the making of the chosen
//! one. Nothing is sent to find out; a wrong key shows at the first call.

use super::{anthropic::Anthropic, chat::Chat, responses::Responses, scripted::Scripted};
use oz_core::{Error, ErrorCode, env, model::Model};
use std::{fmt, path::Path, sync::Arc, time::Duration};

const ANTHROPIC: &str = "https://api.anthropic.com";
const OPENAI: &str = "https://api.openai.com/v1";
const OLLAMA: &str = "127.0.0.1:11434";
/// After how much silence an answer is given up, unless the environment says otherwise.
const SILENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Anthropic,
    Responses,
    Chat,
    Ollama,
    Scripted,
}

/// What was chosen.
#[derive(Clone, PartialEq)]
struct Choice {
    provider: Provider,
    model: String,
    /// The base URL; the script's path for `scripted`.
    address: String,
    key: Option<String>,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} at {} key:{}", self.provider, self.model, self.address, self.key.is_some())
    }
}

/// The provider for `model_id` and the model's name there, as `env` (a lookup of environment variables) allows.
///
/// `provider/model` names the provider: `anthropic`, `openai`, `openai-chat`, `ollama`, or `scripted/PATH`. Known names
/// lead to their provider, every other name to the first provider that is configured. No name, or one that begins with
/// `auto`, means `OZ_MODEL` or else that provider's default.
///
/// # Errors
/// `authentication_required` when nothing is configured or the chosen provider has no key, `invalid_request` when a
/// value makes no sense; the text names the variable.
pub fn resolve(
    model_id: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn Model>, String), Error> {
    let silence = match set(env, env::MODEL_TIMEOUT) {
        None => SILENCE,
        Some(text) => match text.parse() {
            Ok(seconds @ 1..) => Duration::from_secs(seconds),
            _ => {
                return Err(Error::invalid_field(
                    env::MODEL_TIMEOUT,
                    &text,
                    "a number of seconds such as 300",
                ));
            }
        },
    };
    let Choice { provider, model, address, key } = choose(model_id, env)?;
    let made: Arc<dyn Model> = match provider {
        Provider::Anthropic => Arc::new(Anthropic::new(&address, key, silence)?),
        Provider::Responses => Arc::new(Responses::new(&address, key, silence)?),
        Provider::Chat => Arc::new(Chat::new("openai-chat", &address, key, silence)?),
        Provider::Ollama => Arc::new(Chat::new("ollama", &address, None, silence)?),
        Provider::Scripted => Arc::new(Scripted::read(Path::new(&address))?),
    };
    Ok((made, model))
}

fn set(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn choose(model_id: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let wanted = |id: &String| !id.is_empty() && id != "auto" && !id.starts_with("auto-");
    let id = model_id.map(|id| id.trim().to_owned()).filter(wanted);
    let Some(id) = id.or_else(|| set(env, env::MODEL).filter(wanted)) else {
        return by_default(env);
    };
    if let Some((prefix, name)) = id.split_once('/') {
        match prefix {
            "anthropic" => return anthropic(name, env),
            "openai" => return openai(name, env),
            "openai-chat" => return openai_as(Provider::Chat, name, env),
            "ollama" => return ollama(name, env),
            "scripted" => return scripted(Some(name), env),
            _ => {}
        }
    }
    let o_series = id.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if id == "scripted" {
        scripted(None, env)
    } else if id.starts_with("claude") {
        anthropic(&id, env)
    } else if o_series || id.starts_with("gpt") || id.starts_with("codex") {
        openai(&id, env)
    } else {
        match first_configured(env)? {
            Provider::Anthropic => anthropic(&id, env),
            Provider::Ollama => ollama(&id, env),
            Provider::Scripted => scripted(None, env),
            Provider::Responses | Provider::Chat => openai(&id, env),
        }
    }
}

fn first_configured(env: &dyn Fn(&str) -> Option<String>) -> Result<Provider, Error> {
    [
        (env::ANTHROPIC_API_KEY, Provider::Anthropic),
        (env::OPENAI_API_KEY, Provider::Responses),
        (env::OPENAI_BASE_URL, Provider::Responses),
        (env::OLLAMA_HOST, Provider::Ollama),
        (env::SCRIPTED_MODEL, Provider::Scripted),
    ]
    .into_iter()
    .find_map(|(name, provider)| set(env, name).map(|_| provider))
    .ok_or_else(|| {
        Error::new(
            ErrorCode::AuthenticationRequired,
            "no model provider is configured; set ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST",
        )
    })
}

fn by_default(env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    match first_configured(env)? {
        Provider::Anthropic => anthropic("claude-sonnet-4-5", env),
        Provider::Ollama => ollama("qwen3-coder", env),
        Provider::Scripted => scripted(None, env),
        Provider::Responses | Provider::Chat => match set(env, env::OPENAI_BASE_URL) {
            Some(url) if !is_openai(&url) => Err(Error::invalid(format!(
                "model: {} has no default model; name one with --model or {}",
                env::OPENAI_BASE_URL,
                env::MODEL
            ))),
            _ => openai("gpt-5", env),
        },
    }
}

/// The key, which only a server of one's own may do without.
fn key(
    env: &dyn Fn(&str) -> Option<String>,
    name: &str,
    model: &str,
    own_server: bool,
) -> Result<Option<String>, Error> {
    match set(env, name) {
        None if !own_server => {
            let text = format!("model '{model}' needs {name}, which is not set");
            Err(Error::new(ErrorCode::AuthenticationRequired, text))
        }
        key => Ok(key),
    }
}

fn named(model: &str) -> Result<String, Error> {
    if model.is_empty() {
        return Err(Error::invalid_field("model", model, "a name such as anthropic/claude-sonnet-4-5"));
    }
    Ok(model.to_owned())
}

fn anthropic(model: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let base = set(env, env::ANTHROPIC_BASE_URL);
    let key = key(env, env::ANTHROPIC_API_KEY, model, base.is_some())?;
    let address = base.unwrap_or_else(|| ANTHROPIC.to_owned());
    Ok(Choice { provider: Provider::Anthropic, model: named(model)?, address, key })
}

fn is_openai(url: &str) -> bool {
    url.starts_with("https://api.openai.com")
}

fn openai(model: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let provider = match set(env, env::OPENAI_API).as_deref() {
        Some("responses") => Provider::Responses,
        Some("chat") => Provider::Chat,
        Some(other) => return Err(Error::invalid_field(env::OPENAI_API, other, "responses or chat")),
        None if set(env, env::OPENAI_BASE_URL).is_none_or(|url| is_openai(&url)) => Provider::Responses,
        None => Provider::Chat,
    };
    openai_as(provider, model, env)
}

fn openai_as(provider: Provider, model: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let base = set(env, env::OPENAI_BASE_URL);
    let key = key(env, env::OPENAI_API_KEY, model, base.as_ref().is_some_and(|url| !is_openai(url)))?;
    let address = base.unwrap_or_else(|| OPENAI.to_owned());
    Ok(Choice { provider, model: named(model)?, address, key })
}

fn ollama(model: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let host = set(env, env::OLLAMA_HOST).unwrap_or_else(|| OLLAMA.to_owned());
    let address = ollama_url(&host);
    Ok(Choice { provider: Provider::Ollama, model: named(model)?, address, key: None })
}

/// The server's API for a host as Ollama itself understands it: scheme and port may be missing, and the address that
/// means "listen everywhere" means this machine.
fn ollama_url(host: &str) -> String {
    let (scheme, rest) = host.split_once("://").unwrap_or(("http", host));
    let rest = rest.trim_end_matches('/');
    let rest = rest.replacen("0.0.0.0", "127.0.0.1", 1);
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if has_port || host.contains("://") { "" } else { ":11434" };
    format!("{scheme}://{rest}{port}/v1")
}

fn scripted(path: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    let path = path.filter(|p| !p.is_empty()).map(str::to_owned).or_else(|| set(env, env::SCRIPTED_MODEL));
    let address = path.ok_or_else(|| {
        Error::invalid(format!(
            "model 'scripted' needs a script; set {} or write scripted/PATH",
            env::SCRIPTED_MODEL
        ))
    })?;
    Ok(Choice { provider: Provider::Scripted, model: "scripted".to_owned(), address, key: None })
}

#[cfg(test)]
mod tests;
