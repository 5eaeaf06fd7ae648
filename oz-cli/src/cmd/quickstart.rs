//! `oz quickstart`: the whole thing once, for real: a control plane, a repository with a failing test, a run that fixes
//! it, and the proof. It touches nothing outside its own directory.

mod model;
mod plane;
mod repository;

use super::{Outcome, run::watch};
use crate::{
    cli::Format,
    error::CliError,
    live::{Live, render::colour_diff},
    out::{self, run::card},
    signals,
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    RunState,
    api::CreateRun,
    config::{AgentConfig, SourceRepo},
};
use plane::Plane;
use repository::{Repository, Tested};
use std::{
    fs,
    path::{Path, PathBuf},
};

const BRANCH: &str = "oz/fix-slug";
const PROMPT: &str = "The test of this repository fails (run it with `sh test.sh`). Read the code, fix the bug in slug.sh \
without changing the test, run the test again, commit on a new branch `oz/fix-slug` and push it to origin.";

/// See the whole thing work: a real run fixes a failing test in a real repository.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz quickstart
  ANTHROPIC_API_KEY=… oz quickstart
  oz quickstart --model ollama/qwen3-coder --data-dir ./try-oz")]
pub(crate) struct QuickstartArgs {
    /// Keep everything in this new directory instead of a temporary one
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The model; by default the first that is found of Anthropic, OpenAI, a local Ollama, and prepared answers
    #[arg(long, value_name = "ID")]
    model: Option<String>,
}

pub(crate) async fn run(args: QuickstartArgs) -> Outcome {
    repository::require_programs()?;
    let interrupt = signals::interrupt()?;
    let (dir, temporary) = directory(args.data_dir)?;
    let model = model::choose(args.model).await?;
    step(format!("Model: {}", model.why));
    let repository = Repository::create(&dir)?;
    step(format!("A repository with a failing test: {}", repository.path().display()));
    show(&repository.test("main")?);
    let plane = Plane::start(&dir, &model).await?;
    step(format!("A control plane with a worker: {}", plane.url()));
    let fixed = interrupt.run_until_cancelled(fix(plane.client()?, model.id, &repository)).await;
    plane.stop().await;
    let fixed = fixed.unwrap_or_else(|| Err(CliError::new("the quickstart was interrupted")));
    if fixed? {
        next_steps(temporary.is_none().then_some(&dir));
        return Ok(true);
    }
    out::note("The quickstart did not end as it should: see the run's record above.");
    Ok(false)
}

/// The directory to work in, and what deletes it at the end.
fn directory(kept: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), CliError> {
    let Some(dir) = kept else {
        let dir = tempfile::Builder::new().prefix("oz-quickstart-").tempdir()?;
        return Ok((dir.path().canonicalize()?, Some(dir)));
    };
    let shown = dir.display();
    fs::create_dir_all(&dir).map_err(|e| CliError::new(format!("directory '{shown}': {e}")))?;
    if fs::read_dir(&dir)?.next().is_some() {
        return Err(CliError::new(format!("--data-dir: '{shown}' is not empty; name a new directory")));
    }
    Ok((dir.canonicalize()?, None))
}

/// Dispatches the run, shows it, and looks at what it left in the repository. `true` when the test passes now.
async fn fix(client: Client, model_id: Option<String>, repository: &Repository) -> Outcome {
    let url = repository.path().to_string_lossy().into_owned();
    let config = AgentConfig {
        name: Some("quickstart".into()),
        model_id,
        source_repos: vec![SourceRepo { url, checkout_ref: None }],
        ..AgentConfig::default()
    };
    let title = Some("Fix the failing test".into());
    let request =
        CreateRun { prompt: Some(PROMPT.into()), title, config: Some(config), ..CreateRun::default() };
    let run_id = client.runs().create(&request).await?.run_id;
    step(format!("A run is dispatched: {run_id}"));
    out::line(format!("    {PROMPT}\n"));
    let live = Live::new("waiting for a worker");
    let run = watch::follow(&client, run_id, 0, Format::Pretty, &live).await;
    live.finish();
    let run = run?;
    step("Its record");
    out::line(card(&run));
    if run.state != RunState::Succeeded {
        return Ok(false);
    }
    step(format!("What it pushed to branch {BRANCH}"));
    out::line(colour_diff(&repository.changes(BRANCH)?));
    step("The test on that branch, in a fresh clone");
    let tested = repository.test(BRANCH)?;
    show(&tested);
    Ok(tested.passed)
}

fn step(text: impl std::fmt::Display) {
    const STYLE: anstyle::Style = anstyle::AnsiColor::Cyan.on_default().bold();
    out::line(format!("{STYLE}==>{STYLE:#} {text}"));
}

fn show(tested: &Tested) {
    let verdict = if tested.passed { "the test passes" } else { "the test fails" };
    let output = out::plain(tested.output.trim_end()).replace('\n', "\n    ");
    out::line(format!("    $ sh test.sh\n    {output}\n    => {verdict}"));
}

fn next_steps(kept: Option<&PathBuf>) {
    step("It works. Next:");
    for (command, purpose) in [
        ("oz serve", "host a control plane with a worker"),
        ("oz agent run-cloud -p \"…\" --repo URL --wait", "dispatch a run to it and watch"),
        ("oz run list", "see what ran"),
        ("oz agent run -p \"…\"", "run an agent right here"),
    ] {
        out::line(format!("    {command:<44} {purpose}"));
    }
    if let Some(dir) = kept.map(|dir| Path::display(dir)) {
        out::line(format!("    Everything of this one is kept in {dir}"));
    }
}
