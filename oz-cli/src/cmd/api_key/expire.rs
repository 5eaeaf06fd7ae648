//! `oz api-key expire`: ends a key at once.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    error::CliError,
    out::{self, jq::JqArgs},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{ApiKey, DeleteApiKey, ListApiKeys};

/// End a key at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz api-key expire ci
  oz api-key expire UID --force")]
pub(crate) struct ExpireArgs {
    /// The key, by name or id
    #[arg(value_name = "NAME_OR_UID")]
    key: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: &ExpireArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let keys = client.send(&ListApiKeys {}).await?.api_keys;
    let key = find(&keys, &args.key)?;
    if !confirm("expire", "API key", &key.name, args.force)? {
        return Ok(true);
    }
    client.send(&DeleteApiKey { uid: key.uid.clone() }).await?;
    let answer = serde_json::json!({ "key_uid": key.uid, "expired": true });
    if filter.print(&answer)? {
        return Ok(true);
    }
    match format {
        Format::Json | Format::Ndjson => out::json(format, &answer)?,
        Format::Text => out::line(out::plain(&key.uid)),
        Format::Pretty => out::line(format!("API key '{}' expired.", out::one_line(&key.name, 100))),
    }
    Ok(true)
}

/// The key with this id, else the only one with this name.
fn find<'a>(keys: &'a [ApiKey], wanted: &str) -> Result<&'a ApiKey, CliError> {
    if let Some(key) = keys.iter().find(|key| key.uid == wanted) {
        return Ok(key);
    }
    let named: Vec<_> = keys.iter().filter(|key| key.name == wanted).collect();
    match named[..] {
        [] => Err(CliError::new(format!("API key '{wanted}' not found"))),
        [key] => Ok(key),
        _ => {
            let uids: Vec<_> = named.iter().map(|key| key.uid.as_str()).collect();
            let uids = out::plain(&uids.join(", "));
            Err(CliError::new(format!("several API keys are called '{wanted}': {uids}"))
                .hint("name one by its id"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_wins_over_a_name() {
        let key = |uid: &str, name: &str| -> ApiKey {
            serde_json::from_value(serde_json::json!({
                "uid": uid, "name": name, "key_suffix": "abcd", "scope": "Personal",
                "owner": { "type": "user", "uid": "u1" }, "created_at": "2026-03-02T08:00:00Z",
                "last_used_at": null, "expires_at": null
            }))
            .unwrap()
        };
        let keys =
            [key("k1", "ci"), key("ci", "other"), key("k3", "twice"), key("k4", "twice"), key("k5", "n")];
        assert_eq!(find(&keys, "ci").unwrap().uid, "ci");
        assert_eq!(find(&keys, "n").unwrap().uid, "k5");
        let error = |wanted| find(&keys, wanted).unwrap_err().to_string();
        assert_eq!(error("x"), "Error: API key 'x' not found");
        assert_eq!(
            error("twice"),
            "Error: several API keys are called 'twice': k3, k4\n=> name one by its id"
        );
    }
}
