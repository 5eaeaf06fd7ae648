//! Which models a run uses: a pure choice over names, the environment and the configured services, then the making of
//! the chosen ones. Nothing is sent to find out; a wrong key shows at the first call.

use super::{
    choice::{Choice, Format},
    environment,
    fallback::Chain,
    price::Price,
    route::{Auto, Offer},
    source::{Service, Sources},
};
use oz_core::{
    Error, ErrorCode, env,
    inference::{EndpointApi, EndpointModel},
};
use std::time::Duration;

/// After how much silence an answer is given up, unless the environment says otherwise.
const SILENCE: Duration = Duration::from_secs(120);

/// The models for `model_id`, the first to be asked first and the others while it is not available.
///
/// A name leads, in this order: with a provider's or a service's name in front, as in `ollama/qwen3` or `NAME/MODEL`, to
/// that; when it is one of Anthropic's or OpenAI's and the environment configures them, there; to the first service that
/// lists it; to the first provider that the environment configures. No name and those of `auto` and its kin mean `OZ_MODEL`, or
/// else what the services and then the environment's providers offer.
///
/// What goes on when the model is not available is named by `fallback_ids`, or else by `OZ_MODEL_FALLBACK`; when neither
/// names any and the choice was left to Oz, it is the other models that would have served.
///
/// # Errors
/// `authentication_required` when nothing is configured or what was chosen has no key, `invalid_request` when a value
/// makes no sense; the text names the variable or field.
pub fn resolve(
    model_id: Option<&str>,
    fallback_ids: &[String],
    sources: &Sources<'_>,
) -> Result<Chain, Error> {
    let silence = match sources.set(env::MODEL_TIMEOUT) {
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
    let links = choices(model_id, fallback_ids, sources)?.into_iter().map(|choice| choice.make(silence));
    Ok(Chain::new(links.collect::<Result<_, _>>()?))
}

/// The chosen models; never none.
fn choices(
    model_id: Option<&str>,
    fallback_ids: &[String],
    sources: &Sources<'_>,
) -> Result<Vec<Choice>, Error> {
    let mut chosen = by_id(model_id.unwrap_or_default(), sources)?;
    let from_env = sources.set(env::MODEL_FALLBACK).unwrap_or_default();
    let (place, ids): (_, Vec<&str>) = match fallback_ids {
        [] => (env::MODEL_FALLBACK, from_env.split(',').collect()),
        ids => ("fallback_model_ids", ids.iter().map(String::as_str).collect()),
    };
    let ids: Vec<&str> = ids.into_iter().map(str::trim).filter(|id| !id.is_empty()).collect();
    if !ids.is_empty() {
        chosen.truncate(1);
    }
    for id in ids {
        let more = by_id(id, sources);
        chosen.extend(more.map_err(|e| Error { detail: format!("{place}: {}", e.detail), ..e })?);
    }
    let mut once: Vec<Choice> = Vec::new();
    for choice in chosen {
        if !once.iter().any(|other| other.is_same(&choice)) {
            once.push(choice);
        }
    }
    Ok(once)
}

/// The models that an id means: one, or several when the choice is left to Oz.
fn by_id(id: &str, sources: &Sources<'_>) -> Result<Vec<Choice>, Error> {
    let id = id.trim();
    let Some(auto) = Auto::of(id)? else { return Ok(vec![named(id, sources)?]) };
    let Some(own) = sources.set(env::MODEL) else { return routed(auto, sources) };
    match Auto::of(&own)? {
        // Whoever runs the agent has chosen; only a wish for open weights is more than a wish.
        None if auto.allows(&offer(&own, sources)) => Ok(vec![named(&own, sources)?]),
        Some(own) if auto == Auto::Standard => routed(own, sources),
        _ => routed(auto, sources),
    }
}

/// What is known of a model that is chosen by name.
fn offer(id: &str, sources: &Sources<'_>) -> Offer {
    let listed = service_of(id, sources).and_then(|(service, id)| listed(service, id));
    Offer::new(id, None, listed.is_some_and(|model| model.open))
}

/// What serves where the choice is left to Oz.
fn routed(auto: Auto, sources: &Sources<'_>) -> Result<Vec<Choice>, Error> {
    let usable = sources.services.iter().filter(|service| service.is_usable());
    let mut offers: Vec<Offer> = usable
        .flat_map(|Service { config, .. }| {
            let id = |model: &EndpointModel| format!("{}/{}", config.name, model.id);
            config.models.iter().map(move |m| Offer::new(&id(m), m.tier.clone(), m.open))
        })
        .collect();
    offers.extend(environment::offers(sources));
    let chosen = auto.choose(&offers);
    if !chosen.is_empty() {
        return chosen.into_iter().map(|offer| named(&offer.id, sources)).collect();
    }
    if sources.set(env::SCRIPTED_MODEL).is_some() && offers.is_empty() {
        return Ok(vec![environment::scripted(None, sources)?]);
    }
    Err(nothing_serves(auto, &offers, sources))
}

/// Why nothing serves, and what would.
fn nothing_serves(auto: Auto, offers: &[Offer], sources: &Sources<'_>) -> Error {
    if auto == Auto::Open && !offers.is_empty() {
        let text = "model: auto-open finds no model with open weights; set OLLAMA_HOST, or configure a service with \
                    one: oz model add NAME --base-url URL --model ID --open";
        return Error::new(ErrorCode::InvalidRequest, text);
    }
    let first = environment::first(sources);
    match sources.services.first() {
        Some(service) => match service.key() {
            Err(missing) => missing,
            Ok(_) => Error::invalid(format!(
                "model: there is nothing to choose from: the model service '{name}' lists no models; list some, or \
                 name one as {name}/MODEL",
                name = service.config.name
            )),
        },
        None => first.map_or_else(
            |nothing| nothing,
            |_| {
                Error::invalid(format!(
                    "model: {} has no default model; name one with --model or {}",
                    env::OPENAI_BASE_URL,
                    env::MODEL
                ))
            },
        ),
    }
}

/// The model of this name.
fn named(id: &str, sources: &Sources<'_>) -> Result<Choice, Error> {
    if let Some((prefix, model)) = id.split_once('/')
        && let Some(choice) = environment::at(prefix, model, sources)
    {
        return choice;
    }
    if id == "scripted" {
        return environment::scripted(None, sources);
    }
    if let Some((service, model)) = service_by_name(id, sources) {
        return at_service(service, model);
    }
    let known = environment::known(id);
    if let Some(provider) = known.filter(|provider| environment::has(provider, sources))
        && let Some(choice) = environment::at(provider, id, sources)
    {
        return choice;
    }
    if let Some((service, model)) = service_of(id, sources) {
        return at_service(service, model);
    }
    let provider = match (known, environment::first(sources)) {
        (Some(known), _) => known,
        (None, Ok(first)) => first,
        (None, Err(nothing)) => {
            return Err(match sources.services.first() {
                Some(service) => Error::invalid(format!(
                    "model: no model service lists '{id}'; write {}/{id} to use it all the same",
                    service.config.name
                )),
                None => nothing,
            });
        }
    };
    match provider {
        "scripted" => environment::scripted(None, sources),
        provider => environment::at(provider, id, sources)
            .unwrap_or_else(|| Err(Error::internal(format!("there is no provider '{provider}'")))),
    }
}

/// The service whose name stands in front, and the model's name there.
fn service_by_name<'s, 'i>(id: &'i str, sources: &'s Sources<'_>) -> Option<(&'s Service, &'i str)> {
    let (name, model) = id.split_once('/')?;
    sources.services.iter().find(|service| service.config.name == name).map(|service| (service, model))
}

/// The service that an id means: by its name, or because it lists the id.
fn service_of<'s, 'i>(id: &'i str, sources: &'s Sources<'_>) -> Option<(&'s Service, &'i str)> {
    service_by_name(id, sources).or_else(|| {
        let lists = |service: &&Service| listed(service, id).is_some();
        let usable = sources.services.iter().filter(|service| service.is_usable()).find(lists);
        usable.or_else(|| sources.services.iter().find(lists)).map(|service| (service, id))
    })
}

fn listed<'s>(service: &'s Service, model: &str) -> Option<&'s EndpointModel> {
    service.config.models.iter().find(|listed| listed.id == model)
}

fn at_service(service: &Service, model: &str) -> Result<Choice, Error> {
    let name = &service.config.name;
    let format = match &service.config.api {
        EndpointApi::OpenAiChat => Format::Chat,
        EndpointApi::OpenAiResponses => Format::Responses,
        EndpointApi::Anthropic => Format::Anthropic,
        EndpointApi::Unknown(api) => {
            let known = EndpointApi::KNOWN.join(", ");
            return Err(Error::unsupported(format!(
                "the model service '{name}' speaks '{api}'; this version speaks {known}"
            )));
        }
    };
    if model.is_empty() {
        return Err(Error::invalid_field("model", &format!("{name}/"), &format!("{name}/MODEL")));
    }
    let price = listed(service, model).and_then(|model| {
        let (input, output) = (model.input_usd_per_million?, model.output_usd_per_million?);
        Some(Price { input, cache_read: None, cache_write: None, output })
    });
    let (address, key) = (service.config.base_url.clone(), service.key()?);
    Ok(Choice { format, model: model.to_owned(), address, key, service: Some(name.clone()), price })
}

#[cfg(test)]
mod tests;
