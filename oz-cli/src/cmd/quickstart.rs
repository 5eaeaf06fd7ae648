//! `oz quickstart`: the whole thing once, for real: a control plane, a repository with a failing test, a run that fixes
//! it, and the proof.

mod repository;

use super::{Outcome, on_signals, run::follow};
use crate::{
    cli::{Format, Global},
    error::CliError,
    live::colour_diff,
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::CreateRun,
    config::{AgentConfig, SourceRepo},
    env,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const BRANCH: &str = "oz/fix-slug";
const PROMPT: &str = "The test of this repository fails (run it with `sh test.sh`). Read the code, fix the bug in slug.sh \
without changing the test, run the test again, commit on a new branch `oz/fix-slug` and push it to origin.";
/// How long to look for a local Ollama.
const PROBE: Duration = Duration::from_millis(300);

/// See the whole thing work, in a temporary directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz quickstart
  ANTHROPIC_API_KEY=… oz quickstart
  oz quickstart --model ollama/qwen3-coder --data-dir ./try")]
pub(crate) struct QuickstartArgs {
    /// Keep everything here instead of in a temporary directory
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The model
    #[arg(long, value_name = "ID")]
    model: Option<String>,
}

pub(crate) async fn run(args: QuickstartArgs, global: &Global) -> Outcome {
    repository::require_programs()?;
    let (kept, temporary) = match &args.data_dir {
        Some(dir) => {
            fs::create_dir_all(dir)?;
            (dir.canonicalize()?, None)
        }
        None => {
            let dir = tempfile::Builder::new().prefix("oz-quickstart-").tempdir()?;
            (dir.path().canonicalize()?, Some(dir))
        }
    };
    let choice = choose_model(args.model).await;
    step(format!("Model: {}", choice.why));
    let script = kept.join("script.yaml");
    fs::write(&script, include_str!("quickstart/script.yaml"))?;
    let repo = kept.join("repo");
    repository::create(&repo)?;
    step(format!("Repository with a failing test: {}", repo.display()));
    let before = repository::test(&repo, "main", &kept)?;
    out::line(format!("    $ sh test.sh\n    {}", before.output.trim_end().replace('\n', "\n    ")));
    let key = format!("wk-1.{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let server = ServerProcess::start(&kept, &key, choice.scripted.then_some(script.as_path())).await?;
    step(format!("Control plane with a worker: {}", server.url));
    let client = Client::new(&server.url, Some(key))?.with_source("CLI");
    let config = AgentConfig {
        name: Some("quickstart".into()),
        model_id: choice.model_id.clone(),
        source_repos: vec![SourceRepo { url: repo.to_string_lossy().into_owned(), checkout_ref: None }],
        ..AgentConfig::default()
    };
    let request = CreateRun { prompt: Some(PROMPT.into()), config: Some(config), ..CreateRun::default() };
    let created = client.send(&request).await?;
    step(format!("Dispatched run {}", created.run_id));
    let shown = Global { output_format: Format::Pretty, ..global.clone() };
    let succeeded = follow(&client, created.run_id, 0, &shown, on_signals()?).await?;
    let passed = succeeded && verify(&repo, &kept)?;
    server.stop().await;
    if passed {
        next_steps(temporary.is_none().then_some(kept.as_path()));
    } else {
        out::note("The quickstart did not end as it should: see the run's record above.");
    }
    Ok(passed)
}

/// Shows what the run left in the repository, and whether the test passes now.
fn verify(repo: &Path, scratch: &Path) -> Result<bool, CliError> {
    step("What the agent changed");
    match repository::diff(repo, BRANCH) {
        Ok(diff) => out::line(colour_diff(&diff)),
        Err(e) => {
            out::note(e);
            return Ok(false);
        }
    }
    let after = repository::test(repo, BRANCH, scratch)?;
    step(format!("The test on branch {BRANCH}, in a fresh clone"));
    out::line(format!("    $ sh test.sh\n    {}", after.output.trim_end().replace('\n', "\n    ")));
    Ok(after.passed)
}

fn step(text: impl std::fmt::Display) {
    const STYLE: anstyle::Style = anstyle::AnsiColor::Cyan.on_default().bold();
    out::line(format!("{STYLE}==>{STYLE:#} {text}"));
}

fn next_steps(kept: Option<&Path>) {
    step("It works. Next:");
    out::line("    oz serve                                   host a control plane with a worker");
    out::line("    oz agent run-cloud -p \"…\" --repo URL --wait    dispatch a run to it and watch");
    out::line("    oz agent run -p \"…\"                        run an agent here, in this directory");
    out::line("    oz run list                                see what ran");
    if let Some(dir) = kept {
        out::line(format!("    Everything of this run is kept in {}", dir.display()));
    }
}

struct Choice {
    model_id: Option<String>,
    scripted: bool,
    why: String,
}

/// The first model that is there, and which that is in plain words.
async fn choose_model(wanted: Option<String>) -> Choice {
    let set = |name: &str| std::env::var(name).is_ok_and(|v| !v.is_empty());
    let real = |model_id: Option<&str>, why: String| Choice {
        model_id: model_id.map(str::to_owned),
        scripted: false,
        why,
    };
    if let Some(model) = wanted {
        let scripted = model == "scripted" && !set(env::SCRIPTED_MODEL);
        return Choice { why: format!("{model}, as you asked"), scripted, model_id: Some(model) };
    }
    if set(env::ANTHROPIC_API_KEY) {
        return real(None, "Anthropic, because ANTHROPIC_API_KEY is set".into());
    }
    if set(env::OPENAI_API_KEY) {
        return real(None, "OpenAI, because OPENAI_API_KEY is set".into());
    }
    if let Some(model) = ollama().await {
        return real(Some(&format!("ollama/{model}")), format!("{model} of the local Ollama, which answers"));
    }
    let why = "the scripted model, which replays prepared answers: no ANTHROPIC_API_KEY, no OPENAI_API_KEY and no local \
               Ollama was found. Everything else is real."
        .to_owned();
    Choice { model_id: Some("scripted".into()), scripted: true, why }
}

/// The first model of a local Ollama that answers.
async fn ollama() -> Option<String> {
    let host = std::env::var(env::OLLAMA_HOST)
        .ok()
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| "127.0.0.1:11434".into());
    let url = if host.contains("://") { host } else { format!("http://{host}") };
    let request = oz_client::http_client(&url).ok()?.get(format!("{url}/api/tags")).timeout(PROBE);
    let answer: serde_json::Value =
        serde_json::from_slice(&request.send().await.ok()?.bytes().await.ok()?).ok()?;
    answer["models"][0]["name"].as_str().map(str::to_owned)
}

/// A control plane of its own, as a process like any other.
struct ServerProcess {
    child: Child,
    url: String,
}

impl ServerProcess {
    async fn start(dir: &Path, key: &str, script: Option<&Path>) -> Result<Self, CliError> {
        let log = fs::File::create(dir.join("server.log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.join("data"))
            .env(env::BOOTSTRAP_API_KEY, key)
            // Nothing of the user's own settings is touched.
            .env("XDG_CONFIG_HOME", dir.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(script) = script {
            command.env(env::SCRIPTED_MODEL, script);
        }
        let mut child = command.spawn()?;
        let failed = || {
            CliError::new(format!(
                "the control plane did not start; its log is {}",
                dir.join("server.log").display()
            ))
        };
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(failed)?).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(url) = line.strip_prefix("Listening on ") {
                let url = url.to_owned();
                // What else it prints must not fill the pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self { child, url });
            }
        }
        Err(failed().hint(fs::read_to_string(dir.join("server.log")).unwrap_or_default().trim().to_owned()))
    }

    async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_ok() {
                return;
            }
        }
        let _ = self.child.kill().await;
    }
}
