//! The commands: which one runs, on which runtime, and what its end means for the exit code.

mod agent;
mod api_key;
mod artifact;
mod ask;
mod budget;
mod completions;
mod confirm;
mod doctor;
mod dump_debug_info;
mod environment;
mod federate;
mod git_credential;
mod group;
mod harness_support;
mod integration;
mod login;
mod logout;
mod man;
mod mcp;
mod mcp_relay;
mod memory;
mod memory_store;
mod model;
mod nearest;
mod prompt;
#[cfg(feature = "serve")]
mod quickstart;
mod run;
mod runner;
mod schedule;
mod secret;
#[cfg(feature = "serve")]
mod serve;
mod team;
mod usage;
mod user;
mod whoami;
mod worker;

pub(crate) use agent::AgentCommand;
pub(crate) use api_key::ApiKeyCommand;
pub(crate) use artifact::ArtifactCommand;
pub(crate) use budget::BudgetCommand;
pub(crate) use completions::CompletionsArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use environment::EnvironmentCommand;
pub(crate) use federate::FederateCommand;
pub(crate) use git_credential::GitCredentialArgs;
pub(crate) use harness_support::HarnessSupportArgs;
pub(crate) use integration::IntegrationCommand;
pub(crate) use login::LoginArgs;
pub(crate) use man::ManArgs;
pub(crate) use mcp::McpCommand;
pub(crate) use memory::MemoryCommand;
pub(crate) use memory_store::MemoryStoreCommand;
pub(crate) use model::ModelCommand;
pub(crate) use prompt::PromptCommand;
#[cfg(feature = "serve")]
pub(crate) use quickstart::QuickstartArgs;
pub(crate) use run::RunCommand;
pub(crate) use runner::RunnerCommand;
pub(crate) use schedule::ScheduleArgs;
pub(crate) use secret::SecretCommand;
#[cfg(feature = "serve")]
pub(crate) use serve::ServeArgs;
pub(crate) use team::TeamCommand;
pub(crate) use usage::UsageArgs;
pub(crate) use user::UserCommand;
pub(crate) use worker::AgentWorker;
pub(crate) use worker::list::WorkerCommand;

use crate::{
    cli::{Cli, Command, Global},
    error::{CliError, FAILED},
    out,
};
use clap::CommandFactory as _;
use std::{io, pin::Pin, process::ExitCode};

/// What a command answers: whether it, and the run that it is about, went well.
pub(crate) type Outcome = Result<bool, CliError>;

/// Runs the command; returns the exit code.
pub(crate) fn run(cli: Cli) -> ExitCode {
    if cli.version {
        out::line(format!("Oz {}", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    let Some(command) = cli.command else {
        let _ = Cli::command().print_long_help();
        return ExitCode::SUCCESS;
    };
    match &command {
        Command::Worker(worker) if worker.look.is_none() => worker.worker.logging().start(cli.global.debug),
        _ => start_logging(cli.global.debug, hosts(&command)),
    }
    finish(runtime(&command), dispatch(command, cli.global))
}

/// Runs `oz-agent-worker`; returns the exit code.
pub(crate) fn run_worker(worker: AgentWorker) -> ExitCode {
    worker.logging().start(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    finish(runtime, Box::pin(worker.run()))
}

fn finish(
    runtime: io::Result<tokio::runtime::Runtime>,
    work: Pin<Box<dyn Future<Output = Outcome>>>,
) -> ExitCode {
    let outcome = runtime.map_err(CliError::from).and_then(|runtime| {
        let outcome = runtime.block_on(work);
        // Reads under way on other threads must not hold up the end.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(e) => {
            out::note(e);
            ExitCode::from(FAILED)
        }
    }
}

/// A control plane gets a thread per core; everything else is one thread, which starts faster and is smaller.
fn runtime(command: &Command) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = if hosts(command) {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.max_blocking_threads(8);
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build()
}

/// Whether the command is a control plane.
fn hosts(command: &Command) -> bool {
    match command {
        #[cfg(feature = "serve")]
        Command::Serve(_) => true,
        _ => false,
    }
}

fn start_logging(debug: bool, daemon: bool) {
    let level = match (debug, daemon) {
        (true, _) => tracing::Level::DEBUG,
        (false, true) => tracing::Level::INFO,
        (false, false) => return,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    log.with_ansi(false).with_target(false).init();
}

/// The work of a command, boxed: each way of driving a future compiles the whole of it anew otherwise.
fn dispatch(command: Command, global: Global) -> Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async move { perform(command, &global).await })
}

async fn perform(command: Command, global: &Global) -> Outcome {
    match command {
        #[cfg(feature = "serve")]
        Command::Quickstart(args) => quickstart::run(args).await,
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args).await,
        Command::Worker(args) => worker::list::run(*args, global).await,
        Command::Agent(command) => agent::run(command, global).await,
        Command::Run(command) => run::run(command, global).await,
        Command::Environment(command) => environment::run(command, global).await,
        Command::Schedule(args) => schedule::run(*args, global).await,
        Command::Secret(command) => secret::run(command, global).await,
        Command::Usage(args) => usage::run(args, global).await,
        Command::Budget(command) => budget::run(command, global).await,
        Command::Federate(command) => federate::run(command, global).await,
        Command::Artifact(command) => artifact::run(command, global).await,
        Command::Mcp(command) => mcp::run(command, global).await,
        Command::Model(command) => model::run(command, global).await,
        Command::Prompt(command) => prompt::run(command, global).await,
        Command::Runner(command) => runner::run(command, global).await,
        Command::Integration(command) => integration::run(&command, global),
        Command::MemoryStore(command) => memory_store::run(command, global).await,
        Command::Memory(command) => memory::run(command, global).await,
        Command::ApiKey(command) => api_key::run(command, global).await,
        Command::Team(command) => team::run(command, global).await,
        Command::User(command) => user::run(command, global).await,
        Command::Login(args) => login::run(args, global).await,
        Command::Logout => logout::run(),
        Command::Whoami => whoami::run(global).await,
        Command::GitCredential(args) => git_credential::run(args).await,
        Command::McpRelay => mcp_relay::run().await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Doctor(args) => doctor::run(&args, global).await,
        Command::HarnessSupport(args) => harness_support::run(args, global).await,
        Command::DumpDebugInfo => dump_debug_info::run(global),
    }
}
