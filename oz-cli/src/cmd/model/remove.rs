//! `oz model remove`: removes a model service.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm, nearest},
    error::CliError,
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{DeleteModelEndpoint, ModelEndpoint};

/// Remove a model service.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz model remove local
  oz model remove local --force")]
pub(crate) struct RemoveArgs {
    /// Its name
    name: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: RemoveArgs, format: Format) -> Outcome {
    let services = client.model_endpoints().list().await?.model_endpoints;
    let service = find(&services, &args.name)?;
    if !confirm("remove", "model service", &args.name, args.force)? {
        return Ok(true);
    }
    client.send(&DeleteModelEndpoint { uid: service.uid.clone() }).await?;
    out::deleted("uid", "Model service", &service.uid, format)?;
    Ok(true)
}

/// The service with this name, or else this id: a person may have one of the same name as the team.
fn find<'a>(services: &'a [ModelEndpoint], wanted: &str) -> Result<&'a ModelEndpoint, CliError> {
    let named: Vec<_> = services.iter().filter(|service| service.config.name == wanted).collect();
    match named[..] {
        [service] => Ok(service),
        [] => services.iter().find(|service| service.uid == wanted).ok_or_else(|| {
            let names = services.iter().map(|service| service.config.name.as_str());
            CliError::new(if services.is_empty() {
                format!("there is no model service '{wanted}': none was added")
            } else {
                out::plain(&nearest::unknown("model service", wanted, names))
            })
        }),
        _ => {
            let uids: Vec<_> = named.iter().map(|service| service.uid.as_str()).collect();
            let text =
                format!("several model services are called '{wanted}': {}", out::plain(&uids.join(", ")));
            Err(CliError::new(text).hint("name one by its id"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_service_is_found_by_name() {
        let one = |uid: &str, name: &str| -> ModelEndpoint {
            let config = json!({ "name": name, "api": "anthropic", "base_url": "http://x" });
            from_value(json!({ "uid": uid, "config": config, "created_at": "2026-03-02T08:00:00Z",
                "last_updated": "2026-03-02T08:00:00Z", "revision": 1 }))
            .unwrap()
        };
        let all = [one("m1", "local"), one("m2", "twice"), one("m3", "twice")];
        let found = |wanted| find(&all, wanted).map(|service| service.uid.clone()).map_err(|e| e.to_string());
        assert_eq!((found("local"), found("m3")), (Ok("m1".into()), Ok("m3".into())));
        assert_eq!(
            found("locl").unwrap_err(),
            "Error: there is no model service 'locl'; did you mean 'local'?"
        );
        assert!(found("twice").unwrap_err().contains("m2, m3"));
        assert!(find(&[], "x").unwrap_err().to_string().ends_with("none was added"));
    }
}
