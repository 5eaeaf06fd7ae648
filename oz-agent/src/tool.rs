//! What the native agent can do, one file per tool. A tool takes the arguments that the model wrote and answers with
//! something for the model and something for the transcript; it knows neither the model nor the run.

mod diff;
mod edit_files;
mod file_glob;
mod finish;
mod grep;
mod list_files;
mod read_files;
mod report_artifact;
mod run_command;
mod walk;
mod workspace;
mod write_file;

pub(crate) use workspace::Workspace;

use crate::process::Household;
use async_trait::async_trait;
use oz_core::{Redactor, artifact::Artifact, harness::ActionCategory, model::ToolSpec};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::PathBuf};

/// Every tool.
pub(crate) const ALL: &[&dyn Tool] = &[
    &run_command::RunCommand,
    &read_files::ReadFiles,
    &list_files::ListFiles,
    &file_glob::FileGlob,
    &grep::Grep,
    &edit_files::EditFiles,
    &write_file::WriteFile,
    &report_artifact::ReportArtifact,
    &finish::Finish,
];

/// What a tool works with.
pub(crate) struct Desk {
    /// Where files are.
    pub(crate) workspace: Workspace,
    /// The whole environment of commands.
    pub(crate) env: BTreeMap<String, String>,
    /// To whom the commands belong.
    pub(crate) household: Household,
    /// Takes secrets out of what is shown.
    pub(crate) redactor: Redactor,
}

/// A tool that did what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For the model.
    pub(crate) content: String,
    /// For the transcript.
    pub(crate) output: Map<String, Value>,
    /// What it means beyond that.
    pub(crate) effect: Effect,
}

/// A tool that could not do what it was asked.
#[derive(Debug, PartialEq)]
pub(crate) struct Failed {
    /// Why, for the model and the transcript.
    pub(crate) message: String,
    /// More for the transcript.
    pub(crate) output: Map<String, Value>,
}

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self { message, output: Map::new() }
    }
}

/// What a tool means for the run.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The run left something behind.
    Artifact(Artifact),
    /// The agent says that it is done.
    Finish { success: bool, summary: String },
}

/// Something that the agent can do.
#[async_trait]
pub(crate) trait Tool: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What the model is told about it.
    fn description(&self) -> &'static str;

    /// The JSON Schema of its arguments.
    fn schema(&self) -> Value;

    /// What kind of action it is.
    fn category(&self) -> ActionCategory;

    /// Arguments as they are shown.
    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        input.clone()
    }

    /// Does it.
    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed>;
}

/// The tool of this name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Tool> {
    ALL.iter().copied().find(|tool| tool.name() == name)
}

/// Every tool as a model is told of it.
pub(crate) fn specs() -> Vec<ToolSpec> {
    let spec = |tool: &&dyn Tool| ToolSpec {
        name: tool.name(),
        description: tool.description(),
        input_schema: tool.schema(),
    };
    ALL.iter().map(spec).collect()
}

/// What a tool is told by its arguments.
fn arguments<T: DeserializeOwned>(input: Value) -> Result<T, Failed> {
    serde_json::from_value(input).map_err(|e| format!("the arguments are not right: {e}").into())
}

/// The JSON Schema of a tool's arguments, without what models don't need.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.meta_schema = None;
        s.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    prune(&mut schema);
    schema
}

fn prune(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // A property may be called "title" or "format" too; then its schema is an object.
            map.retain(|key, value| {
                value.is_object() || !matches!(key.as_str(), "title" | "format" | "minimum" | "default")
            });
            map.values_mut().for_each(prune);
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

/// An object from pairs.
fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Does work that blocks, such as reading a tree of files, off the thread that serves everything else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
) -> Result<T, Failed> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(format!("the tool broke: {e}").into()),
    }
}

/// The path for an optional argument that names a directory.
fn directory(desk: &Desk, path: Option<&str>) -> Result<PathBuf, Failed> {
    let directory = desk.workspace.resolve(path.filter(|p| !p.is_empty()).unwrap_or("."))?;
    if !directory.exists() {
        return Err(format!("'{}' does not exist", desk.workspace.show(&directory)).into());
    }
    Ok(directory)
}

#[cfg(test)]
mod tests;
