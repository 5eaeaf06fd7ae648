//! The providers that variables configure: Anthropic, OpenAI and what speaks like it, Ollama, and the scripted model.

use super::{
    choice::{Choice, Format},
    route::Offer,
    source::Sources,
};
use oz_core::{Error, ErrorCode, env, inference::ModelTier};

const ANTHROPIC: &str = "https://api.anthropic.com";
const OPENAI: &str = "https://api.openai.com/v1";
const OLLAMA: &str = "127.0.0.1:11434";

/// What each provider is asked for when the choice is left to Oz. An OpenAI-compatible server of one's own has no row:
/// nobody knows what runs there.
const OFFERED: &[(&str, &str, ModelTier)] = &[
    (env::ANTHROPIC_API_KEY, "anthropic/claude-sonnet-4-5", ModelTier::Standard),
    (env::ANTHROPIC_API_KEY, "anthropic/claude-opus-4-5", ModelTier::Genius),
    (env::ANTHROPIC_API_KEY, "anthropic/claude-haiku-4-5", ModelTier::Efficient),
    (env::OPENAI_API_KEY, "openai/gpt-5", ModelTier::Standard),
    (env::OPENAI_API_KEY, "openai/gpt-5.2", ModelTier::Genius),
    (env::OPENAI_API_KEY, "openai/gpt-5-mini", ModelTier::Efficient),
    (env::OLLAMA_HOST, "ollama/qwen3-coder", ModelTier::Standard),
];

/// The variables of which each configures a provider, in the order in which providers are preferred.
const CONFIGURING: [(&str, &str); 5] = [
    (env::ANTHROPIC_API_KEY, "anthropic"),
    (env::OPENAI_API_KEY, "openai"),
    (env::OPENAI_BASE_URL, "openai"),
    (env::OLLAMA_HOST, "ollama"),
    (env::SCRIPTED_MODEL, "scripted"),
];

/// What the environment offers where the choice is left to Oz.
pub(super) fn offers(sources: &Sources<'_>) -> Vec<Offer> {
    let own_server = sources.set(env::OPENAI_BASE_URL).is_some_and(|url| !is_openai(&url));
    let offered =
        |variable: &str| sources.set(variable).is_some() && !(variable == env::OPENAI_API_KEY && own_server);
    let rows = OFFERED.iter().filter(|(variable, ..)| offered(variable));
    rows.map(|(_, id, tier)| Offer::new(id, Some(tier.clone()), false)).collect()
}

/// The model at the provider of this name, if there is such a provider.
pub(super) fn at(provider: &str, model: &str, sources: &Sources<'_>) -> Option<Result<Choice, Error>> {
    Some(match provider {
        "anthropic" => anthropic(model, sources),
        "openai" => openai(model, sources),
        "openai-chat" => openai_as(Format::Chat, model, sources),
        "ollama" => ollama(model, sources),
        "scripted" => scripted(Some(model), sources),
        _ => return None,
    })
}

/// The provider to which a name leads by itself.
pub(super) fn known(id: &str) -> Option<&'static str> {
    let o_series = id.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if id.starts_with("claude") {
        Some("anthropic")
    } else if o_series || id.starts_with("codex") || id.starts_with("gpt") && !id.starts_with("gpt-oss") {
        Some("openai")
    } else {
        None
    }
}

/// Whether anything configures this provider.
pub(super) fn has(provider: &str, sources: &Sources<'_>) -> bool {
    let also = (env::ANTHROPIC_BASE_URL, "anthropic");
    CONFIGURING.iter().chain([&also]).any(|(name, of)| *of == provider && sources.set(name).is_some())
}

/// The first provider that is configured.
pub(super) fn first(sources: &Sources<'_>) -> Result<&'static str, Error> {
    let first = CONFIGURING.into_iter().find_map(|(name, provider)| sources.set(name).map(|_| provider));
    first.ok_or_else(|| {
        let text = "no model provider is configured; set ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENAI_BASE_URL or \
                    OLLAMA_HOST, or configure a model service (oz model add, or models.yaml)";
        Error::new(ErrorCode::AuthenticationRequired, text)
    })
}

/// The key, which only a server of one's own may do without.
fn key(sources: &Sources<'_>, name: &str, model: &str, own_server: bool) -> Result<Option<String>, Error> {
    match sources.set(name) {
        None if !own_server => {
            let text = format!("model '{model}' needs {name}, which is not set");
            Err(Error::new(ErrorCode::AuthenticationRequired, text))
        }
        key => Ok(key),
    }
}

/// A choice, unless the name is empty.
pub(super) fn chosen(
    format: Format,
    model: &str,
    address: String,
    key: Option<String>,
) -> Result<Choice, Error> {
    if model.is_empty() {
        return Err(Error::invalid_field("model", model, "a name such as anthropic/claude-sonnet-4-5"));
    }
    Ok(Choice { format, model: model.to_owned(), address, key, service: None, price: None })
}

fn anthropic(model: &str, sources: &Sources<'_>) -> Result<Choice, Error> {
    let base = sources.set(env::ANTHROPIC_BASE_URL);
    let key = key(sources, env::ANTHROPIC_API_KEY, model, base.is_some())?;
    chosen(Format::Anthropic, model, base.unwrap_or_else(|| ANTHROPIC.to_owned()), key)
}

fn is_openai(url: &str) -> bool {
    url.starts_with("https://api.openai.com")
}

fn openai(model: &str, sources: &Sources<'_>) -> Result<Choice, Error> {
    let format = match sources.set(env::OPENAI_API).as_deref() {
        Some("responses") => Format::Responses,
        Some("chat") => Format::Chat,
        Some(other) => return Err(Error::invalid_field(env::OPENAI_API, other, "responses or chat")),
        None if sources.set(env::OPENAI_BASE_URL).is_none_or(|url| is_openai(&url)) => Format::Responses,
        None => Format::Chat,
    };
    openai_as(format, model, sources)
}

fn openai_as(format: Format, model: &str, sources: &Sources<'_>) -> Result<Choice, Error> {
    let base = sources.set(env::OPENAI_BASE_URL);
    let key = key(sources, env::OPENAI_API_KEY, model, base.as_ref().is_some_and(|url| !is_openai(url)))?;
    chosen(format, model, base.unwrap_or_else(|| OPENAI.to_owned()), key)
}

fn ollama(model: &str, sources: &Sources<'_>) -> Result<Choice, Error> {
    let host = sources.set(env::OLLAMA_HOST).unwrap_or_else(|| OLLAMA.to_owned());
    chosen(Format::Ollama, model, ollama_url(&host), None)
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

/// The scripted model with the script at `path`, or else the environment's.
pub(super) fn scripted(path: Option<&str>, sources: &Sources<'_>) -> Result<Choice, Error> {
    let path = path.filter(|p| !p.is_empty()).map(str::to_owned).or_else(|| sources.set(env::SCRIPTED_MODEL));
    let address = path.ok_or_else(|| {
        Error::invalid(format!(
            "model 'scripted' needs a script; set {} or write scripted/PATH",
            env::SCRIPTED_MODEL
        ))
    })?;
    chosen(Format::Scripted, "scripted", address, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollama_hosts_come_in_many_spellings() {
        for (host, url) in [
            ("127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
            ("0.0.0.0", "http://127.0.0.1:11434/v1"),
            ("http://box:80/", "http://box:80/v1"),
            ("https://ollama.example", "https://ollama.example/v1"),
            ("box", "http://box:11434/v1"),
        ] {
            assert_eq!(ollama_url(host), url, "{host}");
        }
    }
}
