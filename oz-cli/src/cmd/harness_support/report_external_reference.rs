//! `oz harness-support report-external-reference`: reports something elsewhere that the run is about.

use super::told;
use crate::{cli::Format, cmd::Outcome, error::CliError};
use clap::Args;
use oz_client::Client;
use oz_core::{Open, api::ReportArtifact, artifact::Artifact};
use serde_json::{Map, Value};

/// Report something elsewhere that the run is about.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz harness-support report-external-reference --url https://linear.app/me/issue/APP-7 --reference-type linear_issue
  oz harness-support report-external-reference --url file:main --reference-type git_branch --metadata '{\"ahead\": 2}'")]
pub(super) struct ReportExternalReferenceArgs {
    /// Its address
    #[arg(long)]
    url: String,
    /// What it is, in free words such as `linear_issue`
    #[arg(long, value_name = "TYPE")]
    reference_type: String,
    /// Its title
    #[arg(long)]
    title: Option<String>,
    /// More about it, as a JSON object
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

pub(super) async fn run(client: &Client, args: ReportExternalReferenceArgs, format: Format) -> Outcome {
    let metadata = args.metadata.as_deref().map(object).transpose()?;
    let (reference_type, url, title) = (args.reference_type, args.url, args.title);
    let artifact = Open::Known(Artifact::ExternalReference { reference_type, url, title, metadata });
    client.send(&ReportArtifact { artifact }).await?;
    told("External reference reported.", format)
}

fn object(text: &str) -> Result<Map<String, Value>, CliError> {
    serde_json::from_str(text).map_err(|e| CliError::new(format!("--metadata is not a JSON object: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_an_object() {
        assert_eq!(object(r#"{"a": [1]}"#).unwrap().len(), 1);
        for text in ["", "[]", "\"a\"", "{a: 1}", "null"] {
            let error = object(text).unwrap_err().to_string();
            assert!(error.starts_with("Error: --metadata is not a JSON object: "), "{error}");
        }
    }
}
