//! `write_plan`: the plan document. Every call makes a new version of it.

use crate::{
    native::notes::{Notes, Plan},
    tool::{Desk, Done, Effect, Failed, Tool, arguments, object, schema},
};
use async_trait::async_trait;
use oz_core::{artifact::Artifact, harness::ActionCategory};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    title: String,
    /// The whole document in Markdown.
    text: String,
}

pub(in crate::native) struct WritePlan(pub(in crate::native) Arc<Notes>);

#[async_trait]
impl Tool for WritePlan {
    fn name(&self) -> &str {
        "write_plan"
    }

    fn description(&self) -> &str {
        "Writes your plan as a document for the user. Call it again with the whole document to make a new version."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Documents
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { title, text } = arguments(input)?;
        for (field, value) in [("title", &title), ("text", &text)] {
            if value.trim().is_empty() {
                return Err(format!("{field}: it is empty").into());
            }
        }
        let Plan { document_uid, version, title, text } =
            self.0.set_plan(desk.redactor.string(title), desk.redactor.string(text));
        let artifact = Artifact::Plan {
            document_uid: document_uid.to_string(),
            artifact_uid: Some(Uuid::new_v4().to_string()),
            notebook_uid: None,
            url: None,
            title: Some(title.clone()),
        };
        let output = object([
            ("document_uid", document_uid.to_string().into()),
            ("version", version.into()),
            ("title", title.into()),
            ("text", text.into()),
        ]);
        let content = format!("the plan is written, version {version}");
        Ok(Done { content, output, effect: Effect::Artifact(artifact), ..Done::default() })
    }
}
