//! The services of `models.yaml`. Only what is needed to ask them is read; what else is wrong in the file, the agent
//! says.

use super::Service;
use crate::cmd::doctor::{Surroundings, report::Check};
use oz_core::{env, inference::EndpointApi};
use serde::Deserialize;
use std::{fs, path::PathBuf};

const NAME: &str = "models-file";

#[derive(Deserialize)]
struct File {
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    name: String,
    api: EndpointApi,
    base_url: String,
    api_key_env: Option<String>,
}

/// The services that the file configures; none where there is no file.
pub(super) fn services(here: &Surroundings) -> Result<Vec<Service>, Check> {
    let named = here.var(env::MODELS_FILE).map(PathBuf::from);
    let file = match &named {
        Some(file) => file.clone(),
        None => here.login_file.with_file_name("models.yaml"),
    };
    if named.is_none() && !file.exists() {
        return Ok(Vec::new());
    }
    let shown = file.display();
    let problem =
        |reason: &dyn std::fmt::Display, fix: &str| Check::problem(NAME, format!("{shown}: {reason}"), fix);
    let text = fs::read_to_string(&file).map_err(|e| problem(&e, &format!("ls -l {shown}")))?;
    let read: File = serde_saphyr::from_str(&text).map_err(|e| {
        let reason = e.to_string();
        let line = reason.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        problem(&line, &format!("\"${{EDITOR:-vi}}\" {shown}"))
    })?;
    let service = |endpoint: Endpoint| Service {
        key: endpoint.api_key_env.as_deref().and_then(|name| here.var(name)).map(str::to_owned),
        wants_key: endpoint.api_key_env.is_some(),
        variable: endpoint.api_key_env,
        name: endpoint.name,
        api: endpoint.api,
        base_url: endpoint.base_url,
    };
    Ok(read.endpoints.into_iter().map(service).collect())
}
