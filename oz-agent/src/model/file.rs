//! `models.yaml`: model services that a person configures on this machine. Keys stay in variables; the file names them.

use super::{
    source::{Env, Key, Service, set},
    yaml_error,
};
use oz_core::{Error, env, inference::EndpointConfig};
use serde_json::{Map, Value};
use std::path::Path;

const FILE: [&str; 1] = ["endpoints"];
const ENDPOINT: [&str; 5] = ["name", "api", "base_url", "models", API_KEY_ENV];
const MODEL: [&str; 5] = ["id", "tier", "open", "input_usd_per_million", "output_usd_per_million"];
const API_KEY_ENV: &str = "api_key_env";
/// How similar a wrong key must be to a right one to be taken for it.
const SIMILAR: f64 = 0.5;

/// A service as the file has it.
#[derive(Debug, PartialEq)]
struct Entry {
    config: EndpointConfig,
    /// The variable with its key.
    api_key_env: Option<String>,
}

/// The services of the file that `env` names; none when it names no file.
pub(super) fn read(env: Env<'_>) -> Result<Vec<Service>, Error> {
    let service = |Entry { config, api_key_env }| {
        let key = match api_key_env {
            None => Key::None,
            Some(name) => match set(env, &name) {
                Some(value) => Key::Value(value),
                None => Key::Missing(format!("its key in the variable {name}, which is not set")),
            },
        };
        Service { config, key }
    };
    Ok(entries(env)?.into_iter().map(service).collect())
}

/// The variables with keys that the file names. What the agent runs must not see them.
///
/// # Errors
/// `invalid_request` that says what is wrong in the file.
pub fn key_variables(env: Env<'_>) -> Result<Vec<String>, Error> {
    Ok(entries(env)?.into_iter().filter_map(|entry| entry.api_key_env).collect())
}

fn entries(env: Env<'_>) -> Result<Vec<Entry>, Error> {
    let Some(path) = set(env, env::MODELS_FILE) else { return Ok(Vec::new()) };
    // Relative to what: an agent's directory may hold a file of that name that nobody here wrote.
    if !Path::new(&path).is_absolute() {
        return Err(Error::invalid_field(env::MODELS_FILE, &path, "an absolute path"));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Error::invalid_field(env::MODELS_FILE, &path, &format!("a file that can be read ({e})"))
    })?;
    parse(&text).map_err(|e| Error::invalid(format!("{path}: {}", e.detail)))
}

fn parse(text: &str) -> Result<Vec<Entry>, Error> {
    let file: Value = serde_saphyr::from_str(text).map_err(|e| Error::invalid(yaml_error(&e)))?;
    let mut file = object(file, "the file", "endpoints: […]")?;
    known(&file, &FILE, "")?;
    let Some(Value::Array(endpoints)) = file.remove("endpoints") else {
        return Err(Error::invalid("endpoints: expected a list of model services"));
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (i, value) in endpoints.into_iter().enumerate() {
        let at = format!("endpoints[{i}]");
        let entry = entry(value, &at)?;
        if entries.iter().any(|other| other.config.name == entry.config.name) {
            return Err(Error::invalid(format!("{at}.name: '{}' is there twice", entry.config.name)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(value: Value, at: &str) -> Result<Entry, Error> {
    let mut fields = object(value, at, "name, api and base_url")?;
    if fields.contains_key("secret") {
        return Err(Error::invalid(format!(
            "{at}.secret: secrets are the control plane's; name the variable with the key in {API_KEY_ENV}"
        )));
    }
    known(&fields, &ENDPOINT, &format!("{at}."))?;
    if let Some(Value::Array(models)) = fields.get_mut("models") {
        for (j, model) in models.iter_mut().enumerate() {
            // An id alone is a model, too.
            if model.is_string() {
                *model = serde_json::json!({ "id": model.take() });
            }
            let at = format!("{at}.models[{j}]");
            known(&object(model.clone(), &at, "an id, or id, tier and open")?, &MODEL, &format!("{at}."))?;
        }
    }
    let api_key_env = match fields.remove(API_KEY_ENV) {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) if is_variable(&name) => Some(name),
        Some(other) => {
            let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            // Who puts the key itself here must not find it in a log.
            let shown = if shown.len() > 24 || shown.contains('-') { "…" } else { &shown };
            let expected = "the name of the variable with the key, such as OPENROUTER_API_KEY";
            return Err(Error::invalid_field(&format!("{at}.{API_KEY_ENV}"), shown, expected));
        }
    };
    let config: EndpointConfig =
        serde_json::from_value(Value::Object(fields)).map_err(|e| Error::invalid(format!("{at}: {e}")))?;
    config.validate(at)?;
    Ok(Entry { config, api_key_env })
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn object(value: Value, at: &str, expected: &str) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(Error::invalid_field(at, &other.to_string(), expected)),
    }
}

/// Refuses a key that means nothing, with the one that was probably meant.
fn known(fields: &Map<String, Value>, keys: &[&str], at: &str) -> Result<(), Error> {
    let Some(wrong) = fields.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let likeness = |key: &str| strsim::normalized_damerau_levenshtein(&wrong.to_lowercase(), key);
    let nearest = keys.iter().map(|key| (likeness(key), key)).max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = match nearest {
        Some((likeness, key)) if likeness >= SIMILAR => format!("; did you mean {key}?"),
        _ => format!("; there are {}", keys.join(", ")),
    };
    Err(Error::invalid(format!("{at}{wrong} is not a key{meant}")))
}

#[cfg(test)]
mod tests;
