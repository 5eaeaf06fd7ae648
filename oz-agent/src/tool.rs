//! What the native agent can do, one file per tool. A tool takes the arguments that the model wrote and answers with
//! something for the model and something for the transcript; it knows neither the model nor the run.

mod asks;
mod diff;
mod edit_files;
mod fetch_url;
mod file_glob;
mod finish;
mod grep;
mod kill_job;
mod list_files;
mod offer;
mod read_files;
mod read_job;
mod report_artifact;
mod run_command;
mod walk;
mod web_search;
mod workspace;
mod write_file;
mod write_to_job;

pub(crate) use asks::real;
pub(crate) use offer::Offer;
pub(crate) use workspace::Workspace;

use crate::{job::Jobs, mcp::Servers, process::Household};
use async_trait::async_trait;
use oz_core::{
    Redactor,
    artifact::Artifact,
    egress::Network,
    harness::{ActionCategory, HostTool},
    model::{Image, ToolSpec},
    permission::Ask,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

/// What an agent can do: the tools that are always there, those that were lent to it, and those of MCP servers, which may
/// come and go.
pub(crate) struct Toolbox {
    all: Vec<Arc<dyn Tool>>,
    /// How many of them stay.
    own: usize,
    /// Whether tools that may change something are left out.
    only_reading: bool,
    servers: Servers,
    /// See [`Servers::changes`].
    seen: u64,
}

impl Toolbox {
    /// The built-in tools that there are under this offer and, after them, `more`. Of two with one name the first
    /// stays.
    pub(crate) fn new(offer: &Offer, more: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let mut tools: Vec<Arc<dyn Tool>> = vec![
            Arc::new(run_command::RunCommand { secrets: offer.secrets.clone() }),
            Arc::new(read_job::ReadJob),
            Arc::new(write_to_job::WriteToJob),
            Arc::new(kill_job::KillJob),
            Arc::new(read_files::ReadFiles),
            Arc::new(list_files::ListFiles),
            Arc::new(file_glob::FileGlob),
            Arc::new(grep::Grep),
            Arc::new(edit_files::EditFiles),
            Arc::new(write_file::WriteFile),
            Arc::new(report_artifact::ReportArtifact),
            Arc::new(finish::Finish),
        ];
        if let Some(web) = &offer.web {
            tools.push(Arc::new(fetch_url::FetchUrl(Arc::clone(web))));
            if web.searches() {
                tools.push(Arc::new(web_search::WebSearch(Arc::clone(web))));
            }
        }
        let own = tools.len();
        Self { all: tools, own, only_reading: false, servers: Servers::default(), seen: 0 }.and(more)
    }

    /// Adds the tools of MCP servers; the servers end with the toolbox.
    pub(crate) fn connect(&mut self, servers: Servers) {
        self.seen = servers.changes();
        self.servers = servers;
        self.refill();
    }

    /// Takes up what MCP servers have changed. Answers whether they have.
    pub(crate) fn follow(&mut self) -> bool {
        let now = self.servers.changes();
        let changed = std::mem::replace(&mut self.seen, now) != now;
        if changed {
            self.refill();
        }
        changed
    }

    fn refill(&mut self) {
        self.all.truncate(self.own);
        let only_reading = self.only_reading;
        let offered = self.servers.tools(self.own).into_iter();
        self.all.extend(offered.filter(|tool| !only_reading || tool.parallel()));
    }

    /// Without the tools that `unwanted` says so of.
    pub(crate) fn without(mut self, unwanted: impl Fn(&dyn Tool) -> bool) -> Self {
        self.all.retain(|tool| !unwanted(&**tool));
        self.own = self.all.len();
        self
    }

    /// The tool of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.all.iter().find(|tool| tool.name() == name).cloned()
    }

    /// Without the tools that may change something.
    #[must_use]
    pub(crate) fn only_reading(mut self) -> Self {
        self.all.retain(|tool| tool.parallel() || tool.name() == finish::NAME);
        self.own = self.all.len();
        self.only_reading = true;
        self
    }

    /// With these tools after those that are there. Of two with one name the first stays.
    #[must_use]
    pub(crate) fn and(mut self, more: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        for tool in more {
            if self.find(tool.name()).is_none() {
                self.all.push(tool);
            }
        }
        self.own = self.all.len();
        self
    }

    /// The names of all tools.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.all.iter().map(|tool| tool.name()).collect()
    }

    /// Every tool as a model is told of it.
    pub(crate) fn specs(&self) -> Vec<ToolSpec> {
        let spec = |tool: &Arc<dyn Tool>| ToolSpec {
            name: tool.name().to_owned(),
            description: tool.description().to_owned(),
            input_schema: tool.schema(),
        };
        self.all.iter().map(spec).collect()
    }
}

/// A tool of the host among the agent's own.
struct Lent(Arc<dyn HostTool>);

/// Tools of the host for the toolbox.
pub(crate) fn lent(tools: Vec<Arc<dyn HostTool>>) -> impl Iterator<Item = Arc<dyn Tool>> {
    tools.into_iter().map(|tool| Arc::new(Lent(tool)) as Arc<dyn Tool>)
}

#[async_trait]
impl Tool for Lent {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn description(&self) -> &str {
        self.0.description()
    }

    fn schema(&self) -> Value {
        self.0.input_schema()
    }

    fn category(&self) -> ActionCategory {
        self.0.category()
    }

    fn parallel(&self) -> bool {
        self.0.only_reads()
    }

    async fn run(&self, _: &Desk, input: Value) -> Result<Done, Failed> {
        let content = self.0.call(arguments(input)?).await?;
        let output = object([("output", content.as_str().into())]);
        Ok(Done { content, output, ..Done::default() })
    }
}

/// What a tool works with.
pub(crate) struct Desk {
    /// Where files are.
    pub(crate) workspace: Workspace,
    /// The whole environment of commands.
    pub(crate) env: BTreeMap<String, String>,
    /// Secrets by variable that are not in `env`: a command gets one when it names it.
    pub(crate) secrets: BTreeMap<String, String>,
    /// The commands that run. They are dropped before whom they belong to.
    pub(crate) jobs: Jobs,
    /// To whom the commands belong.
    pub(crate) household: Household,
    /// Takes secrets out of what is shown.
    pub(crate) redactor: Redactor,
    /// What may be reached, and how commands are started so that it holds.
    pub(crate) network: Network,
}

impl Desk {
    /// The same place for somebody else, whose commands are its own.
    ///
    /// # Errors
    /// When there is no place for the output of commands.
    pub(crate) fn another(&self) -> io::Result<Self> {
        let jobs = Jobs::new(self.jobs.directory())?;
        Ok(Self {
            workspace: self.workspace.clone(),
            env: self.env.clone(),
            secrets: self.secrets.clone(),
            jobs,
            household: Household::new(),
            redactor: self.redactor.clone(),
            network: self.network.clone(),
        })
    }
}

/// A tool that did what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For the model.
    pub(crate) content: String,
    /// For the transcript.
    pub(crate) output: Map<String, Value>,
    /// Pictures for the model.
    pub(crate) images: Vec<Image>,
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
    fn name(&self) -> &str;

    /// What the model is told about it.
    fn description(&self) -> &str;

    /// The JSON Schema of its arguments.
    fn schema(&self) -> Value;

    /// What kind of action it is.
    fn category(&self) -> ActionCategory;

    /// Whether it only reads: then calls of it are done at once, and it is there where nothing may be changed.
    fn parallel(&self) -> bool {
        false
    }

    /// The same for a tool that only reads when its arguments say so.
    fn parallel_call(&self, arguments: &str) -> bool {
        let _ = arguments;
        self.parallel()
    }

    /// Arguments as they are shown.
    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        input.clone()
    }

    /// What permissions have to say to a call with these arguments. None is asked of what only tells the host something.
    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        let _ = (desk, input);
        Vec::new()
    }

    /// Does it.
    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed>;
}

/// What a tool is told by its arguments.
pub(crate) fn arguments<T: DeserializeOwned>(input: Value) -> Result<T, Failed> {
    serde_json::from_value(input).map_err(|e| format!("the arguments are not right: {e}").into())
}

/// The JSON Schema of a tool's arguments, without what models don't need.
pub(crate) fn schema<T: JsonSchema>() -> Value {
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
pub(crate) fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
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
    let directory = desk.workspace.resolve_to_read(path.filter(|p| !p.is_empty()).unwrap_or("."))?;
    if !directory.exists() {
        return Err(format!("'{}' does not exist", desk.workspace.show(&directory)).into());
    }
    Ok(directory)
}

#[cfg(test)]
mod tests;
