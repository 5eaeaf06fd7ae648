//! `oz artifact get`: shows an artifact.

use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, artifact},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{ArtifactContent, GetArtifact};
use serde_json::{Map, Value};

/// Show an artifact.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz artifact get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
pub(crate) struct GetArgs {
    /// The artifact
    uid: String,
}

pub(super) async fn run(client: &Client, args: GetArgs, format: Format) -> Outcome {
    let artifact = client.send(&GetArtifact { artifact_uid: args.uid }).await?;
    match format {
        Format::Json | Format::Ndjson => out::json_line(&flat(&artifact)?)?,
        Format::Text => out::line(artifact::LIST.text(&[artifact], format)),
        Format::Pretty => out::line(artifact::card(&artifact)),
    }
    Ok(true)
}

/// The artifact as scripts know it: one object, where the API has the fields of its kind in `data`.
fn flat(artifact: &ArtifactContent) -> Result<Map<String, Value>, CliError> {
    let mut value = serde_json::to_value(artifact).map_err(CliError::new)?;
    let data = value.as_object_mut().and_then(|fields| fields.remove("data"));
    let fields = [value, data.unwrap_or_default()].into_iter().filter_map(|part| match part {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    Ok(fields.flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_one_object() {
        let artifact: ArtifactContent = serde_json::from_value(serde_json::json!({
            "artifact_uid": "a1", "created_at": "2026-03-02T08:00:00Z", "artifact_type": "SCREENSHOT",
            "data": { "download_url": "https://x/1", "expires_at": "2026-03-02T09:00:00Z", "content_type": "image/png" },
        }))
        .unwrap();
        insta::assert_snapshot!(serde_json::to_string(&flat(&artifact).unwrap()).unwrap(), @r#"{"artifact_type":"SCREENSHOT","artifact_uid":"a1","content_type":"image/png","created_at":"2026-03-02T08:00:00Z","download_url":"https://x/1","expires_at":"2026-03-02T09:00:00Z"}"#);
    }
}
