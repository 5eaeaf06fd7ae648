//! `report_artifact`: something that the run leaves behind elsewhere, such as a pull request.

use super::{Desk, Done, Effect, Failed, Tool, arguments, schema};
use async_trait::async_trait;
use oz_core::{
    Open,
    api::{self, Validate as _},
    artifact::Artifact,
    harness::ActionCategory,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    artifact_type: Kind,
    /// PULL_REQUEST: `url` and `branch`. EXTERNAL_REFERENCE: `reference_type` (such as git_commit), `url` and, if you
    /// like, `title`.
    data: Map<String, Value>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    PullRequest,
    ExternalReference,
}

pub(super) struct ReportArtifact;

#[async_trait]
impl Tool for ReportArtifact {
    fn name(&self) -> &str {
        "report_artifact"
    }

    fn description(&self) -> &str {
        "Records something that you left behind elsewhere, such as a pull request that you opened."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, _desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { artifact_type, data } = arguments(input)?;
        let wire = serde_json::json!({ "artifact_type": artifact_type, "data": data });
        let artifact = Open::<Artifact>::Unknown(wire).require_known("data").map_err(|e| e.detail)?;
        let request = api::ReportArtifact { artifact: Open::Known(artifact.clone()) };
        request.validate().map_err(|e| e.detail)?;
        Ok(Done { content: "recorded".to_owned(), effect: Effect::Artifact(artifact), ..Done::default() })
    }
}
